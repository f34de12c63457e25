//! A mail in the form that servers take (RFC 5322, MIME).
//!
//! Names come from strangers. None of them gets into a header as it is: lines are joined here, everything unusual is
//! encoded by lettre, and the envelope is made of the addresses, not read back from the headers.

use std::time::{Duration, SystemTime};

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use tenantry_domain::environment::Timestamp;

use super::{Mail, Refusal};

/// The most characters of a name in a header.
const MAX_NAME: usize = 100;

/// The most characters of a subject.
const MAX_SUBJECT: usize = 200;

/// The last second of the year 9999, the last one that the `Date` header is written for.
const LAST_SECOND: u64 = 253_402_300_799;

/// Whether `from` says who a mail is from: `Tenantry <no-reply@example.com>`, or the address alone.
#[must_use]
pub fn check_from(from: &str) -> bool {
    parse_from(from).is_some()
}

pub(super) fn parse_from(from: &str) -> Option<Mailbox> {
    if from.chars().any(char::is_control) {
        return None;
    }
    let parsed: Mailbox = from.parse().ok()?;
    let from = mailbox(parsed.name.as_deref().unwrap_or_default(), parsed.email.as_ref())?;
    // lettre reads the header back when it puts a message together.
    from.to_string().parse::<Mailbox>().ok()?;
    Some(from)
}

/// `mail` from `from`, dated `now`.
pub(super) fn build(mail: &Mail, from: &Mailbox, now: Timestamp) -> Result<Message, Refusal> {
    let to = mailbox(&mail.to.name, &mail.to.address).ok_or(Refusal::Address)?;
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()]).map_err(|_| Refusal::Address)?;
    Message::builder()
        .envelope(envelope)
        .from(from.clone())
        .to(to)
        .subject(one_line(&mail.subject, MAX_SUBJECT))
        .date(date(now))
        // The same for each try, so that a receiver can tell a repeated mail from a second one.
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        // RFC 3834: nobody's out-of-office note is to answer this.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(|_| Refusal::Message)
}

/// `text` on one line and of at most `max` characters: what breaks a line or controls a terminal becomes a space.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .take(max)
        .collect();
    line.trim().to_owned()
}

fn mailbox(name: &str, address: &str) -> Option<Mailbox> {
    let name = one_line(name, MAX_NAME);
    let address = ascii_domain(address)?;
    Some(Mailbox::new((!name.is_empty()).then_some(name), address))
}

/// The address with its domain as the DNS knows it: few servers take another one.
fn ascii_domain(address: &str) -> Option<Address> {
    if address.chars().any(char::is_control) {
        return None;
    }
    let address: Address = address.parse().ok()?;
    if address.domain().is_ascii() {
        return Some(address);
    }
    let domain = idna::domain_to_ascii(address.domain()).ok()?;
    Address::new(address.user(), domain).ok()
}

fn date(now: Timestamp) -> SystemTime {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default().min(LAST_SECOND);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests;
