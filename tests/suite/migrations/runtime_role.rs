use serde_json::json;
use sqlx::Row as _;

use super::tenants::{
    ORGANIZATION_A, ORGANIZATION_B, Runtime, TABLES, USER_A, USER_B, WORKSPACE_A, WORKSPACE_B, database, refusal,
};

const AS_A: (Option<&str>, Option<&str>) = (Some(USER_A), Some(ORGANIZATION_A));

#[tokio::test]
async fn without_settings_there_are_no_rows() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for table in TABLES {
        let sql = format!("select 1 from {table}");
        assert_eq!(
            runtime.ask(None, None, &sql).await.unwrap().len(),
            0,
            "{table}, settings unset"
        );
        assert_eq!(
            runtime.ask(Some(""), Some(""), &sql).await.unwrap().len(),
            0,
            "{table}, settings empty"
        );
        // The settings of this connection have had values by now, and are empty rather than unset.
        assert_eq!(
            runtime.ask(AS_A.0, AS_A.1, &sql).await.unwrap().len(),
            1,
            "{table}, settings made"
        );
        assert_eq!(
            runtime.ask(None, None, &sql).await.unwrap().len(),
            0,
            "{table}, settings made and gone"
        );
    }
}

#[tokio::test]
async fn nothing_of_the_settings_is_left_after_a_transaction() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let settings = "select current_setting('app.user_id', true) as user, \
                    current_setting('app.organization_id', true) as organization";
    assert_eq!(
        runtime.ask(AS_A.0, AS_A.1, settings).await.unwrap(),
        [json!({ "user": USER_A, "organization": ORGANIZATION_A })]
    );
    assert_eq!(
        runtime.ask(None, None, settings).await.unwrap(),
        [json!({ "user": "", "organization": "" })]
    );
    let refused = runtime.ask(AS_A.0, AS_A.1, "select 1 / 0").await;
    assert!(refusal(refused).starts_with("22012"));
    assert_eq!(
        runtime.ask(None, None, settings).await.unwrap(),
        [json!({ "user": "", "organization": "" })]
    );
}

#[tokio::test]
async fn one_sees_ones_own_rows_alone() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for table in TABLES {
        let (key, own) = match table {
            "users" => ("id", USER_A),
            "organizations" => ("id", ORGANIZATION_A),
            "credentials" | "sessions" | "refresh_tokens" => ("user_id", USER_A),
            "second_factors" | "recovery_codes" | "trusted_devices" => ("user_id", USER_A),
            "passkeys" | "answered_challenges" | "identities" | "pending_identities" => ("user_id", USER_A),
            "email_changes" | "known_devices" => ("user_id", USER_A),
            _ if table.starts_with("user_") => ("user_id", USER_A),
            _ => ("organization_id", ORGANIZATION_A),
        };
        let rows = runtime
            .ask(AS_A.0, AS_A.1, &format!("select {key} as key from {table}"))
            .await
            .unwrap();
        assert_eq!(rows, [json!({ "key": own })], "{table}");
    }
}

#[tokio::test]
async fn co_members_are_seen_and_not_changed() {
    let database = database().await;
    database
        .owner(format!(
            "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             values ('{ORGANIZATION_A}', gen_random_uuid(), '{USER_B}', now(), now(), now())"
        ))
        .await;
    let mut runtime = Runtime::connect(&database).await;
    let people = "select name from users order by name";
    let both = [json!({ "name": "User a" }), json!({ "name": "User b" })];
    assert_eq!(runtime.ask(AS_A.0, AS_A.1, people).await.unwrap(), both);
    assert_eq!(runtime.ask(AS_A.0, None, people).await.unwrap(), both[..1]);
    assert_eq!(
        runtime.ask(Some(USER_B), Some(ORGANIZATION_B), people).await.unwrap(),
        both[1..]
    );
    let rename = format!("update users set name = 'x' where id = '{USER_B}'");
    assert_eq!(runtime.change(AS_A.0, AS_A.1, &rename).await.unwrap(), 0);
    let password = format!("update credentials set password_hash = 'x' where user_id = '{USER_B}'");
    assert_eq!(runtime.change(AS_A.0, AS_A.1, &password).await.unwrap(), 0);
}

#[tokio::test]
async fn rows_of_others_are_neither_changed_nor_deleted() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for (table, column) in [
        ("projects", "name"),
        ("workspaces", "name"),
        ("roles", "name"),
        ("members", "status"),
        ("grants", "updated_at"),
        ("domains", "verified_at"),
    ] {
        let others = format!("where organization_id = '{ORGANIZATION_B}'");
        let change = format!("update {table} set {column} = {column} {others}");
        assert_eq!(runtime.change(AS_A.0, AS_A.1, &change).await.unwrap(), 0, "{table}");
        let delete = format!("delete from {table} {others}");
        assert_eq!(runtime.change(AS_A.0, AS_A.1, &delete).await.unwrap(), 0, "{table}");
    }
}

#[tokio::test]
async fn a_person_deletes_themselves_alone() {
    let database = database().await;
    database
        .owner(format!(
            "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             values ('{ORGANIZATION_A}', gen_random_uuid(), '{USER_B}', now(), now(), now())"
        ))
        .await;
    let mut runtime = Runtime::connect(&database).await;
    // A co-member is seen, and not deleted; a member at all stays, wherever.
    for (who, sql) in [
        (AS_A.0, format!("delete from users where id = '{USER_B}'")),
        (AS_A.0, format!("delete from user_events where user_id = '{USER_B}'")),
        (None, "delete from users".to_owned()),
        (None, "delete from user_events".to_owned()),
    ] {
        assert_eq!(runtime.change(who, AS_A.1, &sql).await.unwrap(), 0, "{sql}");
    }
    let refused = refusal(runtime.change(AS_A.0, AS_A.1, "delete from users").await);
    assert!(refused.starts_with("23503"), "{refused}");
    database.owner("delete from members").await;
    assert_eq!(runtime.change(AS_A.0, AS_A.1, "delete from users").await.unwrap(), 1);
    assert_eq!(database.count("users").await, 1);
    assert_eq!(database.count("projects where created_by is null").await, 1);
    // The policy that shows them lets nobody take what is theirs for their own.
    let taken = format!("update users set current_organization_id = '{ORGANIZATION_A}' where id = '{USER_A}'");
    assert_eq!(runtime.change(Some(USER_B), None, &taken).await.unwrap(), 0);
}

#[tokio::test]
async fn a_row_for_another_organization_is_refused_by_the_policy() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let project = project(ORGANIZATION_B, WORKSPACE_B);
    let refused = refusal(runtime.change(AS_A.0, AS_A.1, &project).await);
    assert!(
        refused.starts_with("42501") && refused.contains("row-level security"),
        "{refused}"
    );
    let moved = format!("update projects set organization_id = '{ORGANIZATION_B}', workspace_id = '{WORKSPACE_B}'");
    let refused = refusal(runtime.change(AS_A.0, AS_A.1, &moved).await);
    assert!(
        refused.starts_with("42501") && refused.contains("row-level security"),
        "{refused}"
    );
    let event = format!(
        "insert into user_events (user_id, id, type, resource_type, resource_id, trace_id, created_at)
         values ('{USER_B}', gen_random_uuid(), 'user.updated', 'user', '{USER_B}', repeat('0', 32), now())"
    );
    let refused = refusal(runtime.change(AS_A.0, AS_A.1, &event).await);
    assert!(
        refused.starts_with("42501") && refused.contains("row-level security"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_row_cannot_point_into_another_organization() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    assert_eq!(
        runtime
            .change(AS_A.0, AS_A.1, &project(ORGANIZATION_A, WORKSPACE_A))
            .await
            .unwrap(),
        1
    );
    let crossing = project(ORGANIZATION_A, WORKSPACE_B);
    let refused = refusal(runtime.change(AS_A.0, AS_A.1, &crossing).await);
    assert!(refused.starts_with("23503"), "{refused}");
    // Nor when no policy stands in the way.
    let mut bypass = tenantry_tests::database::connect(database.bypass_url()).await;
    let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(crossing)).execute(&mut bypass).await;
    assert!(refusal(refused).starts_with("23503"));
}

#[tokio::test]
async fn what_is_not_granted_is_refused() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let id = format!("'{ORGANIZATION_A}'");
    for sql in [
        "truncate projects".to_owned(),
        "truncate user_events".to_owned(),
        "create table mine (id uuid)".to_owned(),
        "create schema mine".to_owned(),
        "create temporary table mine (id uuid)".to_owned(),
        "alter table projects disable row level security".to_owned(),
        "drop policy tenant on projects".to_owned(),
        "drop table projects".to_owned(),
        "select * from seaql_migrations".to_owned(),
        "set role tenantry_owner".to_owned(),
        "set role tenantry_lookup".to_owned(),
        "update events set type = 'a.b'".to_owned(),
        "delete from events".to_owned(),
        "delete from organizations".to_owned(),
        format!("update users set id = {id}"),
        format!("update organizations set id = {id}, plan = 'enterprise'"),
        "update organizations set plan = 'enterprise'".to_owned(),
        "update organizations set max_seats = 100".to_owned(),
        "update invitations set role_id = gen_random_uuid()".to_owned(),
        format!("update refresh_tokens set user_id = {id}"),
        "update identities set issuer = 'https://other.example'".to_owned(),
        "update identities set subject = 'another'".to_owned(),
        "update pending_identities set subject = 'another'".to_owned(),
        format!("update email_changes set user_id = {id}"),
        format!("update known_devices set user_id = {id}"),
        "update known_devices set device = 'another'".to_owned(),
        "update identities set connection_id = null".to_owned(),
        "update pending_identities set connection_id = null".to_owned(),
        format!("update domains set organization_id = {id}"),
        "update domains set name = 'another.example'".to_owned(),
        "update domains set token = repeat('x', 16)".to_owned(),
        format!("update sign_on_policies set organization_id = {id}"),
        "update sign_on_policies set mfa_grace_from = now()".to_owned(),
        "delete from sign_on_policies".to_owned(),
        "update former_members set created_at = now()".to_owned(),
        "delete from former_members".to_owned(),
    ] {
        let refused = refusal(runtime.change(AS_A.0, AS_A.1, &sql).await);
        assert!(refused.starts_with("42501"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn the_owner_is_held_by_its_own_policy_and_bypass_by_none() {
    let database = database().await;
    for (url, seen) in [
        (database.owner_url(), 2_i64),
        (database.bypass_url(), 2),
        (database.runtime_url(), 0),
    ] {
        let mut connection = tenantry_tests::database::connect(url).await;
        // In one message: a pooler may be in between.
        let counted = sqlx::raw_sql("select count(*) from projects")
            .fetch_one(&mut connection)
            .await;
        assert_eq!(counted.unwrap().get::<i64, _>(0), seen);
    }
    // The policy of the look-ups holds for the members of their role, and the owner is one.
    database
        .owner("drop policy owner_all on projects; drop policy lookup on projects")
        .await;
    let mut owner = tenantry_tests::database::connect(database.owner_url()).await;
    let count: i64 = sqlx::query_scalar("select count(*) from projects")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(count, 0);
}

fn project(organization: &str, workspace: &str) -> String {
    format!(
        "insert into projects (organization_id, id, workspace_id, name, slug, created_at, updated_at)
         values ('{organization}', gen_random_uuid(), '{workspace}', 'New', 'new-' || gen_random_uuid(), now(), now())"
    )
}
