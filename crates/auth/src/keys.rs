//! The keys that sign access tokens and what clients carry back.
//!
//! A key is an unencrypted PKCS#8 PEM file (RFC 5958, RFC 7468) that holds an Ed25519 or a P-256 private key, such as
//! `openssl genpkey -algorithm ed25519` makes. A folder of `*.pem` files is a keyring: one of the keys signs, and what any of
//! them signed is accepted.
//!
//! A file name may end with the moment from which its key signs, such as `signing-key-20261122T051500Z.pem`. Of the keys
//! whose moment has come, and of those that have none, the one with the greatest file name signs.
//!
//! A keyring follows its files ([`Keyring::reload`]), and [`rotation`] makes new ones and removes old ones. The overlap is
//! what signs nobody out: a key is published and accepted before it signs, and accepted for as long afterwards as anything
//! lives that it signed, refresh cookies and invitations being the last (`csrf`, `mailed_links`).

mod files;
mod generation;
mod jwks;
mod listing;
pub mod rotation;
mod signing_key;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use tenantry_domain::environment::{Environment, Timestamp};

pub(crate) use self::signing_key::SigningKey;
use self::{
    files::{KeyFile, key_files, next_start, read_key, signing},
    generation::ed25519_pkcs8,
};
pub use self::{
    jwks::{Jwk, Jwks},
    listing::{KeyState, ListedKey, list},
};

/// The most keys that a folder may hold.
pub const MAX_KEYS: usize = 32;

/// Why there is no keyring. Names the file, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file or folder cannot be made.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not a key that can be used.
    #[error("{} {problem}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, to be read after its name.
        problem: &'static str,
    },
    /// The folder holds no key.
    #[error("{} holds no *.pem file", path.display())]
    NoKeys {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds more than [`MAX_KEYS`] keys.
    #[error("{} holds more than {MAX_KEYS} *.pem files", path.display())]
    TooManyKeys {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds [`MAX_KEYS`] keys, of which none may go yet.
    #[error("{} holds {MAX_KEYS} *.pem files, and none of them may be removed yet", path.display())]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// Keys are rotated in a folder alone.
    #[error("{} is no folder: put the key into one, and name that instead of the file", path.display())]
    NoFolder {
        /// What is there instead.
        path: PathBuf,
    },
    /// A new key could not be made.
    #[error("a signing key could not be generated")]
    Generation,
}

/// The keys of an installation: one signs, all verify. Its private parts are never printed.
#[derive(Debug)]
pub struct Keyring {
    /// Where the keys are read from, unless they are in memory alone.
    path: Option<PathBuf>,
    present: ArcSwap<Keys>,
}

/// The keys that a keyring has at one time.
#[derive(Debug)]
pub(crate) struct Keys {
    signer: Arc<SigningKey>,
    /// The younger before the older.
    others: Vec<Arc<SigningKey>>,
    /// What they were read from.
    files: Vec<KeyFile>,
    /// When the next of them is to sign.
    next_start: Option<Timestamp>,
}

impl Keyring {
    /// The keyring in `path`: one PEM file, or a folder of `*.pem` files of which one signs at `now`.
    ///
    /// Files whose names begin with a dot are passed over. A key file that every user of the machine can read is used
    /// all the same, with a warning in the log: mounted secrets often look like that.
    ///
    /// # Errors
    /// The first file that cannot be read or is not a key, or that there is no key at all.
    pub fn load(path: &Path, now: Timestamp) -> Result<Self, KeyError> {
        let keys = Keys::read(path, key_files(path)?, now)?;
        Ok(Self {
            path: Some(path.to_owned()),
            present: ArcSwap::from_pointee(keys),
        })
    }

    /// The keyring in the folder `dir`, with a new Ed25519 key in it if there was none: for an installation that nobody
    /// has configured yet. The folder is made readable for its owner alone (0700), and so is the file (0600). When several
    /// processes do this at once, one makes the key and all use it.
    ///
    /// # Errors
    /// Those of [`Keyring::load`], and what keeps the key from being written.
    pub fn load_or_generate(dir: &Path, environment: &Environment) -> Result<Self, KeyError> {
        generation::ensure_key(dir, environment)?;
        Self::load(dir, environment.now())
    }

    /// A keyring of one new Ed25519 key that is kept nowhere: what it signs ends with the process.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the key could not be made.
    pub fn generate_in_memory(environment: &Environment) -> Result<Self, KeyError> {
        let signer = SigningKey::from_pkcs8(&ed25519_pkcs8(environment)?).map_err(|_| KeyError::Generation)?;
        Ok(Self {
            path: None,
            present: ArcSwap::from_pointee(Keys {
                signer: Arc::new(signer),
                others: Vec::new(),
                files: Vec::new(),
                next_start: None,
            }),
        })
    }

    /// Reads the files again where any of them has changed since, came or went, or is to sign from now on; gives whether it
    /// did. Keys in memory stay what they are. Blocks for as long as reading files takes.
    ///
    /// # Errors
    /// Those of [`Keyring::load`]. The keys of before stay in use then.
    pub fn reload(&self, now: Timestamp) -> Result<bool, KeyError> {
        let Some(path) = &self.path else {
            return Ok(false);
        };
        let files = key_files(path)?;
        let present = self.present();
        if files == present.files && present.next_start.is_none_or(|start| now < start) {
            return Ok(false);
        }
        self.present.store(Arc::new(Keys::read(path, files, now)?));
        Ok(true)
    }

    /// The public parts, for whoever verifies our tokens: the JSON Web Key Set of `/.well-known/jwks.json` (RFC 7517).
    /// The signing key comes first.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        let present = self.present();
        let mut keys: Vec<Jwk> = Vec::with_capacity(1 + present.others.len());
        for key in present.all() {
            // The same key in two files is one key.
            if !keys.contains(key.jwk()) {
                keys.push(key.jwk().clone());
            }
        }
        Jwks { keys }
    }

    pub(crate) fn signer(&self) -> Arc<SigningKey> {
        Arc::clone(&self.present.load().signer)
    }

    pub(crate) fn find(&self, key_id: &str) -> Option<Arc<SigningKey>> {
        let present = self.present.load();
        present.arcs().find(|key| key.jwk().kid == key_id).cloned()
    }

    /// The keys of this moment, which do not change under whoever looks at several of them.
    pub(crate) fn present(&self) -> Arc<Keys> {
        self.present.load_full()
    }
}

impl Keys {
    /// The keys in `files`, which were found at `path`.
    fn read(path: &Path, files: Vec<KeyFile>, now: Timestamp) -> Result<Self, KeyError> {
        let signer = signing(&files, now).ok_or_else(|| KeyError::NoKeys { path: path.to_owned() })?;
        let mut others = files
            .iter()
            .map(|file| read_key(file.path()).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let signer = others.remove(signer);
        others.reverse();
        Ok(Self {
            signer,
            others,
            next_start: next_start(&files, now),
            files,
        })
    }

    /// All keys, the signer first, then the younger before the older.
    pub(crate) fn all(&self) -> impl Iterator<Item = &SigningKey> {
        self.arcs().map(Arc::as_ref)
    }

    fn arcs(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        std::iter::once(&self.signer).chain(&self.others)
    }
}

#[cfg(test)]
mod tests;
