//! Sessions that were opened at an issuer: listed, ended, and what may be done in one.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_domain::trace::TraceId;
use tenantry_tests::{
    authenticator::STEP,
    client::{Account, text},
    token_issuer::Person,
};

use super::{Border, INVALID, SESSIONS, ann, bob, current, expect_refused, found, listed, proving};
use crate::mfa::{
    FRESH, ME, OTHER, RESET, begin, begun, confirm, expect_stale, reauthenticate, replace_codes, showing,
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// How long a session lives.
const LIFE: TimeDelta = TimeDelta::days(30);

/// Has somebody choose a password by a mail.
async fn reset(border: &Border, account: &Account) {
    let secret = border.stage.forgotten(account).await;
    let reset = json!({ "token": secret, "password": OTHER });
    let done = border.stage.anybody().post(RESET, &reset).await;
    done.expect(StatusCode::OK);
}

/// Panics where one of these tokens is not refused for good: at once, later, and after another of its session was let in.
async fn expect_over(border: &Border, tokens: [&str; 2], person: &Person) {
    for token in tokens {
        expect_refused(&border.show(token).await, INVALID);
    }
    border.stage.app.clock.advance(SECOND);
    for token in tokens {
        expect_refused(&border.show(token).await, INVALID);
    }
    let later = border.client(person);
    // By what was remembered of it, and looked at anew.
    for _ in 0..2 {
        later.get(ME).await.expect(StatusCode::OK);
        for token in tokens {
            expect_refused(&border.show(token).await, INVALID);
        }
        border.stage.app.clock.advance(SECOND);
    }
}

#[tokio::test]
async fn a_session_of_the_issuers_is_one_here() {
    let border = Border::new().await;
    let first = border
        .bearing(&border.issuer.token(&ann()))
        .with_header("user-agent", FIREFOX);
    let path = current(&first).await;
    // Another token of it, and one of another.
    border.stage.app.clock.advance(SECOND);
    assert_eq!(current(&border.client(&ann())).await, path);
    let second = border.client(&ann().with("sid", "second"));
    let other = current(&second).await;
    assert_ne!(other, path);
    let sessions = listed(&first).await;
    assert_eq!(sessions.len(), 2);
    assert_eq!(format!("{SESSIONS}/{}", text(&sessions[1]["id"])), path);
    assert_eq!(
        (&sessions[1]["userAgent"], &sessions[1]["ip"]),
        (&json!(FIREFOX), &json!("127.0.0.1"))
    );
    assert_eq!(
        (&sessions[0]["current"], &sessions[1]["current"]),
        (&json!(false), &json!(true))
    );
    // As others name it, and where nobody does: one for each person.
    let named = current(&border.client(&ann().without("sid").with("session_id", "first"))).await;
    assert_eq!(named, path);
    let nameless = current(&border.client(&ann().without("sid"))).await;
    border.stage.app.clock.advance(SECOND);
    assert_eq!(current(&border.client(&ann().without("sid"))).await, nameless);
    assert_eq!(listed(&first).await.len(), 3);
    // The same name at another person is another session.
    let bob = border.client(&bob().with("sid", "first"));
    assert_ne!(current(&bob).await, path);
    assert_eq!(listed(&bob).await.len(), 1);
}

#[tokio::test]
async fn what_is_revoked_is_refused_at_once_and_comes_back_with_a_later_token() {
    let border = Border::new().await;
    for person in [ann(), bob().without("sid")] {
        let token = border.issuer.token(&person);
        let other = border.client(&person.clone().with("sid", "other"));
        let path = current(&border.bearing(&token)).await;
        other.get(ME).await.expect(StatusCode::OK);
        other.delete(&path).await.expect(StatusCode::NO_CONTENT);
        // Every one that was issued up to now.
        for ended in [&token, &border.issuer.token(&person)] {
            expect_refused(&border.show(ended).await, INVALID);
        }
        other.get(ME).await.expect(StatusCode::OK);
        assert_eq!(listed(&other).await.len(), 1);

        border.stage.app.clock.advance(SECOND);
        expect_refused(&border.show(&token).await, INVALID);
        let again = border.client(&person);
        assert_ne!(current(&again).await, path);
        // What was ended stays so, whatever was opened since.
        expect_refused(&border.show(&token).await, INVALID);
        border.stage.app.clock.advance(SECOND * 2);
        expect_refused(&border.show(&token).await, INVALID);
        again.get(ME).await.expect(StatusCode::OK);
        assert_eq!(listed(&other).await.len(), 2);
    }
}

/// A session that is one's own can be ended, too, and none of somebody else's.
#[tokio::test]
async fn sessions_are_ended_by_those_whose_they_are() {
    let border = Border::new().await;
    let (ann, bob) = (border.client(&ann()), border.client(&bob()));
    let path = current(&ann).await;
    bob.get(ME).await.expect(StatusCode::OK);
    bob.delete(&path).await.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
    ann.delete(&path).await.expect(StatusCode::NO_CONTENT);
    expect_refused(&ann.get(ME).await, INVALID);
    expect_refused(&ann.delete(&path).await, INVALID);
    bob.get(ME).await.expect(StatusCode::OK);
}

/// However many are opened after it.
#[tokio::test]
async fn what_was_ended_is_not_forgotten_while_its_tokens_count() {
    let border = Border::new().await;
    let now = border.stage.now();
    let long = [("exp", json!((now + TimeDelta::days(2)).timestamp()))];
    let ended = border.issuer.token_but(&ann(), &long);
    let path = current(&border.bearing(&ended)).await;
    border
        .bearing(&ended)
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    border.stage.app.clock.advance(SECOND);
    for number in 0..101 {
        border.come_in(&ann().with("sid", format!("s{number}"))).await;
    }
    expect_refused(&border.show(&ended).await, INVALID);
    // Until the last moment in which it would.
    border.stage.app.clock.advance(TimeDelta::days(1) - SECOND * 3);
    border.come_in(&ann().with("sid", "last")).await;
    expect_refused(&border.show(&ended).await, INVALID);
}

/// Not even where the session itself would have ended meanwhile.
#[tokio::test]
async fn what_was_ended_shortly_before_its_end_is_not_forgotten_either() {
    let border = Border::new().await;
    border.come_in(&ann()).await;
    border.stage.app.clock.advance(LIFE - TimeDelta::hours(1));
    let long = [("exp", json!((border.stage.now() + TimeDelta::days(1)).timestamp()))];
    let ended = border.issuer.token_but(&ann(), &long);
    let client = border.bearing(&ended);
    let path = current(&client).await;
    assert_eq!(border.stored().await[2], 1);
    client.delete(&path).await.expect(StatusCode::NO_CONTENT);
    border.stage.app.clock.advance(TimeDelta::hours(2));
    // Whoever opens one has those forgotten that are over.
    let other = border.come_in(&ann().with("sid", "other")).await;
    expect_refused(&border.show(&ended).await, INVALID);
    assert_eq!(listed(&other.client).await.len(), 1);
}

#[tokio::test]
async fn another_node_refuses_what_is_revoked_within_a_second() {
    let border = Border::new().await;
    let node = border.beside().await;
    let token = border.issuer.token(&ann());
    let there = node.client().with_token(&token);
    let path = current(&border.bearing(&token)).await;
    // One session for both.
    assert_eq!(current(&there).await, path);
    border
        .bearing(&token)
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    node.clock.advance(SECOND);
    expect_refused(&there.get(ME).await, INVALID);
    assert_eq!(border.stored().await[..3], [1, 1, 1]);
}

#[tokio::test]
async fn all_others_are_revoked() {
    let border = Border::new().await;
    let first = border.issuer.token(&ann());
    let second = border.issuer.token(&ann().with("sid", "second"));
    border.show(&first).await.expect(StatusCode::OK);
    border.show(&second).await.expect(StatusCode::OK);
    border
        .bearing(&first)
        .delete(SESSIONS)
        .await
        .expect(StatusCode::NO_CONTENT);
    border.show(&first).await.expect(StatusCode::OK);
    expect_refused(&border.show(&second).await, INVALID);
    assert_eq!(listed(&border.bearing(&first)).await.len(), 1);
}

/// Whether or not they were shown before.
#[tokio::test]
async fn the_session_that_is_kept_takes_its_tokens_from_before() {
    let border = Border::new().await;
    let shown = border.issuer.token(&ann());
    border.show(&shown).await.expect(StatusCode::OK);
    border.stage.app.clock.advance(SECOND);
    let unshown = border.issuer.token(&ann());
    border.stage.app.clock.advance(SECOND);
    let keeper = border.bearing(&shown);
    keeper.delete(SESSIONS).await.expect(StatusCode::NO_CONTENT);
    for _ in 0..2 {
        for token in [&shown, &unshown] {
            border.show(token).await.expect(StatusCode::OK);
        }
        assert_eq!(listed(&keeper).await.len(), 1);
        border.stage.app.clock.advance(SECOND);
    }
    // Until it is ended itself.
    let path = current(&keeper).await;
    keeper.delete(&path).await.expect(StatusCode::NO_CONTENT);
    for token in [&shown, &unshown] {
        expect_refused(&border.show(token).await, INVALID);
    }
}

/// Nor do they open a session that nobody has seen here.
#[tokio::test]
async fn tokens_from_before_all_were_ended_are_over() {
    let border = Border::new().await;
    let account = border.come_in(&ann()).await;
    let unseen = ann().with("sid", "unseen");
    let before = border.issuer.token(&unseen);
    border.stage.app.clock.advance(SECOND);
    let ended = account.client.delete(SESSIONS).await;
    ended.expect(StatusCode::NO_CONTENT);
    expect_over(&border, [&before, &border.issuer.token(&unseen)], &unseen).await;

    // A reset takes away what was linked in the last week.
    border.stage.app.clock.advance(TimeDelta::days(8));
    let unseen = ann().with("sid", "unseen as well");
    let before = border.issuer.token(&unseen);
    border.stage.app.clock.advance(SECOND);
    reset(&border, &account).await;
    expect_over(&border, [&before, &border.issuer.token(&unseen)], &unseen).await;
}

#[tokio::test]
async fn a_reset_and_an_operator_end_all() {
    let border = Border::new().await;
    let account = border.come_in(&ann()).await;
    // A reset takes away what was linked in the last week.
    border.stage.app.clock.advance(TimeDelta::days(8));
    let token = border.issuer.token(&ann());
    reset(&border, &account).await;
    expect_refused(&border.show(&token).await, INVALID);
    border.stage.app.clock.advance(SECOND);
    expect_refused(&border.show(&token).await, INVALID);

    let token = border.issuer.token(&ann());
    border.show(&token).await.expect(StatusCode::OK);
    let trace = TraceId::new(&border.stage.app.clock.environment());
    let email = account.email.parse().unwrap();
    border
        .stage
        .app
        .services
        .revoke_sessions_of(&email, trace)
        .await
        .unwrap();
    // An operator is another process: what is known here is known for a second.
    border.stage.app.clock.advance(SECOND);
    expect_refused(&border.show(&token).await, INVALID);
    border.stage.app.clock.advance(SECOND);
    assert_eq!(border.come_in(&ann()).await.user_id, account.user_id);
}

#[tokio::test]
async fn a_session_lives_for_thirty_days() {
    let border = Border::new().await;
    let path = current(&border.client(&ann())).await;
    border.stage.app.clock.advance(LIFE - SECOND);
    assert_eq!(current(&border.client(&ann())).await, path);
    border.stage.app.clock.advance(SECOND * 2);
    let client = border.client(&ann());
    assert_ne!(current(&client).await, path);
    assert_eq!(listed(&client).await.len(), 1);
    assert_eq!(border.stored().await[..2], [1, 1]);
}

#[tokio::test]
async fn a_new_device_is_told_once() {
    let border = Border::new().await;
    let account = border.come_in(&ann()).await;
    for (sid, mails) in [("first", 0), ("second", 1), ("third", 1)] {
        let client = border
            .client(&ann().with("sid", sid))
            .with_header("user-agent", FIREFOX);
        client.get(ME).await.expect(StatusCode::OK);
        assert_eq!(border.mails_to(&account.email).await.len(), mails, "{sid}");
    }
    let told = &border.mails_to(&account.email).await[0];
    assert!(told.text.contains("Firefox on Linux"), "{}", told.text);
}

/// What a thief of the token shall not do.
#[tokio::test]
async fn a_session_is_fresh_where_the_issuer_says_when_its_owner_was_asked() {
    let border = Border::new().await;
    let now = border.stage.now().timestamp();
    // It does not say so, or it was long ago.
    for (number, person) in [ann(), ann().with("auth_time", now - FRESH.num_seconds())]
        .into_iter()
        .enumerate()
    {
        let client = border.client(&person.with("sid", format!("stale-{number}")));
        expect_stale(&begin(&client).await);
    }
    // A moment ago.
    let asked = proving(&border, ann().with("sid", "fresh"));
    let client = border.client(&asked);
    begin(&client).await.expect(StatusCode::OK);
    border.stage.app.clock.advance(FRESH - SECOND * 2);
    begin(&border.client(&asked)).await.expect(StatusCode::OK);
    border.stage.app.clock.advance(SECOND * 3);
    expect_stale(&begin(&border.client(&asked)).await);
    // Once more.
    let again = proving(&border, ann().with("sid", "fresh"));
    begin(&border.client(&again)).await.expect(StatusCode::OK);
}

/// A proof that is still to come would be new at every use.
#[tokio::test]
async fn a_proof_of_the_future_is_as_old_as_the_token() {
    let border = Border::new().await;
    let now = border.stage.now();
    let token = border.issuer.token_but(
        &ann(),
        &[
            ("auth_time", json!((now + TimeDelta::days(1)).timestamp())),
            ("exp", json!((now + TimeDelta::days(1)).timestamp())),
        ],
    );
    let client = border.bearing(&token);
    begin(&client).await.expect(StatusCode::OK);
    border.stage.app.clock.advance(FRESH / 2);
    begin(&client).await.expect(StatusCode::OK);
    border.stage.app.clock.advance(FRESH / 2 + SECOND);
    expect_stale(&begin(&client).await);
    client.get(ME).await.expect(StatusCode::OK);
    expect_stale(&begin(&client).await);
}

#[tokio::test]
async fn who_is_not_fresh_proves_it_here() {
    let border = Border::new().await;
    let client = border.client(&proving(&border, ann()));
    let authenticator = begun(&client).await;
    let confirmed = confirm(&client, &authenticator.code(border.stage.now())).await;
    confirmed.expect(StatusCode::OK);

    // Another session, of which the issuer says nothing.
    let next_code = || {
        border.stage.app.clock.advance(STEP);
        authenticator.code(border.stage.now())
    };
    let client = border.client(&ann().with("sid", "second"));
    expect_stale(&replace_codes(&client, "000000").await);
    let code = next_code();
    let wrong = authenticator.wrong_code(border.stage.now());
    let refused = reauthenticate(&client, &showing(&wrong)).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    expect_stale(&replace_codes(&client, &code).await);
    reauthenticate(&client, &showing(&code)).await.expect(StatusCode::OK);
    let code = next_code();
    replace_codes(&client, &code).await.expect(StatusCode::OK);
    // The first is what it was, and what the issuer says later changes nothing of it.
    border.stage.app.clock.advance(FRESH);
    expect_stale(&replace_codes(&border.client(&ann()), "000000").await);
}

/// The issuer's second factor counts for nothing here.
#[tokio::test]
async fn an_organization_demands_a_factor_of_its_own() {
    let border = Border::with(|options, _| options.mfa_grace_days = 0).await;
    let person = ann().with("amr", json!(["pwd", "mfa", "otp"])).with("acr", "urn:mfa");
    let client = border.client(&proving(&border, person.clone()));
    let organization = found(&client, "Acme").await;
    let context = format!("/api/v1/organizations/{organization}/context");
    client
        .get(&context)
        .await
        .expect_error(StatusCode::FORBIDDEN, "MFA_REQUIRED");
    let authenticator = begun(&client).await;
    let confirmed = confirm(&client, &authenticator.code(border.stage.now())).await;
    confirmed.expect(StatusCode::OK);
    border.stage.app.clock.advance(SECOND);
    client.get(&context).await.expect(StatusCode::OK);
    // Each session for itself.
    let second = border.client(&proving(&border, person.with("sid", "second")));
    second
        .get(&context)
        .await
        .expect_error(StatusCode::FORBIDDEN, "MFA_REQUIRED");
    border.stage.app.clock.advance(STEP);
    let code = authenticator.code(border.stage.now());
    reauthenticate(&second, &showing(&code)).await.expect(StatusCode::OK);
    second.get(&context).await.expect(StatusCode::OK);
    assert_eq!(second.get(ME).await.data()["mfaEnabled"], Value::Bool(true));
}
