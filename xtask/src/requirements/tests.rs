use std::path::PathBuf;

use super::missing;
use crate::{packages::Package, programs::NotFound};

fn not_found(configured: Option<&str>) -> Result<(), NotFound> {
    Err(NotFound {
        what: "PostgreSQL",
        configured: configured.map(PathBuf::from),
        unfit: Vec::new(),
    })
}

#[test]
fn only_what_is_missing_is_to_be_installed() {
    assert_eq!(missing::<(), ()>(&Ok(()), &Ok(())).unwrap(), []);
    assert_eq!(
        missing::<(), ()>(&not_found(None), &Ok(())).unwrap(),
        [Package::Postgres]
    );
    assert_eq!(
        missing(&not_found(None), &not_found(None)).unwrap(),
        [Package::Postgres, Package::Redis]
    );
}

#[test]
fn a_wrong_setting_is_named_and_nothing_installed() {
    let error = missing::<(), ()>(&not_found(Some("/no/such/folder")), &Ok(()))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("TENANTRY_POSTGRES_BIN: ") && error.contains("/no/such/folder"),
        "{error}"
    );
}
