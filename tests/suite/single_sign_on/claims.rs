//! What is believed of what an organization's provider says of an address.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{DOMAIN, House, ann, same_address};
use crate::{mfa::ME, oidc::expect_conflict};

/// Has the ID token tell no address, and this of whether it is verified; userinfo tells the address, and this.
fn tell(house: &House, id_token: &Value, userinfo: &Value) {
    house.provider.behave(|told| {
        told.id_token = vec![("email", Value::Null), ("email_verified", id_token.clone())];
        told.userinfo = vec![("email_verified", userinfo.clone())];
    });
}

/// Of two that tell of one address, whichever denies it counts.
#[tokio::test]
async fn an_address_that_the_id_token_denies_is_not_believed_from_userinfo() {
    let house = House::new().await;
    let account = house.somebody_of(DOMAIN).await;
    let (before, mails) = (house.stored().await, house.stage.app.mails().await.len());
    let (absent, denied, vouched) = (Value::Null, json!(false), json!(true));
    for (id_token, userinfo) in [(&denied, &absent), (&denied, &vouched), (&absent, &denied)] {
        tell(&house, id_token, userinfo);
        for person in [ann(), same_address(&account)] {
            expect_conflict(&house.enter(&person).await, "email_not_in_domain");
        }
        assert_eq!(house.stored().await, before, "{id_token} {userinfo}");
    }
    assert_eq!(house.stage.app.mails().await.len(), mails);
    // What neither denies is the organization's to say.
    tell(&house, &absent, &absent);
    let made = house.come_in(&ann()).await;
    let me = made.client.get(ME).await.expect(StatusCode::OK).data();
    assert_eq!(
        (&me["email"], &me["emailVerified"]),
        (&json!("ann@corp.example"), &json!(true))
    );
}
