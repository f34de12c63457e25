//! Every path that a document names exists, and every link leads somewhere.

use std::{collections::BTreeSet, fs, path::Path};

use super::{Document, documents, root};

/// What is wrong with the paths of a document.
fn complaints(root: &Path, document: &Document) -> Vec<String> {
    let tops = tops(root);
    let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
    let mut complaints = Vec::new();
    for target in links(&document.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = if file.is_empty() {
            root.join(&document.path)
        } else {
            root.join(folder).join(file)
        };
        if !path.exists() {
            complaints.push(format!("{}: the link {target} leads nowhere", document.path));
        } else if !anchor.is_empty() && !has_anchor(&path, anchor) {
            complaints.push(format!("{}: there is no heading for {target}", document.path));
        }
    }
    for path in quoted_paths(&document.text, &tops) {
        if !root.join(path).exists() {
            complaints.push(format!("{}: there is no {path}", document.path));
        }
    }
    complaints
}

/// What is at the root of a checkout and is no product of a build.
fn tops(root: &Path) -> BTreeSet<String> {
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap();
    let ignored: BTreeSet<&str> = ignored.lines().map(|line| line.trim_start_matches('/')).collect();
    let entries = fs::read_dir(root).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !ignored.contains(name.as_str()))
        .collect()
}

/// The targets of `[text](target)`, blocks of code left out.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("\n```").step_by(2);
    prose
        .flat_map(|prose| prose.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .collect()
}

/// Whatever stands between back-ticks, in blocks of code too, and looks like a path from the root.
fn quoted_paths<'t>(text: &'t str, tops: &BTreeSet<String>) -> BTreeSet<&'t str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '`' | '(' | ')' | ',' | ';' | '"' | '\''));
    let is_plain = |word: &&str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        word.contains('/') && word.chars().all(allowed)
    };
    words
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(is_plain)
        .filter(|word| word.split_once('/').is_some_and(|(top, _)| tops.contains(top)))
        .collect()
}

/// Whether a Markdown file has the heading that a host of repositories gives this anchor.
fn has_anchor(path: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchors = headings.map(|heading| {
        let title = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
            .collect::<String>()
    });
    anchors.into_iter().any(|known| known == anchor)
}

#[test]
fn every_path_in_the_documents_exists() {
    let root = root();
    let documents = documents();
    let complaints: Vec<String> = documents
        .iter()
        .flat_map(|document| complaints(&root, document))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_planted_path_is_reported() {
    let text = "# A heading: of `two` parts\n\
        [one](../README.md) [two](nowhere.md) [three](README.md#no-such-heading) [four](#a-heading-of-two-parts) \
        [five](https://example.com/docs/nowhere.md)\n\
        `docs/README.md`, `docs/nowhere.md`, (crates/domain/src/lib.rs) and `target/debug/tenantry`, `application/json`\n\
        ```sh\n$ cat migrations/nowhere.sql [six](seven)\n```\n";
    let document = Document {
        path: "docs/planted.md".to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(
        complaints(&root(), &document),
        [
            "docs/planted.md: the link nowhere.md leads nowhere",
            "docs/planted.md: there is no heading for README.md#no-such-heading",
            // The document itself exists in this test alone.
            "docs/planted.md: the link #a-heading-of-two-parts leads nowhere",
            "docs/planted.md: there is no docs/nowhere.md",
            "docs/planted.md: there is no migrations/nowhere.sql",
        ]
    );
}
