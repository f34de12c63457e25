#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use chrono::{DateTime, TimeDelta};
use tenantry_domain::environment::Timestamp;

use super::{Charge, LONGEST_WINDOW, Limit, LimitKey, LimitScope, RateLimiter, RateLimits};

fn start() -> Timestamp {
    DateTime::from_timestamp_millis(1_769_851_800_123).unwrap()
}

fn address(text: &str) -> LimitKey {
    LimitKey::address(Some(text.parse::<IpAddr>().unwrap()))
}

fn limiter() -> RateLimiter {
    RateLimiter::new(RateLimits::On)
}

fn charge(limiter: &RateLimiter, limit: Limit, key: &LimitKey, now: Timestamp) -> Charge {
    limiter.charge(limit, key, now).unwrap()
}

/// How many charges are admitted at `now` before the first refusal.
fn admitted(limiter: &RateLimiter, limit: Limit, key: &LimitKey, now: Timestamp) -> u32 {
    let mut admitted = 0;
    while charge(limiter, limit, key, now).allowed {
        admitted += 1;
    }
    admitted
}

#[test]
fn the_rules_are_those_of_the_contract() {
    let rules: Vec<_> = Limit::ALL
        .iter()
        .map(|limit| {
            (
                limit.rule().scope.as_str(),
                limit.rule().count,
                limit.rule().window.num_minutes(),
            )
        })
        .collect();
    assert_eq!(
        rules,
        [
            ("ip", 10, 60),
            ("ip", 100, 15),
            ("user", 20, 15),
            ("user", 20, 15),
            ("user", 5, 60),
            ("user", 5, 60),
            ("user", 5, 60),
            ("user", 5, 60),
            ("user", 5, 60),
            ("ip", 30, 60),
            ("ip", 100, 15),
            ("user", 5, 60),
            ("organization", 100, 60),
            ("organization", 60, 60),
            ("user", 200, 60),
            ("ip", 300, 15)
        ]
    );
    for limit in Limit::ALL {
        assert!(limit.rule().window.to_std().unwrap() <= LONGEST_WINDOW, "{limit:?}");
        assert!(!limit.rule().why.is_empty(), "{limit:?}");
    }
}

#[test]
fn scopes_have_the_names_of_the_contract() {
    let names = LimitScope::ALL.map(LimitScope::as_str);
    assert_eq!(
        names,
        ["global", "organization", "user", "api_key", "ip", "endpoint", "burst"]
    );
}

#[test]
fn a_window_admits_its_count_and_says_how_much_is_left() {
    for limit in Limit::ALL {
        let (limiter, key, rule) = (limiter(), address("192.0.2.1"), limit.rule());
        for left in (0..rule.count).rev() {
            let charge = charge(&limiter, limit, &key, start());
            assert!(charge.allowed);
            assert_eq!(
                (charge.limit, charge.remaining, charge.scope),
                (rule.count, left, rule.scope)
            );
            assert_eq!(charge.reset, rule.window.to_std().unwrap());
        }
        let refused = charge(&limiter, limit, &key, start());
        assert_eq!((refused.allowed, refused.remaining), (false, 0));
    }
}

#[test]
fn a_refusal_does_not_prolong_the_window() {
    let (limiter, key, window) = (limiter(), address("192.0.2.1"), Limit::Register.rule().window);
    assert_eq!(admitted(&limiter, Limit::Register, &key, start()), 10);
    for minute in 0..60 {
        let refused = charge(&limiter, Limit::Register, &key, start() + TimeDelta::minutes(minute));
        assert!(!refused.allowed);
        assert_eq!(
            refused.reset,
            Duration::from_secs(60 * (60 - u64::try_from(minute).unwrap()))
        );
    }
    let last = charge(
        &limiter,
        Limit::Register,
        &key,
        start() + window - TimeDelta::milliseconds(1),
    );
    assert_eq!(
        (last.allowed, last.reset),
        (false, Duration::from_secs(1)),
        "a part of a second is a second"
    );
    let next = charge(&limiter, Limit::Register, &key, start() + window);
    assert_eq!(
        (next.allowed, next.remaining, next.reset),
        (true, 9, Duration::from_secs(3600))
    );
}

#[test]
fn keys_and_limits_do_not_share_counters() {
    let limiter = limiter();
    assert_eq!(admitted(&limiter, Limit::Register, &address("192.0.2.1"), start()), 10);
    assert_eq!(admitted(&limiter, Limit::Register, &address("192.0.2.2"), start()), 10);
    assert_eq!(admitted(&limiter, Limit::SignIn, &address("192.0.2.1"), start()), 100);
    assert_eq!(
        admitted(&limiter, Limit::Register, &LimitKey::account("192.0.2.1"), start()),
        10
    );
}

#[test]
fn an_address_is_who_it_belongs_to() {
    assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
    assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    assert_ne!(address("::ffff:192.0.2.1"), address("::ffff:192.0.2.2"));
    assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    assert_eq!(LimitKey::address(None), LimitKey::address(None));
    assert_ne!(LimitKey::address(None), address("::"));
    assert_ne!(LimitKey::address(None), address("0.0.0.0"));
}

#[test]
fn unknown_addresses_are_limited_together() {
    let limiter = limiter();
    assert_eq!(
        admitted(&limiter, Limit::Register, &LimitKey::address(None), start()),
        10
    );
    assert_eq!(
        admitted(&limiter, Limit::Register, &LimitKey::address(None), start()),
        0
    );
}

#[test]
fn an_account_has_one_key_however_it_is_written() {
    assert_eq!(
        LimitKey::account("Alice@Example.COM"),
        LimitKey::account("alice@example.com")
    );
    assert_eq!(
        LimitKey::account("ÄRGER@example.com"),
        LimitKey::account("ärger@example.com")
    );
    assert_ne!(
        LimitKey::account("alice@example.com"),
        LimitKey::account("bob@example.com")
    );
    let long = "é".repeat(1_000_000);
    assert_eq!(LimitKey::account(&long), LimitKey::account(&format!("{long}x")));
}

#[test]
fn a_refund_gives_back_one_charge_of_the_present_window() {
    let (limiter, key, limit) = (limiter(), LimitKey::account("alice@example.com"), Limit::SignInAccount);
    assert_eq!(admitted(&limiter, limit, &key, start()), 20);
    limiter.refund(limit, &key, start());
    assert_eq!(admitted(&limiter, limit, &key, start()), 1);

    let later = start() + limit.rule().window;
    limiter.refund(limit, &key, later);
    assert_eq!(
        admitted(&limiter, limit, &key, later),
        20,
        "nothing to give back in a new window"
    );
    limiter.refund(limit, &LimitKey::account("bob@example.com"), start());
    assert_eq!(
        admitted(&limiter, limit, &LimitKey::account("bob@example.com"), start()),
        20
    );
}

#[test]
fn a_clock_that_was_set_back_locks_nobody_out() {
    let (limiter, key) = (limiter(), address("192.0.2.1"));
    assert_eq!(
        admitted(&limiter, Limit::Register, &key, start() + TimeDelta::days(1)),
        10
    );
    limiter.refund(Limit::Register, &key, start());
    let charge = charge(&limiter, Limit::Register, &key, start());
    assert_eq!(
        (charge.allowed, charge.remaining, charge.reset),
        (true, 0, Duration::from_secs(3600))
    );
    assert_eq!(
        admitted(&limiter, Limit::Register, &key, start() + Limit::Register.rule().window),
        10
    );
}

#[test]
fn exactly_the_count_is_admitted_of_many_at_once() {
    let limiter = Arc::new(limiter());
    let admitted = Arc::new(AtomicU32::new(0));
    let barrier = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (limiter, admitted, barrier) = (Arc::clone(&limiter), Arc::clone(&admitted), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                for _ in 0..125 {
                    if charge(&limiter, Limit::Register, &address("192.0.2.1"), start()).allowed {
                        admitted.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(admitted.load(Ordering::SeqCst), 10);
}

#[test]
fn nothing_is_counted_when_limits_are_off() {
    let limiter = RateLimiter::new(RateLimits::Off);
    for _ in 0..1000 {
        assert_eq!(limiter.charge(Limit::Register, &address("192.0.2.1"), start()), None);
    }
    limiter.refund(Limit::Register, &address("192.0.2.1"), start());
    assert_eq!(limiter.windows.iter().count(), 0);
}

#[test]
fn a_newcomer_is_counted_even_when_all_counters_are_taken() {
    let limiter = limiter();
    let capacity = u32::try_from(super::MAX_COUNTERS).unwrap();
    for number in 0..capacity + 1000 {
        let key = LimitKey::address(Some(IpAddr::V4(number.into())));
        assert!(charge(&limiter, Limit::Register, &key, start()).allowed);
    }
    limiter.windows.run_pending_tasks();
    assert!(limiter.windows.entry_count() <= super::MAX_COUNTERS);
    assert_eq!(
        admitted(&limiter, Limit::Register, &address("2001:db8::1"), start()),
        10
    );
    limiter.windows.run_pending_tasks();
    assert_eq!(admitted(&limiter, Limit::Register, &address("2001:db8::1"), start()), 0);
}

#[test]
fn a_client_is_told_of_the_tightest_limit() {
    let charge = |allowed, remaining, seconds| Charge {
        allowed,
        scope: LimitScope::Ip,
        limit: 100,
        remaining,
        reset: Duration::from_secs(seconds),
    };
    assert_eq!(Charge::tightest([]), None);
    let tightest = |charges: [Charge; 2]| Charge::tightest(charges).unwrap();
    for (tight, loose) in [
        (charge(false, 0, 1), charge(true, 0, 900)),
        (charge(true, 3, 1), charge(true, 4, 900)),
        (charge(true, 3, 900), charge(true, 3, 1)),
        (charge(false, 0, 900), charge(false, 0, 1)),
    ] {
        assert_eq!(tightest([tight, loose]), tight);
        assert_eq!(tightest([loose, tight]), tight);
    }
}

#[test]
fn limits_are_listed_once_each() {
    assert_eq!(Limit::ALL.iter().collect::<HashSet<_>>().len(), Limit::ALL.len());
}
