use chrono::DateTime;
use tenantry_domain::environment::Source as _;

use super::SystemSource;

#[test]
fn randomness_fills_the_whole_buffer_and_differs() {
    let environment = SystemSource::environment();
    let (one, other): ([u8; 64], [u8; 64]) = (environment.random(), environment.random());
    assert_ne!(one, other);
    // Of 64 random bytes no half is all zero.
    assert!(one.chunks(32).all(|half| half.iter().any(|byte| *byte != 0)));
}

#[test]
fn the_clock_is_set() {
    // No earlier than the first release could be.
    assert!(SystemSource.now() > DateTime::UNIX_EPOCH + chrono::Days::new(365 * 56));
}
