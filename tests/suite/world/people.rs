//! The rows of people in an organization: those of members, colleagues, and who was one.

use tenantry_tests::database::TestDatabase;

use super::{Person, Tenant, new_id};

/// Makes somebody a member of this id, with a built-in role in the whole organization or with none.
pub(super) fn new_member(organization: &str, member: &str, user: &str, role: Option<&str>) -> String {
    let role = role.unwrap_or("none");
    format!(
        "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
         values ('{organization}', '{member}', '{user}', now(), now(), now());
         insert into grants (organization_id, id, member_id, role_id, created_at, updated_at)
         select organization_id, gen_random_uuid(), '{member}', id, now(), now() from roles
         where organization_id = '{organization}' and key = '{role}' and built_in;"
    )
}

/// Somebody of this name who has joined and does not sign in: the id of the membership, and what makes it.
pub(super) fn colleague(organization: &str, name: &str) -> (String, String) {
    let (user, member) = (new_id(), new_id());
    let joins = new_member(organization, &member, &user, Some("member"));
    let rows = format!(
        "insert into users (id, email, email_canonical, name, created_at, updated_at)
         values ('{user}', '{user}@example.com', '{user}@example.com', '{name}', now(), now());
         {joins}"
    );
    (member, rows)
}

/// Somebody who was a member once and is none any more.
pub(super) fn former_member(organization: &str) -> String {
    let user = new_id();
    format!(
        "insert into users (id, email, email_canonical, name, created_at, updated_at)
         values ('{user}', '{user}@example.com', '{user}@example.com', 'Former', now(), now());
         insert into former_members (organization_id, user_id, created_at) values ('{organization}', '{user}', now());"
    )
}

/// Gives somebody in `tenant` a built-in role on one workspace or one project of it.
pub(crate) async fn grant(database: &TestDatabase, tenant: &Tenant, person: &Person, role: &str, on: (&str, &str)) {
    let (column, id) = on;
    database
        .owner(format!(
            "insert into grants (organization_id, id, member_id, role_id, {column}, created_at, updated_at)
             select m.organization_id, gen_random_uuid(), m.id, r.id, '{id}', now(), now()
             from members m join roles r on r.organization_id = m.organization_id
             where m.organization_id = '{organization}' and m.user_id = '{user}' and r.key = '{role}' and r.built_in",
            organization = tenant.organization,
            user = person.id,
        ))
        .await;
}
