//! Functions that run with their owner's rights: each is listed, belongs to the look-up role, and finds its tables by a
//! search path that no caller chooses.

use sea_orm::FromQueryResult;

use super::{Finding, LOOKUP, RUNTIME, rows};
use crate::{connection::Connection, error::Result};

/// Every function that may run with other rights than its caller's: what it takes, and what it tells.
const LISTED: [(&str, &str); 19] = [
    ("lookup.applied_migrations()", "SETOF text"),
    (
        "lookup.credentials_by_email(text)",
        "TABLE(user_id uuid, password_hash text)",
    ),
    (
        "lookup.due_jobs(timestamp with time zone,integer)",
        "TABLE(user_id uuid, organization_id uuid, id uuid)",
    ),
    ("lookup.free_organization_slug(text[])", "text"),
    (
        "lookup.invitation(uuid)",
        "TABLE(organization_id uuid, organization_name text, email text, workspace_name text, role_id uuid, \
         role_key text, role_name text, invited_by_name text, expires_at timestamp with time zone, \
         created_at timestamp with time zone, updated_at timestamp with time zone)",
    ),
    (
        "lookup.membership(uuid,text)",
        "TABLE(organization_id uuid, status text, member_id uuid, last_seen_at timestamp with time zone, grants jsonb, \
         mfa text, mfa_grace_from timestamp with time zone, sign_on jsonb)",
    ),
    ("lookup.my_current_organization()", "uuid"),
    (
        "lookup.my_memberships()",
        "TABLE(id uuid, organization_id uuid, name text, slug text, status text, plan text, role_id uuid, \
         role_key text, role_name text, joined_at timestamp with time zone, created_at timestamp with time zone, \
         updated_at timestamp with time zone)",
    ),
    (
        "lookup.my_organizations()",
        "TABLE(id uuid, name text, slug text, status text, plan text, region text, isolation text, settings jsonb, \
         version bigint, created_at timestamp with time zone, updated_at timestamp with time zone)",
    ),
    (
        "lookup.my_single_sign_on()",
        "TABLE(organization_id uuid, is_active boolean, connection_id uuid, is_owner boolean)",
    ),
    ("lookup.organizations_to_leave()", "SETOF uuid"),
    ("lookup.projects_named(text)", "uuid[]"),
    (
        "lookup.sign_on_connection(uuid)",
        "TABLE(organization_name text, connection_id uuid, issuer text, client_id text, client_secret bytea)",
    ),
    (
        "lookup.sign_on_of_domain(text)",
        "TABLE(organization_id uuid, organization_name text, connection_id uuid, default_role text, sso_required boolean)",
    ),
    ("lookup.user_by_email(text)", "uuid"),
    ("lookup.user_by_identity(text,text)", "uuid"),
    ("lookup.user_by_link(uuid)", "uuid"),
    ("lookup.user_by_refresh_token(bytea)", "uuid"),
    ("lookup.workspaces_named(text)", "uuid[]"),
];

/// The paths that name no schema in which others than the owner make things.
const FIXED_PATHS: [&str; 4] = [
    "pg_catalog, public",
    "pg_catalog, public, pg_temp",
    "pg_catalog",
    "pg_catalog, pg_temp",
];

const FUNCTIONS: &str = r"
select p.oid::regprocedure::text as signature, pg_get_function_result(p.oid) as result,
       pg_get_userbyid(p.proowner)::text as owner,
       (select substr(c, 13) from unnest(p.proconfig) c where c like 'search\_path=%') as search_path,
       exists (
           select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0
       ) as for_everybody
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by signature";

#[derive(FromQueryResult)]
struct Function {
    signature: String,
    /// None of a procedure.
    result: Option<String>,
    owner: String,
    search_path: Option<String>,
    for_everybody: bool,
}

pub(super) async fn examine(transaction: &Connection, findings: &mut Vec<Finding>) -> Result<()> {
    for function in rows::<Function>(transaction, FUNCTIONS, []).await? {
        judge(&function, findings);
    }
    Ok(())
}

fn judge(function: &Function, findings: &mut Vec<Finding>) {
    let Function { signature, owner, .. } = function;
    let mut find = |code, problem: &str, remedy| findings.push(Finding::new(code, signature, problem, remedy));
    let path = function.search_path.as_deref();
    if !path.is_some_and(|path| FIXED_PATHS.contains(&path)) {
        let problem = match path {
            None => "is SECURITY DEFINER and leaves the search path to its caller".to_owned(),
            Some(path) => format!("is SECURITY DEFINER with the search path {path}"),
        };
        let remedy = format!("alter function {signature} set search_path = pg_catalog, public");
        find("function_without_search_path", &problem, remedy);
    }
    match LISTED.iter().find(|(listed, _)| listed == signature) {
        None => {
            let remedy = format!("drop it, or alter function {signature} security invoker");
            find(
                "function_not_listed",
                "is SECURITY DEFINER and none of the listed look-ups",
                remedy,
            );
            return;
        }
        Some((_, result)) if function.result.as_deref() != Some(result) => {
            let problem = format!("does not return {result}, as the listed look-up does");
            find(
                "function_not_listed",
                &problem,
                "create it again as its migration does".to_owned(),
            );
        }
        Some(_) => {}
    }
    if owner != LOOKUP {
        let problem = format!("runs with the rights of {owner} and not of {LOOKUP}");
        find(
            "function_owner",
            &problem,
            format!("alter function {signature} owner to {LOOKUP}"),
        );
    }
    if function.for_everybody {
        let remedy = format!("revoke all on function {signature} from public");
        find(
            "function_granted_to_public",
            &format!("may be called by others than {RUNTIME}"),
            remedy,
        );
    }
}
