use std::{ffi::OsString, fs, path::Path};

use tempfile::TempDir;

use super::{NotFound, Places, PostgresPrograms, find_redis, major};

/// Puts files into `folder` that stand for programs and hold what these would answer to `--version`.
fn install(folder: &Path, programs: &[&str], version: &str) {
    fs::create_dir_all(folder).unwrap();
    for program in programs {
        fs::write(folder.join(program), format!("{program} (PostgreSQL) {version}\n")).unwrap();
    }
}

const ALL: &[&str] = &["initdb", "postgres", "pg_ctl"];

fn root() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn find(root: &Path, configured: Option<&Path>, path: Option<&OsString>) -> Result<PostgresPrograms, NotFound> {
    PostgresPrograms::find_asking(
        Places {
            configured,
            path: path.map(OsString::as_os_str),
            root,
        },
        |program| fs::read_to_string(program).map_err(|error| error.to_string()),
    )
}

#[test]
fn the_newest_usual_folder_wins() {
    let root = root();
    for version in ["9", "15", "17"] {
        install(
            &root.path().join("usr/lib/postgresql").join(version).join("bin"),
            ALL,
            version,
        );
    }
    let found = find(root.path(), None, None).unwrap();
    assert_eq!(found.major, 17);
    assert_eq!(
        found.program("initdb"),
        fs::canonicalize(root.path())
            .unwrap()
            .join("usr/lib/postgresql/17/bin/initdb")
    );
}

#[test]
fn a_folder_of_path_wins_over_the_usual_ones() {
    let root = root();
    install(&root.path().join("usr/pgsql-17/bin"), ALL, "17.1");
    install(&root.path().join("mine"), ALL, "16.4");
    let path = std::env::join_paths([Path::new("relative"), &root.path().join("mine")]).unwrap();
    assert_eq!(find(root.path(), None, Some(&path)).unwrap().major, 16);
}

#[test]
fn an_incomplete_or_old_folder_is_passed_over() {
    let root = root();
    let (lone, old) = (root.path().join("lone"), root.path().join("old"));
    install(&lone, &["postgres"], "17");
    install(&old, ALL, "14.9");
    let path = std::env::join_paths([&lone, &old]).unwrap();

    let refused = find(root.path(), None, Some(&path)).unwrap_err().to_string();
    assert!(refused.contains("lone has no initdb"), "{refused}");
    assert!(
        refused.contains("old holds PostgreSQL 14, 15 or newer is needed"),
        "{refused}"
    );

    install(&root.path().join("opt/homebrew/opt/postgresql@18/bin"), ALL, "18beta1");
    assert_eq!(find(root.path(), None, Some(&path)).unwrap().major, 18);
}

#[test]
fn links_lead_to_the_whole_installation() {
    let root = root();
    let (links, real) = (root.path().join("links"), root.path().join("real"));
    install(&real, ALL, "17");
    fs::create_dir(&links).unwrap();
    for program in ALL {
        std::os::unix::fs::symlink(real.join(program), links.join(program)).unwrap();
    }
    let found = find(root.path(), Some(&links), None).unwrap();
    assert_eq!(found.folder, fs::canonicalize(real).unwrap());
}

#[test]
fn a_wrong_configured_folder_is_an_error_even_when_another_would_do() {
    let root = root();
    install(&root.path().join("usr/bin"), ALL, "17");
    let configured = root.path().join("nowhere");
    let refused = find(root.path(), Some(&configured), None).unwrap_err();
    assert_eq!(refused.configured.as_deref(), Some(configured.as_path()));
}

#[test]
fn redis_is_found_in_path_and_in_the_usual_folders() {
    let root = root();
    let places = Places {
        configured: None,
        path: None,
        root: root.path(),
    };
    assert_eq!(find_redis(places).unwrap_err().to_string(), "found no usable Redis");

    let usual = root.path().join("usr/local/bin");
    install(&usual, &["redis-server"], "");
    assert_eq!(find_redis(places).unwrap(), usual);

    let first = root.path().join("first");
    install(&first, &["redis-server"], "");
    let path = OsString::from(&first);
    assert_eq!(
        find_redis(Places {
            path: Some(&path),
            ..places
        })
        .unwrap(),
        first
    );
}

#[test]
fn the_version_is_read_from_any_vendors_line() {
    assert_eq!(
        major("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"),
        Some(15)
    );
    assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
    assert_eq!(
        major("postgres (PostgreSQL) 17.2 - Percona Server for PostgreSQL 17.2.1"),
        Some(17)
    );
    assert_eq!(major("something else"), None);
}
