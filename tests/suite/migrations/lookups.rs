//! The look-up functions, one by one: the right answer, no column more, nothing for who may not ask.

use serde_json::{Value, json};

use super::tenants::{ORGANIZATION_A, ORGANIZATION_B, Runtime, USER_A, USER_B, database, refusal};

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
async fn free_organization_slug() {
    let database = database().await;
    database
        .owner("update organizations set status = 'deleted' where slug = 'organization-b'")
        .await;
    let mut runtime = Runtime::connect(&database).await;
    for (candidates, free) in [
        ("'{new,newer}'", json!("new")),
        // Taken, by a deleted organization too; the order is the caller's.
        ("'{organization-a,organization-b,z,b}'", json!("z")),
        ("'{organization-a}'", Value::Null),
        ("'{}'", Value::Null),
    ] {
        let call = format!("lookup.free_organization_slug({candidates}) as slug");
        assert_eq!(
            answer(&mut runtime, None, &call).await,
            [json!({ "slug": free })],
            "{candidates}"
        );
    }
}

#[tokio::test]
async fn membership() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let by_id = format!("lookup.membership('{ORGANIZATION_A}', null)");
    let by_slug = "lookup.membership(null, 'organization-a')";
    let expected = json!({
        "organization_id": ORGANIZATION_A,
        "status": "active",
        "member_id": "0192f8a0-0000-7000-8000-00000000006a",
        "last_seen_at": null,
        "grants": [{
            "workspace_id": null,
            "project_id": null,
            "role_id": "0192f8a0-0000-7000-8000-00000000005a",
            "key": "owner",
            "name": "Owner",
            "permissions": null,
            "built_in": true,
        }],
    });
    for call in [by_id.as_str(), by_slug] {
        assert_eq!(
            answer(&mut runtime, Some(USER_A), call).await,
            std::slice::from_ref(&expected),
            "{call}"
        );
        for stranger in [Some(USER_B), Some(""), None] {
            assert_eq!(
                answer(&mut runtime, stranger, call).await,
                [] as [Value; 0],
                "{call} by {stranger:?}"
            );
        }
    }
    for gone in [
        "update organizations set status = 'deleted' where slug = 'organization-a'",
        "update organizations set status = 'active'; update members set status = 'inactive'",
    ] {
        database.owner(gone).await;
        assert_eq!(
            answer(&mut runtime, Some(USER_A), &by_id).await,
            [] as [Value; 0],
            "{gone}"
        );
    }
    database
        .owner("update members set status = 'active'; delete from grants")
        .await;
    let rows = answer(&mut runtime, Some(USER_A), &by_id).await;
    assert_eq!(rows[0]["grants"], json!([]));
}

#[tokio::test]
async fn my_organizations() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let rows = answer(&mut runtime, Some(USER_B), "lookup.my_organizations()").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["id"], ORGANIZATION_B);
    let mut columns: Vec<_> = rows[0].as_object().unwrap().keys().map(String::as_str).collect();
    columns.sort_unstable();
    assert_eq!(
        columns,
        [
            "created_at",
            "id",
            "isolation",
            "name",
            "plan",
            "region",
            "settings",
            "slug",
            "status",
            "updated_at",
            "version"
        ]
    );
    for nobody in [Some(""), None] {
        assert_eq!(
            answer(&mut runtime, nobody, "lookup.my_organizations()").await,
            [] as [Value; 0]
        );
    }
    database.owner("update organizations set status = 'suspended'").await;
    assert_eq!(
        answer(&mut runtime, Some(USER_B), "lookup.my_organizations()")
            .await
            .len(),
        1
    );
    database.owner("update organizations set status = 'deleted'").await;
    assert_eq!(
        answer(&mut runtime, Some(USER_B), "lookup.my_organizations()")
            .await
            .len(),
        0
    );
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
        "free_organization_slug('{a}')",
        "membership(null, 'organization-a')",
        "my_organizations()",
    ] {
        let sql = format!("select * from lookup.{call}");
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut stranger).await;
        assert!(refusal(refused).starts_with("42501"), "{call}");
    }
}
