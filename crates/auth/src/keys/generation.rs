//! Makes the first key of an installation that has none.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tenantry_domain::environment::Environment;
use zeroize::Zeroizing;

use super::{KeyError, pem_files};

/// Sorts before whatever number its successor is given.
const KEY_FILE: &str = "signing-key-0001.pem";
const UNFINISHED_FILE: &str = ".signing-key-0001.pem.unfinished";
const LOCK_FILE: &str = ".lock";

/// Makes `dir` and a key in it, unless there is one.
///
/// A lock, which ends with the process that holds it, lets one process at a time look and write; the rename lets whoever
/// reads without the lock see a whole file or none.
pub(super) fn ensure_key(dir: &Path, environment: &Environment) -> Result<(), KeyError> {
    let fail = |source| KeyError::Write {
        path: dir.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(fail)?;
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(dir.join(LOCK_FILE))
        .map_err(fail)?;
    lock.lock().map_err(fail)?;
    if !pem_files(dir)?.is_empty() {
        return Ok(());
    }
    let pem = pem(&ed25519_pkcs8(environment)?);
    write_whole(dir, &pem).map_err(|source| KeyError::Write {
        path: dir.join(KEY_FILE),
        source,
    })?;
    tracing::info!(file = %dir.join(KEY_FILE).display(), "made a signing key");
    Ok(())
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

fn write_whole(dir: &Path, text: &str) -> io::Result<()> {
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
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, dir.join(KEY_FILE))?;
    // The name, too, outlives a loss of power.
    File::open(dir)?.sync_all()
}
