//! Everything that crosses tenants or precedes an identity: the uses of `SystemReason` are a golden file.
//!
//! A new use is a new way past both walls, so it is looked at. To adopt a change:
//! `UPDATE_GOLDEN=1 cargo test --workspace --test suite -- system_reasons`.
#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

const ADOPT: &str = "UPDATE_GOLDEN=1 cargo test --workspace --test suite -- system_reasons";

/// Where the type is declared: what it says of itself there is no use.
const DECLARATION: &str = "crates/persistence/src/system.rs";

/// The reasons that a source names, one after the other; `?` where it hides which.
fn reasons(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    let after = code.split("SystemReason").skip(1);
    after
        .filter_map(|rest| match rest.strip_prefix("::") {
            Some(path) => {
                let name: String = path.chars().take_while(char::is_ascii_alphanumeric).collect();
                Some(if name.is_empty() { "?".to_owned() } else { name })
            }
            // Another name for it would keep its uses out of this list.
            None => rest.trim_start().starts_with("as ").then(|| "?".to_owned()),
        })
        .collect()
}

/// Every Rust file below a folder, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A line for each use: where, and why.
fn uses(root: &Path) -> String {
    let rooms = fs::read_dir(root.join("crates")).unwrap();
    let mut files: Vec<PathBuf> = rooms
        .map(|room| room.unwrap().path().join("src"))
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| sources(&folder))
        .collect();
    files.sort();
    let mut lines = String::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap().display().to_string();
        if name != DECLARATION {
            for reason in reasons(&fs::read_to_string(&file).unwrap()) {
                lines.push_str(&format!("{name}  {reason}\n"));
            }
        }
    }
    lines
}

/// What was adopted and is gone, and what is there and was not adopted; a line that is there twice counts twice.
fn moved(adopted: &str, found: &str) -> String {
    let beyond = |these: &str, those: &str, sign: char| {
        let mut left: Vec<&str> = those.lines().collect();
        let mut lines = String::new();
        for line in these.lines() {
            match left.iter().position(|other| *other == line) {
                Some(index) => drop(left.swap_remove(index)),
                None => lines.push_str(&format!("{sign} {line}\n")),
            }
        }
        lines
    };
    beyond(adopted, found, '-') + &beyond(found, adopted, '+')
}

#[test]
fn every_use_of_a_system_reason_was_looked_at() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = tests.join("suite/system_reasons.golden");
    let found = uses(tests.parent().unwrap());
    #[expect(clippy::disallowed_methods, reason = "asked for by whoever runs the test")]
    let adopt = env::var_os("UPDATE_GOLDEN").is_some();
    if adopt {
        fs::write(&path, &found).unwrap();
    }
    let adopted = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        adopted == found,
        "the uses of SystemReason are no longer those of tests/suite/system_reasons.golden (- as adopted, + as they \
         are):\n{}if that is meant: {ADOPT}\n",
        moved(&adopted, &found),
    );
    assert!(!found.contains('?'), "a use that does not say why:\n{found}");
    assert!(!found.is_empty(), "signing in has a reason, so nothing was read");
}

#[test]
fn a_planted_use_is_found() {
    let planted = "use system::{SystemReason, SystemTx};\n\
                   // SystemReason::Comment\n\
                   let tx = SystemTx::begin(db, SystemReason::SignIn).await?;\n\
                   retry(SystemReason::SignIn, SystemReason::RefreshToken);\n";
    assert_eq!(reasons(planted), ["SignIn", "SignIn", "RefreshToken"]);
    assert_eq!(reasons("use system::SystemReason as Why;"), ["?"]);
    assert_eq!(reasons("use system::SystemReason::*;"), ["?"]);
    assert_eq!(moved("a\nb\n", "b\nc\nc\n"), "- a\n+ c\n+ c\n");
    assert_eq!(moved("a\na\n", "a\n"), "- a\n");
}
