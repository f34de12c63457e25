//! Makes the keys that are to sign next, and removes those whose signatures have all expired.
//!
//! All of it happens under the lock of the folder: of several processes that find a key due, one makes it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::{SubsecRound as _, TimeDelta};
use tenantry_domain::environment::{Environment, Timestamp};

use super::{
    KeyError, MAX_KEYS,
    files::{KeyFile, file_name, key_files, metadata, next_start, pem_files, read_key, signing},
    generation::{lock, make_key, try_lock, write_error},
};

/// How long a new key is published before it signs: far longer than any node takes to read it, and than anybody is to keep the
/// JSON Web Key Set.
pub const PUBLISHED_BEFORE: TimeDelta = TimeDelta::hours(1);

/// How long a key is kept after the last that it signed, in days: invitations and the tokens beside refresh cookies live for seven,
/// and one more is for whatever goes wrong.
pub const KEPT_DAYS: u16 = 8;

/// What came of a rotation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The file of the key that was made, if one was.
    pub made: Option<PathBuf>,
    /// When that key signs. Where none was made, when the one does that is to sign next.
    pub starts_at: Option<Timestamp>,
    /// The files of the keys that were removed.
    pub removed: Vec<PathBuf>,
    /// The files of keys that may go by their time, and may have sealed secrets before there were keys for that.
    pub kept: Vec<PathBuf>,
}

/// What a rotation keeps.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// How long a key is kept after the last that it signed.
    pub after: TimeDelta,
    /// From when on secrets were [sealed by other keys](sealing_since): what was made before may have sealed some, and stays.
    pub sealing_since: Option<Timestamp>,
}

/// How much older a key is than those that secrets are sealed by, where it was there before them: an installation that has both from the
/// start makes them on one day.
const MADE_TOGETHER: TimeDelta = TimeDelta::days(1);

/// From when on secrets are sealed by the keys in `path`, a file or a folder: when the oldest of them was written. Where there is none
/// yet, it is not before `now`.
///
/// # Errors
/// They cannot be read.
pub fn sealing_since(path: &Path, now: Timestamp) -> Result<Timestamp, KeyError> {
    let files = key_files(path)?;
    Ok(files.iter().map(KeyFile::written).min().unwrap_or(now))
}

/// Makes a key in the folder `dir` that signs from `starts_at` on, in whole seconds, and removes those whose place another took
/// longer ago than is to be kept.
///
/// Where a key is to sign later than now already, it is left at that, unless the new one is to sign at once.
///
/// # Errors
/// `dir` is no folder of keys or cannot be written to, one of its keys is broken, none of its many keys may go, or one of them has a
/// name that would not let the new one sign.
pub fn rotate(dir: &Path, starts_at: Timestamp, keep: Keep, environment: &Environment) -> Result<Rotation, KeyError> {
    let folder = Folder::of(dir)?;
    let _lock = lock(dir)?;
    folder.tend(keep, environment, |files, now| {
        let at_once = starts_at <= now;
        (at_once || next_start(files, now).is_none()).then_some(starts_at)
    })
}

/// Does what is due in the folder `dir`: where its youngest key is as old as `age`, makes one that signs after
/// [`PUBLISHED_BEFORE`]; removes those whose place another took longer ago than is to be kept. Where another process does, it is left
/// to that.
///
/// # Errors
/// Those of [`rotate`].
pub fn rotate_when_old(
    dir: &Path,
    age: TimeDelta,
    keep: Keep,
    environment: &Environment,
) -> Result<Rotation, KeyError> {
    let folder = Folder::of(dir)?;
    let Some(_lock) = try_lock(dir)? else {
        return Ok(Rotation::default());
    };
    folder.tend(keep, environment, |files, now| {
        // By its name it is the one that signs, or one that is to.
        let youngest = files.last()?;
        (now.signed_duration_since(youngest.since()) >= age).then(|| now + PUBLISHED_BEFORE)
    })
}

/// A folder of keys.
struct Folder<'d>(&'d Path);

impl<'d> Folder<'d> {
    fn of(dir: &'d Path) -> Result<Self, KeyError> {
        if metadata(dir)?.is_dir() {
            Ok(Self(dir))
        } else {
            Err(KeyError::NoFolder { path: dir.to_owned() })
        }
    }

    /// Removes what may go, and makes a key where `wanted` says from when on one is to sign. Nobody else does meanwhile.
    fn tend(
        &self,
        keep: Keep,
        environment: &Environment,
        wanted: impl FnOnce(&[KeyFile], Timestamp) -> Option<Timestamp>,
    ) -> Result<Rotation, KeyError> {
        let dir = self.0;
        let now = environment.now();
        let files = pem_files(dir)?;
        // One that is broken takes nobody's place.
        files.iter().try_for_each(|file| read_key(file.path()).map(drop))?;
        let signer = signing(&files, now).and_then(|position| files.get(position));
        let signer = signer.ok_or_else(|| KeyError::NoKeys { path: dir.to_owned() })?;
        let like = metadata(signer.path())?;
        let wanted = wanted(&files, now).map(|starts_at| starts_at.trunc_subsecs(0));
        let name = wanted.map(|starts_at| new_name(dir, &files, starts_at)).transpose();
        let may_have_sealed = |path: &PathBuf| {
            let file = files.iter().find(|file| file.path() == path);
            let made_before = |since: Timestamp| file.is_some_and(|file| file.written() + MADE_TOGETHER < since);
            keep.sealing_since.is_some_and(made_before)
        };
        let (kept, removed) = expired(&files, now, keep.after).into_iter().partition(may_have_sealed);
        let removed: Vec<PathBuf> = removed;
        let left: Vec<KeyFile> = files
            .iter()
            .filter(|file| !removed.iter().any(|path| path == file.path()))
            .cloned()
            .collect();
        if matches!(name, Ok(Some(Some(_)))) && left.len() >= MAX_KEYS {
            return Err(KeyError::Full { path: dir.to_owned() });
        }
        for path in &removed {
            fs::remove_file(path).map_err(|source| write_error(path, source))?;
            tracing::info!(file = %path.display(), "removed a signing key whose signatures have expired");
        }
        let made = match name?.flatten() {
            Some(name) => Some(make_key(dir, &name, Some(&like), environment)?),
            None => None,
        };
        Ok(Rotation {
            made,
            starts_at: wanted.or_else(|| next_start(&left, now)),
            removed,
            kept,
        })
    }
}

/// The name for a key that signs from `starts_at` on, unless there is one of that very second.
fn new_name(dir: &Path, files: &[KeyFile], starts_at: Timestamp) -> Result<Option<String>, KeyError> {
    let name = file_name(starts_at);
    let path = dir.join(&name);
    if let Some(greater) = files
        .iter()
        .find(|file| *file.path() > *path && file.has_begun(starts_at))
    {
        return Err(KeyError::Unusable {
            path: greater.path().to_owned(),
            problem: "has a name that sorts after those of new keys, so that none of them would sign: give it a lesser one, \
                      such as signing-key-0001.pem",
        });
    }
    Ok((!files.iter().any(|file| file.path() == path)).then_some(name))
}

/// The files of the keys that have signed nothing in the time of `keep`, since one with a greater name had begun to before.
fn expired(files: &[KeyFile], now: Timestamp, keep: TimeDelta) -> Vec<PathBuf> {
    let mut expired = Vec::new();
    // When the first of those with greater names began. All of those after the signer are yet to begin.
    let mut succeeded: Option<Timestamp> = None;
    for file in files.iter().rev() {
        let over = succeeded.is_some_and(|at| now.signed_duration_since(at) > keep);
        if over && file.has_begun(now) {
            expired.push(file.path().to_owned());
        }
        let began = file.surely_since();
        succeeded = Some(succeeded.map_or(began, |at| at.min(began)));
    }
    expired.reverse();
    expired
}

#[cfg(test)]
mod tests;
