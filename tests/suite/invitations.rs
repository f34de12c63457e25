//! Invitations: people are asked to become members, and do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod accepting;
mod inviting;
mod mails;
mod previewing;
mod seats;

use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Answer, Client, PASSWORD, text},
    scene::{Place, Scene},
};

const ACCEPT: &str = "/api/v1/invitations/accept";

/// An invitation that was mailed.
struct Invited {
    /// Its path in the organization.
    path: String,
    /// The secret of its link.
    token: String,
}

/// Asks somebody to become a member, with this body.
async fn ask(scene: &Scene, client: &Client, body: &Value) -> Answer {
    client.post(&scene.path("/members/invite"), body).await
}

/// Asks whoever has an address to join the whole organization.
async fn invite(scene: &Scene, client: &Client, email: &str, role: &str) -> Answer {
    ask(scene, client, &json!({ "email": email, "role": role })).await
}

/// An invitation with this body, and what was mailed of it.
async fn invited_by(scene: &Scene, client: &Client, body: &Value) -> Invited {
    let answer = ask(scene, client, body).await;
    let id = text(&answer.expect(StatusCode::CREATED).data()["id"]);
    let token = tokens(scene, &text(&body["email"])).await;
    Invited {
        path: scene.path(&format!("/invitations/{id}")),
        token: token.first().expect("a mail with a link").clone(),
    }
}

/// An invitation to the whole organization by its founder.
async fn invited(scene: &Scene, email: &str, role: &str) -> Invited {
    invited_by(scene, scene.client(), &json!({ "email": email, "role": role })).await
}

/// An invitation to the whole organization by a new member: the member's id, who is invited, and the invitation.
async fn sent_by(scene: &Scene, sender: &str, role: &str) -> (String, Account, Invited) {
    let (sender, id) = joined(scene, sender).await;
    let guest = somebody(scene).await;
    let body = json!({ "email": guest.email, "role": role });
    let invitation = invited_by(scene, &sender.client, &body).await;
    (id, guest, invitation)
}

async fn resend(client: &Client, path: &str) -> Answer {
    client
        .send(client.request(Method::POST, &format!("{path}/resend")))
        .await
}

async fn preview(scene: &Scene, token: &str) -> Answer {
    scene.app.client().get(&format!("/api/v1/invitations/{token}")).await
}

async fn accept(client: &Client, token: &str) -> Answer {
    client.post(ACCEPT, &json!({ "token": token })).await
}

/// The secrets of the invitations that were mailed to an address, newest first.
async fn tokens(scene: &Scene, email: &str) -> Vec<String> {
    secrets(scene, email, "accept-invitation").await
}

/// The secrets in the mails to an address that lead to `page`, newest first.
async fn secrets(scene: &Scene, email: &str, page: &str) -> Vec<String> {
    let start = format!("http://tenantry.test/{page}?token=");
    let mails = scene.app.mails().await;
    mails
        .iter()
        .filter(|mail| mail.to.eq_ignore_ascii_case(email))
        .filter_map(|mail| mail.text.lines().find_map(|line| line.strip_prefix(&start)))
        .map(str::to_owned)
        .collect()
}

/// Somebody new, whose address is proven.
async fn somebody(scene: &Scene) -> Account {
    let account = scene.app.client().register("Nora New", None).await;
    let prove = "update users set email_verified_at = now() where email_canonical";
    scene.database.superuser(format!("{prove} = '{}'", account.email)).await;
    account
}

/// Somebody new with a built-in role in the organization, and the id of their membership.
async fn joined(scene: &Scene, role: &str) -> (Account, String) {
    let account = scene.app.client().register(&format!("The {role}"), None).await;
    let id = scene.join(&account, &[(role, Place::Organization)]).await;
    (account, id)
}

/// Somebody's client in another session: those of before have ended with the time.
async fn signed_in_again(scene: &Scene, account: &Account) -> Client {
    let body = json!({ "email": account.email, "password": PASSWORD });
    let session = scene.app.client().post("/api/v1/auth/login", &body).await;
    scene.app.client().with_token(&text(&session.data()["accessToken"]))
}

fn keyed(client: &Client, key: &str) -> Client {
    client.with_header("idempotency-key", key)
}

async fn set_seats(scene: &Scene, seats: usize) {
    let set = format!("update organizations set max_seats = {seats}");
    scene.database.superuser(set).await;
}

/// Whether an account is a member.
async fn is_member(scene: &Scene, account: &Account) -> bool {
    let membership = format!("members where user_id = '{}'", account.user_id);
    scene.database.count(&membership).await == 1
}

/// Adds an admin who is the owner of the default workspace, and gives the id of the membership too.
async fn chief_below(scene: &Scene) -> (Account, String) {
    let account = scene.app.client().register("Chief below", None).await;
    let roles = [
        ("admin", Place::Organization),
        ("owner", Place::Workspace(&scene.workspace)),
    ];
    let id = scene.join(&account, &roles).await;
    (account, id)
}

/// How many events of a type there are about something.
async fn events(scene: &Scene, kind: &str, id: &Value) -> i64 {
    let events = format!("events where type = '{kind}' and resource_id = '{}'", text(id));
    scene.database.count(&events).await
}

fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

#[track_caller]
fn expect_gone(answer: &Answer) {
    answer.expect_error(StatusCode::GONE, "GONE");
}

#[track_caller]
fn expect_unknown(answer: &Answer) {
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[track_caller]
fn expect_forbidden(answer: &Answer, permission: Option<&str>) {
    answer.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "requiredPermission": permission })
    );
}

#[track_caller]
fn expect_quota(answer: &Answer, metric: &str, limit: usize, used: usize) {
    answer.expect_error(StatusCode::PAYMENT_REQUIRED, "QUOTA_EXCEEDED");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "metric": metric, "limit": limit, "used": used })
    );
}

#[track_caller]
fn expect_limited(answer: &Answer, scope: &str, limit: u32) {
    answer.expect_error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let details = &answer.json()["error"]["details"];
    assert_eq!((&details["scope"], &details["limit"]), (&json!(scope), &json!(limit)));
}

#[track_caller]
fn expect_replay(answer: &Answer, first: &Answer) {
    answer.expect(first.status);
    assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (answer.json(), answer.header("location")),
        (first.json(), first.header("location"))
    );
}
