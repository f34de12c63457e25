//! Accounts of people who come with a token for the first time.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry::configuration::{RateLimits, Registration};
use tenantry_auth::trusted_issuers::ClaimPath;
use tenantry_tests::{
    client::PASSWORD,
    token_issuer::{Person, TokenIssuer},
};

use super::{Border, NO_ADDRESS, NOBODY, ann, bob, expect_refused, found, listed};
use crate::{
    identities::IDENTITIES,
    mfa::{FORGOT, LOGIN, ME, names},
};

#[tokio::test]
async fn somebody_new_gets_an_account_as_the_issuer_knows_them() {
    let border = Border::new().await;
    let known = ann()
        .with("picture", "https://pictures.example.com/ann.png")
        .with("locale", "de-AT");
    let account = border.come_in(&known).await;
    let me = account.client.get(ME).await.data();
    assert_eq!(
        names(&me),
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
    assert_eq!(
        (&me["email"], &me["emailVerified"]),
        (&json!("ann@example.com"), &json!(true))
    );
    assert_eq!((&me["name"], &me["locale"]), (&json!("Ann Lee"), &json!("de-AT")));
    assert_eq!(me["avatarUrl"], "https://pictures.example.com/ann.png");
    assert_eq!(me["mfaEnabled"], false);
    assert_eq!(me["currentOrganizationId"], Value::Null);
    assert_eq!(border.stage.events("user.registered").await, 1);
    assert_eq!(border.stage.events("identity.linked").await, 1);
    let identities = account.client.get(IDENTITIES).await.data();
    assert_eq!(identities.as_array().unwrap().len(), 1);
    assert_eq!(
        (&identities[0]["provider"], &identities[0]["email"]),
        (&json!("cloud"), &json!("ann@example.com"))
    );
    // What the issuer has seen is asked for by no mail, and there is no password that anybody could guess.
    assert_eq!(border.mails_to("ann@example.com").await.len(), 0);
    assert_eq!(border.stage.database.count("credentials").await, 0);
    let login = json!({ "email": "ann@example.com", "password": PASSWORD });
    let refused = border.stage.anybody().post(LOGIN, &login).await;
    refused.expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
}

#[tokio::test]
async fn somebody_known_is_the_same_whatever_the_issuer_says_by_now() {
    let border = Border::new().await;
    let first = border.come_in(&ann()).await;
    let stored = border.stored().await;
    for person in [
        ann(),
        ann().with("email", "ann.miller@example.com").with("name", "Ann Miller"),
        ann().with("email_verified", false),
        ann().without("email"),
    ] {
        let again = border.come_in(&person).await;
        assert_eq!((&again.user_id, &again.email), (&first.user_id, &first.email));
        let me = again.client.get(ME).await.data();
        assert_eq!((&me["name"], &me["emailVerified"]), (&json!("Ann Lee"), &json!(true)));
    }
    assert_eq!(border.stored().await, stored);
    // Subjects are compared as they are.
    for subject in ["04711", "4711 ", "47110"] {
        let email = format!("ann{}@example.com", subject.trim());
        let other = border.come_in(&Person::new(subject, &email)).await;
        assert_ne!(other.user_id, first.user_id, "{subject}");
    }
}

#[tokio::test]
async fn an_address_that_the_issuer_has_not_seen_is_asked_for() {
    let border = Border::new().await;
    for person in [
        Person::new("1", "one@example.com").with("email_verified", false),
        Person::new("2", "two@example.com").without("email_verified"),
        Person::new("3", "three@example.com").with("email_verified", "yes"),
    ] {
        let account = border.come_in(&person).await;
        assert_eq!(account.client.get(ME).await.data()["emailVerified"], false);
        let mails = border.mails_to(&account.email).await;
        assert_eq!(mails.len(), 1);
        let start = "http://tenantry.test/verify-email?token=";
        let token = mails[0].text.lines().find_map(|line| line.strip_prefix(start));
        let verify = json!({ "token": token.unwrap() });
        let proven = border.stage.anybody().post("/api/v1/auth/email/verify", &verify).await;
        proven.expect(StatusCode::OK);
        assert_eq!(account.client.get(ME).await.data()["emailVerified"], true);
    }
    // As some write it.
    let account = border.come_in(&bob().with("email_verified", "true")).await;
    assert_eq!(account.client.get(ME).await.data()["emailVerified"], true);
    assert_eq!(border.mails_to("bob@example.com").await.len(), 0);
}

#[tokio::test]
async fn every_address_of_an_issuer_that_is_believed_is_proven() {
    let border = Border::with(|_, settings| settings.trusts_email = true).await;
    for person in [ann().without("email_verified"), bob().with("email_verified", false)] {
        let account = border.come_in(&person).await;
        assert_eq!(account.client.get(ME).await.data()["emailVerified"], true);
        assert_eq!(border.mails_to(&account.email).await.len(), 0);
    }
}

#[tokio::test]
async fn an_issuer_may_say_it_elsewhere() {
    let border = Border::with(|_, settings| {
        let claims = &mut settings.claims;
        claims.email = ClaimPath::new("https://example.com/email");
        claims.email_verified = ClaimPath::new("/user_metadata/email_verified");
        claims.name = ClaimPath::new("/user_metadata/full_name");
        claims.session = vec![ClaimPath::new("/session/id")];
    })
    .await;
    let told = |session: &str| {
        Person::new("4711", "eve@example.com")
            .with("https://example.com/email", "ann@example.com")
            .with(
                "user_metadata",
                json!({ "email_verified": true, "full_name": "Ann Miller" }),
            )
            .with("session", json!({ "id": session }))
    };
    let account = border.come_in(&told("first")).await;
    let me = account.client.get(ME).await.data();
    assert_eq!(
        (&me["email"], &me["emailVerified"], &me["name"]),
        (&json!("ann@example.com"), &json!(true), &json!("Ann Miller"))
    );
    border.come_in(&told("second")).await;
    assert_eq!(listed(&account.client).await.len(), 2);
}

#[tokio::test]
async fn who_has_no_name_is_called_by_their_address() {
    let border = Border::new().await;
    for (number, person) in [ann().without("name"), bob().with("name", "\u{7} ")]
        .into_iter()
        .enumerate()
    {
        let account = border.come_in(&person).await;
        let name = account.client.get(ME).await.data()["name"].clone();
        assert_eq!(name, ["ann", "bob"][number]);
    }
}

#[tokio::test]
async fn nobody_gets_an_account_without_an_address() {
    let border = Border::new().await;
    for person in [
        ann().without("email"),
        ann().with("email", ""),
        ann().with("email", "no address"),
        ann().with("email", json!(["ann@example.com"])),
    ] {
        let token = border.issuer.token(&person);
        for path in [ME, IDENTITIES, "/api/v1/organizations"] {
            expect_refused(&border.bearing(&token).get(path).await, NO_ADDRESS);
        }
        // Whoever was just refused is not looked at.
        border.stage.app.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(border.stored().await, [0; 4]);
    // It comes with a later token.
    border.come_in(&ann()).await;
}

#[tokio::test]
async fn nobody_gets_an_account_where_registration_is_private() {
    let border = Border::with(|options, _| options.registration = Registration::Private).await;
    for person in [ann(), bob().with("email_verified", false)] {
        expect_refused(&border.show(&border.issuer.token(&person)).await, NOBODY);
    }
    assert_eq!(border.stored().await, [0; 4]);
    assert_eq!(border.stage.app.mails().await.len(), 0);
}

/// Nobody is mailed because of them, so nobody who shares their address of the network has to do without mails.
#[tokio::test]
async fn who_asks_for_a_taken_address_uses_up_no_mails() {
    let border = Border::with(|options, _| options.rate_limits = RateLimits::On).await;
    let taken = border.stage.anybody().register("Carl", None).await;
    let mails = border.mails_to(&taken.email).await.len();
    let asking: Vec<_> = (0..40)
        .map(|number| {
            let person = Person::new(&format!("s{number}"), &taken.email).with("email_verified", false);
            let client = border.client(&person);
            tokio::spawn(async move { client.get(ME).await })
        })
        .collect();
    for one in asking {
        expect_refused(&one.await.unwrap(), NOBODY);
    }
    assert_eq!(border.mails_to(&taken.email).await.len(), mails);
    let forgot = json!({ "email": taken.email });
    let asked = border.stage.anybody().post(FORGOT, &forgot).await;
    asked.expect(StatusCode::ACCEPTED);
    assert_eq!(border.mails_to(&taken.email).await.len(), mails + 1);
}

/// A client in a loop has nobody mailed at each turn.
#[tokio::test]
async fn a_stranger_who_asks_again_is_answered_without_another_mail() {
    let border = Border::new().await;
    let carl = border.stage.newcomer("Carl").await;
    let mails = border.mails_to(&carl.email).await.len();
    let client = border.client(&Person::new("4711", &carl.email));
    for more in [1, 2] {
        for _ in 0..3 {
            expect_refused(&client.get(ME).await, NOBODY);
            assert_eq!(border.mails_to(&carl.email).await.len(), mails + more);
        }
        // What is known of them is not known for longer.
        border.stage.app.clock.advance(TimeDelta::seconds(1));
    }
}

/// A newcomer is one like any other.
#[tokio::test]
async fn who_came_with_a_token_founds_and_works_and_sees_nothing_of_others() {
    let border = Border::new().await;
    let ann = border.come_in(&ann()).await;
    let organization = found(&ann.client, "Acme").await;
    assert_eq!(ann.organization().await, organization);
    let workspace = ann.default_workspace(&organization).await;
    let project = ann
        .create_project(&organization, &workspace, &json!({ "name": "Apollo" }))
        .await;
    let path = format!("/api/v1/organizations/{organization}");
    let project = format!("{path}/projects/{}", project["id"].as_str().unwrap());
    let renamed = ann.client.patch(&project, &json!({ "name": "Artemis" })).await;
    renamed.expect(StatusCode::OK);

    let bob = border.come_in(&bob()).await;
    found(&bob.client, "Globex").await;
    let own = border.stage.newcomer("Carl").await;
    for stranger in [&bob.client, &own.client] {
        for path in [
            &path,
            &project,
            &format!("{path}/members"),
            &format!("{path}/workspaces"),
        ] {
            let answer = stranger.get(path).await;
            answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
        }
        let answer = stranger.patch(&project, &json!({ "name": "Mine" })).await;
        answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    assert_eq!(ann.client.get(&project).await.data()["name"], "Artemis");
}

#[tokio::test]
async fn two_issuers_know_two_people_by_one_subject() {
    let other = TokenIssuer::start().await;
    let settings = other.settings("other");
    let border = Border::with(|options, _| options.trusted_issuers = vec![settings]).await;
    other.follow(&border.stage.app.clock);
    let first = border.come_in(&ann()).await;
    let person = ann().with("email", "other@example.com");
    let second = border.show(&other.token(&person)).await;
    assert_ne!(second.expect(StatusCode::OK).data()["id"], first.user_id.as_str());
    // Not even their sessions are one.
    assert_eq!(listed(&first.client).await.len(), 1);
    assert_eq!(border.stored().await[..3], [2, 2, 2]);
}
