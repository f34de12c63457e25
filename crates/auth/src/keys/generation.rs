//! Makes keys: the first one of an installation that has none, and those that come after it.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tenantry_domain::environment::Environment;
use zeroize::Zeroizing;

use super::{KeyError, files::pem_files};

/// Sorts before whatever number or moment its successor is given.
const KEY_FILE: &str = "signing-key-0001.pem";
const UNFINISHED_FILE: &str = ".signing-key.unfinished";

/// Who may do everything.
const ROOT: u32 = 0;

/// The permissions of a file's group, and of everybody, to read it.
const OTHERS_READ: u32 = 0o044;

/// Makes `dir` and a key in it, unless there is one.
pub(super) fn ensure_key(dir: &Path, environment: &Environment) -> Result<(), KeyError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| write_error(dir, source))?;
    let _lock = lock(dir)?;
    if pem_files(dir)?.is_empty() {
        make_key(dir, KEY_FILE, None, environment)?;
    }
    Ok(())
}

/// Lets one process at a time look at `dir` and write. The lock is on the folder itself, and ends when it is dropped, at the latest
/// with the process that holds it.
pub(super) fn lock(dir: &Path) -> Result<File, KeyError> {
    let fail = |source| write_error(dir, source);
    let lock = File::open(dir).map_err(fail)?;
    lock.lock().map_err(fail)?;
    Ok(lock)
}

/// The same. `None` where another process has it.
pub(super) fn try_lock(dir: &Path) -> Result<Option<File>, KeyError> {
    let fail = |source| write_error(dir, source);
    let lock = File::open(dir).map_err(fail)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

/// Makes a key in the file `name` of `dir`, under the [`lock`], and gives its path. Whoever can read `like` can read it; without
/// one, its owner alone can.
pub(super) fn make_key(
    dir: &Path,
    name: &str,
    like: Option<&Metadata>,
    environment: &Environment,
) -> Result<PathBuf, KeyError> {
    let path = dir.join(name);
    let pem = pem(&ed25519_pkcs8(environment)?);
    write_whole(dir, &path, &pem, like).map_err(|source| write_error(&path, source))?;
    tracing::info!(file = %path.display(), "made a signing key");
    Ok(path)
}

pub(super) fn write_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::Write {
        path: path.to_owned(),
        source,
    }
}

/// A new Ed25519 key as a PKCS#8 document of version 1, the one that every tool reads.
pub(super) fn ed25519_pkcs8(environment: &Environment) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let seed = Zeroizing::new(environment.random::<32>());
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| KeyError::Generation)?;
    let document = pair.to_pkcs8v1().map_err(|_| KeyError::Generation)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// RFC 7468, section 10. The document is 48 bytes: one line of base64.
fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(STANDARD.encode(pkcs8));
    Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        *text
    ))
}

/// The rename lets whoever reads without the lock see a whole file or none.
fn write_whole(dir: &Path, path: &Path, text: &str, like: Option<&Metadata>) -> io::Result<()> {
    let unfinished = dir.join(UNFINISHED_FILE);
    // What a process left that was killed on its way may have other permissions: `mode` counts for new files alone.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    if let Some(like) = like {
        let_the_same_read(&file, like)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // The name, too, outlives a loss of power.
    File::open(dir)?.sync_all()
}

/// Lets whoever reads another file read this one. An operator who is root makes keys for a server that is not, and that would find out
/// at its next start that it cannot read them: they get the owner and the group of the other. Whoever is not root makes keys to read
/// them, and may give nothing away.
fn let_the_same_read(file: &File, like: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    let differs = own.uid() != like.uid() || own.gid() != like.gid();
    if own.uid() == ROOT && differs {
        fchown(file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(0o600 | like.mode() & OTHERS_READ))
}
