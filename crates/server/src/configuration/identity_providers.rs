//! The providers that people sign in through, from a file of their own: it holds secrets, and is mounted like one.

use secrecy::SecretString;
use tenantry_auth::identity_providers::{Preset, ProviderSettings, is_loopback};
use url::Url;

use super::{
    Purpose,
    http::PUBLIC_URL,
    reader::Reader,
    setting::Setting,
    toml_tables::{self, TomlTable},
};

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

/// The most scopes.
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
        let providers = toml_tables::read(reader, &IDENTITY_PROVIDERS, parse);
        let redirect_uris = reader.list(&REDIRECT_URIS, redirect_uri);
        let providers = providers?;
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

/// The providers that a file describes.
///
/// # Errors
/// All that is wrong with it, each problem a sentence with the provider's key and the field. No value is repeated: it may be a secret.
pub fn parse(text: &str) -> Result<Vec<ProviderSettings>, Vec<String>> {
    toml_tables::parse(text, "provider", TomlTable::provider)
}

impl TomlTable {
    fn provider(&mut self) -> Option<ProviderSettings> {
        let preset = match self.text("preset") {
            Some(written) => {
                let preset = written.parse::<Preset>().ok();
                if preset.is_none() {
                    self.problem("preset", &format!("must be one of {}", Preset::WORDS.join(", ")));
                }
                preset
            }
            None => Some(self.key().parse().unwrap_or(Preset::Oidc)),
        };
        let Some(preset) = preset else {
            // What else it needs hangs on that.
            self.required("client_id");
            return None;
        };
        let name = self.name(shown_name(preset, self.key()));
        let client_id = self.required("client_id");
        let is_public = !matches!(preset, Preset::Google | Preset::Microsoft | Preset::GitHub);
        let client_secret = if is_public {
            self.text("client_secret")
        } else {
            self.required("client_secret")
        };
        let scopes = self.scopes(preset);
        let issuer = self.issuer(preset);
        self.refuse_others();
        Some(ProviderSettings {
            key: self.key().to_owned(),
            preset,
            name,
            issuer: issuer?,
            client_id: client_id?,
            client_secret: client_secret.map(SecretString::from),
            scopes,
            connection: None,
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
