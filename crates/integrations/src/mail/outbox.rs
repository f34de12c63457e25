//! Where mails go while the service is being developed: nobody gets them, and a developer reads them.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use chrono::SecondsFormat;
use serde::{Serialize, Serializer};
use tenantry_domain::environment::Timestamp;

use super::Mail;

/// How many mails are kept; beyond, the oldest goes.
const CAPACITY: usize = 200;

/// A mail that was sent while the service is being developed.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The address that it was sent to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its body for those who read plain text.
    pub text: String,
    /// Its body for everyone else.
    pub html: String,
    /// When it was sent.
    #[serde(serialize_with = "rfc3339")]
    pub sent_at: Timestamp,
}

/// The mails of `tenantry dev`, newest first.
pub struct Outbox {
    mails: Mutex<VecDeque<Kept>>,
    tell: Box<dyn Fn(&Kept) + Send + Sync>,
}

impl Outbox {
    /// An empty outbox, which tells `tell` of each new mail.
    pub fn new(tell: impl Fn(&Kept) + Send + Sync + 'static) -> Self {
        Self {
            mails: Mutex::default(),
            tell: Box::new(tell),
        }
    }

    /// The mails that are kept, newest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Kept> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().cloned().collect()
    }

    pub(super) fn keep(&self, mail: &Mail, now: Timestamp) {
        let kept = Kept {
            to: mail.to.address.clone(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            sent_at: now,
        };
        let told = kept.clone();
        {
            let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
            mails.truncate(CAPACITY - 1);
            mails.push_front(kept);
        }
        // Without the lock, so that whoever is told may look at the mails.
        (self.tell)(&told);
    }
}

fn rfc3339<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests;
