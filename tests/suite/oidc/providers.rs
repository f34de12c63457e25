//! The providers that people may choose from.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{APP, EXCHANGE, Lobby, PROVIDERS};
use crate::mfa::{Stage, expect_unauthorized, names};

const SEVERAL: &str = r#"
[staff]
preset = "keycloak"
name = "Company account"
issuer = "http://127.0.0.1:9/realms/staff"
client_id = "tenantry"
client_secret = "the secret of staff"

[google]
client_id = "tenantry"
client_secret = "the secret of google"

[customers]
preset = "okta"
domain = "example.okta.com"
client_id = "tenantry"

[a-zero]
preset = "auth0"
domain = "example.eu.auth0.com"
client_id = "tenantry"

[microsoft]
tenant = "consumers"
client_id = "tenantry"
client_secret = "the secret of microsoft"

[github]
client_id = "tenantry"
client_secret = "the secret of github"

[own]
issuer = "https://id.example.com"
client_id = "tenantry"
"#;

#[tokio::test]
async fn they_are_listed_by_their_keys() {
    let lobby = Lobby::with(|options| options.identity_providers = SEVERAL.to_owned()).await;
    let list = lobby.anybody().get(PROVIDERS).await;
    let told = [
        ("a-zero", "Auth0", "auth0"),
        ("customers", "Okta", "okta"),
        ("github", "GitHub", "github"),
        ("google", "Google", "google"),
        ("microsoft", "Microsoft", "microsoft"),
        ("own", "own", "oidc"),
        ("staff", "Company account", "keycloak"),
    ]
    .map(|(key, name, kind)| {
        json!({
            "key": key,
            "name": name,
            "type": kind,
            "authorizeUrl": format!("/api/v1/auth/oidc/{key}/authorize"),
        })
    });
    assert_eq!(list.expect(StatusCode::OK).data(), Value::from(told.to_vec()));
    assert_eq!(names(&list.json()), ["data", "links", "meta"]);
    assert_eq!(list.json()["meta"]["total"], 7);
    for hidden in ["secret", "tenantry\"", "127.0.0.1:9", "example.okta.com"] {
        assert!(!list.text.contains(hidden), "{hidden}: {}", list.text);
    }
    // Whoever is signed in is told the same.
    let carl = lobby.stage.newcomer("Carl").await;
    assert_eq!(carl.client.get(PROVIDERS).await.data(), list.data());
}

#[tokio::test]
async fn a_server_without_any_goes_on_without_them() {
    let stage = Stage::new().await;
    let carl = stage.newcomer("Carl").await;
    let list = stage.anybody().get(PROVIDERS).await;
    assert_eq!(list.expect(StatusCode::OK).data(), json!([]));
    for path in [
        "authorize?redirectUri=https://app.example.com/signed-in",
        "callback?code=x&state=x",
    ] {
        let answer = stage.anybody().get(&format!("/api/v1/auth/oidc/work/{path}")).await;
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    let code = json!({ "code": format!("tno_{}", "A".repeat(43)) });
    expect_unauthorized(&stage.anybody().post(EXCHANGE, &code).await);
    let identities = carl.client.get("/api/v1/auth/identities").await;
    assert_eq!(identities.expect(StatusCode::OK).data(), json!([]));
}

#[tokio::test]
async fn one_that_is_not_configured_is_not_there() {
    let lobby = Lobby::new().await;
    for unknown in ["home", "WORK", "work2", "x", "google"] {
        let answer = lobby.browser().authorize(unknown, &[("redirectUri", APP)]).await;
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
        assert_eq!(answer.header("location"), None);
    }
    assert_eq!(lobby.provider.complaints(), [] as [String; 0]);
}
