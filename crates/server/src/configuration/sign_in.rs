//! Who may sign up, and what tokens are signed with.

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

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&REGISTRATION, &SIGNING_KEYS];

/// Who may sign up, and what tokens are signed with.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// `TENANTRY_REGISTRATION`.
    pub registration: Registration,
    /// `TENANTRY_SIGNING_KEYS`: a file, or a folder of them.
    pub signing_keys: Option<PathBuf>,
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
        let signing_keys = reader.optional(&SIGNING_KEYS, |text| {
            let exists = fs::metadata(text).is_ok_and(|found| found.is_file() || found.is_dir());
            (exists || !must_exist).then(|| PathBuf::from(text))
        });
        Some(Self {
            registration: registration?,
            signing_keys: signing_keys?,
        })
    }
}
