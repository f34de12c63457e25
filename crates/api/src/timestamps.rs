//! Moments as clients see them: RFC 3339 in UTC with milliseconds.

use chrono::SecondsFormat;
use serde::Serializer;
use tenantry_domain::environment::Timestamp;

pub(crate) fn text(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*moment))
}

/// The same where there may be none.
pub(crate) mod optional {
    use super::{Serializer, Timestamp, text};

    #[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => serializer.serialize_some(&text(*moment)),
            None => serializer.serialize_none(),
        }
    }
}
