//! The private database of `tenantry dev`.

use std::path::{Path, PathBuf};

use super::{reader::Reader, setting::Setting};

const DATA_DIR: Setting = Setting::plain(
    "TENANTRY_DATA_DIR",
    "the folder that `tenantry dev` keeps its database and keys in",
)
.or(".tenantry/dev");

const POSTGRES_BIN: Setting = Setting::plain(
    "TENANTRY_POSTGRES_BIN",
    "the existing folder of the PostgreSQL programs `initdb` and `postgres`",
);

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&DATA_DIR, &POSTGRES_BIN];

/// The private database of `tenantry dev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Development {
    /// `TENANTRY_DATA_DIR`; it is created when it is needed.
    pub data_dir: PathBuf,
    /// `TENANTRY_POSTGRES_BIN`; when not given, the usual folders are searched.
    pub postgres_bin: Option<PathBuf>,
}

impl Development {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let data_dir = reader.value(&DATA_DIR, |text| Some(PathBuf::from(text)));
        let postgres_bin = reader.optional(&POSTGRES_BIN, |text| {
            Path::new(text).is_dir().then(|| PathBuf::from(text))
        });
        Some(Self {
            data_dir: data_dir?,
            postgres_bin: postgres_bin?,
        })
    }
}
