//! Key files: what their names say, which of them signs, and how they are read.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use tenantry_domain::environment::Timestamp;
use zeroize::Zeroizing;

use super::{KeyError, MAX_KEYS, SigningKey};

/// The largest key file, in bytes; a P-256 key takes some 250.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// What the names of files begin with whose keys are made here.
const NAME: &str = "signing-key-";

/// What the names of all key files end with.
const SUFFIX: &str = ".pem";

/// How a moment is written in a file name.
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

/// Characters of a moment in a file name.
const MOMENT_CHARACTERS: usize = 16;

/// A key file as it was found. One that was written since, or that took the place of another, is not equal to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyFile {
    path: PathBuf,
    starts_at: Option<Timestamp>,
    /// When its content was written last.
    modified: Timestamp,
    /// When anything about it was changed last; nobody can choose this.
    changed: Timestamp,
    length: u64,
    inode: u64,
}

impl KeyFile {
    fn found(path: PathBuf) -> Result<Self, KeyError> {
        let metadata = metadata(&path)?;
        Ok(Self {
            starts_at: path.file_name().and_then(OsStr::to_str).and_then(moment),
            modified: timestamp(metadata.mtime(), metadata.mtime_nsec()),
            changed: timestamp(metadata.ctime(), metadata.ctime_nsec()),
            length: metadata.len(),
            inode: metadata.ino(),
            path,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its key may sign at `now`.
    pub(super) fn has_begun(&self, now: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= now)
    }

    /// When its key is to sign, if that is later than `now`.
    pub(super) fn starts_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.starts_at.filter(|start| now < *start)
    }

    /// From when on its key is one that signs: what its name says, or else when it was written.
    pub(super) fn since(&self) -> Timestamp {
        self.starts_at.unwrap_or(self.modified)
    }

    /// When its key has surely begun to sign in the place of those with lesser names: not before it was written, whatever its name says.
    /// A file without a moment in its name may have been written long before it was put here.
    pub(super) fn surely_since(&self) -> Timestamp {
        let here_since = || self.modified.max(self.changed);
        self.starts_at.map_or_else(here_since, |start| start.max(self.modified))
    }

    /// When it was written, or is to sign, whichever is later.
    pub(super) fn written(&self) -> Timestamp {
        self.starts_at.map_or(self.modified, |start| start.max(self.modified))
    }
}

/// The name of the file of a key that signs from `starts_at` on, a whole second.
pub(super) fn file_name(starts_at: Timestamp) -> String {
    format!("{NAME}{}{SUFFIX}", starts_at.format(MOMENT))
}

/// The moment that a file name ends with, to the letter `YYYYMMDDTHHMMSSZ` in UTC. What looks like one and is no moment, such as
/// the 30th of February, is a part of the name as any other.
fn moment(name: &str) -> Option<Timestamp> {
    let stem = name.strip_suffix(SUFFIX)?;
    let (before, text) = stem.split_at_checked(stem.len().checked_sub(MOMENT_CHARACTERS)?)?;
    let fits = text.bytes().enumerate().all(|(position, byte)| match position {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    if !fits || before.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)?;
    let time = day.and_hms_opt(number(9, 11)?, number(11, 13)?, number(13, 15)?)?;
    Some(time.and_utc())
}

/// Which of the files, the greatest name last, has the key that signs at `now`. Where the moment of none has come, the first one
/// signs all the same: something has to. `None` where there are none.
pub(super) fn signing(files: &[KeyFile], now: Timestamp) -> Option<usize> {
    let begun = files.iter().rposition(|file| file.has_begun(now));
    begun.or((!files.is_empty()).then_some(0))
}

/// When the next of the keys is to sign.
pub(super) fn next_start(files: &[KeyFile], now: Timestamp) -> Option<Timestamp> {
    files.iter().filter_map(|file| file.starts_after(now)).min()
}

/// The file `path`, or the `*.pem` files in it, the greatest name last.
pub(super) fn key_files(path: &Path) -> Result<Vec<KeyFile>, KeyError> {
    if metadata(path)?.is_dir() {
        pem_files(path)
    } else {
        Ok(vec![KeyFile::found(path.to_owned())?])
    }
}

/// The `*.pem` files of `dir`, the greatest name last.
pub(super) fn pem_files(dir: &Path) -> Result<Vec<KeyFile>, KeyError> {
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
        files.push(KeyFile::found(dir.join(name))?);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

pub(super) fn read_key(path: &Path) -> Result<SigningKey, KeyError> {
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

/// What the system says of a file.
pub(super) fn metadata(path: &Path) -> Result<Metadata, KeyError> {
    fs::metadata(path).map_err(|source| read_error(path, source))
}

fn read_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::Read {
        path: path.to_owned(),
        source,
    }
}

/// A moment of a file system.
fn timestamp(seconds: i64, nanoseconds: i64) -> Timestamp {
    let nanoseconds = u32::try_from(nanoseconds).unwrap_or_default();
    Timestamp::from_timestamp(seconds, nanoseconds).unwrap_or_default()
}

#[cfg(test)]
mod tests;
