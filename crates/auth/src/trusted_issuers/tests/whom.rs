//! Whose token it is, and for whom.

use serde_json::{Value, json};

use super::{AUDIENCE, Desk, ISSUER, IssuerSettings, Kind, OTHER_ISSUER, SOMEBODY_ELSE, refusal};

#[tokio::test]
async fn a_token_is_of_the_issuer_to_the_character() {
    let desk = Desk::new();
    for issuer in [
        json!("https://issuer.example"),
        json!("https://issuer.example//"),
        json!("https://ISSUER.example/"),
        json!("http://issuer.example/"),
        json!(""),
        json!([ISSUER]),
        Value::Null,
    ] {
        let judged = desk.judge_but("iss", issuer.clone()).await;
        assert_eq!(refusal(judged), OTHER_ISSUER, "{issuer}");
    }
}

#[tokio::test]
async fn a_token_is_for_one_of_the_audiences() {
    let desk = Desk::with(Kind::Ed25519, |settings| settings.audiences.push("api".to_owned()));
    for audience in [
        json!(AUDIENCE),
        json!("api"),
        json!([AUDIENCE]),
        json!(["somebody", "api"]),
        json!([7, "api"]),
    ] {
        desk.judge_but("aud", audience).await.unwrap();
    }
    for audience in [
        json!("somebody"),
        json!(["somebody"]),
        json!([]),
        json!([[AUDIENCE]]),
        json!({ "aud": AUDIENCE }),
        json!(""),
        json!(format!("{AUDIENCE}/")),
        json!(format!("{AUDIENCE} api")),
        Value::Null,
    ] {
        let judged = desk.judge_but("aud", audience.clone()).await;
        assert_eq!(refusal(judged), SOMEBODY_ELSE, "{audience}");
    }
}

#[tokio::test]
async fn a_token_is_of_one_of_the_parties() {
    let parties =
        |settings: &mut IssuerSettings| settings.authorized_parties = vec!["https://app.example.com".to_owned()];
    // Beside the audience, and where there is none.
    let both = Desk::with(Kind::Ed25519, parties);
    let alone = Desk::with(Kind::Ed25519, |settings| {
        parties(settings);
        settings.audiences.clear();
    });
    for (desk, audience) in [
        (&both, json!(AUDIENCE)),
        (&alone, Value::Null),
        (&alone, json!("somebody")),
    ] {
        let of = |party: Value| {
            let mut claims = desk.claims_but("aud", audience.clone());
            claims["azp"] = party;
            claims
        };
        desk.judge(&of(json!("https://app.example.com"))).await.unwrap();
        for party in [json!("https://evil.example"), json!(""), json!({}), Value::Null] {
            assert_eq!(refusal(desk.judge(&of(party.clone())).await), SOMEBODY_ELSE, "{party}");
        }
    }
    let mut claims = both.claims_but("aud", json!("somebody"));
    claims["azp"] = json!("https://app.example.com");
    assert_eq!(refusal(both.judge(&claims).await), SOMEBODY_ELSE);
    // Whoever it was issued to does not matter where nobody is configured.
    Desk::new()
        .judge_but("azp", json!("https://evil.example"))
        .await
        .unwrap();
}
