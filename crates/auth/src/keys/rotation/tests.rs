#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Barrier},
    thread,
    time::{Duration, SystemTime},
};

use chrono::{SubsecRound as _, TimeDelta};
use proptest::prelude::*;
use tempfile::TempDir;
use tenantry_domain::environment::{Environment, Timestamp};

use super::{
    KEPT_DAYS, Keep, PUBLISHED_BEFORE, Rotation, expired, file_name, pem_files, rotate, rotate_when_old, signing,
};
use crate::{
    keys::{KeyError, Keyring, MAX_KEYS, tests::ed25519_pem},
    test_environment::{TestClock, test_environment},
};

const FIRST: &str = "signing-key-0001.pem";

/// How long keys are kept after the last that they signed.
const KEEP: TimeDelta = TimeDelta::days(8);

const KEPT: Keep = Keep {
    after: KEEP,
    sealing_since: None,
};

const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

/// Makes a file look as if it had been put there long before any of these tests.
fn written_long_ago(file: &Path) {
    let file = File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000))
        .unwrap();
}

/// A folder of keys, and the clock by which they are rotated.
struct Folder {
    dir: TempDir,
    environment: Environment,
    clock: TestClock,
}

impl Folder {
    fn of(names: &[&str]) -> Self {
        let (environment, clock) = test_environment(1000);
        let folder = Self {
            dir: TempDir::new().unwrap(),
            environment,
            clock,
        };
        for (seed, name) in (1..).zip(names) {
            fs::write(folder.file(name), ed25519_pem(seed)).unwrap();
            fs::set_permissions(folder.file(name), Permissions::from_mode(0o600)).unwrap();
            if *name != FIRST {
                written_long_ago(&folder.file(name));
            }
        }
        folder
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn now(&self) -> Timestamp {
        self.environment.now()
    }

    fn set_clock(&self, to: Timestamp) {
        self.clock.advance(to - self.now());
    }

    fn rotate(&self, starts_at: Timestamp) -> Result<Rotation, KeyError> {
        rotate(self.path(), starts_at, KEPT, &self.environment)
    }

    fn rotate_when_old(&self, age: TimeDelta) -> Rotation {
        rotate_when_old(self.path(), age, KEPT, &self.environment).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let files = pem_files(self.path()).unwrap();
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        files.iter().map(|file| name(file.path())).collect()
    }

    /// The id of the key that signs now.
    fn signer(&self) -> String {
        let keyring = Keyring::load(self.path(), self.now()).unwrap();
        keyring.signer().jwk().kid.clone()
    }
}

#[test]
fn the_kept_days_are_those_that_are_tested() {
    assert_eq!(TimeDelta::days(KEPT_DAYS.into()), KEEP);
}

#[test]
fn a_new_key_signs_when_its_time_comes() {
    let folder = Folder::of(&[FIRST]);
    let old = folder.signer();
    let starts_at = folder.now() + PUBLISHED_BEFORE;
    let rotation = folder.rotate(starts_at).unwrap();
    let whole = starts_at.trunc_subsecs(0);
    let made = folder.file(&file_name(whole));
    assert_eq!(
        rotation,
        Rotation {
            made: Some(made.clone()),
            starts_at: Some(whole),
            removed: Vec::new(),
            kept: Vec::new()
        }
    );
    assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);

    folder.set_clock(whole - MILLISECOND);
    assert_eq!(folder.signer(), old);
    folder.set_clock(whole);
    let new = folder.signer();
    assert_ne!(new, old);
    assert_eq!(Keyring::load(&made, folder.now()).unwrap().signer().jwk().kid, new);
}

#[test]
fn a_key_that_is_to_come_is_enough_unless_one_is_wanted_at_once() {
    let folder = Folder::of(&[FIRST]);
    let first = folder.rotate(folder.now() + PUBLISHED_BEFORE).unwrap();
    folder.clock.advance(TimeDelta::minutes(30));
    let second = folder.rotate(folder.now() + PUBLISHED_BEFORE).unwrap();
    assert_eq!((second.made, second.starts_at), (None, first.starts_at));
    assert_eq!(folder.names().len(), 2);

    let before = folder.signer();
    let at_once = folder.rotate(folder.now()).unwrap();
    assert!(at_once.made.is_some());
    let leaked = folder.signer();
    assert_ne!(leaked, before);
    // Within the same second there is one name for it.
    assert_eq!(folder.rotate(folder.now()).unwrap().made, None);
    folder.clock.advance(TimeDelta::seconds(1));
    assert!(folder.rotate(folder.now()).unwrap().made.is_some());
    assert_ne!(folder.signer(), leaked);
    assert_eq!(folder.names().len(), 4);
}

#[test]
fn a_key_goes_when_its_successor_has_signed_for_longer_than_it_is_kept() {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let coming = start + TimeDelta::days(9);
    let names = [FIRST, &file_name(start), &file_name(coming)];
    let folder = Folder::of(&names);
    folder.set_clock(start + KEEP);
    assert_eq!(
        folder.rotate_when_old(TimeDelta::days(365)).removed,
        Vec::<PathBuf>::new()
    );
    folder.clock.advance(MILLISECOND);
    let rotation = folder.rotate_when_old(TimeDelta::days(365));
    assert_eq!(rotation.removed, [folder.file(FIRST)]);
    assert_eq!((rotation.made, rotation.starts_at), (None, Some(coming)));
    assert_eq!(folder.names(), names[1..]);

    // Years without a rotation leave the last key.
    folder.set_clock(coming + TimeDelta::days(3650));
    assert_eq!(
        folder.rotate_when_old(TimeDelta::days(3651)).removed,
        [folder.file(names[1])]
    );
    assert_eq!(folder.names(), names[2..]);
}

#[test]
fn a_successor_without_a_time_began_when_its_file_was_put_there() {
    let folder = Folder::of(&[FIRST, "signing-key-0002.pem"]);
    let put = pem_files(folder.path()).unwrap()[1].surely_since();
    // It was written years ago, somewhere else.
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    let second = File::options()
        .write(true)
        .open(folder.file("signing-key-0002.pem"))
        .unwrap();
    second.set_modified(long_ago).unwrap();
    let touched = pem_files(folder.path()).unwrap()[1].surely_since();
    assert!(touched >= put);
    folder.set_clock((touched + KEEP).trunc_subsecs(3));
    assert_eq!(rotate_removed(&folder), Vec::<PathBuf>::new());
    folder.clock.advance(MILLISECOND);
    assert_eq!(rotate_removed(&folder), [folder.file(FIRST)]);
}

fn rotate_removed(folder: &Folder) -> Vec<PathBuf> {
    folder.rotate_when_old(TimeDelta::days(36_500)).removed
}

#[test]
fn a_key_is_made_when_the_youngest_is_old_enough() {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let folder = Folder::of(&[FIRST, &file_name(start)]);
    let age = TimeDelta::days(30);
    folder.set_clock(start + age - MILLISECOND);
    assert_eq!(folder.rotate_when_old(age).made, None);
    folder.clock.advance(MILLISECOND);
    let rotation = folder.rotate_when_old(age);
    let starts_at = start + age + PUBLISHED_BEFORE;
    assert_eq!(rotation.made, Some(folder.file(&file_name(starts_at))));
    assert_eq!(rotation.starts_at, Some(starts_at));
    assert_eq!(folder.rotate_when_old(age).made, None);
    folder.set_clock(starts_at + age - MILLISECOND);
    assert_eq!(folder.rotate_when_old(age).made, None);
}

#[test]
fn what_was_left_half_written_is_no_obstacle() {
    let folder = Folder::of(&[FIRST]);
    let unfinished = folder.file(".signing-key.unfinished");
    fs::write(&unfinished, "-----BEGIN PRI").unwrap();
    assert!(folder.rotate(folder.now()).unwrap().made.is_some());
    assert!(!unfinished.exists());
}

#[test]
fn whoever_reads_the_present_key_reads_the_next() {
    let folder = Folder::of(&[FIRST]);
    for (mode, made) in [(0o640, 0o640), (0o440, 0o640), (0o400, 0o600), (0o644, 0o644)] {
        fs::set_permissions(folder.file(FIRST), Permissions::from_mode(mode)).unwrap();
        let path = folder.rotate(folder.now()).unwrap().made.unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            made,
            "{mode:o}"
        );
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn where_no_new_key_would_sign_none_is_made() {
    let folder = Folder::of(&[FIRST, "tenantry.pem"]);
    let message = folder.rotate(folder.now()).unwrap_err().to_string();
    let named = folder.file("tenantry.pem");
    assert!(message.starts_with(&named.display().to_string()), "{message}");
    assert!(message.contains("sorts after"), "{message}");
    assert_eq!(folder.names(), [FIRST, "tenantry.pem"]);

    // One that is to come does not stand in the way before its time.
    let later = format!("tenantry-{}", file_name(folder.now() + TimeDelta::days(1)));
    fs::rename(&named, folder.file(&later)).unwrap();
    let before = folder.signer();
    assert!(folder.rotate(folder.now()).unwrap().made.is_some());
    assert_ne!(folder.signer(), before);
}

#[test]
fn what_is_no_folder_of_keys_is_left_alone() {
    let folder = Folder::of(&[FIRST]);
    let file = rotate(&folder.file(FIRST), folder.now(), KEPT, &folder.environment);
    assert!(matches!(file, Err(KeyError::NoFolder { .. })), "{file:?}");
    let missing = rotate(&folder.file("missing"), folder.now(), KEPT, &folder.environment);
    assert!(matches!(missing, Err(KeyError::Read { .. })), "{missing:?}");
    let empty = Folder::of(&[]);
    let made = empty.rotate(empty.now());
    assert!(matches!(made, Err(KeyError::NoKeys { .. })), "{made:?}");
}

#[test]
fn a_folder_that_is_full_takes_no_more() {
    let (environment, _) = test_environment(1);
    let upcoming: Vec<String> = (1..MAX_KEYS)
        .map(|hours| file_name(environment.now() + TimeDelta::hours(i64::try_from(hours).unwrap())))
        .collect();
    let names: Vec<&str> = [FIRST].into_iter().chain(upcoming.iter().map(String::as_str)).collect();
    let folder = Folder::of(&names);
    let full = folder.rotate(folder.now());
    assert!(matches!(full, Err(KeyError::Full { .. })), "{full:?}");
    assert_eq!(folder.names(), names);
    fs::remove_file(folder.file(names[1])).unwrap();
    assert!(folder.rotate(folder.now()).unwrap().made.is_some());
}

/// Runs this eight times at once, each with a clock of its own that says the same, and gives how many keys were made.
fn made_at_once(folder: &Folder, rotation: fn(&Path, &Environment) -> Rotation) -> usize {
    let barrier = Arc::new(Barrier::new(8));
    let rotations: Vec<_> = (0..8)
        .map(|seed| {
            let (path, barrier) = (folder.path().to_owned(), Arc::clone(&barrier));
            thread::spawn(move || {
                let (environment, _) = test_environment(seed);
                barrier.wait();
                rotation(&path, &environment).made
            })
        })
        .collect();
    rotations.into_iter().filter_map(|made| made.join().unwrap()).count()
}

#[test]
fn many_that_find_a_key_due_make_one() {
    let folder = Folder::of(&["signing-key-20260101T000000Z.pem"]);
    let made = made_at_once(&folder, |path, environment| {
        rotate_when_old(path, TimeDelta::days(30), KEPT, environment).unwrap()
    });
    assert_eq!((made, folder.names().len()), (1, 2));

    let folder = Folder::of(&[FIRST]);
    let made = made_at_once(&folder, |path, environment| {
        rotate(path, environment.now() + PUBLISHED_BEFORE, KEPT, environment).unwrap()
    });
    assert_eq!((made, folder.names().len()), (1, 2));
}

#[test]
fn what_a_key_may_have_sealed_keeps_it() {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let folder = Folder::of(&[&file_name(start), &file_name(start + TimeDelta::days(2))]);
    folder.set_clock(start + TimeDelta::days(60));
    let since = |sealing_since: Timestamp| Keep {
        after: KEEP,
        sealing_since: Some(sealing_since),
    };
    let first = folder.file(&file_name(start));
    let tend = |keep: Keep| rotate_when_old(folder.path(), TimeDelta::days(365), keep, &folder.environment).unwrap();
    let kept = tend(since(start + TimeDelta::days(1) + MILLISECOND));
    assert_eq!((kept.removed, kept.kept), (Vec::new(), vec![first.clone()]));
    // Made on one day, they are of one installation that has both from the start.
    let removed = tend(since(start + TimeDelta::days(1)));
    assert_eq!((removed.removed, removed.kept), (vec![first], Vec::new()));
}

#[test]
fn a_successor_that_was_put_there_under_a_past_moment_has_just_begun() {
    let names = ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"].map(|at| file_name(at.parse().unwrap()));
    let folder = Folder::of(&[&names[0], &names[1]]);
    let put: SystemTime = Timestamp::into("2026-05-01T00:00:00Z".parse().unwrap());
    File::options()
        .write(true)
        .open(folder.file(&names[1]))
        .unwrap()
        .set_modified(put)
        .unwrap();
    folder.set_clock(Timestamp::from(put) + KEEP);
    assert_eq!(rotate_removed(&folder), Vec::<PathBuf>::new());
    folder.clock.advance(MILLISECOND);
    assert_eq!(rotate_removed(&folder), [folder.file(&names[0])]);
}

#[test]
fn nothing_goes_where_a_key_is_broken() {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let folder = Folder::of(&[FIRST, &file_name(start)]);
    fs::write(folder.file(&file_name(start)), "marmalade").unwrap();
    written_long_ago(&folder.file(&file_name(start)));
    folder.set_clock(start + TimeDelta::days(60));
    let tended = rotate_when_old(folder.path(), TimeDelta::days(1), KEPT, &folder.environment);
    assert!(matches!(tended, Err(KeyError::Unusable { .. })), "{tended:?}");
    assert_eq!(folder.names().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the keys are, those that go are those that have not signed for as long as they are kept.
    #[test]
    fn those_go_that_have_signed_nothing_for_long(starts in prop::collection::btree_set(-500..100_i64, 0..12)) {
        let now = test_environment(1).0.now().trunc_subsecs(0);
        let dir = TempDir::new().unwrap();
        let names = starts.iter().map(|hours| file_name(now + TimeDelta::hours(*hours)));
        for name in names.chain([FIRST.to_owned()]) {
            let file = dir.path().join(name);
            fs::write(&file, "").unwrap();
            written_long_ago(&file);
        }
        let files = pem_files(dir.path()).unwrap();
        let gone = expired(&files, now, KEEP);
        let kept_hours = KEEP.num_hours();
        let signed: Vec<usize> = (0..=kept_hours)
            .map(|hours| now - TimeDelta::hours(hours))
            .chain([now - KEEP - MILLISECOND])
            .map(|at| signing(&files, at).unwrap())
            .collect();
        for (position, file) in files.iter().enumerate() {
            let is_gone = gone.iter().any(|path| path == file.path());
            let stays = signed.contains(&position) || !file.has_begun(now);
            prop_assert_eq!(is_gone, !stays, "{}", file.path().display());
        }
    }
}
