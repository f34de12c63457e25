//! What each setting is without a value, with a good one and with a bad one.

use std::{fs, path::Path, time::Duration};

use secrecy::ExposeSecret as _;

use super::{
    super::{LogFormat, Pooler, Purpose, RateLimits, Registration, settings},
    load, names,
};

#[test]
fn with_nothing_given_dev_has_all_it_needs() {
    let configuration = load(&[], Purpose::Dev).unwrap();
    assert_eq!(configuration.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(configuration.http.admin_listen.to_string(), "127.0.0.1:9090");
    assert_eq!(configuration.http.request_timeout, Duration::from_secs(30));
    assert_eq!(configuration.http.shutdown_grace, Duration::from_secs(5));
    assert_eq!(configuration.http.rate_limits, RateLimits::On);
    assert_eq!(
        configuration.http.public_url(configuration.http.listen),
        "http://127.0.0.1:8080"
    );
    assert_eq!(configuration.database.max_connections, 10);
    assert_eq!(configuration.database.pooler, Pooler::None);
    assert_eq!(configuration.sign_in.registration, Registration::Open);
    assert_eq!(configuration.sign_in.signing_key_days, None);
    assert!(configuration.trusted_issuers.issuers.is_empty());
    assert!(configuration.mail.smtp.is_none());
    assert!(configuration.outgoing.dns_servers.is_empty());
    let networks = configuration
        .outgoing
        .connection_networks
        .iter()
        .map(ToString::to_string);
    assert_eq!(networks.collect::<Vec<_>>(), ["127.0.0.0/8", "::1/128"]);
    assert_eq!(configuration.log.filter, "info");
    assert_eq!(configuration.log.format, LogFormat::Pretty);
    assert_eq!(configuration.development.data_dir, Path::new(".tenantry/dev"));
    assert_eq!(configuration.notices, Vec::<String>::new());
}

#[test]
fn every_setting_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let providers = folder.path().join("providers.toml");
    fs::write(&providers, "[okta]\ndomain = \"acme.okta.com\"\nclient_id = \"five\"\n").unwrap();
    let issuers = folder.path().join("issuers.toml");
    let issuer =
        "issuer = \"https://id.example.com\"\njwks_url = \"https://id.example.com/keys\"\naudience = \"six\"\n";
    fs::write(&issuers, format!("[partner]\n{issuer}")).unwrap();
    let encryption_keys = folder.path().join("encryption-keys");
    fs::create_dir(&encryption_keys).unwrap();
    let folder = folder.path().to_str().unwrap();
    let variables = [
        ("TENANTRY_DATABASE_URL", "postgres://app:one@db:5432/t?sslmode=require"),
        ("TENANTRY_DATABASE_OWNER_URL", "postgresql://owner:two@db/t"),
        ("TENANTRY_DATABASE_REPLICA_URL", "postgres:///t?host=/run/postgresql"),
        ("TENANTRY_DATABASE_POOLER", "transaction"),
        ("TENANTRY_DATABASE_MAX_CONNECTIONS", "1000"),
        ("TENANTRY_REDIS_URL", "rediss://:three@cache:6380/1"),
        ("TENANTRY_LISTEN", "[::]:80"),
        ("TENANTRY_ADMIN_LISTEN", "0.0.0.0:0"),
        ("TENANTRY_PUBLIC_URL", "https://api.example.com/tenantry/"),
        ("TENANTRY_BASE_DOMAIN", "app.example.com"),
        (
            "TENANTRY_CORS_ORIGINS",
            "https://a.example, http://localhost:3000 ,https://B.example:443",
        ),
        ("TENANTRY_WEBAUTHN_RP_ID", "Example.com"),
        ("TENANTRY_REQUEST_TIMEOUT_SECONDS", "300"),
        ("TENANTRY_SHUTDOWN_GRACE_SECONDS", "0"),
        ("TENANTRY_RATE_LIMITS", "off"),
        ("TENANTRY_RATE_LIMITS_OFF_ALLOWED", "yes"),
        ("TENANTRY_REGISTRATION", "private"),
        ("TENANTRY_SIGNING_KEYS", folder),
        ("TENANTRY_SIGNING_KEY_DAYS", "3650"),
        ("TENANTRY_ENCRYPTION_KEYS", encryption_keys.to_str().unwrap()),
        ("TENANTRY_MFA_GRACE_DAYS", "365"),
        ("TENANTRY_IDENTITY_PROVIDERS", providers.to_str().unwrap()),
        (
            "TENANTRY_REDIRECT_URIS",
            "https://app.example.com/in, com.example.app:/in",
        ),
        ("TENANTRY_TRUSTED_ISSUERS", issuers.to_str().unwrap()),
        ("TENANTRY_SMTP_URL", "smtp://mailer:four@mail:2525?tls=opportunistic"),
        ("TENANTRY_MAIL_FROM", "Tenantry <no-reply@example.com>"),
        (
            "TENANTRY_DNS_SERVERS",
            "10.0.0.2, 127.0.0.1:5353,2001:db8::2,[2001:db8::3]:5300",
        ),
        (
            "TENANTRY_CONNECTION_NETWORKS",
            "10.1.0.0/16, 192.168.7.7/32 ,fd00:1::/32",
        ),
        ("TENANTRY_LOG", "warn,tenantry_api=debug"),
        ("TENANTRY_LOG_FORMAT", "pretty"),
        ("TENANTRY_DATA_DIR", "/data"),
        ("TENANTRY_POSTGRES_BIN", folder),
    ];
    let given: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
    let all: Vec<&str> = settings().map(|setting| setting.variable).collect();
    assert!(
        all.iter().all(|name| given.contains(name)),
        "this test leaves one of {all:?} out"
    );

    let configuration = load(&variables, Purpose::Serve).unwrap();
    let text = |url: &Option<secrecy::SecretString>| url.as_ref().unwrap().expose_secret().to_owned();
    assert_eq!(
        text(&configuration.database.url),
        "postgres://app:one@db:5432/t?sslmode=require"
    );
    assert_eq!(text(&configuration.database.owner_url), "postgresql://owner:two@db/t");
    assert_eq!(
        text(&configuration.database.replica_url),
        "postgres:///t?host=/run/postgresql"
    );
    assert_eq!(text(&configuration.database.redis_url), "rediss://:three@cache:6380/1");
    assert_eq!(configuration.database.pooler, Pooler::Transaction);
    assert_eq!(configuration.database.max_connections, 1000);
    assert_eq!(configuration.http.listen.to_string(), "[::]:80");
    assert_eq!(configuration.http.admin_listen.to_string(), "0.0.0.0:0");
    assert_eq!(
        configuration.http.public_url(configuration.http.listen),
        "https://api.example.com/tenantry"
    );
    assert_eq!(configuration.http.base_domain.as_deref(), Some("app.example.com"));
    assert_eq!(
        configuration.http.cors_origins,
        ["https://a.example", "http://localhost:3000", "https://b.example"]
    );
    assert_eq!(configuration.http.webauthn_rp_id.as_deref(), Some("example.com"));
    assert_eq!(configuration.http.request_timeout, Duration::from_secs(300));
    assert_eq!(configuration.http.shutdown_grace, Duration::ZERO);
    assert_eq!(configuration.http.rate_limits, RateLimits::Off);
    assert_eq!(configuration.sign_in.registration, Registration::Private);
    assert_eq!(configuration.sign_in.mfa_grace_days, 365);
    let issuers: Vec<_> = configuration
        .identity_providers
        .providers
        .iter()
        .map(|provider| provider.issuer.as_str())
        .collect();
    assert_eq!(issuers, ["https://acme.okta.com"]);
    assert_eq!(
        configuration.identity_providers.redirect_uris,
        ["https://app.example.com/in", "com.example.app:/in"]
    );
    let trusted = configuration.trusted_issuers.issuers.iter();
    assert_eq!(
        trusted.map(|issuer| issuer.key.as_str()).collect::<Vec<_>>(),
        ["partner"]
    );
    assert_eq!(configuration.sign_in.signing_keys.as_deref(), Some(Path::new(folder)));
    assert_eq!(configuration.sign_in.signing_key_days, Some(3650));
    assert_eq!(
        configuration.sign_in.encryption_keys.as_deref(),
        Some(encryption_keys.as_path())
    );
    let smtp = configuration.mail.smtp.unwrap();
    assert_eq!(
        smtp.url.expose_secret(),
        "smtp://mailer:four@mail:2525?tls=opportunistic"
    );
    assert_eq!(smtp.from, "Tenantry <no-reply@example.com>");
    let dns_servers: Vec<String> = configuration
        .outgoing
        .dns_servers
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        dns_servers,
        [
            "10.0.0.2:53",
            "127.0.0.1:5353",
            "[2001:db8::2]:53",
            "[2001:db8::3]:5300"
        ]
    );
    let networks = configuration.outgoing.connection_networks.iter();
    assert_eq!(
        networks.map(ToString::to_string).collect::<Vec<_>>(),
        ["10.1.0.0/16", "192.168.7.7/32", "fd00:1::/32"]
    );
    assert_eq!(configuration.log.filter, "warn,tenantry_api=debug");
    assert_eq!(configuration.log.format, LogFormat::Pretty);
    assert_eq!(configuration.development.data_dir, Path::new("/data"));
    assert_eq!(
        configuration.development.postgres_bin.as_deref(),
        Some(Path::new(folder))
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    for (name, values) in [
        (
            "TENANTRY_DATABASE_URL",
            &[
                "db",
                "mysql://u:p@db/t",
                "postgres:///t",
                "postgres:db",
                "postgres://u:a#b@db/t",
                "postgres://u:1/b@db/t",
            ] as &[&str],
        ),
        ("TENANTRY_DATABASE_OWNER_URL", &["http://db"]),
        ("TENANTRY_DATABASE_REPLICA_URL", &["postgres//db"]),
        ("TENANTRY_DATABASE_POOLER", &["session", "Transaction"]),
        (
            "TENANTRY_DATABASE_MAX_CONNECTIONS",
            &["0", "1001", "-1", "ten", "1.5", "99999999999999999999"],
        ),
        ("TENANTRY_REDIS_URL", &["cache:6379", "http://cache", "redis://"]),
        (
            "TENANTRY_SMTP_URL",
            &[
                "mail",
                "http://mail",
                "smtp://",
                "smtp://user@mail",
                "smtp://mail?tls=maybe",
            ],
        ),
        ("TENANTRY_MAIL_FROM", &["Tenantry", "a@example.com, b@example.com"]),
        (
            "TENANTRY_LISTEN",
            &["8080", "localhost", "127.0.0.1", "127.0.0.1:65536", "::1:80"],
        ),
        ("TENANTRY_ADMIN_LISTEN", &[":9090"]),
        (
            "TENANTRY_PUBLIC_URL",
            &[
                "api.example.com",
                "ftp://a.example",
                "https://u@a.example",
                "https://a.example?b",
                "https://a.example#b",
            ],
        ),
        (
            "TENANTRY_BASE_DOMAIN",
            &[
                "https://a.example",
                "a.example:80",
                "*.example",
                "10.0.0.1",
                "a..example",
                "a b",
            ],
        ),
        (
            "TENANTRY_CORS_ORIGINS",
            &[
                "*",
                "null",
                "a.example",
                "https://a.example/",
                "https://a.example/b",
                "https://*.a.example",
                "file:///a",
            ],
        ),
        (
            "TENANTRY_WEBAUTHN_RP_ID",
            &[
                "https://a.example",
                "a.example:80",
                "127.0.0.1",
                "a.example",
                "api.localhost",
            ],
        ),
        ("TENANTRY_REQUEST_TIMEOUT_SECONDS", &["0", "301", "30s"]),
        ("TENANTRY_SHUTDOWN_GRACE_SECONDS", &["-1", "301", "5s"]),
        ("TENANTRY_RATE_LIMITS", &["no", "false", "OFF"]),
        ("TENANTRY_RATE_LIMITS_OFF_ALLOWED", &["true"]),
        ("TENANTRY_REGISTRATION", &["closed", "Private"]),
        ("TENANTRY_SIGNING_KEY_DAYS", &["0", "-1", "3651", "90d", "never"]),
        ("TENANTRY_MFA_GRACE_DAYS", &["-1", "366", "7d"]),
        (
            "TENANTRY_DNS_SERVERS",
            &[
                "dns.example.com",
                "10.0.0.2:0",
                "10.0.0.2:65536",
                "10.0.0.0/8",
                "[2001:db8::2]",
                "udp://10.0.0.2",
            ],
        ),
        (
            "TENANTRY_CONNECTION_NETWORKS",
            &[
                "10.1.0.0",
                "10.1.2.3/16",
                "10.0.0.0/33",
                "fd00:1::1/32",
                "::/129",
                "private",
                "10.0.0.0-10.0.0.9",
            ],
        ),
        ("TENANTRY_LOG", &["info,=", "tenantry=loud"]),
        ("TENANTRY_LOG_FORMAT", &["text"]),
        ("TENANTRY_POSTGRES_BIN", &["/no/such/folder"]),
    ] {
        for value in values {
            assert_eq!(names(load(&[(name, value)], Purpose::Dev)), [name], "{value}");
        }
    }
}

#[test]
fn passkeys_are_for_a_domain_that_some_page_is_on() {
    let pages = [
        ("TENANTRY_PUBLIC_URL", "https://api.example.com"),
        ("TENANTRY_CORS_ORIGINS", "https://app.example.org"),
    ];
    let with = |id: &'static str| [pages.as_slice(), &[("TENANTRY_WEBAUTHN_RP_ID", id)]].concat();
    for id in ["example.com", "api.example.com", "example.org", "app.example.org"] {
        let configuration = load(&with(id), Purpose::Dev).unwrap();
        assert_eq!(configuration.http.webauthn_rp_id.as_deref(), Some(id));
    }
    for id in ["xample.com", "www.api.example.com", "example.net", "localhost"] {
        assert_eq!(
            names(load(&with(id), Purpose::Dev)),
            ["TENANTRY_WEBAUTHN_RP_ID"],
            "{id}"
        );
    }
    let local = [("TENANTRY_WEBAUTHN_RP_ID", "localhost")];
    assert!(load(&local, Purpose::Dev).is_ok());
}
