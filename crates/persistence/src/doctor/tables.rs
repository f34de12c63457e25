//! The tables: to whom the rows of each belong, and whether row-level security holds for them.

use std::collections::HashMap;

use sea_orm::FromQueryResult;

use super::{
    Finding, Judged, RUNTIME,
    policies::{self, Comparisons, Policy},
    rows,
};
use crate::{connection::Connection, error::Result};

/// The tables that belong to no tenant, with what their policies compare; every other table is a tenant's.
const GLOBAL: [(&str, Comparisons); 19] = [
    (
        "public.users",
        Comparisons {
            key: Some(("id", "app.user_id")),
            reading: &[CO_MEMBERS],
        },
    ),
    ("public.credentials", of_user()),
    ("public.sessions", of_user()),
    ("public.refresh_tokens", of_user()),
    (
        "public.organizations",
        Comparisons {
            key: Some(("id", "app.organization_id")),
            reading: &[],
        },
    ),
    ("public.user_idempotency_records", of_user()),
    ("public.user_events", of_user()),
    ("public.user_jobs", of_user()),
    ("public.user_links", of_user()),
    ("public.second_factors", of_user()),
    ("public.recovery_codes", of_user()),
    ("public.trusted_devices", of_user()),
    ("public.passkeys", of_user()),
    ("public.answered_challenges", of_user()),
    ("public.identities", of_user()),
    ("public.pending_identities", of_user()),
    ("public.email_changes", of_user()),
    ("public.known_devices", of_user()),
    (
        "public.seaql_migrations",
        Comparisons {
            key: None,
            reading: &[],
        },
    ),
];

/// What the policies of a tenant's table compare.
const TENANT: Comparisons = Comparisons {
    key: Some(("organization_id", "app.organization_id")),
    reading: &[],
};

/// Those who are in the organization of the transaction.
const CO_MEMBERS: &str = "(EXISTS ( SELECT 1 FROM public.members m WHERE ((m.user_id = users.id) AND \
    (m.organization_id = ( SELECT (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid AS \
    \"nullif\")))))";

const TABLES: &str = r"
select format('%I.%I', n.nspname, c.relname) as name, c.relkind = 'f' as is_foreign,
       c.relispartition as is_partition, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
       format_type(t.atttypid, t.atttypmod) as organization_type, t.attnotnull as organization_required,
       exists (
           select from pg_index i
           join pg_class x on x.oid = i.indexrelid
           join pg_am m on m.oid = x.relam
           where i.indrelid = c.oid and i.indisvalid and i.indisready and i.indpred is null
             and i.indkey[0] = t.attnum and m.amname = 'btree'
       ) as indexed,
       (
           select string_agg(distinct g.name, ', ')
           from (
               select a.grantee from aclexplode(c.relacl) a
               union all
               select a.grantee from pg_attribute ca, aclexplode(ca.attacl) a where ca.attrelid = c.oid
           ) a,
           lateral (
               select case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
           ) g (name)
           where a.grantee::bigint = any ($1::bigint[]) and a.grantee <> c.relowner
       ) as grantees
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute t on t.attrelid = c.oid and t.attname = 'organization_id' and not t.attisdropped
where c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by name";

#[derive(FromQueryResult)]
struct Table {
    name: String,
    is_foreign: bool,
    is_partition: bool,
    enabled: bool,
    forced: bool,
    organization_type: Option<String>,
    organization_required: Option<bool>,
    indexed: bool,
    /// Which judged roles hold any right on it.
    grantees: Option<String>,
}

const fn of_user() -> Comparisons {
    Comparisons {
        key: Some(("user_id", "app.user_id")),
        reading: &[],
    }
}

/// Whether a table of this name belongs to no tenant.
fn global(name: &str) -> Option<Comparisons> {
    GLOBAL
        .iter()
        .find(|(global, _)| *global == name)
        .map(|(_, comparisons)| comparisons.clone())
}

pub(super) async fn examine(
    transaction: &Connection,
    judged: &Judged,
    policies: &HashMap<String, Vec<Policy>>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    for table in rows::<Table>(transaction, TABLES, [judged.as_value()]).await? {
        if table.is_foreign {
            findings.push(Finding::new(
                "foreign_table",
                &table.name,
                "is a foreign table, for which there is no row-level security",
                format!("drop foreign table {}", table.name),
            ));
            continue;
        }
        let global = global(&table.name);
        if global.is_none() {
            table.judge_belonging(findings);
        }
        let comparisons = global.unwrap_or(TENANT);
        let policies = policies.get(&table.name).map_or(&[][..], Vec::as_slice);
        table.judge_protection(policies, &comparisons, findings);
        policies::judge(policies, &comparisons, findings);
    }
    Ok(())
}

impl Table {
    /// Every row says whose it is, and is found by that.
    fn judge_belonging(&self, findings: &mut Vec<Finding>) {
        let name = &self.name;
        let problem = match (self.organization_type.as_deref(), self.organization_required) {
            (Some("uuid"), Some(true)) => None,
            (Some("uuid"), _) => Some("has an organization_id that may be null".to_owned()),
            (Some(other), _) => Some(format!("has an organization_id of type {other}")),
            (None, _) => {
                Some("has no organization_id, and is not listed as a table that belongs to no tenant".to_owned())
            }
        };
        if let Some(problem) = problem {
            findings.push(Finding::new(
                "table_without_organization",
                name,
                problem,
                "give it a column organization_id uuid not null",
            ));
        }
        if self.organization_type.is_some() && !self.indexed {
            findings.push(Finding::new(
                "table_without_organization_index",
                name,
                "has no valid, complete index that leads with organization_id",
                format!("create index on {name} (organization_id, …)"),
            ));
        }
    }

    /// Row-level security is on, for the owner too, and lets the runtime role see and write by policies of its own.
    fn judge_protection(&self, policies: &[Policy], comparisons: &Comparisons, findings: &mut Vec<Finding>) {
        let lacks = self.lacks(policies, comparisons);
        if !self.is_partition {
            findings.extend(lacks);
            return;
        }
        let name = &self.name;
        if !lacks.is_empty() {
            let problems: Vec<_> = lacks.into_iter().map(|finding| finding.problem).collect();
            findings.push(Finding::new(
                "partition_unprotected",
                name,
                format!(
                    "is a partition, for which those of its parent do not count: {}",
                    problems.join("; ")
                ),
                "give it the row-level security and the policies of its parent",
            ));
        }
        if let Some(grantees) = &self.grantees {
            findings.push(Finding::new(
                "partition_granted",
                name,
                format!("is a partition, and {grantees} may reach it without its parent"),
                format!("revoke all on {name} from {grantees}"),
            ));
        }
    }

    /// What its protection lacks.
    fn lacks(&self, policies: &[Policy], comparisons: &Comparisons) -> Vec<Finding> {
        let name = &self.name;
        let mut lacks = Vec::new();
        let mut lack = |code, problem: &str, remedy| lacks.push(Finding::new(code, name, problem, remedy));
        if !self.enabled {
            let remedy = format!("alter table {name} enable row level security");
            lack("rls_not_enabled", "row-level security is not enabled", remedy);
        }
        if !self.forced {
            let remedy = format!("alter table {name} force row level security");
            lack(
                "rls_not_forced",
                "row-level security is not forced on its owner",
                remedy,
            );
        }
        if comparisons.key.is_none() {
            return lacks;
        }
        let own = || policies.iter().filter(|policy| policy.permissive && policy.for_runtime);
        if own().next().is_none() {
            let remedy = format!("create a policy on {name} to {RUNTIME} with USING and WITH CHECK");
            lack("policy_missing", "has no policy for the runtime role", remedy);
            return lacks;
        }
        if own().all(|policy| policy.using_text.is_none()) {
            let remedy = format!("give its policy to {RUNTIME} a USING clause");
            lack(
                "policy_without_using",
                "has no policy with USING for the runtime role",
                remedy,
            );
        }
        // What USING alone lets through counts for rows that are written too, but only by a default that nobody reads.
        if own().all(|policy| policy.check_text.is_none()) || own().any(Policy::writes_unchecked) {
            let remedy = format!("give its policy to {RUNTIME} a WITH CHECK clause");
            lack(
                "policy_without_check",
                "has a policy for the runtime role without WITH CHECK",
                remedy,
            );
        }
        lacks
    }
}
