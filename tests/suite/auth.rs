//! Making an account, signing in and out, sessions and their tokens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod limits;
mod links;
mod login;
mod password;
mod refresh;
mod register;
mod sessions;
mod tokens;

use serde_json::{Value, json};
use tenantry_tests::client::{Answer, Client, PASSWORD};

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";
const SESSIONS: &str = "/api/v1/auth/sessions";
const ME: &str = "/api/v1/me";

/// Signs in with the password of every test account.
async fn sign_in(client: &Client, email: &str) -> Answer {
    client
        .anonymous()
        .post(LOGIN, &json!({ "email": email, "password": PASSWORD }))
        .await
}

/// Exchanges a refresh token.
async fn refresh(client: &Client, token: &str) -> Answer {
    client
        .anonymous()
        .post(REFRESH, &json!({ "refreshToken": token }))
        .await
}

/// The names of an object's fields, sorted.
fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Panics where data is not a session as the contract has it.
#[track_caller]
fn expect_session(data: &Value, email: &str) {
    assert_eq!(
        names(data),
        [
            "accessToken",
            "csrfToken",
            "expiresIn",
            "refreshExpiresIn",
            "refreshToken",
            "status",
            "tokenType",
            "trustedDeviceToken",
            "user"
        ]
    );
    assert_eq!(data["status"], "authenticated");
    assert_eq!(data["tokenType"], "Bearer");
    assert_eq!(data["expiresIn"], 3600);
    assert_eq!(data["refreshExpiresIn"], 7 * 24 * 3600);
    assert_eq!(data["accessToken"].as_str().unwrap().split('.').count(), 3);
    assert!(data["refreshToken"].as_str().unwrap().len() >= 32);
    let user = &data["user"];
    assert_eq!(
        names(user),
        [
            "avatarUrl",
            "createdAt",
            "currentOrganizationId",
            "email",
            "emailVerified",
            "id",
            "locale",
            "mfaEnabled",
            "name",
            "preferences",
            "updatedAt"
        ]
    );
    assert_eq!(user["email"], email);
}
