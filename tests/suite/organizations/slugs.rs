//! Slugs of organizations: given or derived, unique everywhere, some reserved.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{app::TestApp, client::text, database::TestDatabase};

use super::ORGANIZATIONS;

#[tokio::test]
async fn a_slug_is_derived_from_the_name_and_made_unique() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", None).await.client;
    let bob = app.client().register("Bob", None).await.client;
    let derived = async |name: &str| {
        let answer = ann.post(ORGANIZATIONS, &json!({ "name": name })).await;
        answer.expect(StatusCode::CREATED);
        text(&answer.data()["slug"])
    };
    for (name, slug) in [
        ("Acme Inc.", "acme-inc"),
        ("ACME  --  inc", "acme-inc-2"),
        ("  Acme/Inc  ", "acme-inc-3"),
        ("Crème Brûlée", "creme-brulee"),
        ("Straße 7", "strasse-7"),
        ("!!!", "item"),
        ("…", "item-2"),
        ("a", "a"),
    ] {
        // Three dots are read as dots, which are no letters.
        assert_eq!(derived(name).await, slug, "{name:?}");
    }
    for name in ["Москва", "東京", "مرحبا", "🦦"] {
        let slug = derived(name).await;
        assert!(
            !slug.is_empty()
                && slug
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            "{slug}"
        );
    }
    let long = "x".repeat(100);
    assert_eq!(derived(&long).await, "x".repeat(63));
    assert_eq!(derived(&long).await, format!("{}-2", "x".repeat(61)));

    // Unique among all tenants, and nobody is told whose the other is.
    let other = bob.post(ORGANIZATIONS, &json!({ "name": "Acme Inc" })).await;
    assert_eq!(other.data()["slug"], "acme-inc-4");
    let taken = bob
        .post(ORGANIZATIONS, &json!({ "name": "x", "slug": "acme-inc" }))
        .await;
    taken.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(taken.reason(), "slug_taken");
    let rename = bob
        .patch(&format!("{ORGANIZATIONS}/acme-inc-4"), &json!({ "slug": "acme-inc" }))
        .await;
    rename.expect_error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(rename.reason(), "slug_taken");

    // A given-up slug leads nowhere, and is free again.
    let moved = bob
        .patch(&format!("{ORGANIZATIONS}/acme-inc-4"), &json!({ "slug": "bobs" }))
        .await;
    assert_eq!(moved.data()["slug"], "bobs");
    bob.get(&format!("{ORGANIZATIONS}/acme-inc-4"))
        .await
        .expect(StatusCode::NOT_FOUND);
    bob.get(&format!("{ORGANIZATIONS}/bobs")).await.expect(StatusCode::OK);
    let freed = ann
        .post(ORGANIZATIONS, &json!({ "name": "x", "slug": "acme-inc-4" }))
        .await;
    freed.expect(StatusCode::CREATED);
    bob.get(&format!("{ORGANIZATIONS}/acme-inc-4"))
        .await
        .expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_no_slug_may_be_is_refused_and_never_derived() {
    let database = TestDatabase::new().await;
    let app = TestApp::start(&database).await;
    let ann = app.client().register("Ann", Some("Home")).await;
    let home = format!("{ORGANIZATIONS}/{}", ann.organization().await);
    for refused in [
        "www",
        "api",
        "docs",
        "admin",
        "app",
        "auth",                                 // reserved
        "01890a5d-ac96-774b-bcce-b302099a8057", // what a UUID parser accepts
        "01890a5dac96774bbcceb302099a8057",
        "xn--bcher-kva",
        "ab--cd",
        "",
        "-a",
        "a-",
        "A",
        "a b",
        "a_b",
        "a.b",
        "ä",
        "a\u{0}",
        "a/b",
        "..",
        "a\n",
        &"a".repeat(64),
    ] {
        let body = json!({ "name": "x", "slug": refused });
        ann.client.post(ORGANIZATIONS, &body).await.expect_refused(&["/slug"]);
        ann.client
            .patch(&home, &json!({ "slug": refused }))
            .await
            .expect_refused(&["/slug"]);
    }
    assert_eq!(database.count("organizations").await, 1);
    for name in [
        "www",
        "API",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "01890a5dac96774bbcceb302099a8057",
        "xn  bcher",
        "Auth",
    ] {
        let answer = ann.client.post(ORGANIZATIONS, &json!({ "name": name })).await;
        answer.expect(StatusCode::CREATED);
        let slug = text(&answer.data()["slug"]);
        // The derived slug would be taken as a given one, but for being taken.
        let again = ann
            .client
            .post(ORGANIZATIONS, &json!({ "name": "x", "slug": slug }))
            .await;
        again.expect_error(StatusCode::CONFLICT, "CONFLICT");
        assert_eq!(answer.data()["name"], Value::from(name));
    }
    for accepted in ["a", "0", "a-b", "a-b--c", &"a".repeat(63), "1234"] {
        let body = json!({ "name": "x", "slug": accepted });
        ann.client.post(ORGANIZATIONS, &body).await.expect(StatusCode::CREATED);
        ann.client
            .get(&format!("{ORGANIZATIONS}/{accepted}"))
            .await
            .expect(StatusCode::OK);
    }
}
