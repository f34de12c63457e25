//! The connected role, and every role whose rights it could take up.

use sea_orm::FromQueryResult;

use super::{Finding, Judged, RUNTIME, rows};
use crate::{connection::Connection, error::Result};

// Membership counts whether it is inherited or has to be taken up by SET ROLE.
const ROLES: &str = r"
with recursive reached (oid) as (
    select oid from pg_roles where rolname in (current_user, session_user)
    union
    select m.roleid from reached r join pg_auth_members m on m.member = r.oid
),
owned as (
    select d.refobjid as oid,
           pg_describe_object(d.classid, d.objid, d.objsubid) as thing
    from pg_shdepend d
    left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
    where d.deptype = 'o' and d.refclassid = 'pg_authid'::regclass
      and (d.dbid = (select oid from pg_database where datname = current_database())
           or d.classid = 'pg_database'::regclass
              and d.objid = (select oid from pg_database where datname = current_database()))
      and d.classid in ('pg_class'::regclass, 'pg_namespace'::regclass, 'pg_proc'::regclass, 'pg_database'::regclass)
      and c.relpersistence is distinct from 't'
)
select r.oid::bigint as oid, r.rolname::text as name, r.oid in (select oid from reached) as reached,
       r.rolname in (current_user, session_user) as connected,
       r.rolsuper as superuser, r.rolbypassrls as bypasses, r.rolcreaterole as creates_roles,
       r.rolreplication as replicates, r.rolname like 'pg\_%' as predefined,
       (select min(thing) from owned o where o.oid = r.oid) as owned,
       (select count(*) from owned o where o.oid = r.oid) as owned_count
from pg_roles r
where r.oid in (select oid from reached) or r.rolname = $1
order by connected desc, name";

const PRESET: &str = r"
select name, current_setting(name, true) as value
from unnest(array['app.organization_id', 'app.user_id']) as name
where nullif(current_setting(name, true), '') is not null";

#[derive(FromQueryResult)]
struct Role {
    oid: i64,
    name: String,
    reached: bool,
    connected: bool,
    superuser: bool,
    bypasses: bool,
    creates_roles: bool,
    replicates: bool,
    predefined: bool,
    owned: Option<String>,
    owned_count: i64,
}

#[derive(FromQueryResult)]
struct Preset {
    name: String,
    value: String,
}

pub(super) async fn examine(transaction: &Connection, findings: &mut Vec<Finding>) -> Result<Judged> {
    let roles: Vec<Role> = rows(transaction, ROLES, [RUNTIME.into()]).await?;
    let before = findings.len();
    for role in &roles {
        judge(role, findings);
    }
    let sound = findings.len() == before;
    if sound && !roles.iter().any(|role| role.name == RUNTIME && role.reached) {
        let connected = roles.iter().find(|role| role.connected);
        findings.push(Finding::new(
            "role_without_runtime",
            connected.map_or("current_user", |role| &role.name),
            format!("is no member of {RUNTIME}, whose rights and policies are those of a serving process"),
            format!("connect as a login that is granted {RUNTIME}"),
        ));
    }
    for Preset { name, value } in rows(transaction, PRESET, []).await? {
        findings.push(Finding::new(
            "setting_preset",
            &name,
            format!("is {value:?} before any transaction has set it, so what should see no rows sees those"),
            format!("reset {name} for the role, the database and the server"),
        ));
    }
    // Everybody's rights are those of role 0.
    let mut judged = vec![0];
    judged.extend(roles.iter().filter(|role| role.is_judged()).map(|role| role.oid));
    Ok(Judged(judged))
}

impl Role {
    fn is_judged(&self) -> bool {
        self.name == RUNTIME || !(self.superuser || self.bypasses || self.owned.is_some())
    }
}

fn judge(role: &Role, findings: &mut Vec<Finding>) {
    let name = &role.name;
    let (how, remedy) = if role.connected {
        (
            "",
            format!("connect as a login whose only right is to be a member of {RUNTIME}"),
        )
    } else if role.reached {
        (", and the connected role is a member of it", format!("revoke {name}"))
    } else {
        ("", format!("make {name} a role without rights of its own"))
    };
    let mut find = |code, problem: &str| findings.push(Finding::new(code, name, format!("{problem}{how}"), &remedy));
    if role.superuser {
        find("role_superuser", "is a superuser");
    }
    if role.bypasses {
        find("role_bypasses_rls", "bypasses row-level security");
    }
    if role.creates_roles {
        find("role_creates_roles", "may create roles, and so take up those of others");
    }
    if role.replicates {
        find(
            "role_replicates",
            "may replicate, and so read the changes of all tenants",
        );
    }
    if role.predefined {
        find("role_predefined", "has rights over the whole server");
    }
    if let Some(first) = &role.owned {
        let others = match role.owned_count - 1 {
            0 => String::new(),
            1 => " and another thing".to_owned(),
            more => format!(" and {more} other things"),
        };
        find("role_owns", &format!("owns {first}{others}"));
    }
}
