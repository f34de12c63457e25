//! What the documents say of the code is true: paths exist, and lists are those of the code.
//!
//! What else a document repeats from the code gets a test in [`facts`].
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod containers;
mod facts;
mod paths;
mod workflows;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A document: its path from the root of the checkout, and its text.
struct Document {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Markdown file at the root and below `docs/`.
fn documents() -> Vec<Document> {
    let root = root();
    let mut documents = Vec::new();
    for (folder, below) in [(root.clone(), false), (root.join("docs"), true)] {
        collect(&root, &folder, below, &mut documents);
    }
    documents.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(documents.iter().any(|document| document.path == "README.md"));
    documents
}

fn collect(root: &Path, folder: &Path, below: bool, documents: &mut Vec<Document>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && below {
            collect(root, &path, below, documents);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(Document {
                path: path.strip_prefix(root).unwrap().display().to_string(),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

/// The text of one document.
fn document(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The part of a document under a heading, up to the next one of any level.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text
        .find(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("there is no `{heading}`"));
    let rest = &text[start + heading.len() + 2..];
    &rest[..rest.find("\n#").unwrap_or(rest.len())]
}

/// The rows of the tables in a text, each as its cells; heads and rules left out.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with("| ---") || line.starts_with("|---");
    let mut rows = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let is_head = lines.get(index + 1).is_some_and(|next| is_rule(next));
        if let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |"))
            && !is_rule(line)
            && !is_head
        {
            rows.push(cells.split(" | ").map(str::trim).collect());
        }
    }
    rows
}
