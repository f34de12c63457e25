//! The look-up functions about organizations, and what people have and find in them.

use serde_json::{Value, json};

use super::{
    super::tenants::{ORGANIZATION_A, ORGANIZATION_B, PROJECT_A, Runtime, USER_A, USER_B, WORKSPACE_A, database},
    answer,
};

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
        // For nodes of the version before.
        "mfa": "admins",
        "mfa_grace_from": "2026-01-01T00:00:00+00:00",
        "sign_on": {
            "mfa": "admins",
            "mfa_grace_from": 1_767_225_600_000_i64,
            "session_max_age": null,
            "connection": null,
        },
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
        let sign_on = &rows[0]["sign_on"];
        (sign_on["mfa"].clone(), sign_on["mfa_grace_from"].clone())
    };
    // Another tenant's policy is another's.
    database
        .owner(format!(
            "update sign_on_policies set mfa = 'everyone', mfa_grace_from = '2026-01-02 00:00:00+00'
             where organization_id = '{ORGANIZATION_B}'"
        ))
        .await;
    let of_a = (json!("admins"), json!(1_767_225_600_000_i64));
    assert_eq!(policy(&mut runtime).await, of_a);
    database.owner("update sign_on_policies set mfa = 'everyone'").await;
    let everyone = (json!("everyone"), of_a.1);
    assert_eq!(policy(&mut runtime).await, everyone);
    // Where nothing was ever chosen: the default, from the founding on.
    database
        .owner("delete from sign_on_policies; update organizations set created_at = '2026-02-03 04:05:06.789+00'")
        .await;
    let default = (json!("admins"), json!(1_770_091_506_789_i64));
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
