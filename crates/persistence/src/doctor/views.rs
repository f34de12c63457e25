//! What reads or writes tables with the rights of whoever made it: views, materialized views, rules.

use sea_orm::FromQueryResult;

use super::{Finding, rows};
use crate::{connection::Connection, error::Result};

// Views that came with an extension (such as pg_stat_statements) read the server's tables, not ours.
const VIEWS: &str = r"
select format('%I.%I', n.nspname, c.relname) as name
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
      select from pg_options_to_table(c.reloptions) o
      where o.option_name = 'security_invoker' and o.option_value::boolean
  )
  and not exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by name";

// A materialized view has no row-level security; it may read a table through other views.
const MATERIALIZED: &str = r"
with recursive reads (reader, relation) as (
    select oid, oid from pg_class where relkind = 'm'
    union
    select r.reader, d.refobjid
    from reads r
    join pg_rewrite w on w.ev_class = r.relation
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                    and d.refclassid = 'pg_class'::regclass
)
select format('%I.%I', mn.nspname, m.relname) as name,
       min(format('%I.%I', tn.nspname, t.relname)) as relation
from reads r
join pg_class m on m.oid = r.reader
join pg_namespace mn on mn.oid = m.relnamespace
join pg_class t on t.oid = r.relation
join pg_namespace tn on tn.oid = t.relnamespace
where t.relkind in ('r', 'p', 'f') and tn.nspname !~ '^pg_' and tn.nspname <> 'information_schema'
group by m.oid, mn.nspname, m.relname
order by name";

const RULES: &str = r"
select format('%I on %I.%I', w.rulename, n.nspname, c.relname) as name
from pg_rewrite w
join pg_class c on c.oid = w.ev_class
join pg_namespace n on n.oid = c.relnamespace
where w.ev_type <> '1' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by name";

#[derive(FromQueryResult)]
struct Named {
    name: String,
}

#[derive(FromQueryResult)]
struct Materialized {
    name: String,
    relation: String,
}

pub(super) async fn examine(transaction: &Connection, findings: &mut Vec<Finding>) -> Result<()> {
    for Named { name } in rows(transaction, VIEWS, []).await? {
        findings.push(Finding::new(
            "view_without_security_invoker",
            &name,
            "reads with its owner's rights, past the policies of whoever asks",
            format!("alter view {name} set (security_invoker = true)"),
        ));
    }
    for Materialized { name, relation } in rows(transaction, MATERIALIZED, []).await? {
        findings.push(Finding::new(
            "materialized_view",
            &name,
            format!("keeps rows of {relation} where no policy guards them"),
            "make it a table with organization_id and policies",
        ));
    }
    for Named { name } in rows(transaction, RULES, []).await? {
        findings.push(Finding::new(
            "rule",
            &name,
            "acts with the rights of the table's owner, past the policies of whoever writes",
            "drop the rule; a trigger acts with the writer's rights",
        ));
    }
    Ok(())
}
