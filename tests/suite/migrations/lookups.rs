//! The look-up functions, one by one: the right answer, no column more, nothing for who may not ask.

mod organizations;
mod single_sign_on;

use serde_json::{Value, json};

use super::tenants::{
    INVITATION_A, INVITATION_B, ORGANIZATION_A, ORGANIZATION_B, Runtime, USER_A, USER_B, database, refusal,
};

/// What the runtime role is answered when it asks for `user`.
async fn answer(runtime: &mut Runtime, user: Option<&str>, call: &str) -> Vec<Value> {
    runtime.ask(user, None, &format!("select * from {call}")).await.unwrap()
}

#[tokio::test]
async fn applied_migrations() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let names: Vec<Value> = tenantry_migrations::names()
        .iter()
        .map(|name| json!({ "applied": name }))
        .collect();
    assert_eq!(
        answer(&mut runtime, None, "lookup.applied_migrations() as applied").await,
        names
    );
}

#[tokio::test]
async fn credentials_by_email() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    assert_eq!(
        answer(&mut runtime, None, "lookup.credentials_by_email('a@example.org')").await,
        [json!({ "user_id": USER_A, "password_hash": "hash a" })]
    );
    for unknown in ["'A@example.org'", "'%'", "''", "null"] {
        let call = format!("lookup.credentials_by_email({unknown})");
        assert_eq!(answer(&mut runtime, None, &call).await, [] as [Value; 0], "{unknown}");
    }
}

#[tokio::test]
async fn user_by_refresh_token() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for (hash, user) in [
        ("sha256('b')", json!(USER_B)),
        ("sha256('c')", Value::Null),
        ("null", Value::Null),
    ] {
        let call = format!("lookup.user_by_refresh_token({hash}) as user_id");
        assert_eq!(
            answer(&mut runtime, None, &call).await,
            [json!({ "user_id": user })],
            "{hash}"
        );
    }
}

#[tokio::test]
async fn user_by_email() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for (email, user) in [
        ("'a@example.org'", json!(USER_A)),
        ("'A@example.org'", Value::Null),
        ("'%'", Value::Null),
        ("null", Value::Null),
    ] {
        let call = format!("lookup.user_by_email({email}) as user_id");
        assert_eq!(
            answer(&mut runtime, None, &call).await,
            [json!({ "user_id": user })],
            "{email}"
        );
    }
}

#[tokio::test]
async fn user_by_identity() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for (issuer, subject, user) in [
        ("'https://id.example'", "'subject a'", json!(USER_A)),
        ("'https://id.example'", "'subject b'", json!(USER_B)),
        // What another issuer says, or the same by other letters, is of somebody else; what waits for its link, of nobody.
        ("'https://id.example/'", "'subject a'", Value::Null),
        ("'https://other.example'", "'subject a'", Value::Null),
        ("'https://id.example'", "'Subject a'", Value::Null),
        ("'https://id.example'", "'another subject a'", Value::Null),
        ("'https://id.example'", "'%'", Value::Null),
        ("'https://id.example'", "null", Value::Null),
        ("null", "'subject a'", Value::Null),
    ] {
        let call = format!("lookup.user_by_identity({issuer}, {subject}) as user_id");
        assert_eq!(
            answer(&mut runtime, None, &call).await,
            [json!({ "user_id": user })],
            "{issuer} {subject}"
        );
    }
}

#[tokio::test]
async fn user_by_link() {
    let database = database().await;
    let link = "0192f8a0-0000-7000-8000-0000000000c1";
    database
        .owner(format!(
            "insert into user_links (user_id, id, purpose, email_canonical, expires_at, created_at)
             values ('{USER_B}', '{link}', 'verify_email', 'b@example.org', now(), now())"
        ))
        .await;
    let mut runtime = Runtime::connect(&database).await;
    for (id, user) in [
        (format!("'{link}'"), json!(USER_B)),
        (format!("'{USER_B}'"), Value::Null),
        ("null".to_owned(), Value::Null),
    ] {
        let call = format!("lookup.user_by_link({id}) as user_id");
        assert_eq!(
            answer(&mut runtime, None, &call).await,
            [json!({ "user_id": user })],
            "{id}"
        );
    }
}

#[tokio::test]
async fn due_jobs() {
    let database = database().await;
    let job = |number: u32| format!("0192f8a0-0000-7000-8000-0000000000d{number}");
    for (number, user, due, dead) in [
        (1, USER_B, "2026-01-01 00:00:02", "null"),
        (2, USER_A, "2026-01-01 00:00:01", "null"),
        (3, USER_A, "2026-01-01 00:00:03", "null"),
        (4, USER_A, "2026-01-01 00:00:00", "now()"),
    ] {
        database
            .owner(format!(
                "insert into user_jobs (user_id, id, kind, payload, trace_id, due_at, dead_at, created_at)
                 values ('{user}', '{}', 'mail', '{{\"secret\": 1}}', repeat('a', 32), '{due}+00', {dead}, now())",
                job(number)
            ))
            .await;
    }
    database
        .owner(format!(
            "insert into organization_jobs (organization_id, id, kind, payload, trace_id, due_at, created_at)
             values ('{ORGANIZATION_B}', '{}', 'mail', '{{\"secret\": 1}}', repeat('a', 32), '2026-01-01 00:00:01.5+00', now())",
            job(5)
        ))
        .await;
    let mut runtime = Runtime::connect(&database).await;
    let (first, between, second) = (
        json!({ "user_id": USER_A, "organization_id": null, "id": job(2) }),
        json!({ "user_id": null, "organization_id": ORGANIZATION_B, "id": job(5) }),
        json!({ "user_id": USER_B, "organization_id": null, "id": job(1) }),
    );
    for (at, most, due) in [
        ("2026-01-01 00:00:02", 10, vec![first.clone(), between, second]),
        ("2026-01-01 00:00:02", 1, vec![first]),
        ("2026-01-01 00:00:00", 10, vec![]),
    ] {
        let call = format!("lookup.due_jobs('{at}+00', {most})");
        assert_eq!(answer(&mut runtime, None, &call).await, due, "{at} {most}");
    }
}

#[tokio::test]
async fn invitation() {
    let database = database().await;
    database
        .owner("update organizations set status = 'deleted', deleted_at = now() where slug = 'organization-b'")
        .await;
    let mut runtime = Runtime::connect(&database).await;
    assert_eq!(
        answer(&mut runtime, None, &format!("lookup.invitation('{INVITATION_A}')")).await,
        [json!({
            "organization_id": ORGANIZATION_A,
            "organization_name": "Organization a",
            "email": "a@example.net",
            "workspace_name": "Workspace a",
            "role_id": "0192f8a0-0000-7000-8000-00000000005a",
            "role_key": "owner",
            "role_name": "Owner",
            "invited_by_name": "User a",
            "expires_at": "2026-01-08T00:00:00+00:00",
            "created_at": "2026-01-01T00:00:00+00:00",
            "updated_at": "2026-01-01T00:00:00+00:00",
        })]
    );
    // Of a deleted organization, of nothing.
    for unknown in [
        format!("'{INVITATION_B}'"),
        format!("'{ORGANIZATION_A}'"),
        "null".to_owned(),
    ] {
        let call = format!("lookup.invitation({unknown})");
        assert_eq!(answer(&mut runtime, None, &call).await, [] as [Value; 0], "{unknown}");
    }
}

#[tokio::test]
async fn nobody_but_the_runtime_role_may_ask() {
    let database = database().await;
    let (name, url) = database.login("").await;
    database
        .superuser(format!("grant usage on schema lookup to {name}"))
        .await;
    let mut stranger = tenantry_tests::database::connect(&url).await;
    for call in [
        "applied_migrations()",
        "credentials_by_email('a@example.org')",
        "user_by_refresh_token(sha256('a'))",
        "user_by_identity('https://id.example', 'subject a')",
        "sign_on_connection(null)",
        "sign_on_of_domain('a.example')",
        "my_single_sign_on()",
        "free_organization_slug('{a}')",
        "membership(null, 'organization-a')",
        "my_organizations()",
        "my_memberships()",
        "my_current_organization()",
        "organizations_to_leave()",
        "projects_named('%a%')",
        "workspaces_named('%a%')",
    ] {
        let sql = format!("select * from lookup.{call}");
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut stranger).await;
        assert!(refusal(refused).starts_with("42501"), "{call}");
    }
}
