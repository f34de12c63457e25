//! The mail server that a URL names.
//!
//! | URL | port, unless it names one | encryption |
//! | --- | --- | --- |
//! | `smtps://user:password@host` | 465 | from the first byte |
//! | `smtp://user:password@host`, or with `?tls=required` | 587 | STARTTLS, or nothing is sent |
//! | `smtp://host?tls=opportunistic` | 587 | STARTTLS where the server offers it: no help against an attacker |
//! | `smtp://host?tls=none` | 25 | none: for a relay on the same machine |
//!
//! User and password are percent-encoded, and may be left out. The host is a name or an IPv4 address. The table of
//! lettre's own `from_url` is another one: with it, `smtp://` alone means no encryption.

use std::{future::Future, time::Duration};

use lettre::transport::smtp::{
    self, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Tls, TlsParameters},
    extension::ClientId,
};
use tokio::time::timeout;
use url::Url;

use super::{InvalidSettings, Refusal, SendError, Trouble};

/// How long connecting, agreeing on encryption, and signing in may take, each.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether `url` says how to reach a mail server, such as `smtp://user:password@host:587?tls=required` or
/// `smtps://user:password@host`.
#[must_use]
pub fn check_smtp_url(url: &str) -> bool {
    Parts::parse(url).is_some()
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    None,
    Opportunistic,
    Required,
    Wrapper,
}

/// What a URL says.
struct Parts {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<(String, String)>,
}

impl Parts {
    fn parse(text: &str) -> Option<Self> {
        // The parser of URLs would drop some of these in silence.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let (encryption, default_port) = encryption(&url)?;
        let host = url.host_str().filter(|host| is_host(host))?.to_owned();
        let port = url.port().unwrap_or(default_port);
        if port == 0 || !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return None;
        }
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) => Some((decoded(user)?, decoded(password)?)),
            // lettre would sign in with neither.
            (_, None) => return None,
        };
        Some(Self {
            host,
            port,
            encryption,
            credentials,
        })
    }
}

fn encryption(url: &Url) -> Option<(Encryption, u16)> {
    let mut pairs = url.query_pairs();
    let pair = pairs.next();
    if pairs.next().is_some() {
        return None;
    }
    let pair = pair.as_ref().map(|(key, value)| (&**key, &**value));
    match (url.scheme(), pair) {
        ("smtps", None | Some(("tls", "required"))) => Some((Encryption::Wrapper, SUBMISSIONS_PORT)),
        ("smtp", None | Some(("tls", "required"))) => Some((Encryption::Required, SUBMISSION_PORT)),
        ("smtp", Some(("tls", "opportunistic"))) => Some((Encryption::Opportunistic, SUBMISSION_PORT)),
        ("smtp", Some(("tls", "none"))) => Some((Encryption::None, SMTP_PORT)),
        _ => None,
    }
}

fn is_host(host: &str) -> bool {
    host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

/// The text behind percent-encoding; `None` where that is broken, or where the text could not be signed in with: NUL
/// separates the two in the PLAIN mechanism.
fn decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded)
        .ok()
        .filter(|text| !text.is_empty() && !text.contains('\0'))
}

/// A mail server, ready to be connected to.
pub(super) struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    /// What we call ourselves.
    name: ClientId,
}

impl Server {
    pub(super) fn new(url: &str) -> Result<Self, InvalidSettings> {
        let parts = Parts::parse(url).ok_or(InvalidSettings::Url)?;
        let parameters = || TlsParameters::new(parts.host.clone()).map_err(|_| InvalidSettings::Tls);
        let tls = match parts.encryption {
            Encryption::None => Tls::None,
            Encryption::Opportunistic => Tls::Opportunistic(parameters()?),
            Encryption::Required => Tls::Required(parameters()?),
            Encryption::Wrapper => Tls::Wrapper(parameters()?),
        };
        Ok(Self {
            host: parts.host,
            port: parts.port,
            tls,
            credentials: parts.credentials.map(Credentials::from),
            name: ClientId::default(),
        })
    }

    /// A connection that is encrypted and signed in as the URL says.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let wrapper = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection = step(AsyncSmtpConnection::connect_tokio1(
            address,
            Some(STEP_TIMEOUT),
            &self.name,
            wrapper,
            None,
        ))
        .await?;
        match &self.tls {
            // Fails where the server does not offer it.
            Tls::Required(parameters) => step(connection.starttls(parameters.clone(), &self.name)).await?,
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                step(connection.starttls(parameters.clone(), &self.name)).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            step(connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        Ok(connection)
    }

    /// Whether `connection` still works.
    pub(super) async fn answers(connection: &mut AsyncSmtpConnection) -> bool {
        timeout(STEP_TIMEOUT, connection.test_connected())
            .await
            .unwrap_or(false)
    }
}

/// lettre limits the time of connecting only, so every step gets a limit here.
async fn step<T>(work: impl Future<Output = Result<T, smtp::Error>>) -> Result<T, SendError> {
    match timeout(STEP_TIMEOUT, work).await {
        // Whoever does not let us in refuses us, and no mail.
        Ok(done) => done.map_err(|error| match SendError::from(error) {
            SendError::Refused(Refusal::Answer(code)) => SendError::Temporary(Trouble::Answer(code)),
            other => other,
        }),
        Err(_) => Err(SendError::Temporary(Trouble::Timeout)),
    }
}

#[cfg(test)]
mod tests;
