//! The fuzz targets, over the corpus that they begin with: what they have found once stays found without a fuzzer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing test should stop where it fails, and say what with"
)]

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "public for the fuzz targets, which are programs of their own"
)]
mod targets;

use std::{collections::BTreeSet, fs, path::Path};

use self::targets::TARGETS;

fn fuzz() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz"))
}

/// The names in a folder, without their endings.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_target_holds_over_its_corpus() {
    for (name, target) in TARGETS {
        let seeds = fs::read_dir(fuzz().join("corpus-seed").join(name)).unwrap();
        let mut run = 0;
        for seed in seeds {
            let path = seed.unwrap().path();
            // Shown where the target fails.
            println!("{}", path.display());
            target(&fs::read(&path).unwrap());
            run += 1;
        }
        assert!(run > 2, "{name} has next to no corpus");
    }
}

#[test]
fn every_target_has_its_program_and_its_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), targets);
    assert_eq!(names(&fuzz().join("corpus-seed")), targets);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for target in &targets {
        assert!(
            manifest.contains(&format!("[[bin]]\nname = \"{target}\"\n")),
            "{target} is not built"
        );
    }
}
