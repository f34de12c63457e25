//! Devices on which a second factor is not asked for again.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Account, Answer, Client, PASSWORD, text},
    database::TestDatabase,
    environment::TestClock,
};

use super::{
    FORGOT, LOGIN, OTHER, PASSWORD_PATH, Person, RESET, Stage, TRUSTED_DEVICES, VERIFY, begun, confirm, disable,
    expect_mfa_required, expect_session, expect_unauthorized, freshen, names, proof, reauthenticate, time,
};
use crate::binary::serving::{Deployment, Serving};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// How long a device is trusted.
const TRUST: TimeDelta = TimeDelta::days(30);

/// The most devices that a person trusts.
const MOST_DEVICES: usize = 20;

/// Signs in on a device that is to be trusted, by the next code.
async fn signed_in_on(stage: &Stage, person: &Person, device: &Client) -> Answer {
    let token = stage.mfa_token(person).await;
    let mut body = proof(&token, &stage.next_code(person));
    body["trustDevice"] = true.into();
    device.post(VERIFY, &body).await
}

/// The token of a device that somebody trusts from now on.
pub(super) async fn trust(stage: &Stage, person: &Person) -> String {
    let session = expect_session(&signed_in_on(stage, person, &stage.anybody()).await);
    text(&session["trustedDeviceToken"])
}

/// The first step of signing in on a device.
pub(super) async fn login_on(stage: &Stage, account: &Account, token: &str) -> Answer {
    login_with(stage, account, PASSWORD, token).await
}

async fn login_with(stage: &Stage, account: &Account, password: &str, token: &str) -> Answer {
    let body = json!({ "email": account.email, "password": password, "trustedDeviceToken": token });
    stage.anybody().post(LOGIN, &body).await
}

/// The same where a browser sends the token.
async fn login_by_cookie(client: &Client, account: &Account, cookie: &str) -> Answer {
    let body = json!({ "email": account.email, "password": PASSWORD });
    client.with_header("cookie", cookie).post(LOGIN, &body).await
}

/// The devices that a person trusts, newest first.
async fn devices(client: &Client) -> Vec<Value> {
    let list = client.get(TRUSTED_DEVICES).await;
    list.expect(StatusCode::OK).data().as_array().unwrap().clone()
}

/// The parts of the cookie of an answer: what it is called and holds, and the attributes, sorted.
fn cookie(answer: &Answer) -> (String, Vec<String>) {
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
    let mut parts = answer.header("set-cookie").unwrap().split("; ").map(str::to_owned);
    let pair = parts.next().unwrap();
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    (pair, attributes)
}

#[tokio::test]
async fn a_device_that_is_trusted_is_not_asked_again() {
    let (stage, ann) = Stage::with_ann().await;
    let firefox = stage.anybody().with_header("user-agent", FIREFOX);
    let trusted_at = stage.now() + tenantry_tests::authenticator::STEP;
    let answer = signed_in_on(&stage, &ann, &firefox).await;
    let token = text(&expect_session(&answer)["trustedDeviceToken"]);
    assert!(token.starts_with("tnd_") && token.len() > 32, "{token}");
    assert_eq!(
        cookie(&answer),
        (
            format!("tenantry-device={token}"),
            ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Strict"]
                .map(str::to_owned)
                .to_vec()
        )
    );

    stage.app.clock.advance(TimeDelta::minutes(5));
    for answer in [
        login_on(&stage, &ann.account, &token).await,
        login_by_cookie(&stage.anybody(), &ann.account, &format!("tenantry-device={token}")).await,
        login_by_cookie(
            &stage.anybody(),
            &ann.account,
            &format!("a=b; tenantry-device={token}; c=d"),
        )
        .await,
    ] {
        let session = expect_session(&answer);
        assert_eq!(session["trustedDeviceToken"], Value::Null);
        assert_eq!(answer.header("set-cookie"), None);
        let client = stage.anybody().with_token(&text(&session["accessToken"]));
        client.get(super::ME).await.expect(StatusCode::OK);
    }

    let list = ann.client().get(TRUSTED_DEVICES).await;
    assert_eq!(list.expect(StatusCode::OK).json()["meta"]["total"], 1);
    let device = list.data()[0].clone();
    assert_eq!(
        names(&device),
        [
            "createdAt",
            "device",
            "expiresAt",
            "id",
            "ip",
            "lastUsedAt",
            "updatedAt",
            "userAgent"
        ]
    );
    assert_eq!(time(&device["createdAt"]), trusted_at);
    assert_eq!(time(&device["expiresAt"]), trusted_at + TRUST);
    assert_eq!(time(&device["lastUsedAt"]), stage.now());
    assert_eq!(device["updatedAt"], device["lastUsedAt"]);
    assert_eq!(
        (&device["ip"], &device["userAgent"]),
        (&json!("127.0.0.1"), &json!(FIREFOX))
    );
    let shown = text(&device["device"]);
    assert!(shown.contains("Firefox") && shown.contains("Linux"), "{shown}");
}

#[tokio::test]
async fn a_device_is_trusted_only_where_that_was_asked_for() {
    let (stage, ann) = Stage::with_ann().await;
    let token = stage.mfa_token(&ann).await;
    let mut body = proof(&token, &stage.wrong_code(&ann));
    body["trustDevice"] = true.into();
    let wrong = stage.anybody().post(VERIFY, &body).await;
    expect_unauthorized(&wrong);
    assert_eq!(wrong.header("set-cookie"), None);
    body = proof(&token, &ann.recovery_codes[0]);
    body["trustDevice"] = false.into();
    let answer = stage.anybody().post(VERIFY, &body).await;
    assert_eq!(expect_session(&answer)["trustedDeviceToken"], Value::Null);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(stage.database.count("trusted_devices").await, 0);
    // A recovery code is as good a proof as any.
    body = proof(&token, &ann.recovery_codes[1]);
    body["trustDevice"] = true.into();
    let session = expect_session(&stage.anybody().post(VERIFY, &body).await);
    expect_session(&login_on(&stage, &ann.account, &text(&session["trustedDeviceToken"])).await);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_passed_over() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let carl = stage.newcomer("Carl").await;
    let (of_ann, of_bob) = (trust(&stage, &ann).await, trust(&stage, &bob).await);
    let cut = of_ann.len() / 2;
    for token in [
        "",
        &of_bob,
        "tnd_",
        "x",
        "\u{0}",
        "tnd_é",
        &of_ann[4..],
        &of_ann[..of_ann.len() - 1],
        &format!("{of_ann}A"),
        &format!("{of_ann} "),
        &of_ann.to_uppercase(),
        &format!("{}{}", &of_ann[..cut], &of_bob[cut..]),
        &"x".repeat(1000),
    ] {
        expect_mfa_required(&login_on(&stage, &ann.account, token).await);
        expect_session(&login_on(&stage, &carl, token).await);
    }
    for cookie in [
        format!("tenantry-device={of_bob}"),
        // That of another way to reach the service.
        format!("__Host-tenantry-device={of_ann}"),
        format!("other={of_ann}"),
        "tenantry-device=".to_owned(),
        "tenantry-device".to_owned(),
        ";;=".to_owned(),
        format!("tenantry-device={}", "x".repeat(4000)),
    ] {
        expect_mfa_required(&login_by_cookie(&stage.anybody(), &ann.account, &cookie).await);
    }
    // One that is not good does not hide one that is.
    let both = json!({ "email": ann.account.email, "password": PASSWORD, "trustedDeviceToken": of_bob });
    let browser = stage
        .anybody()
        .with_header("cookie", &format!("tenantry-device={of_ann}"));
    expect_session(&browser.post(LOGIN, &both).await);
    // What is trusted is no password.
    expect_unauthorized(&login_with(&stage, &ann.account, "a wrong guess", &of_ann).await);
    expect_session(&login_on(&stage, &ann.account, &of_ann).await);
    expect_session(&login_on(&stage, &bob.account, &of_bob).await);
}

#[tokio::test]
async fn trust_lasts_thirty_days_however_often_it_is_used() {
    let (stage, ann) = Stage::with_ann().await;
    let first = trust(&stage, &ann).await;
    stage.app.clock.advance(TimeDelta::days(1));
    let second = trust(&stage, &ann).await;
    let since = tenantry_tests::authenticator::STEP + TimeDelta::days(1);
    stage.app.clock.advance(TRUST - since - TimeDelta::seconds(1));
    let session = expect_session(&login_on(&stage, &ann.account, &first).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    assert_eq!(devices(&client).await.len(), 2);
    stage.app.clock.advance(TimeDelta::seconds(1));
    expect_mfa_required(&login_on(&stage, &ann.account, &first).await);
    // What is over is not listed, and not there to be removed.
    let left = devices(&client).await;
    assert_eq!(left.len(), 1);
    assert_eq!(client.get(TRUSTED_DEVICES).await.json()["meta"]["total"], 1);
    expect_session(&login_on(&stage, &ann.account, &second).await);
}

#[tokio::test]
async fn a_device_is_trusted_no_more_once_it_was_removed() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(trust(&stage, &ann).await);
    }
    let of_bob = trust(&stage, &bob).await;
    let path = |device: &Value| format!("{TRUSTED_DEVICES}/{}", text(&device["id"]));
    let list = devices(ann.client()).await;
    assert_eq!(list.len(), 3);

    // One that is not mine is none.
    let foreign = ann.client().delete(&path(&devices(bob.client()).await[0])).await;
    foreign.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let unknown = json!({ "id": "01890a5d-ac96-774b-bcce-b302099a8057" });
    let unknown = ann.client().delete(&path(&unknown)).await;
    unknown.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let no_id = ann.client().delete(&format!("{TRUSTED_DEVICES}/x")).await;
    no_id.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    expect_unauthorized(&stage.anybody().delete(&path(&list[0])).await);
    assert_eq!(stage.database.count("trusted_devices").await, 4);

    // The newest is the first of the list.
    let removed = ann.client().delete(&path(&list[0])).await;
    removed.expect(StatusCode::NO_CONTENT);
    ann.client().delete(&path(&list[0])).await.expect(StatusCode::NOT_FOUND);
    expect_mfa_required(&login_on(&stage, &ann.account, &tokens[2]).await);
    for token in &tokens[..2] {
        expect_session(&login_on(&stage, &ann.account, token).await);
    }
    assert_eq!(stage.events("user.trusted_device_removed").await, 1);

    let removed = ann.client().delete(TRUSTED_DEVICES).await;
    removed.expect(StatusCode::NO_CONTENT);
    for token in &tokens {
        expect_mfa_required(&login_on(&stage, &ann.account, token).await);
    }
    assert_eq!(devices(ann.client()).await.len(), 0);
    assert_eq!(stage.events("user.trusted_devices_removed").await, 1);
    ann.client()
        .delete(TRUSTED_DEVICES)
        .await
        .expect(StatusCode::NO_CONTENT);
    expect_session(&login_on(&stage, &bob.account, &of_bob).await);
    // Nobody who was signed in on one is out.
    ann.client().get(super::ME).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn another_password_makes_every_device_a_stranger() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let of_bob = trust(&stage, &bob).await;
    let token = trust(&stage, &ann).await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    ann.client().put(PASSWORD_PATH, &change).await.expect(StatusCode::OK);
    expect_mfa_required(&login_with(&stage, &ann.account, OTHER, &token).await);
    assert_eq!(devices(ann.client()).await.len(), 0);

    let back = json!({ "currentPassword": OTHER, "newPassword": PASSWORD });
    ann.client().put(PASSWORD_PATH, &back).await.expect(StatusCode::OK);
    let token = trust(&stage, &ann).await;
    // To ask for a link changes nothing.
    let asked = stage
        .anybody()
        .post(FORGOT, &json!({ "email": ann.account.email }))
        .await;
    asked.expect(StatusCode::ACCEPTED);
    expect_session(&login_on(&stage, &ann.account, &token).await);
    let secret = stage.forgotten(&ann.account).await;
    let reset = json!({ "token": secret, "password": OTHER });
    stage.anybody().post(RESET, &reset).await.expect(StatusCode::OK);
    expect_mfa_required(&login_with(&stage, &ann.account, OTHER, &token).await);
    assert_eq!(stage.database.count("trusted_devices").await, 1);
    expect_session(&login_on(&stage, &bob.account, &of_bob).await);
}

#[tokio::test]
async fn no_device_is_trusted_across_two_second_factors() {
    let (stage, ann) = Stage::with_ann().await;
    let token = trust(&stage, &ann).await;
    disable(ann.client(), &stage.next_code(&ann))
        .await
        .expect(StatusCode::NO_CONTENT);
    expect_session(&login_on(&stage, &ann.account, &token).await);
    let ann = stage.equipped(ann.account).await;
    expect_mfa_required(&login_on(&stage, &ann.account, &token).await);
    assert_eq!(devices(ann.client()).await.len(), 0);
}

#[tokio::test]
async fn the_oldest_of_too_many_devices_gives_way() {
    let (stage, ann) = Stage::with_ann().await;
    let bob = stage.person("Bob").await;
    let of_bob = trust(&stage, &bob).await;
    let mut tokens = Vec::new();
    for _ in 0..MOST_DEVICES {
        tokens.push(trust(&stage, &ann).await);
    }
    // Used last, it is still the oldest.
    expect_session(&login_on(&stage, &ann.account, &tokens[0]).await);
    tokens.push(trust(&stage, &ann).await);
    expect_mfa_required(&login_on(&stage, &ann.account, &tokens[0]).await);
    for token in &tokens[1..] {
        expect_session(&login_on(&stage, &ann.account, token).await);
    }
    let list = ann.client().get(&format!("{TRUSTED_DEVICES}?pageSize=100")).await;
    assert_eq!(list.json()["meta"]["total"], MOST_DEVICES);
    expect_session(&login_on(&stage, &bob.account, &of_bob).await);
}

#[tokio::test]
async fn devices_are_listed_as_everything_is() {
    let (stage, ann) = Stage::with_ann().await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(trust(&stage, &ann).await);
    }
    stage.app.clock.advance(TimeDelta::minutes(5));
    expect_session(&login_on(&stage, &ann.account, &tokens[0]).await);
    let ids = async |parameters: &str| {
        let list = ann.client().get(&format!("{TRUSTED_DEVICES}?{parameters}")).await;
        let entries = list.expect(StatusCode::OK).data();
        let ids = entries.as_array().unwrap().iter();
        ids.map(|entry| text(&entry["id"])).collect::<Vec<_>>()
    };
    let newest_first = ids("pageSize=20").await;
    assert_eq!(newest_first.iter().collect::<BTreeSet<_>>().len(), 3);
    let mut oldest_first = newest_first.clone();
    oldest_first.reverse();
    assert_eq!(ids("sort=createdAt").await, oldest_first);
    assert_eq!(ids("sort=-createdAt&pageSize=2").await, newest_first[..2]);
    assert_eq!(ids("sort=-updatedAt&pageSize=1").await, oldest_first[..1]);
    for wrong in ["sort=lastUsedAt", "sort=expiresAt", "pageSize=0", "owner=me"] {
        let refused = ann.client().get(&format!("{TRUSTED_DEVICES}?{wrong}")).await;
        refused.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
    // Which tokens they are known by is told to nobody.
    let list = ann.client().get(TRUSTED_DEVICES).await;
    assert!(tokens.iter().all(|token| !list.text.contains(&token[4..])));
    let bob = stage.newcomer("Bob").await;
    assert_eq!(devices(&bob.client).await.len(), 0);
}

/// A sign-in on a device that is trusted is one without a factor: whoever has stolen the device changes none.
#[tokio::test]
async fn who_signs_in_on_a_trusted_device_has_used_no_factor_there() {
    let (stage, ann) = Stage::with_ann().await;
    let token = trust(&stage, &ann).await;
    stage.app.clock.advance(super::FRESH * 2);
    let session = expect_session(&login_on(&stage, &ann.account, &token).await);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    let code = stage.code(&ann);
    for _ in 0..2 {
        super::expect_stale(&super::replace_codes(&client, &code).await);
        super::expect_stale(&disable(&client, &code).await);
        freshen(&client).await;
    }
    let shown = json!({ "code": code });
    reauthenticate(&client, &shown).await.expect(StatusCode::OK);
    super::replace_codes(&client, &stage.next_code(&ann))
        .await
        .expect(StatusCode::OK);

    // Where a code was shown, it has been used for as long as the session lasts.
    super::expect_stale(&disable(ann.client(), &stage.next_code(&ann)).await);
    freshen(ann.client()).await;
    disable(ann.client(), &stage.code(&ann))
        .await
        .expect(StatusCode::NO_CONTENT);
}

/// Where the service is reached by HTTPS, no other host of the domain and no plain connection comes by the cookie.
#[tokio::test]
async fn the_cookie_is_the_hosts_own_where_that_can_be() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let serve = deployment
        .serve()
        .env("TENANTRY_PUBLIC_URL", "https://app.tenantry.test");
    let serving = Serving::of(serve.start()).await;
    let ann = serving.client().register("Ann", None).await;
    let authenticator = begun(&ann.client).await;
    let clock = TestClock::default().environment();
    let confirmed_at = clock.now();
    confirm(&ann.client, &authenticator.code(confirmed_at))
        .await
        .expect(StatusCode::OK);
    let body = json!({ "email": ann.email, "password": PASSWORD });
    let token = expect_mfa_required(&serving.client().post(LOGIN, &body).await);
    let next = authenticator.code(confirmed_at + tenantry_tests::authenticator::STEP);
    let mut body = proof(&token, &next);
    body["trustDevice"] = true.into();
    let answer = serving.client().post(VERIFY, &body).await;
    let device = text(&expect_session(&answer)["trustedDeviceToken"]);
    assert_eq!(
        cookie(&answer),
        (
            format!("__Host-tenantry-device={device}"),
            ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Strict", "Secure"]
                .map(str::to_owned)
                .to_vec()
        )
    );
    let client = serving.client();
    expect_session(&login_by_cookie(&client, &ann, &format!("__Host-tenantry-device={device}")).await);
    expect_mfa_required(&login_by_cookie(&client, &ann, &format!("tenantry-device={device}")).await);
    serving.stop().await;
}
