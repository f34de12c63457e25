//! The workflows: what runs on the machines of others, with rights of ours.

use std::fs;

use serde_json::Value;

use super::{containers::yaml, root};

/// The workflows, each with its name, its text and what that means.
fn workflows() -> Vec<(String, String, Value)> {
    let files = fs::read_dir(root().join(".github/workflows")).unwrap();
    let workflows: Vec<_> = files
        .map(|file| {
            let file = file.unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            let meaning = yaml(&text);
            (file.file_name().into_string().unwrap(), text, meaning)
        })
        .collect();
    assert!(workflows.iter().any(|(name, ..)| name == "release.yml"));
    workflows
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().unwrap().iter()
}

#[test]
fn what_others_wrote_is_pinned_to_a_commit() {
    for (file, text, _) in workflows() {
        for line in text
            .lines()
            .filter(|line| line.contains("uses: ") && !line.contains("uses: ./"))
        {
            let (_, reference) = line.split_once('@').unwrap_or_else(|| panic!("{file}: {line}"));
            let (commit, version) = reference.split_once(" # v").unwrap_or_else(|| panic!("{file}: {line}"));
            assert!(
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                "{file}: {line}"
            );
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{file}: {line}");
        }
    }
}

#[test]
fn nothing_may_write_but_who_publishes() {
    for (file, _, workflow) in workflows() {
        assert_eq!(
            workflow["permissions"],
            serde_json::json!({ "contents": "read" }),
            "{file}"
        );
        for (name, job) in jobs(&workflow) {
            let written: Vec<&String> = job["permissions"]
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(_, right)| *right != "read")
                .map(|(what, _)| what)
                .collect();
            let expected: &[&str] = if file == "release.yml" && ["image", "publish"].contains(&name.as_str()) {
                &["packages"]
            } else {
                &[]
            };
            assert_eq!(written, expected, "{file}: {name}");
        }
    }
}

#[test]
fn every_job_ends_and_keeps_no_credentials() {
    for (file, _, workflow) in workflows() {
        for (name, job) in jobs(&workflow).filter(|(_, job)| job["uses"].is_null()) {
            assert!(job["timeout-minutes"].is_u64(), "{file}: {name} may run for ever");
            let steps = job["steps"].as_array().unwrap();
            let checkouts = steps.iter().filter(|step| {
                step["uses"]
                    .as_str()
                    .is_some_and(|uses| uses.starts_with("actions/checkout@"))
            });
            for checkout in checkouts {
                assert_eq!(checkout["with"]["persist-credentials"], false, "{file}: {name}");
            }
        }
    }
}
