//! Requests that may be sent twice and take effect once.

use aws_lc_rs::digest::{Context, SHA256};
use tenantry_persistence::idempotency::{Claim, IdempotencyKey as StoredKey};

use crate::error::{Error, Result};

/// The key of a request, by which it is known when it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub(crate) StoredKey);

impl IdempotencyKey {
    /// The key of a request with this method, path, `Idempotency-Key` and body. Only hashes are kept.
    #[must_use]
    pub fn of(method: &str, path: &str, key: &str, body: &[u8]) -> Self {
        Self(StoredKey {
            // Neither a method nor a path nor a header's value holds NUL: the parts cannot run into each other.
            scope_hash: sha256(&[method.as_bytes(), path.as_bytes(), key.as_bytes()]),
            fingerprint: sha256(&[body]),
        })
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
        context.update(&[0]);
    }
    let mut hash = [0; 32];
    hash.iter_mut()
        .zip(context.finish().as_ref())
        .for_each(|(to, from)| *to = *from);
    hash
}

/// A resource that a request created, now or when it was sent first.
#[derive(Debug, Clone)]
pub struct Created<R> {
    /// The resource, as it was when it was created.
    pub resource: R,
    /// Whether this request did nothing, since one like it had.
    pub replayed: bool,
}

/// What to do about a claimed key: the resource that came of it before, or `None` to go ahead.
///
/// # Errors
/// When the key was used for something else, or is being used right now.
pub(crate) fn settle<R>(claim: Claim<R>) -> Result<Option<Created<R>>> {
    match claim {
        Claim::New => Ok(None),
        Claim::Replay(resource) => Ok(Some(Created {
            resource,
            replayed: true,
        })),
        Claim::Reused => Err(Error::IdempotencyKeyReused),
        Claim::InProgress => Err(Error::IdempotencyInProgress),
    }
}
