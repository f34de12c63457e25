#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tenantry_domain::environment::Timestamp;
use uuid::Uuid;

use super::{CAPACITY, Outbox};
use crate::mail::{Mail, Recipient};

fn now() -> Timestamp {
    Timestamp::from_timestamp_millis(1_769_851_800_120).unwrap()
}

fn mail(subject: &str) -> Mail {
    Mail {
        id: Uuid::nil(),
        to: Recipient {
            name: "Ann".to_owned(),
            address: "ann@example.com".to_owned(),
        },
        subject: subject.to_owned(),
        text: "text".to_owned(),
        html: "<p>html</p>".to_owned(),
    }
}

#[test]
fn it_is_bounded_and_newest_first() {
    let outbox = Outbox::new(|_| {});
    for number in 0..CAPACITY + 3 {
        outbox.keep(&mail(&number.to_string()), now());
    }
    let mails = outbox.mails();
    assert_eq!(mails.len(), CAPACITY);
    assert_eq!(mails[0].subject, (CAPACITY + 2).to_string());
    assert_eq!(mails[1].subject, (CAPACITY + 1).to_string());
    assert_eq!(mails[CAPACITY - 1].subject, "3");
}

#[test]
fn it_tells_of_each_mail() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let outbox = Outbox::new(move |kept| {
        assert_eq!(kept.to, "ann@example.com");
        count.fetch_add(1, Ordering::SeqCst);
    });
    outbox.keep(&mail("one"), now());
    outbox.keep(&mail("two"), now());
    assert_eq!(told.load(Ordering::SeqCst), 2);
}

#[test]
fn a_mail_is_shown_as_json() {
    let outbox = Outbox::new(|_| {});
    outbox.keep(&mail("Hello"), now());
    assert_eq!(
        serde_json::to_value(outbox.mails()).unwrap(),
        serde_json::json!([{
            "to": "ann@example.com",
            "subject": "Hello",
            "text": "text",
            "html": "<p>html</p>",
            "sentAt": "2026-01-31T09:30:00.120Z",
        }])
    );
}
