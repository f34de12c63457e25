#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use proptest::prelude::*;
use tenantry_domain::environment::Timestamp;

use super::{file_name, moment};

#[test]
fn a_name_may_end_with_a_moment() {
    let at: Timestamp = "2026-11-22T05:15:00Z".parse().unwrap();
    assert_eq!(file_name(at), "signing-key-20261122T051500Z.pem");
    for name in [
        "signing-key-20261122T051500Z.pem",
        "20261122T051500Z.pem",
        "schlüssel20261122T051500Z.pem",
    ] {
        assert_eq!(moment(name), Some(at), "{name}");
    }
    assert_eq!(moment("20280229T235959Z.pem"), "2028-02-29T23:59:59Z".parse().ok());
}

#[test]
fn what_is_no_moment_is_a_part_of_the_name() {
    for name in [
        "signing-key-0001.pem",
        "2026-11-22.pem",
        ".pem",
        "20261122T051500Z",
        "20261122T051500Z.key",
        "20261122T051500Z.pem.bak",
        "20261122T051500Z-old.pem",
        "20261122t051500z.pem",
        "20261122 051500Z.pem",
        "20261122T051500+.pem",
        "+0261122T051500Z.pem",
        "2026112ZT051500Z.pem",
        "120261122T051500Z.pem",
        "20261322T051500Z.pem",
        "20260022T051500Z.pem",
        "20270229T000000Z.pem",
        "20261122T240000Z.pem",
        "20261122T056000Z.pem",
        "20261231T235960Z.pem",
        "2026112٢T051500Z.pem",
    ] {
        assert_eq!(moment(name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn any_moment_comes_back_and_sorts_by_its_name(one in 0..4_102_444_800_i64, other in 0..4_102_444_800_i64) {
        let [one, other] = [one, other].map(|seconds| Timestamp::from_timestamp(seconds, 0).unwrap());
        prop_assert_eq!(moment(&file_name(one)), Some(one));
        prop_assert_eq!(file_name(one).cmp(&file_name(other)), one.cmp(&other));
        prop_assert!(file_name(one).as_str() > "signing-key-0001.pem");
    }

    #[test]
    fn a_moment_is_read_as_it_is_written(name in "[0-9]{0,1}20[0-9]{2}[01][0-9]{3}T[0-9]{6}Z\\.pem") {
        if let Some(at) = moment(&name) {
            prop_assert_eq!(file_name(at), format!("signing-key-{name}"));
        }
    }
}
