use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::{MAX_AGE, UserJob, next_try};

#[test]
fn a_job_is_stored_as_its_kind_and_what_it_is_about() {
    let job = UserJob::MailVerification {
        link: Uuid::nil().into(),
    };
    let stored = json!({ "kind": "mail_verification", "payload": { "link": Uuid::nil() } });
    assert_eq!(serde_json::to_value(&job).unwrap(), stored);
    assert_eq!(serde_json::from_value::<UserJob>(stored).unwrap(), job);
}

#[test]
fn retries_come_later_each_time_until_a_day_is_over() {
    let created = DateTime::UNIX_EPOCH;
    let (mut now, mut attempts, mut last) = (created, 0, TimeDelta::zero());
    while let Some(next) = next_try(created, attempts + 1, now, 0) {
        let pause = next - now;
        assert!(pause >= last && pause <= TimeDelta::minutes(30), "{pause}");
        (now, attempts, last) = (next, attempts + 1, pause);
    }
    assert!(attempts > 20, "{attempts}");
    assert!(now - created > TimeDelta::hours(23));
}

proptest! {
    #[test]
    fn chance_makes_a_retry_later_and_never_sooner(attempts in 0..u32::MAX, jitter: u8) {
        let created = DateTime::UNIX_EPOCH;
        let sooner = next_try(created, attempts, created, 0).unwrap();
        let later = next_try(created, attempts, created, jitter).unwrap();
        prop_assert!(later >= sooner && later - created <= (sooner - created) * 3 / 2);
        prop_assert!(next_try(created, attempts, created + MAX_AGE, jitter).is_none());
    }
}
