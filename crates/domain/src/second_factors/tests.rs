use chrono::{TimeDelta, TimeZone as _, Utc};

use super::{Consequence, LOCK, LONGEST_LOCK, MAX_FAILURES, SecondFactors, TotpFactor};
use crate::environment::Timestamp;

fn noon() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 1, 31, 12, 0, 0).unwrap()
}

#[test]
fn each_ten_wrong_codes_in_a_row_lock_for_twice_as_long() {
    let mut factors = SecondFactors::default();
    for _ in 1..MAX_FAILURES {
        assert_eq!(factors.count_failure(noon()), Consequence::Counted);
        assert_eq!(factors.locked_for(noon()), None);
    }
    assert_eq!(factors.count_failure(noon()), Consequence::Locked { lock: LOCK });
    assert_eq!(factors.locked_for(noon()), Some(LOCK));
    let last = noon() + LOCK - TimeDelta::milliseconds(1);
    assert_eq!(factors.locked_for(last), Some(TimeDelta::milliseconds(1)));
    assert_eq!(factors.locked_for(noon() + LOCK), None);
    for minutes in [30, 60, 120, 240, 480, 960, 1440, 1440] {
        for _ in 1..MAX_FAILURES {
            assert_eq!(factors.count_failure(noon()), Consequence::Counted);
            assert_eq!(factors.locked_for(noon()), None);
        }
        let lock = TimeDelta::minutes(minutes);
        assert_eq!(factors.count_failure(noon()), Consequence::Locked { lock });
    }
    factors.failures = u32::MAX;
    factors.count_failure(noon());
    assert!(factors.locked_for(noon()).is_none_or(|left| left <= LONGEST_LOCK));
}

#[test]
fn a_right_code_forgives_the_wrong_ones() {
    let mut factors = SecondFactors::default();
    for _ in 1..MAX_FAILURES {
        factors.count_failure(noon());
    }
    factors.count_success();
    assert_eq!(factors, SecondFactors::default());
    assert_eq!(factors.count_failure(noon()), Consequence::Counted);
}

#[test]
fn a_step_is_used_once_and_takes_those_before_it_along() {
    let mut totp = TotpFactor {
        sealed_secret: vec![1],
        confirmed_at: None,
        last_step: None,
    };
    assert!(totp.is_unused(0));
    totp.last_step = Some(7);
    assert_eq!([6, 7, 8].map(|step| totp.is_unused(step)), [false, false, true]);
}

#[test]
fn an_app_that_proved_nothing_is_no_factor() {
    let mut factors = SecondFactors {
        totp: Some(TotpFactor {
            sealed_secret: vec![1],
            confirmed_at: None,
            last_step: None,
        }),
        ..SecondFactors::default()
    };
    assert_eq!(factors.confirmed_totp(), None);
    factors.totp.as_mut().unwrap().confirmed_at = Some(noon());
    assert!(factors.confirmed_totp().is_some());
}
