//! The keys that sign access tokens and what clients carry back.
//!
//! A key is an unencrypted PKCS#8 PEM file (RFC 5958, RFC 7468) that holds an Ed25519 or a P-256 private key, such as
//! `openssl genpkey -algorithm ed25519` makes. A folder of `*.pem` files is a keyring: the key with the greatest file
//! name signs, and what any of them signed is accepted.
//!
//! To rotate: put a new key with a greater file name into the folder of every node and restart. To sign nobody out,
//! keep the old file for a week, then remove it: refresh tokens in cookies live that long, and take a signature beside
//! them (`csrf`). To retire a leaked key at once, remove its file at once: browsers that hold a signature by it are to
//! sign in again. With several nodes, a node that has not restarted refuses what the new key signs: give all of them
//! the new file under a lesser name first (they accept it), then under a greater one (they sign with it).

mod generation;
mod jwks;
mod signing_key;

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tenantry_domain::environment::Environment;
use zeroize::Zeroizing;

use self::generation::ed25519_pkcs8;
pub use self::jwks::{Jwk, Jwks};
pub(crate) use self::signing_key::SigningKey;

/// The most keys that a folder may hold.
pub const MAX_KEYS: usize = 32;

/// The largest key file, in bytes; a P-256 key takes some 250.
const MAX_FILE_BYTES: u64 = 16 * 1024;

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
    /// A new key could not be made.
    #[error("a signing key could not be generated")]
    Generation,
}

/// The keys of an installation: one signs, all verify. Its private parts are never printed.
#[derive(Debug)]
pub struct Keyring {
    signer: SigningKey,
    retired: Vec<SigningKey>,
}

impl Keyring {
    /// The keyring in `path`: one PEM file, or a folder of `*.pem` files of which the greatest name signs.
    ///
    /// Files whose names begin with a dot are passed over. A key file that every user of the machine can read is used
    /// all the same, with a warning in the log: mounted secrets often look like that.
    ///
    /// # Errors
    /// The first file that cannot be read or is not a key, or that there is no key at all.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let metadata = fs::metadata(path).map_err(|source| read_error(path, source))?;
        if !metadata.is_dir() {
            return Ok(Self {
                signer: read_key(path)?,
                retired: Vec::new(),
            });
        }
        let mut keys = pem_files(path)?
            .iter()
            .map(|file| read_key(file))
            .collect::<Result<Vec<_>, _>>()?;
        let signer = keys.pop().ok_or_else(|| KeyError::NoKeys { path: path.to_owned() })?;
        Ok(Self { signer, retired: keys })
    }

    /// The keyring in the folder `dir`, with a new Ed25519 key in it if there was none: for an installation that nobody
    /// has configured yet. The folder is made readable for its owner alone (0700), and so is the file (0600). When several
    /// processes do this at once, one makes the key and all use it.
    ///
    /// # Errors
    /// Those of [`Keyring::load`], and what keeps the key from being written.
    pub fn load_or_generate(dir: &Path, environment: &Environment) -> Result<Self, KeyError> {
        generation::ensure_key(dir, environment)?;
        Self::load(dir)
    }

    /// A keyring of one new Ed25519 key that is kept nowhere: what it signs ends with the process.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the key could not be made.
    pub fn generate_in_memory(environment: &Environment) -> Result<Self, KeyError> {
        let signer = SigningKey::from_pkcs8(&ed25519_pkcs8(environment)?).map_err(|_| KeyError::Generation)?;
        Ok(Self {
            signer,
            retired: Vec::new(),
        })
    }

    /// The public parts, for whoever verifies our tokens: the JSON Web Key Set of `/.well-known/jwks.json` (RFC 7517).
    /// The signing key comes first.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        let mut keys: Vec<Jwk> = Vec::with_capacity(1 + self.retired.len());
        for key in self.all() {
            // The same key in two files is one key.
            if !keys.contains(key.jwk()) {
                keys.push(key.jwk().clone());
            }
        }
        Jwks { keys }
    }

    pub(crate) fn signer(&self) -> &SigningKey {
        &self.signer
    }

    pub(crate) fn find(&self, key_id: &str) -> Option<&SigningKey> {
        self.all().find(|key| key.jwk().kid == key_id)
    }

    /// All keys, the signer first, then the younger before the older.
    pub(crate) fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.signer).chain(self.retired.iter().rev())
    }
}

/// The `*.pem` files of `dir`, the greatest name last.
fn pem_files(dir: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(|source| read_error(dir, source))? {
        let name = entry.map_err(|source| read_error(dir, source))?.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if hidden || Path::new(&name).extension() != Some(OsStr::new("pem")) {
            continue;
        }
        if files.len() == MAX_KEYS {
            return Err(KeyError::TooManyKeys { path: dir.to_owned() });
        }
        files.push(dir.join(name));
    }
    files.sort();
    Ok(files)
}

fn read_key(path: &Path) -> Result<SigningKey, KeyError> {
    let fail = |source| read_error(path, source);
    let unusable = |problem| KeyError::Unusable {
        path: path.to_owned(),
        problem,
    };
    let file = File::open(path).map_err(fail)?;
    if file.metadata().map_err(fail)?.permissions().mode() & 0o006 != 0 {
        tracing::warn!(file = %path.display(), "every user of this machine can reach a signing key: chmod o= it");
    }
    // Room for all of it from the start: a growing buffer leaves copies behind.
    let mut pem = Zeroizing::new(Vec::with_capacity(
        usize::try_from(MAX_FILE_BYTES + 1).unwrap_or_default(),
    ));
    let length = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut pem).map_err(fail)?;
    if u64::try_from(length).is_ok_and(|length| length > MAX_FILE_BYTES) {
        return Err(unusable("is larger than 16 KiB, which no key is"));
    }
    SigningKey::from_pem(&pem).map_err(unusable)
}

fn read_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::Read {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
