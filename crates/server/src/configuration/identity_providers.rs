//! The providers that people sign in through, from a file of their own: it holds secrets, and is mounted like one.

use std::{fs, io::Read as _, path::Path};

use config::{Config, File, FileFormat, Value, ValueKind};
use secrecy::SecretString;
use tenantry_auth::identity_providers::{Preset, ProviderSettings, is_loopback};
use tenantry_domain::slugs::Slug;
use url::Url;

use super::{Purpose, http::PUBLIC_URL, reader::Reader, setting::Setting};

const IDENTITY_PROVIDERS: Setting = Setting::plain(
    "TENANTRY_IDENTITY_PROVIDERS",
    "an existing TOML file of at most 64 KiB with a table for each identity provider",
);

const REDIRECT_URIS: Setting = Setting::plain(
    "TENANTRY_REDIRECT_URIS",
    "exact URIs separated by commas, each https, http on a loopback host, or of a scheme with a dot in it, without fragment",
);

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&IDENTITY_PROVIDERS, &REDIRECT_URIS];

/// The most bytes of the file, and the most providers in it.
const MAX_BYTES: u64 = 64 * 1024;
const MAX_PROVIDERS: usize = 20;

/// The most characters of a text in it, of the name that people see, and the most scopes.
const MAX_TEXT: usize = 500;
const MAX_NAME: usize = 100;
const MAX_SCOPES: usize = 50;

/// The tenant of Microsoft accounts that belong to people, and what Microsoft calls it in paths.
const CONSUMERS: (&str, &str) = ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad");

/// The providers that people sign in through.
#[derive(Debug, Clone)]
pub struct IdentityProviders {
    /// Those of the file that `TENANTRY_IDENTITY_PROVIDERS` names.
    pub providers: Vec<ProviderSettings>,
    /// `TENANTRY_REDIRECT_URIS`.
    pub redirect_uris: Vec<String>,
}

impl IdentityProviders {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let is_used = matches!(reader.purpose(), Purpose::Serve | Purpose::Worker | Purpose::Dev);
        let text = reader.optional(&IDENTITY_PROVIDERS, |path| {
            if is_used {
                read(Path::new(path))
            } else {
                Some(String::new())
            }
        });
        let redirect_uris = reader.list(&REDIRECT_URIS, redirect_uri);
        let providers = match parse(&text?.unwrap_or_default()) {
            Ok(providers) => providers,
            Err(problems) => {
                for problem in problems {
                    reader.forbid(&IDENTITY_PROVIDERS, problem);
                }
                return None;
            }
        };
        if !providers.is_empty() && reader.purpose() == Purpose::Serve {
            reader.require(&PUBLIC_URL);
            reader.require(&REDIRECT_URIS);
        }
        Some(Self {
            providers,
            redirect_uris: redirect_uris?,
        })
    }
}

/// The text of a file, where there is one that is not too large.
fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let length = fs::File::open(path)
        .ok()?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .ok()?;
    u64::try_from(length)
        .is_ok_and(|length| length <= MAX_BYTES)
        .then_some(text)
}

/// The providers that a file describes.
///
/// # Errors
/// All that is wrong with it, each problem a sentence with the provider's key and the field. No value is repeated: it may be a secret.
pub fn parse(text: &str) -> Result<Vec<ProviderSettings>, Vec<String>> {
    let file = Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .build();
    let tables = file.and_then(|file| config::Source::collect(&file));
    let tables = tables.map_err(|_| vec!["is not TOML".to_owned()])?;
    let mut problems = Vec::new();
    if tables.len() > MAX_PROVIDERS {
        problems.push(format!("has more than {MAX_PROVIDERS} providers"));
    }
    let mut providers = Vec::new();
    let mut tables: Vec<_> = tables.into_iter().collect();
    tables.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (key, value) in tables.into_iter().take(MAX_PROVIDERS) {
        let mut table = Table::new(&key, value);
        let provider = table.provider();
        problems.extend(table.problems);
        providers.extend(provider);
    }
    if problems.is_empty() {
        Ok(providers)
    } else {
        Err(problems)
    }
}

/// What is written of one provider, and what is wrong with it.
struct Table {
    key: String,
    fields: Vec<(String, Value)>,
    problems: Vec<String>,
}

impl Table {
    fn new(key: &str, value: Value) -> Self {
        let mut table = Self {
            key: key.chars().take(MAX_NAME).collect(),
            fields: Vec::new(),
            problems: Vec::new(),
        };
        if key.parse::<Slug>().is_err() {
            table.problem(
                "key",
                "must be 1 to 63 of a-z, 0-9 and hyphens, and neither begin nor end with one",
            );
        }
        match value.kind {
            ValueKind::Table(fields) => table.fields = fields.into_iter().collect(),
            _ => table.problems.push(format!("`{}` is not a table", table.key)),
        }
        table.fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        table
    }

    fn problem(&mut self, field: &str, problem: &str) {
        self.problems
            .push(format!("provider `{}`: {field} {problem}", self.key));
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        let at = self.fields.iter().position(|(name, _)| name == field)?;
        Some(self.fields.remove(at).1)
    }

    /// A text that may be absent.
    fn text(&mut self, field: &str) -> Option<String> {
        match self.take(field)?.kind {
            ValueKind::String(text)
                if !text.is_empty() && text.len() <= MAX_TEXT && !text.contains(char::is_control) =>
            {
                Some(text)
            }
            _ => {
                self.problem(field, &format!("must be a text of 1 to {MAX_TEXT} bytes"));
                None
            }
        }
    }

    fn required(&mut self, field: &str) -> Option<String> {
        if self.fields.iter().any(|(name, _)| name == field) {
            return self.text(field);
        }
        self.problem(field, "is missing");
        None
    }

    fn provider(&mut self) -> Option<ProviderSettings> {
        if self.fields.is_empty() && !self.problems.is_empty() {
            return None;
        }
        let preset = match self.text("preset") {
            Some(written) => {
                let preset = written.parse::<Preset>().ok();
                if preset.is_none() {
                    self.problem("preset", &format!("must be one of {}", Preset::WORDS.join(", ")));
                }
                preset
            }
            None => Some(self.key.parse().unwrap_or(Preset::Oidc)),
        };
        let Some(preset) = preset else {
            // What else it needs hangs on that.
            self.required("client_id");
            return None;
        };
        let name = self.text("name").unwrap_or_else(|| shown_name(preset, &self.key));
        if name.chars().count() > MAX_NAME {
            self.problem("name", &format!("must have {MAX_NAME} or fewer characters"));
        }
        let client_id = self.required("client_id");
        let is_public = !matches!(preset, Preset::Google | Preset::Microsoft | Preset::GitHub);
        let client_secret = if is_public {
            self.text("client_secret")
        } else {
            self.required("client_secret")
        };
        let scopes = self.scopes(preset);
        let issuer = self.issuer(preset);
        for (field, _) in std::mem::take(&mut self.fields) {
            let field: String = field.chars().take(MAX_NAME).collect();
            self.problem(&format!("`{field}`"), "is not a field of it");
        }
        Some(ProviderSettings {
            key: self.key.clone(),
            preset,
            name,
            issuer: issuer?,
            client_id: client_id?,
            client_secret: client_secret.map(SecretString::from),
            scopes,
        })
    }

    fn scopes(&mut self, preset: Preset) -> Vec<String> {
        let usual: &[&str] = match preset {
            Preset::GitHub => &["read:user", "user:email"],
            _ => &["openid", "email", "profile"],
        };
        let Some(written) = self.take("scopes") else {
            return usual.iter().copied().map(str::to_owned).collect();
        };
        let is_scope = |text: &String| {
            // RFC 6749, appendix A.4.
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
        };
        let scopes = written.into_array().ok().and_then(|scopes| {
            let texts: Option<Vec<String>> = scopes
                .into_iter()
                .map(|scope| scope.into_string().ok().filter(is_scope))
                .collect();
            texts.filter(|texts| (1..=MAX_SCOPES).contains(&texts.len()))
        });
        match scopes {
            Some(scopes) if preset == Preset::GitHub || scopes.iter().any(|scope| scope == "openid") => scopes,
            Some(_) => {
                self.problem("scopes", "must have `openid` among them");
                Vec::new()
            }
            None => {
                self.problem("scopes", &format!("must be a list of 1 to {MAX_SCOPES} scopes"));
                Vec::new()
            }
        }
    }

    /// Who vouches, by whatever the preset names it by.
    fn issuer(&mut self, preset: Preset) -> Option<String> {
        match preset {
            Preset::Google => Some("https://accounts.google.com".to_owned()),
            Preset::Microsoft => {
                let tenant = self.required("tenant")?;
                let tenant = if tenant == CONSUMERS.0 {
                    CONSUMERS.1.to_owned()
                } else {
                    tenant
                };
                if uuid::Uuid::try_parse(&tenant).is_err() || tenant.len() != 36 {
                    self.problem(
                        "tenant",
                        "must be the id of a tenant (a UUID), or `consumers`: of `common` and `organizations` anybody's \
                         administrator could claim any address",
                    );
                    return None;
                }
                Some(format!(
                    "https://login.microsoftonline.com/{}/v2.0",
                    tenant.to_ascii_lowercase()
                ))
            }
            Preset::Auth0 | Preset::Okta => {
                let issuer = self.text("issuer");
                let Some(domain) = self.text("domain") else {
                    if issuer.is_none() {
                        self.problem("domain", "is missing");
                    }
                    return self.checked("issuer", issuer?);
                };
                if issuer.is_some() {
                    self.problem("issuer", "and domain are two ways to say the same: leave one out");
                    return None;
                }
                if domain.contains(['/', ':', '@', '?', '#']) || url::Host::parse(&domain).is_err() {
                    self.problem("domain", "must be a host name");
                    return None;
                }
                let slash = if preset == Preset::Auth0 { "/" } else { "" };
                Some(format!("https://{}{slash}", domain.to_ascii_lowercase()))
            }
            Preset::Keycloak | Preset::Oidc => {
                let issuer = self.required("issuer")?;
                self.checked("issuer", issuer)
            }
            Preset::GitHub => {
                let url = self.text("url").unwrap_or_else(|| "https://github.com".to_owned());
                self.checked("url", url.trim_end_matches('/').to_owned())
            }
        }
    }

    /// A URL over TLS, or of this machine.
    fn checked(&mut self, field: &str, text: String) -> Option<String> {
        let fits = Url::parse(&text).is_ok_and(|url| {
            let safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
            let bare = url.username().is_empty() && url.password().is_none();
            safe && bare && url.has_host() && url.query().is_none() && url.fragment().is_none()
        });
        if fits {
            return Some(text);
        }
        self.problem(field, "must be an https URL without login, query and fragment");
        None
    }
}

/// What people call a provider whose name nobody wrote.
fn shown_name(preset: Preset, key: &str) -> String {
    match preset {
        Preset::Google => "Google",
        Preset::Microsoft => "Microsoft",
        Preset::Auth0 => "Auth0",
        Preset::Okta => "Okta",
        Preset::Keycloak => "Keycloak",
        Preset::GitHub => "GitHub",
        Preset::Oidc => key,
    }
    .to_owned()
}

/// A place that a browser may be sent to in the end (RFC 8252, section 7, and RFC 9700, section 2.1).
fn redirect_uri(text: &str) -> Option<String> {
    let uri = Url::parse(text).ok()?;
    let safe = match uri.scheme() {
        "https" => true,
        "http" => is_loopback(&uri),
        scheme => scheme.contains('.'),
    };
    let bare = uri.username().is_empty() && uri.password().is_none() && uri.fragment().is_none();
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    (safe && bare && printable && !text.contains('*') && text.len() <= 1000).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
