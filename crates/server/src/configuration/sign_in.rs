//! Who may sign up, and what tokens are signed and secrets sealed with.

use std::{fs, path::PathBuf};

use super::{Purpose, reader::Reader, setting::Setting};

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

/// The most days of grace.
const MAX_GRACE_DAYS: u16 = 365;

const MFA_GRACE: Setting = Setting::plain("TENANTRY_MFA_GRACE_DAYS", "days from 0 to 365").or("7");

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&REGISTRATION, &SIGNING_KEYS, &ENCRYPTION_KEYS, &MFA_GRACE];

/// Who may sign up, and what tokens are signed with.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// `TENANTRY_REGISTRATION`.
    pub registration: Registration,
    /// `TENANTRY_SIGNING_KEYS`: a file, or a folder of them.
    pub signing_keys: Option<PathBuf>,
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
        let encryption_keys = reader.optional(&ENCRYPTION_KEYS, keys);
        let mfa_grace_days = reader.value(&MFA_GRACE, |text| {
            text.parse().ok().filter(|days| *days <= MAX_GRACE_DAYS)
        });
        Some(Self {
            mfa_grace_days: mfa_grace_days?,
            registration: registration?,
            signing_keys: signing_keys?,
            encryption_keys: encryption_keys?,
        })
    }
}
