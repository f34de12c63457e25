#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{fs, path::Path};

use secrecy::ExposeSecret as _;
use tenantry_auth::identity_providers::Preset;

use super::{
    super::{
        Configuration, Problems, Purpose, Sources,
        toml_tables::{MAX_BYTES, MAX_TABLES},
    },
    parse, redirect_uri,
};

/// The purposes that sign somebody in, or write to them of it.
const USING: [Purpose; 3] = [Purpose::Serve, Purpose::Worker, Purpose::Dev];

/// Those that do not.
const OTHERS: [Purpose; 6] = [
    Purpose::Migrate,
    Purpose::Doctor,
    Purpose::Seed,
    Purpose::SeedLarge,
    Purpose::User,
    Purpose::Health,
];

/// Where sign-ins come from and return to.
const PLACES: [(&str, &str); 2] = [
    ("TENANTRY_PUBLIC_URL", "https://api.example.com"),
    ("TENANTRY_REDIRECT_URIS", "https://app.example.com/signed-in"),
];

/// The configuration with a file of providers, and these settings beside what every purpose needs.
fn load(file: &Path, settings: &[(&str, &str)], purpose: Purpose) -> Result<Configuration, Problems> {
    let keys = tempfile::tempdir().unwrap();
    let needed = [
        ("TENANTRY_DATABASE_URL", "postgres://u:p@db/t"),
        ("TENANTRY_DATABASE_OWNER_URL", "postgres://u:p@db/t"),
        ("TENANTRY_SIGNING_KEYS", keys.path().to_str().unwrap()),
        ("TENANTRY_IDENTITY_PROVIDERS", file.to_str().unwrap()),
    ];
    Configuration::load(&Sources::of(needed.iter().chain(settings).copied()), purpose)
}

/// The same with the text of a file.
fn load_text(text: &str, settings: &[(&str, &str)], purpose: Purpose) -> Result<Configuration, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("providers.toml");
    fs::write(&file, text).unwrap();
    load(&file, settings, purpose)
}

/// The names of the problems, sorted.
fn names(outcome: Result<Configuration, Problems>) -> Vec<String> {
    let problems = outcome.unwrap_err();
    let mut names: Vec<String> = problems.iter().map(|problem| problem.name.clone()).collect();
    names.sort();
    names
}

/// As many providers as are wanted.
fn providers(count: usize) -> String {
    let table = |number| format!("[p{number}]\nissuer = \"https://id.example.com/{number}\"\nclient_id = \"c\"\n");
    (0..count).map(table).collect()
}

#[test]
fn presets_know_their_issuers() {
    let providers = parse(
        r#"
        [google]
        client_id = "g"
        client_secret = "s"
        [microsoft]
        tenant = "consumers"
        client_id = "m"
        client_secret = "s"
        [auth0]
        domain = "acme.eu.auth0.com"
        client_id = "a"
        [okta]
        domain = "acme.okta.com"
        client_id = "o"
        [staff]
        preset = "keycloak"
        name = "Company account"
        issuer = "https://sso.example.com/realms/staff"
        client_id = "k"
        [github]
        client_id = "h"
        client_secret = "s"
        [ghe]
        preset = "github"
        url = "https://github.example.com/"
        client_id = "h"
        client_secret = "s"
        [local]
        issuer = "http://127.0.0.1:9000"
        client_id = "l"
        scopes = ["openid", "email"]
        "#,
    )
    .unwrap();
    let of = |key: &str| providers.iter().find(|provider| provider.key == key).unwrap();
    assert_eq!(of("google").issuer, "https://accounts.google.com");
    assert_eq!(of("google").client_secret.as_ref().unwrap().expose_secret(), "s");
    assert_eq!(
        of("microsoft").issuer,
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
    );
    assert_eq!(of("auth0").issuer, "https://acme.eu.auth0.com/");
    assert_eq!(of("okta").issuer, "https://acme.okta.com");
    assert_eq!(of("staff").name, "Company account");
    assert_eq!(of("staff").preset, Preset::Keycloak);
    assert_eq!(of("github").scopes, ["read:user", "user:email"]);
    assert_eq!(of("ghe").issuer, "https://github.example.com");
    assert_eq!((of("local").preset, of("local").name.as_str()), (Preset::Oidc, "local"));
    assert_eq!(of("local").scopes, ["openid", "email"]);
    assert!(parse("").unwrap().is_empty());
}

#[test]
fn every_problem_is_told_and_no_secret() {
    let problems = parse(
        r#"
        stray = "top secret"
        [Bad_Key]
        client_id = "x"
        issuer = "https://id.example.com"
        [0190b2f0-7c3e-7d4a-8f21-5b6c7d8e9f00]
        client_id = "u"
        issuer = "https://id.example.com"
        [0190b2f07c3e7d4a8f215b6c7d8e9f00]
        client_id = "u"
        issuer = "https://id.example.com"
        [0190b2f0-7c3e-7d4a-8f21-5b6c7d8e9f0]
        client_id = "u"
        issuer = "https://id.example.com"
        [google]
        client_id = 7
        client_secrets = "top secret"
        [microsoft]
        tenant = "common"
        client_id = "m"
        client_secret = "top secret"
        [okta]
        client_id = "o"
        [plain]
        issuer = "http://id.example.com"
        client_id = "p"
        scopes = ["email"]
        [odd]
        preset = "facebook"
        client_id = "f"
        "#,
    )
    .unwrap_err();
    let text = problems.join("\n");
    assert!(!text.contains("top secret"), "{text}");
    for told in [
        "`stray` is not a table",
        "provider `Bad_Key`: key must be",
        "provider `0190b2f0-7c3e-7d4a-8f21-5b6c7d8e9f00`: key must be no UUID",
        "provider `0190b2f07c3e7d4a8f215b6c7d8e9f00`: key must be no UUID",
        "provider `google`: client_id must be a text",
        "provider `google`: client_secret is missing",
        "provider `google`: `client_secrets` is not a field of it",
        "provider `microsoft`: tenant must be the id of a tenant",
        "provider `okta`: domain is missing",
        "provider `plain`: issuer must be an https URL",
        "provider `plain`: scopes must have `openid`",
        "provider `odd`: preset must be one of",
    ] {
        assert!(text.contains(told), "{told} is missing in:\n{text}");
    }
    assert!(
        !text.contains("9f0`"),
        "what only looks like a UUID is a key as any other: {text}"
    );
    let broken = parse("client_secret = \"top secret").unwrap_err();
    assert_eq!(broken, ["is not TOML"]);
}

#[test]
fn browsers_are_sent_to_safe_places_alone() {
    for good in [
        "https://app.example.com/signed-in",
        "https://app.example.com",
        "http://localhost:3000/signed-in",
        "http://[::1]:8080/",
        "com.example.app:/signed-in",
    ] {
        assert_eq!(redirect_uri(good).as_deref(), Some(good));
    }
    for bad in [
        "http://app.example.com/",
        "https://app.example.com/#fragment",
        "https://user@app.example.com/",
        "https://*.example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "myapp:/signed-in",
        "/signed-in",
        "",
    ] {
        assert_eq!(redirect_uri(bad), None, "{bad}");
    }
}

/// A provider that is told no address of ours sends nobody back.
#[test]
fn serving_needs_to_know_where_people_come_from_and_go() {
    let one = providers(1);
    let both = PLACES.map(|(name, _)| name);
    assert_eq!(names(load_text(&one, &[], Purpose::Serve)), both);
    let [public_url, redirect_uris] = PLACES;
    assert_eq!(names(load_text(&one, &[public_url], Purpose::Serve)), [both[1]]);
    assert_eq!(names(load_text(&one, &[redirect_uris], Purpose::Serve)), [both[0]]);
    let whole = load_text(&one, &PLACES, Purpose::Serve).unwrap();
    assert_eq!(whole.identity_providers.providers.len(), 1);
    // Without a provider nobody goes anywhere, and those who do not serve send nobody.
    assert!(load_text("", &[], Purpose::Serve).is_ok());
    for purpose in [Purpose::Worker, Purpose::Dev] {
        let configuration = load_text(&one, &[], purpose).unwrap();
        assert_eq!(configuration.identity_providers.providers.len(), 1, "{purpose:?}");
    }
}

#[test]
fn a_file_has_its_limits() {
    let file = |bytes: u64| {
        let text = providers(1) + "# ";
        let rest = usize::try_from(bytes).unwrap() - text.len();
        text + &"x".repeat(rest)
    };
    let told = ["TENANTRY_IDENTITY_PROVIDERS"];
    for purpose in USING {
        assert!(load_text(&file(MAX_BYTES), &PLACES, purpose).is_ok(), "{purpose:?}");
        let refused = load_text(&file(MAX_BYTES + 1), &PLACES, purpose);
        assert_eq!(names(refused), told, "{purpose:?}");

        let most = load_text(&providers(MAX_TABLES), &PLACES, purpose).unwrap();
        assert_eq!(most.identity_providers.providers.len(), MAX_TABLES, "{purpose:?}");
        let refused = load_text(&providers(MAX_TABLES + 1), &PLACES, purpose);
        let problem = refused.as_ref().unwrap_err().to_string();
        assert!(problem.contains("has more than 20 providers"), "{problem}");
        assert_eq!(names(refused), told, "{purpose:?}");
    }
    assert_eq!(MAX_BYTES, 64 * 1024);
}

/// Whoever migrates or helps a person need not be shown the secrets of the providers.
#[test]
fn who_signs_nobody_in_does_not_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("providers.toml");
    for purpose in USING {
        let refused = load(&missing, &PLACES, purpose);
        assert_eq!(names(refused), ["TENANTRY_IDENTITY_PROVIDERS"], "{purpose:?}");
        assert!(load_text("[broken", &PLACES, purpose).is_err(), "{purpose:?}");
    }
    for purpose in OTHERS {
        for outcome in [load(&missing, &[], purpose), load_text("[broken", &[], purpose)] {
            let configuration = outcome.unwrap();
            assert!(configuration.identity_providers.providers.is_empty(), "{purpose:?}");
        }
    }
}
