//! Rights that no policy restrains, or that make things nobody has examined.

use sea_orm::FromQueryResult;

use super::{Finding, Judged, rows};
use crate::{connection::Connection, error::Result};

// An owner's own rights are named by its owning.
const GRANTS: &str = r"
with granted (code, object, revoked_on, privilege, grantee, owner) as (
    select 'grant_' || lower(a.privilege_type), format('%I.%I', n.nspname, c.relname),
           format('table %I.%I', n.nspname, c.relname), a.privilege_type, a.grantee, c.relowner
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace,
    lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
    union all
    select 'grant_references', format('%I.%I.%I', n.nspname, c.relname, t.attname),
           format('table %I.%I', n.nspname, c.relname), format('REFERENCES (%I)', t.attname), a.grantee, c.relowner
    from pg_attribute t
    join pg_class c on c.oid = t.attrelid
    join pg_namespace n on n.oid = c.relnamespace,
    lateral aclexplode(t.attacl) a
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and a.privilege_type = 'REFERENCES'
    union all
    select 'grant_create', format('%I', n.nspname), format('schema %I', n.nspname),
           a.privilege_type, a.grantee, n.nspowner
    from pg_namespace n, lateral aclexplode(n.nspacl) a
    where a.privilege_type = 'CREATE'
    union all
    select 'grant_create', format('%I', d.datname), format('database %I', d.datname),
           a.privilege_type, a.grantee, d.datdba
    from pg_database d, lateral aclexplode(d.datacl) a
    where d.datname = current_database() and a.privilege_type = 'CREATE'
)
select code, object, revoked_on, privilege,
       case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as grantee
from granted
where grantee::bigint = any ($1::bigint[]) and grantee <> owner
order by object, code, grantee";

const DEFAULTS: &str = r"
select quote_ident(pg_get_userbyid(d.defaclrole)) as maker, n.nspname::text as schema, a.privilege_type as privilege,
       case d.defaclobjtype when 'n' then 'schemas' else 'tables' end as things,
       case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace,
lateral aclexplode(d.defaclacl) a
where (d.defaclobjtype = 'r' and a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
       or d.defaclobjtype = 'n' and a.privilege_type = 'CREATE')
  and a.grantee::bigint = any ($1::bigint[]) and a.grantee <> d.defaclrole
order by maker, schema, privilege, grantee";

#[derive(FromQueryResult)]
struct Grant {
    code: String,
    object: String,
    revoked_on: String,
    privilege: String,
    grantee: String,
}

#[derive(FromQueryResult)]
struct Default {
    maker: String,
    schema: Option<String>,
    privilege: String,
    things: String,
    grantee: String,
}

pub(super) async fn examine(transaction: &Connection, judged: &Judged, findings: &mut Vec<Finding>) -> Result<()> {
    for grant in rows::<Grant>(transaction, GRANTS, [judged.as_value()]).await? {
        let Grant {
            object,
            revoked_on,
            privilege,
            grantee,
            ..
        } = &grant;
        let (code, why) = match grant.code.as_str() {
            "grant_truncate" => ("grant_truncate", "which empties it of every tenant's rows"),
            "grant_references" => ("grant_references", "which tells whether rows of other tenants exist"),
            "grant_trigger" => ("grant_trigger", "which lets it act on the writes of others"),
            _ => ("grant_create", "which makes things that no policy guards"),
        };
        findings.push(Finding::new(
            code,
            object,
            format!("{grantee} holds {privilege} on it, {why}"),
            format!("revoke {} on {revoked_on} from {grantee}", privilege.to_lowercase()),
        ));
    }
    for default in rows::<Default>(transaction, DEFAULTS, [judged.as_value()]).await? {
        let Default {
            maker,
            schema,
            privilege,
            things,
            grantee,
        } = default;
        let place = schema.map_or_else(String::new, |schema| format!(" in schema {schema}"));
        findings.push(Finding::new(
            "default_privileges",
            &maker,
            format!("{grantee} will hold {privilege} on the {things} that {maker} makes{place}"),
            format!(
                "alter default privileges for role {maker}{place} revoke {} on {things} from {grantee}",
                privilege.to_lowercase()
            ),
        ));
    }
    Ok(())
}
