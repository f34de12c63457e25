//! How somebody with an address may sign in, told to whoever asks.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::identity_provider::IdentityProvider;

use super::{DOMAIN, House, ann};
use crate::{domains, mfa::names, oidc::WORK};

const DISCOVER: &str = "/api/v1/auth/discover";

async fn discovered(house: &House, email: &str) -> Value {
    let answer = house.stage.anybody().post(DISCOVER, &json!({ "email": email })).await;
    answer.expect(StatusCode::OK).data()
}

/// What is told of the connection of the house.
fn connection(house: &House) -> Value {
    json!({ "provider": house.office.id, "name": "Acme" })
}

#[tokio::test]
async fn the_domain_leads_to_the_connection() {
    let house = House::new().await;
    let told = discovered(&house, "ann@corp.example").await;
    assert_eq!(names(&told), ["connection", "methods", "providers", "ssoRequired"]);
    assert_eq!(told["methods"], json!(["password", "passkey"]));
    assert_eq!(told["providers"], json!([]));
    assert_eq!(
        (&told["connection"], &told["ssoRequired"]),
        (&connection(&house), &json!(false))
    );
    // It is where one goes.
    let walked = house.come_in(&ann()).await;
    assert_eq!(walked.email, "ann@corp.example");

    house.demand().await;
    let told = discovered(&house, "ann@corp.example").await;
    assert_eq!(
        (&told["connection"], &told["ssoRequired"]),
        (&connection(&house), &json!(true))
    );
}

#[tokio::test]
async fn a_domain_is_known_however_it_is_written() {
    let house = House::new().await;
    domains::proven(house.office.client(), &house.office.id, &house.dns, "bücher.example").await;
    for email in [
        "Ann@CORP.Example",
        "somebody.else+tag@corp.example",
        "ann@bücher.example",
        "ann@BÜCHER.example",
        "ann@xn--bcher-kva.example",
    ] {
        assert_eq!(
            discovered(&house, email).await["connection"],
            connection(&house),
            "{email}"
        );
    }
}

/// Who has an account is told by no answer.
#[tokio::test]
async fn nothing_but_the_domain_makes_a_difference() {
    let house = House::new().await;
    let member = house.employee("member").await;
    let equipped = house.stage.equipped(house.employee("admin").await).await;
    let unknown = discovered(&house, "nobody@corp.example").await;
    for email in [&member.email, &equipped.account.email] {
        assert_eq!(discovered(&house, email).await, unknown);
    }
    let elsewhere = discovered(&house, "nobody@example.com").await;
    assert_eq!(
        (&elsewhere["connection"], &elsewhere["ssoRequired"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(discovered(&house, &house.office.owner.email).await, elsewhere);
}

#[tokio::test]
async fn only_what_is_proven_leads_anywhere() {
    let house = House::new().await;
    let pending = domains::add(house.office.client(), &house.office.id, "pending.example").await;
    pending.expect(StatusCode::CREATED);
    for email in [
        "ann@pending.example",
        "ann@www.corp.example",
        "ann@example",
        "ann@notcorp.example",
        "ann@corp.example.com",
    ] {
        assert_eq!(discovered(&house, email).await["connection"], Value::Null, "{email}");
    }
    // Of two organizations, each has its own.
    let other = house.office_of("other.example", &house.provider).await;
    assert_eq!(
        discovered(&house, "ann@other.example").await["connection"],
        json!({ "provider": other.id, "name": "Globex" })
    );
    assert_eq!(
        discovered(&house, "ann@corp.example").await["connection"],
        connection(&house)
    );
}

#[tokio::test]
async fn nothing_is_told_of_what_is_not_there_any_more() {
    let house = House::new().await;
    let told = async || discovered(&house, "ann@corp.example").await["connection"].clone();
    house.set_status("suspended").await;
    assert_eq!(told().await, Value::Null);
    house.set_status("active").await;
    assert_eq!(told().await, connection(&house));
    let reset = house.office.client().delete(&house.office.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    assert_eq!(told().await, Value::Null);
    house.choose(json!({})).await;
    assert_eq!(told().await, connection(&house));
    let list = house.office.client().get(&house.office.path("/domains")).await.data();
    assert_eq!(list[0]["domain"], DOMAIN);
    let path = domains::path_of(&house.office.id, &list[0]);
    house.office.client().delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(told().await, Value::Null);
}

#[tokio::test]
async fn providers_of_all_are_told_to_all() {
    let work = IdentityProvider::start().await;
    let house = House::with(|options| options.identity_providers = work.configured(WORK)).await;
    for email in ["ann@corp.example", "ann@example.com"] {
        let providers = discovered(&house, email).await["providers"].clone();
        assert_eq!(providers.as_array().unwrap().len(), 1);
        assert_eq!(names(&providers[0]), ["key", "name"]);
        assert_eq!(providers[0]["key"], WORK);
    }
}

#[tokio::test]
async fn what_is_no_address_leads_nowhere() {
    let house = House::new().await;
    let anybody = house.stage.anybody();
    for wrong in [
        json!({}),
        json!({ "email": null }),
        json!({ "email": "" }),
        json!({ "email": "corp.example" }),
        json!({ "email": "ann@[127.0.0.1]" }),
        json!({ "email": 1 }),
    ] {
        anybody.post(DISCOVER, &wrong).await.expect_refused(&["/email"]);
    }
    let more = json!({ "email": "ann@corp.example", "password": "x" });
    anybody.post(DISCOVER, &more).await.expect_refused(&["/password"]);
}
