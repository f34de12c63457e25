use chrono::TimeDelta;
use tenantry_domain::environment::Timestamp;

use super::{
    ABSOLUTE_LIFE, Judgement, LIFE, MAX_SUCCESSORS, REUSE_LEEWAY, StoredRefresh, StoredSession, expiry, judge,
};
use crate::test_environment::test_environment;

const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

fn now() -> Timestamp {
    test_environment(1).0.now()
}

fn fresh() -> StoredRefresh {
    StoredRefresh {
        expires_at: now() + LIFE,
        used_at: None,
        successors: 0,
    }
}

fn used(ago: TimeDelta, successors: u32) -> StoredRefresh {
    StoredRefresh {
        used_at: Some(now() - ago),
        successors,
        ..fresh()
    }
}

fn alive() -> StoredSession {
    StoredSession {
        expires_at: now() + ABSOLUTE_LIFE,
        ended: false,
    }
}

#[test]
fn an_unused_token_is_good_until_it_expires() {
    assert_eq!(judge(&fresh(), &alive(), now()), Judgement::Rotate);
    assert_eq!(judge(&fresh(), &alive(), now() + LIFE - MILLISECOND), Judgement::Rotate);
    assert_eq!(judge(&fresh(), &alive(), now() + LIFE), Judgement::Refuse);
}

#[test]
fn a_session_is_over_for_all_its_tokens_without_an_alarm() {
    let logged_out = StoredSession { ended: true, ..alive() };
    let too_old = StoredSession {
        expires_at: now(),
        ..alive()
    };
    let last_moment = StoredSession {
        expires_at: now() + MILLISECOND,
        ..alive()
    };
    for token in [
        fresh(),
        used(TimeDelta::zero(), 1),
        used(TimeDelta::hours(1), 1),
        used(TimeDelta::zero(), 9),
    ] {
        assert_eq!(judge(&token, &logged_out, now()), Judgement::Refuse, "{token:?}");
        assert_eq!(judge(&token, &too_old, now()), Judgement::Refuse, "{token:?}");
    }
    assert_eq!(judge(&fresh(), &last_moment, now()), Judgement::Rotate);
}

#[test]
fn a_used_token_is_good_again_within_the_leeway() {
    assert_eq!(judge(&used(TimeDelta::zero(), 1), &alive(), now()), Judgement::Rotate);
    assert_eq!(judge(&used(REUSE_LEEWAY, 1), &alive(), now()), Judgement::Rotate);
    assert_eq!(
        judge(&used(REUSE_LEEWAY + MILLISECOND, 1), &alive(), now()),
        Judgement::Theft
    );
    let clock_behind = used(-TimeDelta::seconds(2), 1);
    assert_eq!(
        judge(&clock_behind, &alive(), now()),
        Judgement::Rotate,
        "used by a node whose clock is ahead"
    );
}

#[test]
fn a_sixth_successor_is_refused_and_ends_nothing() {
    assert_eq!(
        judge(&used(TimeDelta::seconds(1), MAX_SUCCESSORS - 1), &alive(), now()),
        Judgement::Rotate
    );
    assert_eq!(
        judge(&used(TimeDelta::seconds(1), MAX_SUCCESSORS), &alive(), now()),
        Judgement::Refuse
    );
}

#[test]
fn a_used_token_that_has_expired_too_is_still_a_theft() {
    let stolen = StoredRefresh {
        expires_at: now() - TimeDelta::days(1),
        ..used(TimeDelta::days(2), 1)
    };
    assert_eq!(judge(&stolen, &alive(), now()), Judgement::Theft);
    let just_used = StoredRefresh {
        expires_at: now(),
        ..used(TimeDelta::seconds(1), 1)
    };
    assert_eq!(judge(&just_used, &alive(), now()), Judgement::Refuse);
}

#[test]
fn a_token_slides_up_to_the_end_of_its_session() {
    assert_eq!(expiry(now(), now() + ABSOLUTE_LIFE), now() + TimeDelta::days(7));
    assert_eq!(expiry(now(), now() + TimeDelta::days(2)), now() + TimeDelta::days(2));
}
