//! The role of the look-up functions: it sees every tenant's rows, so it may do nothing but be asked.

use sea_orm::FromQueryResult;

use super::{Finding, LOOKUP, rows};
use crate::{connection::Connection, error::Result};

const ROLE: &str = r"
select r.rolcanlogin as logs_in, r.rolsuper as superuser, r.rolbypassrls as bypasses,
       (select min(pg_get_userbyid(m.roleid)::text) from pg_auth_members m where m.member = r.oid) as member_of
from pg_roles r
where r.rolname = $1";

// The schema of its functions is the one place where it may create.
const WRITES: &str = r"
with granted (object, privilege, grantee) as (
    select format('%I.%I', n.nspname, c.relname), a.privilege_type, a.grantee
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace,
    lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and a.privilege_type <> 'SELECT'
    union all
    select format('%I.%I.%I', n.nspname, c.relname, t.attname), a.privilege_type, a.grantee
    from pg_attribute t
    join pg_class c on c.oid = t.attrelid
    join pg_namespace n on n.oid = c.relnamespace,
    lateral aclexplode(t.attacl) a
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and a.privilege_type <> 'SELECT'
    union all
    select format('%I', n.nspname), a.privilege_type, a.grantee
    from pg_namespace n, lateral aclexplode(n.nspacl) a
    where n.nspname <> 'lookup' and a.privilege_type = 'CREATE'
)
select object, string_agg(lower(privilege), ', ' order by privilege) as privileges
from granted
where grantee in (select oid from pg_roles where rolname = $1)
group by object
order by object";

#[derive(FromQueryResult)]
pub(super) struct LookupRole {
    pub(super) logs_in: bool,
    pub(super) superuser: bool,
    pub(super) bypasses: bool,
    pub(super) member_of: Option<String>,
}

#[derive(FromQueryResult)]
struct Write {
    object: String,
    privileges: String,
}

pub(super) async fn examine(transaction: &Connection, findings: &mut Vec<Finding>) -> Result<()> {
    for role in rows::<LookupRole>(transaction, ROLE, [LOOKUP.into()]).await? {
        judge(&role, findings);
    }
    for Write { object, privileges } in rows(transaction, WRITES, [LOOKUP.into()]).await? {
        findings.push(Finding::new(
            "lookup_role_writes",
            &object,
            format!("{LOOKUP}, which sees the rows of all tenants, holds {privileges} on it"),
            format!("revoke {privileges} from {LOOKUP}"),
        ));
    }
    Ok(())
}

pub(super) fn judge(role: &LookupRole, findings: &mut Vec<Finding>) {
    let mut find = |code, problem: &str, remedy| findings.push(Finding::new(code, LOOKUP, problem, remedy));
    if role.logs_in {
        find(
            "lookup_role_logs_in",
            "can log in",
            format!("alter role {LOOKUP} nologin"),
        );
    }
    if role.superuser {
        find(
            "lookup_role_superuser",
            "is a superuser",
            format!("alter role {LOOKUP} nosuperuser"),
        );
    }
    if role.bypasses {
        let remedy = format!("alter role {LOOKUP} nobypassrls");
        find("lookup_role_bypasses_rls", "bypasses row-level security", remedy);
    }
    if let Some(other) = &role.member_of {
        let remedy = format!("revoke {other} from {LOOKUP}");
        find("lookup_role_member", &format!("is a member of {other}"), remedy);
    }
}
