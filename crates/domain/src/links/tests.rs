use chrono::{DateTime, TimeDelta};

use super::{Link, LinkPurpose};

#[test]
fn a_link_is_good_once_for_its_purpose_its_address_and_its_time() {
    let now = DateTime::UNIX_EPOCH;
    let link = Link {
        id: uuid::Uuid::nil().into(),
        purpose: LinkPurpose::ResetPassword,
        email_canonical: "ann@example.com".to_owned(),
        expires_at: now + LinkPurpose::ResetPassword.life(),
        used_at: None,
    };
    let good = |link: &Link, at| link.is_good(LinkPurpose::ResetPassword, "ann@example.com", at);
    assert!(good(&link, now));
    assert!(good(&link, now + TimeDelta::milliseconds(3_599_999)));
    assert!(!good(&link, now + TimeDelta::hours(1)));
    assert!(!link.is_good(LinkPurpose::VerifyEmail, "ann@example.com", now));
    assert!(!link.is_good(LinkPurpose::ResetPassword, "ann@example.org", now));
    let used = Link {
        used_at: Some(now),
        ..link
    };
    assert!(!good(&used, now));
}
