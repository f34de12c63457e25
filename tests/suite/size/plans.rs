//! What a plan did: where it read, how much, and what it sorted.

use serde_json::Value;

/// The tables that hold many rows.
const TABLES: [&str; 12] = [
    "projects",
    "workspaces",
    "members",
    "grants",
    "roles",
    "organizations",
    "users",
    "sessions",
    "trusted_devices",
    "identities",
    "invitations",
    "domains",
];

/// A statement and how it was run.
pub(super) struct Run {
    pub(super) statement: String,
    plan: Value,
}

/// What a statement may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The most rows that one node reads from a table or an index, those that it passes over among them.
    pub(super) read: f64,
    /// The most rows that are sorted.
    pub(super) sorted: f64,
}

impl Run {
    /// Reads a notice of `auto_explain`; `None` for any other.
    pub(super) fn of_notice(notice: &str) -> Option<Self> {
        let (_, json) = notice.split_once("plan:\n")?;
        let explained: Value = serde_json::from_str(json).unwrap();
        Some(Self {
            statement: explained["Query Text"].as_str().unwrap().to_owned(),
            plan: explained["Plan"].clone(),
        })
    }

    /// Whether it counts a list.
    pub(super) fn counts(&self) -> bool {
        self.statement.contains(r#"AS "total""#)
    }

    /// Whether it fetches a page of a list.
    pub(super) fn fetches_page(&self) -> bool {
        self.statement.contains("ORDER BY") && self.statement.contains("LIMIT")
    }

    /// Whether it is what a look-up by name asks.
    pub(super) fn looks_up(&self) -> bool {
        self.statement.contains("ilike pattern")
    }

    /// Whether a node of it uses this index.
    pub(super) fn uses(&self, index: &str) -> bool {
        let mut used = false;
        each(&self.plan, &mut |node| used |= node["Index Name"] == index);
        used
    }

    /// How many rows were read from tables and indexes in all, those that were passed over among them.
    pub(super) fn rows_read(&self) -> f64 {
        let mut read = 0.0;
        each(&self.plan, &mut |node| read += read_by(node));
        read
    }

    /// What it did that it should not have, a line each.
    pub(super) fn findings(&self, bounds: Bounds) -> Vec<String> {
        let mut findings = Vec::new();
        each(&self.plan, &mut |node| {
            let kind = node["Node Type"].as_str().unwrap();
            let table = node["Relation Name"].as_str().unwrap_or_default();
            if kind == "Seq Scan" && TABLES.contains(&table) {
                findings.push(format!("reads through all of {table}"));
            }
            if read_by(node) > bounds.read {
                findings.push(format!("{kind} on {table} reads {} rows", read_by(node)));
            }
            if kind.ends_with("Sort") {
                let sorted = rows(&node["Plans"][0], "Actual Rows");
                if sorted > bounds.sorted {
                    findings.push(format!("{kind} of {sorted} rows"));
                }
            }
        });
        findings
    }
}

/// The rows that a node reads from a table or an index.
fn read_by(node: &Value) -> f64 {
    let kind = node["Node Type"].as_str().unwrap();
    if !kind.contains("Scan") || kind == "Function Scan" || kind == "Subquery Scan" {
        return 0.0;
    }
    ["Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"]
        .iter()
        .map(|field| rows(node, field))
        .sum()
}

/// Rows of all loops.
fn rows(node: &Value, field: &str) -> f64 {
    node[field].as_f64().unwrap_or_default() * node["Actual Loops"].as_f64().unwrap_or_default()
}

fn each(node: &Value, look: &mut impl FnMut(&Value)) {
    look(node);
    for inner in node["Plans"].as_array().into_iter().flatten() {
        each(inner, look);
    }
}
