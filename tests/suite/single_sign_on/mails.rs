//! What people are told by mails of connections: whose they are, and where.

use reqwest::StatusCode;
use tenantry_integrations::mail::Kept;
use tenantry_tests::client::{Account, text};

use super::{DOMAIN, House, same_address};
use crate::{identities::IDENTITIES, oidc::expect_conflict};

/// The mails to somebody that went out since there were so many, newest first.
async fn mails_since(house: &House, account: &Account, before: usize) -> Vec<Kept> {
    let mut mails = house.stage.app.mails().await;
    mails.retain(|mail| mail.to == account.email);
    mails.truncate(mails.len() - before);
    mails
}

/// Panics where a mail does not say whose provider it is about, or calls it by what nobody knows it by.
#[track_caller]
fn expect_named(house: &House, mail: &Kept) {
    // The host of the kit's providers.
    assert!(mail.subject.contains("Acme (127.0.0.1)"), "{}", mail.subject);
    for body in [&mail.text, &mail.html] {
        assert!(body.contains("Acme (127.0.0.1)"), "{body}");
    }
    for part in [&mail.subject, &mail.text, &mail.html] {
        assert!(!part.contains(&house.office.id), "{part}");
    }
}

#[tokio::test]
async fn a_connection_is_called_by_the_organization_and_by_the_host() {
    let house = House::new().await;
    let account = house.somebody_of(DOMAIN).await;
    let before = house.stage.mails_to(&account).await;
    expect_conflict(&house.enter(&same_address(&account)).await, "identity_not_linked");
    let asked = mails_since(&house, &account, before).await;
    assert_eq!(asked.len(), 1);
    expect_named(&house, &asked[0]);

    let before = house.stage.mails_to(&account).await;
    house.link(&account, &same_address(&account)).await;
    let identities = account.client.get(IDENTITIES).await.expect(StatusCode::OK).data();
    let path = format!("{IDENTITIES}/{}", text(&identities[0]["id"]));
    account.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let mails = mails_since(&house, &account, before).await;
    let about: Vec<&Kept> = mails.iter().filter(|mail| mail.subject.contains("Acme")).collect();
    // That it was asked for, linked and unlinked.
    assert_eq!(about.len(), 3);
    for mail in about {
        expect_named(&house, mail);
    }

    // Without a connection it is called by the organization alone.
    let before = house.stage.mails_to(&account).await;
    house.link(&account, &same_address(&account)).await;
    let reset = house.office.client().delete(&house.office.sso()).await;
    reset.expect(StatusCode::NO_CONTENT);
    let identities = account.client.get(IDENTITIES).await.data();
    let path = format!("{IDENTITIES}/{}", text(&identities[0]["id"]));
    account.client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let mails = mails_since(&house, &account, before).await;
    let removed = mails.iter().find(|mail| mail.subject.contains("Acme was removed"));
    let removed = removed.expect("a mail");
    assert!(!removed.text.contains(&house.office.id), "{}", removed.text);
}
