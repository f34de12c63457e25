//! Who may sign up, and what tokens are signed and secrets sealed with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Problems, Purpose, reader::Reader, setting::Setting};

const REGISTRATION: Setting = Setting::plain("TENANTRY_REGISTRATION", "`open` or `private`")
    .or("open")
    .not_yet("lets nobody register, whoever is invited included");

/// The keys that access tokens are signed with.
pub(super) const SIGNING_KEYS: Setting = Setting::plain(
    "TENANTRY_SIGNING_KEYS",
    "an existing key file, or an existing folder of them (an empty one gets a first key)",
);

/// The keys that secrets are sealed with which must be read again.
const ENCRYPTION_KEYS: Setting = Setting::plain(
    "TENANTRY_ENCRYPTION_KEYS",
    "an existing key file, or an existing folder of them (an empty one gets a first key)",
);

/// The most days that a key signs.
const MAX_KEY_DAYS: u16 = 3650;

/// How old a signing key gets before another one is made.
const SIGNING_KEY_DAYS: Setting = Setting::plain("TENANTRY_SIGNING_KEY_DAYS", "days from 1 to 3650");

/// The most days of grace.
const MAX_GRACE_DAYS: u16 = 365;

const MFA_GRACE: Setting = Setting::plain("TENANTRY_MFA_GRACE_DAYS", "days from 0 to 365").or("7");

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[
    &REGISTRATION,
    &SIGNING_KEYS,
    &SIGNING_KEY_DAYS,
    &ENCRYPTION_KEYS,
    &MFA_GRACE,
];

/// Who may sign up, and what tokens are signed with.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// `TENANTRY_REGISTRATION`.
    pub registration: Registration,
    /// `TENANTRY_SIGNING_KEYS`: a file, or a folder of them.
    pub signing_keys: Option<PathBuf>,
    /// `TENANTRY_SIGNING_KEY_DAYS`: how old the youngest of them gets before another one is made. `None`: none is made.
    pub signing_key_days: Option<u16>,
    /// `TENANTRY_ENCRYPTION_KEYS`: a file, or a folder of them.
    pub encryption_keys: Option<PathBuf>,
    /// `TENANTRY_MFA_GRACE_DAYS`: from its founding on, how long an organization's members have to set a second factor up that is
    /// demanded of them.
    pub mfa_grace_days: u16,
}

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Everybody, at once.
    Open,
    /// Those who are invited alone. Not yet: registering is refused to them too.
    Private,
}

impl SignIn {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let registration = reader.value(&REGISTRATION, |text| match text {
            "open" => Some(Registration::Open),
            "private" => Some(Registration::Private),
            _ => None,
        });
        let must_exist = matches!(reader.purpose(), Purpose::Serve | Purpose::Worker);
        let keys = |text: &str| {
            let exists = fs::metadata(text).is_ok_and(|found| found.is_file() || found.is_dir());
            (exists || !must_exist).then(|| PathBuf::from(text))
        };
        let signing_keys = reader.optional(&SIGNING_KEYS, keys);
        let signing_key_days = reader.optional(&SIGNING_KEY_DAYS, |text| {
            text.parse().ok().filter(|days: &u16| (1..=MAX_KEY_DAYS).contains(days))
        });
        let encryption_keys = reader.optional(&ENCRYPTION_KEYS, keys);
        let mfa_grace_days = reader.value(&MFA_GRACE, |text| {
            text.parse().ok().filter(|days| *days <= MAX_GRACE_DAYS)
        });
        let read = Self {
            mfa_grace_days: mfa_grace_days?,
            registration: registration?,
            signing_keys: signing_keys?,
            signing_key_days: signing_key_days?,
            encryption_keys: encryption_keys?,
        };
        // `dev` has a folder of its own.
        let rotates = match reader.purpose() {
            Purpose::Serve | Purpose::Worker => read.rotatable_keys().is_ok(),
            Purpose::Dev => read.encryption_keys.is_some(),
            _ => true,
        };
        if read.signing_key_days.is_some() && !rotates {
            reader.forbid(&SIGNING_KEY_DAYS, rotation_expects());
        }
        Some(read)
    }

    /// The file or folder of the signing keys.
    ///
    /// # Errors
    /// [`Problems`]: it is not set.
    pub fn configured_keys(&self) -> Result<&Path, Problems> {
        let expects = SIGNING_KEYS.expects;
        let keys = self.signing_keys.as_deref();
        keys.ok_or_else(|| problem(format!("is not set; expects {expects}")))
    }

    /// The folder of the signing keys, if those can be rotated: one that holds no other keys, and from which one can be removed
    /// without taking secrets along that are to be read again; and the file or folder of the keys that those are sealed with.
    ///
    /// # Errors
    /// [`Problems`]: there is none, what secrets are sealed with is not set or not there, or both are the same.
    pub fn rotatable_keys(&self) -> Result<(&Path, &Path), Problems> {
        let folder = self.signing_keys.as_deref().filter(|keys| keys.is_dir());
        let others = self.encryption_keys.as_deref().filter(|keys| keys.exists());
        match (folder, others) {
            (Some(folder), Some(others)) if !is_in(folder, others) => Ok((folder, others)),
            _ => Err(problem(rotation_expects())),
        }
    }
}

/// What is wrong with the signing keys.
fn problem(message: String) -> Problems {
    let mut problems = Problems::default();
    problems.add(SIGNING_KEYS.variable, message);
    problems
}

/// What rotating takes.
fn rotation_expects() -> String {
    format!(
        "expects a folder in {} (put a single key file into one), and keys elsewhere in {}: a signing key that is removed would \
         else take secrets of authenticator apps with it",
        SIGNING_KEYS.variable, ENCRYPTION_KEYS.variable
    )
}

/// Whether the keys in `others` are files of `folder`.
fn is_in(folder: &Path, others: &Path) -> bool {
    let (Ok(folder), Ok(others)) = (folder.canonicalize(), others.canonicalize()) else {
        return false;
    };
    others == folder || (others.is_file() && others.parent() == Some(folder.as_path()))
}
