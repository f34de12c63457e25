//! What the policies compare.
//!
//! A policy that lets a serving process see rows is right when it is exactly one of the comparisons that are known to
//! keep tenants apart, as PostgreSQL prints it back: nobody can tell by rules of thumb what an arbitrary expression
//! lets through. To use another comparison, add what `pg_get_expr` prints for it to the tables it is for, in
//! [`tables`](super::tables).

use std::collections::HashMap;

use sea_orm::FromQueryResult;

use super::{Finding, Judged, RUNTIME, rows};
use crate::{connection::Connection, error::Result};

/// The settings that a transaction may be told whom it is for by.
const SETTINGS: [&str; 2] = ["app.organization_id", "app.user_id"];

const POLICIES: &str = r"
select format('%I.%I', n.nspname, c.relname) as relation, p.polname::text as name, p.polcmd::text as command,
       p.polpermissive as permissive,
       exists (select from unnest(p.polroles) r where r::bigint = any ($1::bigint[])) as applies,
       exists (select from unnest(p.polroles) r where r = 0 or pg_get_userbyid(r) = $2) as for_runtime,
       pg_get_expr(p.polqual, p.polrelid) as using_text, pg_get_expr(p.polwithcheck, p.polrelid) as check_text
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
order by relation, name";

/// A policy, as the catalogue has it.
#[derive(FromQueryResult)]
pub(super) struct Policy {
    pub(super) relation: String,
    pub(super) name: String,
    /// `r`ead, `a`dd, `w`rite, `d`elete, or `*`.
    pub(super) command: String,
    pub(super) permissive: bool,
    /// Whether it is for one of the judged roles.
    pub(super) applies: bool,
    /// Whether it is for the runtime role.
    pub(super) for_runtime: bool,
    pub(super) using_text: Option<String>,
    pub(super) check_text: Option<String>,
}

/// The comparisons that a table's policies may make.
#[derive(Debug, Clone, Default)]
pub(super) struct Comparisons {
    /// In `USING` and `WITH CHECK`: this column with that setting. None where no policy may let anything through.
    pub(super) key: Option<(&'static str, &'static str)>,
    /// In `USING` besides, as PostgreSQL prints them.
    pub(super) reading: &'static [&'static str],
}

/// All policies by their table.
pub(super) async fn read(transaction: &Connection, judged: &Judged) -> Result<HashMap<String, Vec<Policy>>> {
    let mut policies: HashMap<String, Vec<Policy>> = HashMap::new();
    for policy in rows::<Policy>(transaction, POLICIES, [judged.as_value(), RUNTIME.into()]).await? {
        policies.entry(policy.relation.clone()).or_default().push(policy);
    }
    Ok(policies)
}

/// Judges each policy of a table by itself; what is missing altogether is the table's matter.
pub(super) fn judge(policies: &[Policy], comparisons: &Comparisons, findings: &mut Vec<Finding>) {
    for policy in policies {
        let subject = format!("{} on {}", policy.name, policy.relation);
        for (clause, text) in policy.clauses() {
            if text.is_some_and(calls_current_setting_per_row) {
                findings.push(Finding::new(
                    "policy_setting_per_row",
                    &subject,
                    format!("its {clause} calls current_setting for each row"),
                    format!("write {} instead, which is called once", written(SETTINGS[0])),
                ));
            }
            let lets_through = policy.permissive && policy.applies;
            if lets_through && text.is_some_and(|text| !comparisons.allow(clause, text)) {
                findings.push(Finding::new(
                    "policy_open",
                    &subject,
                    format!("its {clause} is none of the comparisons known to keep tenants apart"),
                    comparisons.remedy(clause),
                ));
            }
        }
    }
}

/// A clause of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    Using,
    WithCheck,
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Using => "USING",
            Self::WithCheck => "WITH CHECK",
        })
    }
}

impl Policy {
    /// Whether it is for writing and does not say what may be written.
    pub(super) fn writes_unchecked(&self) -> bool {
        matches!(self.command.as_str(), "*" | "a" | "w") && self.check_text.is_none()
    }

    /// Both clauses, with a text where the policy has one.
    pub(super) fn clauses(&self) -> [(Clause, Option<&str>); 2] {
        [
            (Clause::Using, self.using_text.as_deref()),
            (Clause::WithCheck, self.check_text.as_deref()),
        ]
    }
}

impl Comparisons {
    /// Whether `text` is one of them.
    pub(super) fn allow(&self, clause: Clause, text: &str) -> bool {
        let text = normalized(text);
        // The same without its sub-select keeps tenants apart as well: that it is slow is said already.
        self.key.is_some_and(|(column, setting)| {
            text == format!("({column} = {})", printed(setting)) || text == format!("({column} = {})", called(setting))
        }) || clause == Clause::Using && self.reading.iter().any(|allowed| text == *allowed)
    }

    fn remedy(&self, clause: Clause) -> String {
        match self.key {
            Some((column, setting)) => format!("write {clause} ({column} = {})", written(setting)),
            None => "drop the policy: no serving process may see these rows".to_owned(),
        }
    }
}

/// Whether `current_setting` is called other than in a sub-select that makes it one call for the whole statement.
fn calls_current_setting_per_row(text: &str) -> bool {
    let mut rest = normalized(text);
    for setting in SETTINGS {
        rest = rest.replace(&printed(setting), "");
    }
    rest.contains("current_setting(")
}

/// How a migration writes the value of a setting.
fn written(setting: &str) -> String {
    format!("(select nullif(current_setting('{setting}', true), '')::uuid)")
}

/// How PostgreSQL prints [`written`].
fn printed(setting: &str) -> String {
    format!("( SELECT {} AS \"nullif\")", called(setting))
}

/// The call that [`printed`] holds.
fn called(setting: &str) -> String {
    format!("(NULLIF(current_setting('{setting}'::text, true), ''::text))::uuid")
}

/// `text` with the line breaks and indentation that PostgreSQL prints made single spaces.
fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
