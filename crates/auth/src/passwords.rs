//! Passwords: which ones are accepted, how they are kept and how they are checked.
//!
//! They are kept as argon2id hashes (RFC 9106) in PHC string form, by the parameters that the OWASP Password Storage
//! Cheat Sheet recommends. Hashing is slow by design, so it runs off the async threads, no more at once than asked for,
//! behind a queue with an end: a storm of sign-ins is turned away before it takes the memory or the patience of others.
//!
//! To raise the cost: change [`PasswordCost::RECOMMENDED`]. Whoever signs in next is told to be hashed anew
//! ([`Verdict::Right`]); nobody has to choose a new password.

mod strength;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{self, phc::PasswordHash},
};
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::environment::Environment;
use tokio::{
    sync::{AcquireError, Semaphore},
    task::{JoinError, spawn_blocking},
    time::timeout,
};

pub use self::strength::{MAX_LENGTH, MIN_LENGTH, Weakness, check};

/// How many callers may wait for their turn, beyond those being served.
pub const MAX_WAITING: usize = 128;

/// How long a caller waits for its turn. Shorter than the patience of a client, so that the answer still reaches it.
pub const MAX_WAIT: Duration = Duration::from_secs(3);

/// Bytes of random salt in a hash, as RFC 9106, section 3.1 recommends.
const SALT_BYTES: usize = 16;

/// The most that a stored hash may ask for: far above every recommendation, far below what would take a node down.
const MAX_STORED_COST: PasswordCost = PasswordCost {
    memory_kib: 256 * 1024,
    passes: 16,
    lanes: 16,
};

/// What one hash costs its maker, and whoever guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PasswordCost {
    /// argon2id with 19 MiB, two passes and one lane, as the OWASP Password Storage Cheat Sheet recommends; room for
    /// many at a time.
    pub const RECOMMENDED: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };

    /// The least that argon2 accepts. For tests alone: it protects nothing.
    pub const MINIMAL: Self = Self {
        memory_kib: Params::MIN_M_COST,
        passes: 1,
        lanes: 1,
    };

    fn of(params: &Params) -> Self {
        Self {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
            lanes: params.p_cost(),
        }
    }

    fn within(self, bound: Self) -> bool {
        self.memory_kib <= bound.memory_kib && self.passes <= bound.passes && self.lanes <= bound.lanes
    }

    fn argon2(self) -> Result<Argon2<'static>, PasswordError> {
        let params = Params::new(
            self.memory_kib,
            self.passes,
            self.lanes,
            Some(Params::DEFAULT_OUTPUT_LEN),
        )
        .map_err(password_hash::Error::from)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not the password, or nobody has that name.
    Wrong,
    /// The password.
    Right {
        /// Whether the stored hash was made at another cost than today's: hash the password anew and store that.
        rehash: bool,
    },
}

/// Why a password could be neither hashed nor checked. None of these tells anything about the password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many others wait already, or waiting took longer than [`MAX_WAIT`]. Worth another try later.
    #[error("too many passwords are being checked at the moment")]
    Busy,
    /// The stored text is no argon2 hash, or one that asks for more than any of ours would.
    #[error("the stored password hash cannot be checked")]
    StoredHash,
    /// Argon2 refused.
    #[error("the password could not be hashed")]
    Argon2(#[from] password_hash::Error),
    /// The thread that did the work did not finish it.
    #[error("the hashing of a password was cut short")]
    Worker(#[from] JoinError),
    /// The queue was closed, which happens when the process ends.
    #[error("passwords are no longer checked")]
    Closed(#[from] AcquireError),
}

/// Hashes passwords and checks them; one for a process.
#[derive(Debug)]
pub struct PasswordHasher {
    cost: PasswordCost,
    /// A permit for each who is served or waits.
    places: Arc<Semaphore>,
    /// A permit for each who is served.
    turns: Arc<Semaphore>,
    environment: Environment,
}

impl PasswordHasher {
    /// A hasher at `cost` that works on `concurrency` passwords at a time, each of which takes the memory of its cost
    /// and a core for some tens of milliseconds. Salts are drawn from `environment`.
    #[must_use]
    pub fn new(cost: PasswordCost, concurrency: NonZeroUsize, environment: Environment) -> Self {
        let concurrency = concurrency.get().min(Semaphore::MAX_PERMITS - MAX_WAITING);
        Self {
            cost,
            places: Arc::new(Semaphore::new(concurrency + MAX_WAITING)),
            turns: Arc::new(Semaphore::new(concurrency)),
            environment,
        }
    }

    /// The hash to store for `password`, as a PHC string. All of a password counts, however long it is.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many wait; the others when argon2 or its thread fail.
    pub async fn hash(&self, password: SecretString) -> Result<String, PasswordError> {
        let argon2 = self.cost.argon2()?;
        let salt: [u8; SALT_BYTES] = self.environment.random();
        let hash = self
            .in_turn(move || argon2.hash_password_with_salt(bytes(&password), &salt))
            .await??;
        Ok(hash.to_string())
    }

    /// Whether `password` is the one that `stored`, a PHC string, was made of.
    ///
    /// Without a stored hash (nobody has that name) it takes the time of a check at today's cost and the verdict is
    /// [`Verdict::Wrong`], so that neither the answer nor its time tells whether somebody has that name.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many wait, [`PasswordError::StoredHash`] when `stored` is not a hash of ours; the
    /// others when argon2 or its thread fail.
    pub async fn verify(&self, password: SecretString, stored: Option<&str>) -> Result<Verdict, PasswordError> {
        let argon2 = self.cost.argon2()?;
        let Some(stored) = stored else {
            let salt: [u8; SALT_BYTES] = self.environment.random();
            self.in_turn(move || argon2.hash_password_with_salt(bytes(&password), &salt))
                .await??;
            return Ok(Verdict::Wrong);
        };
        let stored = StoredHash::parse(stored)?;
        let rehash = stored.cost != self.cost || !stored.current_algorithm;
        match self
            .in_turn(move || argon2.verify_password(bytes(&password), &stored.hash))
            .await?
        {
            Ok(()) => Ok(Verdict::Right { rehash }),
            Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs `work` off the async threads when its turn has come. The turn ends with the work and not with the future: a
    /// caller that goes away leaves the core and the memory taken until the hash is made.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| PasswordError::Busy)?;
        let turn = timeout(MAX_WAIT, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| PasswordError::Busy)??;
        let span = tracing::Span::current();
        let done = spawn_blocking(move || {
            let _held = (place, turn);
            span.in_scope(work)
        });
        Ok(done.await?)
    }
}

struct StoredHash {
    hash: PasswordHash,
    cost: PasswordCost,
    current_algorithm: bool,
}

impl StoredHash {
    fn parse(text: &str) -> Result<Self, PasswordError> {
        let hash = PasswordHash::new(text).map_err(|_| PasswordError::StoredHash)?;
        let params = Params::try_from(&hash).map_err(|_| PasswordError::StoredHash)?;
        let cost = PasswordCost::of(&params);
        // Without a salt or an output the library calls every password wrong, which would hide a broken row for good.
        if hash.salt.is_none() || hash.hash.is_none() || !cost.within(MAX_STORED_COST) {
            return Err(PasswordError::StoredHash);
        }
        let current_algorithm = hash.algorithm == ARGON2ID_IDENT && hash.version == Some(Version::V0x13.into());
        Ok(Self {
            hash,
            cost,
            current_algorithm,
        })
    }
}

fn bytes(password: &SecretString) -> &[u8] {
    password.expose_secret().as_bytes()
}

#[cfg(test)]
mod tests;
