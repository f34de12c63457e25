//! The keys as an operator sees them: which signs, which is to sign, which is kept for what it signed.

use std::path::{Path, PathBuf};

use tenantry_domain::environment::Timestamp;

use super::{
    KeyError,
    files::{key_files, read_key, signing},
};

/// A key and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Its id, as tokens and the JSON Web Key Set name it.
    pub kid: String,
    /// `EdDSA` or `ES256`.
    pub algorithm: &'static str,
    /// Its file.
    pub file: PathBuf,
    /// What it does.
    pub state: KeyState,
}

/// What a key does. What it signed is accepted in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It signs.
    Signs {
        /// From when on by its name, or else since its file was written. To come yet where no key's moment has.
        since: Timestamp,
    },
    /// It is to sign.
    Upcoming {
        /// From when on.
        from: Timestamp,
    },
    /// It signs nothing.
    Accepted,
}

/// The keys in the file or folder `path` as they are at `now`, in the order of their file names.
///
/// # Errors
/// Those of [`Keyring::load`](super::Keyring::load).
pub fn list(path: &Path, now: Timestamp) -> Result<Vec<ListedKey>, KeyError> {
    let files = key_files(path)?;
    let signer = signing(&files, now).ok_or_else(|| KeyError::NoKeys { path: path.to_owned() })?;
    let listed = files.iter().enumerate().map(|(position, file)| {
        let key = read_key(file.path())?;
        Ok(ListedKey {
            kid: key.jwk().kid.clone(),
            algorithm: key.jwk().alg,
            file: file.path().to_owned(),
            state: match file.starts_after(now) {
                _ if position == signer => KeyState::Signs { since: file.since() },
                Some(from) => KeyState::Upcoming { from },
                None => KeyState::Accepted,
            },
        })
    });
    listed.collect()
}
