//! What no browser sends: each is refused with the right code, and the server goes on.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Answer, Client, PASSWORD},
    passkey::{attestation_object, decoded, encoded},
};

use super::{Holder, LOGIN, PASSKEYS, by_passkey, creation_options, expect_incorrect, login_options, phone};
use crate::mfa::{REAUTHENTICATE, Stage, expect_session, expect_unauthorized, reauthenticate};

/// What each member of an answer can be instead of text in base64url, and what that is called.
fn instead_of_bytes() -> Vec<(Value, &'static str)> {
    vec![
        (json!(null), "type"),
        (json!(5), "type"),
        (json!(["AAAA"]), "type"),
        (json!({}), "type"),
        (json!("!!!!"), "format"),
        (json!("AAA="), "format"),
        (json!("ab+/"), "format"),
        (json!("AAAAA"), "format"),
        (json!("\u{0}AAA"), "format"),
        (json!("A".repeat(400_000)), "length"),
    ]
}

#[track_caller]
fn expect_field(answer: &Answer, field: &str, code: &str) {
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(
        answer.refused_fields(),
        [(field.to_owned(), code.to_owned())],
        "{}",
        answer.text
    );
}

#[track_caller]
fn expect_one_of(answer: &Answer, statuses: &[StatusCode], what: &str) {
    assert!(
        statuses.contains(&answer.status),
        "{what}: {} {}",
        answer.status,
        answer.text
    );
    assert!(answer.status.is_success() || answer.json()["error"]["code"].is_string());
}

/// Sends a good body with one thing wrong after another.
async fn expect_looked_at(client: &Client, path: &str, good: &Value, members: &[&str]) {
    for member in members {
        let mut body = good.clone();
        body["response"].as_object_mut().unwrap().remove(*member);
        let field = format!("/response/{member}");
        expect_field(&client.post(path, &body).await, &field, "required");
        for (wrong, code) in instead_of_bytes() {
            body["response"][*member] = wrong;
            expect_field(&client.post(path, &body).await, &field, code);
        }
    }
    for name in ["id", "rawId", "type", "response"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        expect_field(&client.post(path, &body).await, &format!("/{name}"), "required");
        for wrong in [json!(null), json!(5), json!(["x"])] {
            body[name] = wrong;
            expect_field(&client.post(path, &body).await, &format!("/{name}"), "type");
        }
    }
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    expect_field(
        &client.post(path, &with("remember", json!(true))).await,
        "/remember",
        "unknown",
    );
    client
        .post(path, &with("type", json!("password")))
        .await
        .expect_refused(&["/type"]);
    for wrong in [json!([]), json!("x"), json!(5)] {
        let body = with("clientExtensionResults", wrong);
        client
            .post(path, &body)
            .await
            .expect_refused(&["/clientExtensionResults"]);
    }
    for wrong in [json!([]), json!("x"), json!(5), json!(null)] {
        let answer = client.post(path, &wrong).await;
        expect_one_of(&answer, &[StatusCode::BAD_REQUEST], &wrong.to_string());
    }
    let request = || client.request(Method::POST, path);
    for cut_off in ["", "{", "{\"id\": ", "nonsense", "\u{0}"] {
        let request = request().header("content-type", "application/json").body(cut_off);
        expect_one_of(&client.send(request).await, &[StatusCode::BAD_REQUEST], cut_off);
    }
    client
        .send(request().header("content-type", "text/plain").body("{}"))
        .await
        .expect_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    let body = with("rawId", json!("A".repeat(1024 * 1024)));
    client
        .post(path, &body)
        .await
        .expect_error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    client
        .post(&format!("{path}?force=true"), good)
        .await
        .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
}

#[tokio::test]
async fn a_registration_that_does_not_fit_is_refused_by_field_and_uses_nothing_up() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let good = phone().create(&creation_options(&ann.client).await);
    expect_looked_at(&ann.client, PASSKEYS, &good, &["clientDataJSON", "attestationObject"]).await;
    assert_eq!(stage.database.count("passkeys").await, 0);
    ann.client.post(PASSKEYS, &good).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_sign_in_that_does_not_fit_is_refused_by_field_and_uses_nothing_up() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let good = ann.answer(&stage).await;
    let members = ["clientDataJSON", "authenticatorData", "signature", "userHandle"];
    expect_looked_at(&stage.anybody(), LOGIN, &good, &members).await;
    // A key that does not say whose it is proves nothing.
    let mut body = good.clone();
    for (nobody, code) in [(json!(null), "type"), (json!(""), "length")] {
        body["response"]["userHandle"] = nobody;
        expect_field(&stage.anybody().post(LOGIN, &body).await, "/response/userHandle", code);
    }
    body["response"]["userHandle"] = json!("AAAA");
    expect_unauthorized(&stage.anybody().post(LOGIN, &body).await);
    assert_eq!(stage.events("user.passkey_suspected").await, 0);
    expect_session(&stage.anybody().post(LOGIN, &good).await);
}

#[tokio::test]
async fn one_proof_is_shown_and_no_more() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let good = ann.answer(&stage).await;
    let code = &ann.recovery_codes[0];
    for (body, surplus) in [
        (json!({ "passkey": good, "password": PASSWORD }), vec!["/passkey"]),
        (json!({ "passkey": good, "code": code }), vec!["/passkey"]),
        (json!({ "password": PASSWORD, "code": code }), vec!["/code"]),
        (
            json!({ "passkey": good, "password": PASSWORD, "code": code }),
            vec!["/code", "/passkey"],
        ),
    ] {
        let answer = reauthenticate(ann.client(), &body).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let conflicts: Vec<_> = surplus
            .into_iter()
            .map(|field| (field.to_owned(), "conflict".to_owned()))
            .collect();
        assert_eq!(answer.refused_fields(), conflicts, "{}", answer.text);
    }
    for body in [
        json!({ "passkey": null }),
        json!({ "passkey": {} }),
        json!({ "passkey": [] }),
        json!({ "passkey": "x" }),
        json!({ "passkey": good, "remember": true }),
        good.clone(),
    ] {
        let answer = reauthenticate(ann.client(), &body).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let mut body = by_passkey(&good);
    body["passkey"]["response"]["signature"] = json!("!!!!");
    let answer = ann.client().post(REAUTHENTICATE, &body).await;
    expect_field(&answer, "/passkey/response/signature", "format");
    // None of them used anything up.
    let again = reauthenticate(ann.client(), &by_passkey(&good)).await;
    again.expect(StatusCode::OK);
    assert_eq!(stage.events("session.reauthenticated").await, 1);
}

/// CBOR that is deep, endless, or claims to be longer than memory.
#[tokio::test]
async fn attestation_objects_that_are_bombs_do_no_harm() {
    let stage = Stage::new().await;
    let ann = stage.newcomer("Ann").await;
    let mut bombs: Vec<Vec<u8>> = Vec::new();
    // Arrays, maps, tags and arrays without an end, each in itself.
    for opening in [&[0x81][..], &[0xa1, 0x00], &[0xc0], &[0x9f], &[0xbf, 0x00], &[0x5f]] {
        for depth in [100, 1_000, 20_000] {
            bombs.push(opening.repeat(depth));
        }
    }
    // Byte strings, texts, arrays and maps of 2^64 - 1, 2^63, 2^40 and 2^32 - 1 elements.
    for major in [0x40, 0x60, 0x80, 0xa0] {
        for length in [u64::MAX, 1 << 63, 1 << 40] {
            bombs.push([&[major | 27][..], &length.to_be_bytes()].concat());
        }
        bombs.push([&[major | 26][..], &u32::MAX.to_be_bytes()].concat());
    }
    bombs.extend([
        vec![],
        vec![0],
        vec![0xff],
        vec![0xa0],
        vec![0xf6],
        vec![0xfb; 9],
        vec![0x1c],
    ]);
    let statements = bombs.clone();
    let data = [0x5d; 164];
    bombs.extend(
        statements
            .iter()
            .map(|statement| attestation_object("none", statement, &data)),
    );
    for bomb in bombs {
        let mut body = phone().create(&creation_options(&ann.client).await);
        body["response"]["attestationObject"] = encoded(&bomb).into();
        let answer = ann.client.post(PASSKEYS, &body).await;
        let what = format!("{:02x?}", &bomb[..bomb.len().min(16)]);
        expect_one_of(&answer, &[StatusCode::BAD_REQUEST], &what);
    }
    assert_eq!(stage.database.count("passkeys").await, 0);
}

#[tokio::test]
async fn authenticator_data_that_end_too_early_are_none() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    for length in (0..164).step_by(3) {
        let mut body = phone().create(&creation_options(ann.client()).await);
        let data = decoded(body["response"]["authenticatorData"].as_str().unwrap());
        assert_eq!(data.len(), 164);
        let cut_off = attestation_object("none", &[0xa0], &data[..length]);
        body["response"]["attestationObject"] = encoded(&cut_off).into();
        let answer = ann.client().post(PASSKEYS, &body).await;
        expect_one_of(&answer, &[StatusCode::BAD_REQUEST], &length.to_string());
    }
    for length in 0..37 {
        let mut answer = ann.answer(&stage).await;
        let data = decoded(answer["response"]["authenticatorData"].as_str().unwrap());
        answer["response"]["authenticatorData"] = encoded(&data[..length]).into();
        let refused = stage.anybody().post(LOGIN, &answer).await;
        if length == 0 {
            expect_field(&refused, "/response/authenticatorData", "length");
        } else {
            expect_one_of(&refused, &[StatusCode::UNAUTHORIZED], &length.to_string());
        }
    }
    ann.sign_in(&stage).await;
}

/// What a page is told to say, and does not.
#[tokio::test]
async fn client_data_that_say_something_else_are_refused() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let deep = "[".repeat(10_000);
    for told in [
        "",
        "null",
        "[]",
        "{}",
        "{\"type\":\"webauthn.get\"}",
        "{\"type\":5,\"challenge\":5,\"origin\":5}",
        "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\",\"origin\":\"null\"}",
        "{\"type\":\"webauthn.get\",\"challenge\":\"!\",\"origin\":\"http://tenantry.test\"}",
        "\u{feff}{}",
        "\u{0}",
        &deep,
    ] {
        let mut answer = ann.answer(&stage).await;
        answer["response"]["clientDataJSON"] = encoded(told.as_bytes()).into();
        let by_login = stage.anybody().post(LOGIN, &answer).await;
        let mut body = phone().create(&creation_options(ann.client()).await);
        body["response"]["clientDataJSON"] = encoded(told.as_bytes()).into();
        let by_registration = ann.client().post(PASSKEYS, &body).await;
        if told.is_empty() || told == deep {
            expect_field(&by_login, "/response/clientDataJSON", "length");
            expect_field(&by_registration, "/response/clientDataJSON", "length");
        } else {
            expect_one_of(&by_login, &[StatusCode::UNAUTHORIZED], told);
            expect_incorrect(&by_registration);
        }
    }
    assert_eq!(stage.database.count("passkeys").await, 1);
}

/// Numbers that are the same in each run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() % u64::try_from(end).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.draw().to_be_bytes()[0]
    }

    /// Changes a few bytes, takes some away, or puts others in their place.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let index = self.below(bytes.len());
            match self.below(4) {
                0 => bytes[index] ^= 1 << self.below(8),
                1 => bytes[index] = self.byte(),
                2 => bytes.truncate(index + 1),
                _ => bytes.insert(index, self.byte()),
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_spoilt_in_an_answer_is_refused_and_nothing_fails() {
    let stage = Stage::new().await;
    let mut ann = Holder::new(&stage, "Ann").await;
    let bob = stage.newcomer("Bob").await;
    let mut numbers = Numbers(4711);
    for round in 0..200 {
        let members = ["clientDataJSON", "authenticatorData", "signature"];
        let member = members[numbers.below(members.len())];
        let mut answer = ann.answer(&stage).await;
        let whole = decoded(answer["response"][member].as_str().unwrap());
        let mut spoilt = whole.clone();
        numbers.spoil(&mut spoilt);
        if spoilt != whole {
            answer["response"][member] = encoded(&spoilt).into();
            let refused = stage.anybody().post(LOGIN, &answer).await;
            let what = format!("{round}: {member} {spoilt:02x?}");
            expect_one_of(&refused, &[StatusCode::UNAUTHORIZED], &what);
        }

        let mut body = phone().create(&creation_options(&bob.client).await);
        let mut spoilt = decoded(body["response"]["attestationObject"].as_str().unwrap());
        numbers.spoil(&mut spoilt);
        body["response"]["attestationObject"] = encoded(&spoilt).into();
        let answer = bob.client.post(PASSKEYS, &body).await;
        // Without an attestation nobody knows what a key was called before.
        let told = [StatusCode::CREATED, StatusCode::BAD_REQUEST, StatusCode::CONFLICT];
        expect_one_of(&answer, &told, &format!("{round}: {spoilt:02x?}"));
        if let Some(location) = answer.header("location") {
            bob.client.delete(location).await.expect(StatusCode::NO_CONTENT);
        }
        let nonsense: Vec<u8> = (0..numbers.below(300)).map(|_| numbers.byte()).collect();
        body["response"]["attestationObject"] = encoded(&nonsense).into();
        let answer = bob.client.post(PASSKEYS, &body).await;
        expect_one_of(
            &answer,
            &[StatusCode::BAD_REQUEST],
            &format!("{round}: {nonsense:02x?}"),
        );
    }
    assert_eq!(stage.sessions(&ann.account).await, 1);
    login_options(&stage).await;
    ann.sign_in(&stage).await;
}
