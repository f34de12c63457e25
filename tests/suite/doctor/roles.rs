//! The connected role: what it is, owns and could become.

use tenantry_tests::database::TestDatabase;

use super::{findings, found};

#[tokio::test]
async fn a_member_of_the_runtime_role_is_sound() {
    let database = TestDatabase::new().await;
    let (_, url) = database.login("in role tenantry_runtime").await;
    assert_eq!(findings(&url).await, []);
}

#[tokio::test]
async fn a_superuser() {
    let database = TestDatabase::new().await;
    let (name, url) = database.login("superuser").await;
    assert_eq!(found(&url).await, [("role_superuser".to_owned(), name)]);
}

#[tokio::test]
async fn the_superuser_of_the_server() {
    let database = TestDatabase::new().await;
    let codes: Vec<_> = findings(database.superuser_url())
        .await
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert!(
        codes.contains(&"role_superuser") && codes.contains(&"role_bypasses_rls"),
        "{codes:?}"
    );
    assert!(codes.iter().all(|code| code.starts_with("role_")), "{codes:?}");
}

#[tokio::test]
async fn a_role_that_bypasses_policies() {
    let database = TestDatabase::new().await;
    let codes: Vec<_> = findings(database.bypass_url())
        .await
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, ["role_bypasses_rls"]);
}

#[tokio::test]
async fn roles_with_rights_over_the_server() {
    let database = TestDatabase::new().await;
    for (attribute, code) in [("createrole", "role_creates_roles"), ("replication", "role_replicates")] {
        let (name, url) = database.login(&format!("{attribute} in role tenantry_runtime")).await;
        assert_eq!(found(&url).await, [(code.to_owned(), name)]);
    }
    let (_, url) = database.login("in role tenantry_runtime, pg_read_all_data").await;
    assert_eq!(
        found(&url).await,
        [("role_predefined".to_owned(), "pg_read_all_data".to_owned())]
    );
}

#[tokio::test]
async fn the_owner() {
    let database = TestDatabase::new().await;
    let found = found(database.owner_url()).await;
    let owns = |name: &str| ("role_owns".to_owned(), name.to_owned());
    assert_eq!(found, [owns("tenantry_lookup"), owns("tenantry_owner")]);
}

#[tokio::test]
async fn a_login_that_owns() {
    for thing in [
        "table projects",
        "schema lookup",
        "database {database}",
        "function lookup.my_organizations()",
    ] {
        let database = TestDatabase::new().await;
        let (name, url) = database.login("in role tenantry_runtime").await;
        let thing = thing.replace("{database}", database.name());
        database.superuser(format!("alter {thing} owner to {name}")).await;
        let found = found(&url).await;
        assert!(
            found.contains(&("role_owns".to_owned(), name.clone())),
            "{thing}: {found:?}"
        );
        let unrelated = found
            .iter()
            .find(|(code, subject)| *subject != name && code != "function_owner");
        assert_eq!(unrelated, None, "{thing}");
    }
}

#[tokio::test]
async fn a_member_of_a_member_that_it_does_not_inherit_from() {
    let database = TestDatabase::new().await;
    let finding = |code: &str, subject: &str| (code.to_owned(), subject.to_owned());
    // What it does not inherit it cannot use, the rights of the runtime role included.
    let not_serving = finding("pending_migrations", "lookup.applied_migrations()");
    for (role, code) in [("superuser", "role_superuser"), ("bypassrls", "role_bypasses_rls")] {
        let top = database.role(&format!("nologin {role}")).await;
        let middle = database.role(&format!("nologin in role {top}")).await;
        let (_, url) = database
            .login(&format!("noinherit in role tenantry_runtime, {middle}"))
            .await;
        assert_eq!(found(&url).await, [not_serving.clone(), finding(code, &top)]);
    }
    let middle = database.role("nologin in role tenantry_owner").await;
    let (_, url) = database
        .login(&format!("noinherit in role tenantry_runtime, {middle}"))
        .await;
    assert_eq!(
        found(&url).await,
        [
            not_serving,
            finding("role_owns", "tenantry_lookup"),
            finding("role_owns", "tenantry_owner"),
        ]
    );
}

#[tokio::test]
async fn a_member_of_the_lookup_role() {
    let database = TestDatabase::new().await;
    let (_, url) = database.login("in role tenantry_runtime, tenantry_lookup").await;
    assert_eq!(
        found(&url).await,
        [("role_owns".to_owned(), "tenantry_lookup".to_owned())]
    );
}

#[tokio::test]
async fn rights_and_policies_of_a_group() {
    let database = TestDatabase::new().await;
    let group = database.role("nologin").await;
    let (_, url) = database.login(&format!("in role tenantry_runtime, {group}")).await;
    database
        .superuser(format!(
            "grant truncate on projects to {group}; create policy more on roles to {group} using (true)"
        ))
        .await;
    assert_eq!(
        found(&url).await,
        [
            ("grant_truncate".to_owned(), "public.projects".to_owned()),
            ("policy_open".to_owned(), "more on public.roles".to_owned()),
        ]
    );
    // The login of the shipped schema is no member of that group.
    assert_eq!(findings(database.runtime_url()).await, []);
}

#[tokio::test]
async fn a_login_without_the_runtime_role() {
    let database = TestDatabase::new().await;
    let (name, url) = database.login("").await;
    assert_eq!(
        found(&url).await,
        [
            (
                "pending_migrations".to_owned(),
                "lookup.applied_migrations()".to_owned()
            ),
            ("role_without_runtime".to_owned(), name),
        ]
    );
}
