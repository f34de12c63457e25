//! The look-up functions, one by one: the right answer, no column more, nothing for who may not ask.

use serde_json::{Value, json};

use super::tenants::{
    INVITATION_A, INVITATION_B, ORGANIZATION_A, ORGANIZATION_B, PROJECT_A, Runtime, USER_A, USER_B, WORKSPACE_A,
    database, refusal,
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
async fn free_organization_slug() {
    let database = database().await;
    database
        .owner("update organizations set status = 'deleted', deleted_at = now() where slug = 'organization-b'")
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
        "mfa": "admins",
        "mfa_grace_from": "2026-01-01T00:00:00+00:00",
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
    // What is deleted can be restored: by whom, the program decides.
    database
        .owner("update organizations set status = 'deleted', deleted_at = now()")
        .await;
    let deleted = answer(&mut runtime, Some(USER_A), &by_id).await;
    assert_eq!((&deleted[0]["status"], deleted.len()), (&json!("deleted"), 1));
    database
        .owner("update organizations set status = 'active', deleted_at = null; update members set status = 'inactive'")
        .await;
    assert_eq!(answer(&mut runtime, Some(USER_A), &by_id).await, [] as [Value; 0]);
    database
        .owner("update members set status = 'active'; delete from grants")
        .await;
    let rows = answer(&mut runtime, Some(USER_A), &by_id).await;
    assert_eq!(rows[0]["grants"], json!([]));

    let policy = async |runtime: &mut Runtime| {
        let rows = answer(runtime, Some(USER_A), &by_id).await;
        (rows[0]["mfa"].clone(), rows[0]["mfa_grace_from"].clone())
    };
    // Another tenant's policy is another's.
    database
        .owner(format!(
            "update sign_on_policies set mfa = 'everyone', mfa_grace_from = '2026-01-02 00:00:00+00'
             where organization_id = '{ORGANIZATION_B}'"
        ))
        .await;
    let of_a = (json!("admins"), json!("2026-01-01T00:00:00+00:00"));
    assert_eq!(policy(&mut runtime).await, of_a);
    database.owner("update sign_on_policies set mfa = 'everyone'").await;
    let everyone = (json!("everyone"), of_a.1);
    assert_eq!(policy(&mut runtime).await, everyone);
    // Where nothing was ever chosen: the default, from the founding on.
    database
        .owner("delete from sign_on_policies; update organizations set created_at = '2026-02-03 04:05:06.789+00'")
        .await;
    let default = (json!("admins"), json!("2026-02-03T04:05:06.789+00:00"));
    assert_eq!(policy(&mut runtime).await, default);
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
    database
        .owner("update organizations set status = 'deleted', deleted_at = now()")
        .await;
    assert_eq!(
        answer(&mut runtime, Some(USER_B), "lookup.my_organizations()")
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn my_memberships() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let rows = answer(&mut runtime, Some(USER_B), "lookup.my_memberships()").await;
    assert_eq!(rows.len(), 1);
    let mut row = rows[0].clone();
    for moment in ["joined_at", "created_at", "updated_at"] {
        assert!(row.as_object_mut().unwrap().remove(moment).unwrap().is_string());
    }
    assert_eq!(
        row,
        json!({
            "id": "0192f8a0-0000-7000-8000-00000000006b",
            "organization_id": ORGANIZATION_B,
            "name": "Organization b",
            "slug": "organization-b",
            "status": "active",
            "plan": "free",
            "role_id": "0192f8a0-0000-7000-8000-00000000005b",
            "role_key": "owner",
            "role_name": "Owner",
        })
    );
    for nobody in [Some(""), None] {
        assert_eq!(
            answer(&mut runtime, nobody, "lookup.my_memberships()").await,
            [] as [Value; 0]
        );
    }
    database
        .owner(
            "update organizations set status = 'suspended';
             update grants set workspace_id = w.id from workspaces w where w.organization_id = grants.organization_id",
        )
        .await;
    let rows = answer(&mut runtime, Some(USER_B), "lookup.my_memberships()").await;
    assert_eq!(
        (&rows[0]["status"], &rows[0]["role_id"]),
        (&json!("suspended"), &Value::Null)
    );
    for gone in [
        "update members set status = 'inactive'",
        "update members set status = 'active'; update organizations set status = 'deleted', deleted_at = now()",
    ] {
        database.owner(gone).await;
        let rows = answer(&mut runtime, Some(USER_B), "lookup.my_memberships()").await;
        assert_eq!(rows, [] as [Value; 0], "{gone}");
    }
}

#[tokio::test]
async fn my_current_organization() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let call = "lookup.my_current_organization() as current";
    let is = |id: Value| [json!({ "current": id })];
    assert_eq!(answer(&mut runtime, Some(USER_A), call).await, is(Value::Null));
    // Whatever the row holds: it counts for a member alone.
    database
        .owner(format!("update users set current_organization_id = '{ORGANIZATION_A}'"))
        .await;
    assert_eq!(
        answer(&mut runtime, Some(USER_A), call).await,
        is(json!(ORGANIZATION_A))
    );
    for other in [Some(USER_B), Some(""), None] {
        assert_eq!(answer(&mut runtime, other, call).await, is(Value::Null), "{other:?}");
    }
    for gone in [
        "update members set status = 'inactive'",
        "update members set status = 'active'; update organizations set status = 'deleted', deleted_at = now()",
        "update organizations set status = 'active', deleted_at = null; delete from members",
    ] {
        database.owner(gone).await;
        assert_eq!(
            answer(&mut runtime, Some(USER_A), call).await,
            is(Value::Null),
            "{gone}"
        );
    }
}

#[tokio::test]
async fn organizations_to_leave() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let call = "lookup.organizations_to_leave() as id";
    database
        .owner(format!(
            "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             values ('{ORGANIZATION_A}', gen_random_uuid(), '{USER_B}', now(), now(), now());
             update members set status = 'inactive'; update organizations set status = 'deleted', deleted_at = now()"
        ))
        .await;
    // Whether or not they count, in the order of their ids.
    let both = [json!({ "id": ORGANIZATION_A }), json!({ "id": ORGANIZATION_B })];
    assert_eq!(answer(&mut runtime, Some(USER_B), call).await, both);
    assert_eq!(answer(&mut runtime, Some(USER_A), call).await, both[..1]);
    for nobody in [Some(""), None] {
        assert_eq!(answer(&mut runtime, nobody, call).await, [] as [Value; 0]);
    }
}

#[tokio::test]
async fn projects_and_workspaces_named() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for (table, id) in [("projects", PROJECT_A), ("workspaces", WORKSPACE_A)] {
        // Of both tenants' rows, which are called alike, the tenant's own; of nobody's, none.
        for (organization, pattern, ids) in [
            (Some(ORGANIZATION_A), "%P%", Value::Null),
            (Some(ORGANIZATION_A), "%pac%", json!([WORKSPACE_A])),
            (Some(ORGANIZATION_A), "%roj%", json!([PROJECT_A])),
            (Some(ORGANIZATION_A), "% A", Value::Null),
            (Some(ORGANIZATION_A), "%none%", json!([])),
            (Some(ORGANIZATION_B), "%project a%", json!([])),
            (Some(ORGANIZATION_B), "%workspace a%", json!([])),
            (Some(""), "%roj%", json!([])),
            (None, "%pac%", json!([])),
        ] {
            let of_table = ids.as_array().is_none_or(|ids| ids.is_empty() || ids[0] == id);
            let expected = if of_table { ids } else { json!([]) };
            let sql = format!("select lookup.{table}_named('{pattern}') as ids");
            let rows = runtime.ask(Some(USER_A), organization, &sql).await.unwrap();
            assert_eq!(rows, [json!({ "ids": expected })], "{organization:?} {table} {pattern}");
        }
        let sql = format!("select lookup.{table}_named(null) as ids");
        let rows = runtime.ask(Some(USER_A), Some(ORGANIZATION_A), &sql).await.unwrap();
        assert_eq!(rows, [json!({ "ids": null })]);
    }
    for (count, told) in [(1000, true), (1001, false)] {
        let many = format!(
            "delete from projects where name ~ 'Many';
             insert into projects (organization_id, id, workspace_id, name, slug, created_at, updated_at)
             select '{ORGANIZATION_A}', gen_random_uuid(), '{WORKSPACE_A}', 'Many ' || i, 'many-' || i, now(), now()
             from generate_series(1, {count}) i"
        );
        database.owner(many).await;
        let sql = "select cardinality(lookup.projects_named('%many%')) as count";
        let rows = runtime.ask(Some(USER_A), Some(ORGANIZATION_A), sql).await.unwrap();
        let expected = if told { json!(count) } else { Value::Null };
        assert_eq!(rows, [json!({ "count": expected })]);
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
