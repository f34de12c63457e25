//! References inside a tenant: a row must not be able to point into another one, even when nothing filters.

use sea_orm::FromQueryResult;

use super::{Finding, rows};
use crate::{connection::Connection, error::Result};

// Those of partitions are copies of their parent's.
const FOREIGN_KEYS: &str = r"
with tenant_column as (
    select attrelid, attnum from pg_attribute where attname = 'organization_id' and not attisdropped
)
select k.conname::text as name, format('%I.%I', fn.nspname, f.relname) as referencing,
       format('%I.%I', tn.nspname, t.relname) as referenced
from pg_constraint k
join pg_class f on f.oid = k.conrelid
join pg_namespace fn on fn.oid = f.relnamespace
join pg_class t on t.oid = k.confrelid
join pg_namespace tn on tn.oid = t.relnamespace
join tenant_column fc on fc.attrelid = k.conrelid
join tenant_column tc on tc.attrelid = k.confrelid
where k.contype = 'f' and k.conparentid = 0
  and not exists (
      select from unnest(k.conkey, k.confkey) as pair (referencing, referenced)
      where pair.referencing = fc.attnum and pair.referenced = tc.attnum
  )
order by referencing, name";

#[derive(FromQueryResult)]
struct ForeignKey {
    name: String,
    referencing: String,
    referenced: String,
}

pub(super) async fn examine(transaction: &Connection, findings: &mut Vec<Finding>) -> Result<()> {
    for key in rows(transaction, FOREIGN_KEYS, []).await? {
        let ForeignKey {
            name,
            referencing,
            referenced,
        } = key;
        findings.push(Finding::new(
            "foreign_key_without_organization",
            format!("{name} on {referencing}"),
            format!("lets a row refer to a row of another organization in {referenced}"),
            format!("make it (organization_id, …) references {referenced} (organization_id, …)"),
        ));
    }
    Ok(())
}
