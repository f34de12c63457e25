//! The trace that a request belongs to (W3C Trace Context).

use std::{fmt, str::FromStr};

use crate::environment::Environment;

/// A W3C trace id: 16 bytes, not all zero, shown as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// A new, random one.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        let mut bytes: [u8; 16] = environment.random();
        // All zeroes is the one value that the standard forbids.
        bytes[0] |= u8::from(bytes == [0; 16]);
        Self(bytes)
    }

    /// The trace of a `traceparent` header: `None` where the header is not valid by the standard.
    #[must_use]
    pub fn from_traceparent(header: &str) -> Option<Self> {
        let mut fields = header.split('-');
        let (version, trace, parent, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        // A later version may add fields; the first has exactly four.
        let known_shape = hex(version, 2) && version != "ff" && (version != "00" || fields.next().is_none());
        let valid = known_shape && hex(parent, 16) && hex(flags, 2) && parent.bytes().any(|byte| byte != b'0');
        if valid { trace.parse().ok() } else { None }
    }
}

impl FromStr for TraceId {
    type Err = NotATraceId;

    fn from_str(text: &str) -> Result<Self, NotATraceId> {
        let lower_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !lower_hex {
            return Err(NotATraceId);
        }
        match u128::from_str_radix(text, 16) {
            Ok(0) | Err(_) => Err(NotATraceId),
            Ok(value) => Ok(Self(value.to_be_bytes())),
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

/// The text is not a trace id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a trace id")]
pub struct NotATraceId;
