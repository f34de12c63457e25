//! Where and how requests are taken.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use url::{Host, Origin, Url};

use tenantry_auth::passkeys::RelyingParty;

use super::{Purpose, reader::Reader, setting::Setting};

const LISTEN: Setting = Setting::plain(
    "TENANTRY_LISTEN",
    "an IP address and port, such as 127.0.0.1:8080 or [::]:8080",
)
.or("127.0.0.1:8080");

const ADMIN_LISTEN: Setting = Setting::plain(
    "TENANTRY_ADMIN_LISTEN",
    "an IP address and port, such as 127.0.0.1:9090",
)
.or("127.0.0.1:9090")
.not_yet("has no effect yet: nothing listens there");

/// Where people reach the service.
pub(super) const PUBLIC_URL: Setting = Setting::plain(
    "TENANTRY_PUBLIC_URL",
    "the http(s) URL under which people reach the service, without login, query and fragment",
);

const BASE_DOMAIN: Setting = Setting::plain(
    "TENANTRY_BASE_DOMAIN",
    "the domain whose subdomains are organizations, such as app.example.com, without scheme and port",
)
.not_yet("has no effect yet: the organization is never taken from the host name");

const CORS_ORIGINS: Setting = Setting::plain(
    "TENANTRY_CORS_ORIGINS",
    "exact origins separated by commas, each scheme://host[:port] with neither path nor `*`",
);

const WEBAUTHN_RP_ID: Setting = Setting::plain(
    "TENANTRY_WEBAUTHN_RP_ID",
    "the domain that passkeys are for, such as example.com, without scheme and port",
);

const REQUEST_TIMEOUT: Setting = Setting::plain(
    "TENANTRY_REQUEST_TIMEOUT_SECONDS",
    "how long a request may take, 1 to 300 seconds",
)
.or("30");

/// How long a server that was told to stop serves on.
pub(super) const SHUTDOWN_GRACE: Setting = Setting::plain(
    "TENANTRY_SHUTDOWN_GRACE_SECONDS",
    "how long a server that was told to stop says that it is not ready and serves on, 0 to 300 seconds",
)
.or("5");

const RATE_LIMITS: Setting = Setting::plain("TENANTRY_RATE_LIMITS", "`on` or `off`").or("on");

const RATE_LIMITS_OFF_ALLOWED: Setting = Setting::plain(
    "TENANTRY_RATE_LIMITS_OFF_ALLOWED",
    "`yes` to let TENANTRY_RATE_LIMITS=off hold outside of dev, or `no`",
)
.or("no");

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[
    &LISTEN,
    &ADMIN_LISTEN,
    &PUBLIC_URL,
    &BASE_DOMAIN,
    &CORS_ORIGINS,
    &WEBAUTHN_RP_ID,
    &REQUEST_TIMEOUT,
    &SHUTDOWN_GRACE,
    &RATE_LIMITS,
    &RATE_LIMITS_OFF_ALLOWED,
];

/// Where and how requests are taken.
#[derive(Debug, Clone)]
pub struct Http {
    /// `TENANTRY_LISTEN`.
    pub listen: SocketAddr,
    /// `TENANTRY_ADMIN_LISTEN`.
    pub admin_listen: SocketAddr,
    /// `TENANTRY_PUBLIC_URL` without a slash at the end. [`Http::public_url`] knows what it is when not given.
    pub public_url: Option<String>,
    /// `TENANTRY_BASE_DOMAIN`.
    pub base_domain: Option<String>,
    /// `TENANTRY_CORS_ORIGINS`, as browsers send them (RFC 6454, section 6.2).
    pub cors_origins: Vec<String>,
    /// `TENANTRY_WEBAUTHN_RP_ID`.
    pub webauthn_rp_id: Option<String>,
    /// `TENANTRY_REQUEST_TIMEOUT_SECONDS`, 1 to 300 s.
    pub request_timeout: Duration,
    /// `TENANTRY_SHUTDOWN_GRACE_SECONDS`, 0 to 300 s.
    pub shutdown_grace: Duration,
    /// `TENANTRY_RATE_LIMITS`.
    pub rate_limits: RateLimits,
}

/// Whether requests are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimits {
    /// As they are everywhere but in a benchmark.
    On,
    /// None at all, those of sign-in included.
    Off,
}

impl Http {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let listen = reader.value(&LISTEN, |text| text.parse().ok());
        let admin_listen = reader.value(&ADMIN_LISTEN, |text| text.parse().ok());
        let public_url = reader.optional(&PUBLIC_URL, public_url);
        let base_domain = reader.optional(&BASE_DOMAIN, domain);
        let cors_origins = reader.list(&CORS_ORIGINS, origin);
        let webauthn_rp_id = reader.optional(&WEBAUTHN_RP_ID, domain);
        let seconds = reader.value(&REQUEST_TIMEOUT, |text| {
            text.parse().ok().filter(|s| (1..=300).contains(s))
        });
        let grace_seconds = reader.value(&SHUTDOWN_GRACE, |text| {
            text.parse().ok().filter(|s| (0..=300).contains(s))
        });
        let rate_limits = rate_limits(reader);
        let read = Self {
            listen: listen?,
            admin_listen: admin_listen?,
            public_url: public_url?,
            base_domain: base_domain?,
            cors_origins: cors_origins?,
            webauthn_rp_id: webauthn_rp_id?,
            request_timeout: Duration::from_secs(seconds?),
            shutdown_grace: Duration::from_secs(grace_seconds?),
            rate_limits: rate_limits?,
        };
        if let Some(id) = &read.webauthn_rp_id
            && RelyingParty::of(&read.public_url(read.listen), &read.cors_origins, Some(id)).is_err()
        {
            let (url, origins) = (PUBLIC_URL.variable, CORS_ORIGINS.variable);
            let problem = format!("must be the domain of {url} or of one of {origins}, or one above it");
            reader.forbid(&WEBAUTHN_RP_ID, problem);
        }
        Some(read)
    }

    /// Where people reach the service: as configured, else the address that it listens on.
    #[must_use]
    pub fn public_url(&self, listening: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| {
            let mut address = listening;
            if address.ip().is_unspecified() {
                address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
            }
            format!("http://{address}")
        })
    }
}

fn rate_limits(reader: &mut Reader<'_>) -> Option<RateLimits> {
    let limits = reader.value(&RATE_LIMITS, |text| match text {
        "on" => Some(RateLimits::On),
        "off" => Some(RateLimits::Off),
        _ => None,
    });
    let off_allowed = reader.value(&RATE_LIMITS_OFF_ALLOWED, |text| match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    });
    if reader.purpose() == Purpose::Serve && limits == Some(RateLimits::Off) && off_allowed == Some(false) {
        let second = RATE_LIMITS_OFF_ALLOWED.variable;
        reader.forbid(
            &RATE_LIMITS,
            format!("`off` is refused outside of dev unless {second}=yes says so too"),
        );
        return None;
    }
    limits
}

fn public_url(text: &str) -> Option<String> {
    let url = web_url(text)?;
    Some(String::from(url).trim_end_matches('/').to_owned())
}

/// One origin as browsers write it. A path, even `/`, is refused: whoever writes one expects it to count.
fn origin(text: &str) -> Option<String> {
    let url = web_url(text)?;
    if url.path() != "/" || text.ends_with('/') || text.contains('*') {
        return None;
    }
    match url.origin() {
        origin @ Origin::Tuple(..) => Some(origin.ascii_serialization()),
        Origin::Opaque(_) => None,
    }
}

/// An http(s) URL of nothing but scheme, host, port and path.
fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    bare.then_some(url)
}

fn domain(text: &str) -> Option<String> {
    match Host::parse(text).ok()? {
        Host::Domain(name) if !name.contains('*') && name.split('.').all(|label| (1..=63).contains(&label.len())) => {
            Some(name)
        }
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}
