#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{fs, path::Path};

use tenantry_auth::trusted_issuers::{ALGORITHMS, ClaimNames, ClaimPath, IssuerSettings};

use super::{
    super::{
        Configuration, Problems, Purpose, Sources,
        toml_tables::{MAX_BYTES, MAX_TABLES},
    },
    parse,
};

/// The least that an issuer needs.
const LEAST: &str = "\
    [least]
    issuer = \"https://id.example.com\"
    jwks_url = \"https://id.example.com/keys\"
    audience = \"api\"
";

/// The configuration with a file of issuers, and these settings beside what every purpose needs.
fn load(file: &Path, settings: &[(&str, &str)], purpose: Purpose) -> Result<Configuration, Problems> {
    let keys = tempfile::tempdir().unwrap();
    let needed = [
        ("TENANTRY_DATABASE_URL", "postgres://u:p@db/t"),
        ("TENANTRY_DATABASE_OWNER_URL", "postgres://u:p@db/t"),
        ("TENANTRY_SIGNING_KEYS", keys.path().to_str().unwrap()),
        ("TENANTRY_TRUSTED_ISSUERS", file.to_str().unwrap()),
    ];
    Configuration::load(&Sources::of(needed.iter().chain(settings).copied()), purpose)
}

/// The same with the text of a file.
fn load_text(text: &str, settings: &[(&str, &str)], purpose: Purpose) -> Result<Configuration, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("issuers.toml");
    fs::write(&file, text).unwrap();
    load(&file, settings, purpose)
}

/// All problems, each as it is told.
fn told(outcome: Result<Configuration, Problems>) -> Vec<String> {
    outcome.unwrap_err().iter().map(ToString::to_string).collect()
}

/// The only issuer of a text.
fn only(text: &str) -> IssuerSettings {
    let [issuer]: [IssuerSettings; 1] = parse(text).unwrap().try_into().unwrap();
    issuer
}

/// As many issuers as are wanted.
fn issuers(count: usize) -> String {
    let table = |number| {
        format!(
            "[i{number}]\nissuer = \"https://id.example.com/{number}\"\n\
             jwks_url = \"https://id.example.com/keys\"\naudience = \"api\"\n"
        )
    };
    (0..count).map(table).collect()
}

#[test]
fn the_least_is_completed_by_defaults() {
    let issuer = only(LEAST);
    assert_eq!((issuer.key.as_str(), issuer.name.as_str()), ("least", "least"));
    assert_eq!(issuer.issuer, "https://id.example.com");
    assert_eq!(issuer.jwks_url, "https://id.example.com/keys");
    assert_eq!(issuer.audiences, ["api"]);
    assert!(issuer.authorized_parties.is_empty());
    assert_eq!(issuer.algorithms, ALGORITHMS.map(|(_, algorithm)| algorithm));
    assert!(!issuer.trusts_email);
    assert_eq!(issuer.claims, ClaimNames::default());
    assert!(parse("").unwrap().is_empty());
}

#[test]
fn all_that_is_written_is_read() {
    let issuer = only(
        r#"
        [auth0]
        name = "Auth0"
        issuer = "https://tenant.eu.auth0.com/"
        jwks_url = "https://tenant.eu.auth0.com/.well-known/jwks.json"
        audience = ["https://api.example.com", "https://api.example.org"]
        authorized_parties = "https://app.example.com"
        algorithms = ["ES256", "RS256"]
        trust_email = true
        [auth0.claims]
        subject = "uid"
        email = "https://example.com/email"
        email_verified = "https://example.com/email_verified"
        name = "/user_metadata/full_name"
        picture = "/user_metadata/a~1b~0c"
        locale = "language"
        session = "https://example.com/session"
        "#,
    );
    assert_eq!(issuer.name, "Auth0");
    // To the character: without the slash it would be another one.
    assert_eq!(issuer.issuer, "https://tenant.eu.auth0.com/");
    assert_eq!(issuer.audiences, ["https://api.example.com", "https://api.example.org"]);
    assert_eq!(issuer.authorized_parties, ["https://app.example.com"]);
    let of = |name: &str| ALGORITHMS.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!(issuer.algorithms, [of("RS256"), of("ES256")]);
    assert!(issuer.trusts_email);
    let [subject, email, email_verified, name, picture, locale, session] = [
        "uid",
        "https://example.com/email",
        "https://example.com/email_verified",
        "/user_metadata/full_name",
        "/user_metadata/a~1b~0c",
        "language",
        "https://example.com/session",
    ]
    .map(ClaimPath::new);
    let expected = ClaimNames {
        subject,
        email,
        email_verified,
        name,
        picture,
        locale,
        session: vec![session],
    };
    assert_eq!(issuer.claims, expected);
}

#[test]
fn keys_come_over_tls_unless_all_is_on_this_machine() {
    let with = |issuer: &str, keys: &str| {
        parse(&format!(
            "[one]\nissuer = \"{issuer}\"\njwks_url = \"{keys}\"\nauthorized_parties = \"https://app.example.com\"\n"
        ))
    };
    for (issuer, keys) in [
        ("https://id.example.com", "https://keys.example.com/jwks"),
        ("http://localhost:8081/realms/a", "http://localhost:8081/realms/a/certs"),
        ("http://127.0.0.1:1", "http://[::1]:2/keys"),
        ("http://127.0.0.1:1", "https://keys.example.com/jwks"),
    ] {
        assert!(with(issuer, keys).is_ok(), "{issuer} {keys}");
    }
    for (issuer, keys, field) in [
        ("http://id.example.com", "https://id.example.com/jwks", "issuer"),
        ("https://id.example.com?a", "https://id.example.com/jwks", "issuer"),
        ("supabase", "https://id.example.com/jwks", "issuer"),
        ("https://id.example.com", "http://id.example.com/jwks", "jwks_url"),
        ("https://id.example.com", "http://localhost:1/jwks", "jwks_url"),
        ("https://id.example.com", "https://me@id.example.com/jwks", "jwks_url"),
        ("https://id.example.com", "file:///etc/jwks", "jwks_url"),
    ] {
        let problems = with(issuer, keys).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let begin = format!("issuer `one`: {field} must be");
        assert!(
            problems.iter().all(|problem| problem.starts_with(&begin)),
            "{problems:?}"
        );
    }
}

#[test]
fn every_problem_is_told_and_no_value() {
    let problems = parse(
        r#"
        stray = "top secret"
        [Bad_Key]
        issuer = "https://a.example.com"
        jwks_url = "https://a.example.com/keys"
        audience = "api"
        [0190b2f0-7c3e-7d4a-8f21-5b6c7d8e9f00]
        issuer = "https://d.example.com"
        jwks_url = "https://d.example.com/keys"
        audience = "api"
        [bare]
        [copy]
        issuer = "https://b.example.com"
        jwks_url = "https://b.example.com/keys"
        audience = []
        algorithms = ["RS256", "HS256"]
        [original]
        issuer = "https://b.example.com"
        jwks_url = "https://b.example.com/keys"
        audience = 7
        authorized_parties = ["top secret", ""]
        algorithms = "none"
        trust_email = "top secret"
        secret = "top secret"
        [original.claims]
        email = ""
        name = "/"
        picture = "/a~2top secret"
        locale = "//a"
        role = "top secret"
        [flat]
        issuer = "https://c.example.com"
        jwks_url = "https://c.example.com/keys"
        audience = "api"
        claims = "top secret"
        "#,
    )
    .unwrap_err();
    let text = problems.join("\n");
    assert!(!text.contains("top secret"), "{text}");
    for told in [
        "`stray` is not a table",
        "issuer `Bad_Key`: key must be",
        "issuer `0190b2f0-7c3e-7d4a-8f21-5b6c7d8e9f00`: key must be no UUID",
        "issuer `bare`: issuer is missing",
        "issuer `bare`: jwks_url is missing",
        "issuer `bare`: audience is missing",
        "issuer `copy`: audience must be a text of 1 to 500 bytes, or a list of 1 to 20 of them",
        "issuer `copy`: algorithms must be among RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA",
        "issuer `original`: issuer is that of another issuer here, too",
        "issuer `original`: audience must be a text",
        "issuer `original`: authorized_parties must be a text",
        "issuer `original`: algorithms must be among",
        "issuer `original`: trust_email must be true or false",
        "issuer `original`: claims.email must be a text",
        "issuer `original`: claims.name must be the name of a claim",
        "issuer `original`: claims.picture must be the name of a claim",
        "issuer `original`: claims.locale must be the name of a claim",
        "issuer `original`: `claims.role` is not a field of it",
        "issuer `original`: `secret` is not a field of it",
        "issuer `flat`: claims must be a table",
    ] {
        assert!(text.contains(told), "{told} is missing in:\n{text}");
    }
    assert_eq!(problems.len(), 20, "{text}");
    assert_eq!(parse("issuer = \"top secret").unwrap_err(), ["is not TOML"]);
}

#[test]
fn no_issuer_passes_for_this_service_or_for_an_identity_provider() {
    let folder = tempfile::tempdir().unwrap();
    let providers = folder.path().join("providers.toml");
    let provider = |issuer: &str| {
        let text = format!("[least]\npreset = \"oidc\"\nissuer = \"{issuer}\"\nclient_id = \"c\"\n");
        fs::write(&providers, text).unwrap();
    };
    let with = |public_url| {
        let settings = [
            ("TENANTRY_PUBLIC_URL", public_url),
            ("TENANTRY_IDENTITY_PROVIDERS", providers.to_str().unwrap()),
            ("TENANTRY_REDIRECT_URIS", "https://app.example.com/signed-in"),
        ];
        load_text(LEAST, &settings, Purpose::Serve)
    };
    provider("https://id.example.com");
    let configuration = with("https://api.example.com").unwrap();
    assert_eq!(configuration.trusted_issuers.issuers.len(), 1);
    assert_eq!(
        told(with("https://id.example.com/")),
        ["TENANTRY_TRUSTED_ISSUERS: issuer `least`: issuer is this service itself"]
    );
    provider("https://other.example.com");
    assert_eq!(
        told(with("https://api.example.com")),
        ["TENANTRY_TRUSTED_ISSUERS: issuer `least`: key is that of an identity provider with another issuer"]
    );
}

#[test]
fn a_file_has_its_limits() {
    let file = |bytes: u64| {
        let text = LEAST.to_owned() + "# ";
        let rest = usize::try_from(bytes).unwrap() - text.len();
        text + &"x".repeat(rest)
    };
    assert!(load_text(&file(MAX_BYTES), &[], Purpose::Serve).is_ok());
    let [problem]: [String; 1] = told(load_text(&file(MAX_BYTES + 1), &[], Purpose::Serve))
        .try_into()
        .unwrap();
    assert!(problem.starts_with("TENANTRY_TRUSTED_ISSUERS: expects"), "{problem}");

    assert_eq!(parse(&issuers(MAX_TABLES)).unwrap().len(), MAX_TABLES);
    let problems = parse(&issuers(MAX_TABLES + 1)).unwrap_err();
    assert_eq!(problems, ["has more than 20 issuers"]);
}

#[test]
fn who_takes_no_tokens_does_not_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("issuers.toml");
    for purpose in [Purpose::Serve, Purpose::Worker, Purpose::Dev] {
        let [problem]: [String; 1] = told(load(&missing, &[], purpose)).try_into().unwrap();
        assert!(problem.starts_with("TENANTRY_TRUSTED_ISSUERS: expects"), "{problem}");
        let configuration = load_text(LEAST, &[], purpose).unwrap();
        assert_eq!(configuration.trusted_issuers.issuers.len(), 1, "{purpose:?}");
    }
    for purpose in [
        Purpose::Migrate,
        Purpose::Doctor,
        Purpose::Seed,
        Purpose::User,
        Purpose::Health,
    ] {
        for outcome in [load(&missing, &[], purpose), load_text("[broken", &[], purpose)] {
            assert!(outcome.unwrap().trusted_issuers.issuers.is_empty(), "{purpose:?}");
        }
    }
}
