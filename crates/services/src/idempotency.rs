//! Requests that may be sent twice and take effect once.

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Serialize, de::DeserializeOwned};
use tenantry_domain::events::Event;
use tenantry_persistence::idempotency::{Claim, IdempotencyKey as StoredKey, Repeatable};

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

/// Creates a resource, or gives the one that came of its key before. The record is written in the transaction of the effect.
///
/// # Errors
/// Those of `create`; when the key was used for something else or is being used right now, or the database is away.
pub(crate) async fn once<T: Repeatable, R: Serialize + DeserializeOwned>(
    tx: T,
    key: Option<&IdempotencyKey>,
    create: impl AsyncFnOnce(&T) -> Result<(R, Event)>,
) -> Result<Created<R>> {
    match claimed(&tx, key, create).await {
        Ok((resource, Some(event))) => {
            tx.commit(event).await?;
            Ok(Created {
                resource,
                replayed: false,
            })
        }
        Ok((resource, None)) => {
            tx.rollback().await?;
            Ok(Created {
                resource,
                replayed: true,
            })
        }
        Err(error) => {
            // Best effort: where even this fails, the connection is gone, and what it held with it.
            if let Err(error) = tx.rollback().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a rollback failed");
            }
            Err(error)
        }
    }
}

/// The resource, with the event of its creation if it was created now.
async fn claimed<T: Repeatable, R: Serialize + DeserializeOwned>(
    tx: &T,
    key: Option<&IdempotencyKey>,
    create: impl AsyncFnOnce(&T) -> Result<(R, Event)>,
) -> Result<(R, Option<Event>)> {
    let Some(key) = key else {
        let (resource, event) = create(tx).await?;
        return Ok((resource, Some(event)));
    };
    match tx.claim(&key.0).await? {
        Claim::New => {
            let (resource, event) = create(tx).await?;
            tx.record(&key.0, &resource).await?;
            Ok((resource, Some(event)))
        }
        Claim::Replay(resource) => Ok((resource, None)),
        Claim::Reused => Err(Error::IdempotencyKeyReused),
        Claim::InProgress => Err(Error::IdempotencyInProgress),
    }
}
