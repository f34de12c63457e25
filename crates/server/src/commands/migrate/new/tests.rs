#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::fs;

use chrono::{DateTime, Utc};
use tenantry_domain::environment::{Environment, Source};

use super::{fits, with, write};

const LIST: &str =
    "//! Docs.\n\nmacro_rules! migrations {\n    () => {};\n}\n\nmigrations! {\n    m1_one\n}\n\nfn last() {\n}\n";

struct OneMoment;

impl Source for OneMoment {
    fn now(&self) -> DateTime<Utc> {
        "2027-02-03T04:05:06Z".parse().unwrap()
    }

    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

#[test]
fn both_files_are_written_and_the_list_names_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lib.rs"), LIST).unwrap();
    let name = write(folder.path(), "labels", &Environment::new(OneMoment)).unwrap();
    assert_eq!(name, "m20270203_040506_labels");
    let read = |file: &str| fs::read_to_string(folder.path().join(&name).join(file)).unwrap();
    assert!(read("up.sql").contains("create table labels ("));
    assert!(read("down.sql").contains("drop table labels;"));
    let list = fs::read_to_string(folder.path().join("lib.rs")).unwrap();
    assert_eq!(
        list,
        LIST.replace("    m1_one\n", "    m1_one\n    m20270203_040506_labels\n")
    );
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lib.rs"), LIST).unwrap();
    let environment = Environment::new(OneMoment);
    let name = write(folder.path(), "labels", &environment).unwrap();
    let up = folder.path().join(name).join("up.sql");
    fs::write(&up, "mine").unwrap();
    assert!(write(folder.path(), "labels", &environment).is_err());
    assert_eq!(fs::read_to_string(up).unwrap(), "mine");
}

#[test]
fn without_a_list_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lib.rs"), "fn main() {}\n").unwrap();
    assert!(write(folder.path(), "labels", &Environment::new(OneMoment)).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_empty_list_takes_its_first_line() {
    assert_eq!(
        with("x\nmigrations! {\n}\n", "m1").unwrap(),
        "x\nmigrations! {\n    m1\n}\n"
    );
}

#[test]
fn names_that_could_leave_the_folder_or_break_the_code_are_refused() {
    for good in ["labels", "a", "add_labels_2"] {
        assert!(fits(good), "{good}");
    }
    for bad in [
        "",
        "Labels",
        "2labels",
        "_labels",
        "la bels",
        "../labels",
        "la-bels",
        "läbels",
        &"x".repeat(61),
    ] {
        assert!(!fits(bad), "{bad}");
    }
}
