//! What single sign-on leaves behind on the way down, and what was checked before it.

use sqlx::AssertSqlSafe;
use tenantry_migrations::{down, names, up};
use tenantry_tests::database::{TestDatabase, connect};

use super::{super::tenants::refusal, steps};

#[tokio::test]
async fn without_single_sign_on_what_connections_vouched_for_is_gone_and_the_rest_is_not() {
    const ORGANIZATION: &str = "0192f8a0-0000-7000-8000-00000000000a";
    const USER: &str = "0192f8a0-0000-7000-8000-00000000001a";
    const CONNECTION: &str = "0192f8a0-0000-7000-8000-0000000000ea";
    const OF_PROVIDER: &str = "0192f8a0-0000-7000-8000-0000000000ca";
    const OF_CONNECTION: &str = "0192f8a0-0000-7000-8000-0000000000cb";
    const TO_PROVIDER: &str = "0192f8a0-0000-7000-8000-0000000000da";
    const TO_CONNECTION: &str = "0192f8a0-0000-7000-8000-0000000000db";
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    database
        .owner(format!(
            "insert into users (id, email, email_canonical, name, created_at, updated_at)
                 values ('{USER}', 'a@acme.example', 'a@acme.example', 'Ann', now(), now());
             insert into organizations (id, name, slug, region, created_at, updated_at)
                 values ('{ORGANIZATION}', 'Acme', 'acme', 'local', now(), now());
             insert into sign_on_policies (organization_id, mfa, mfa_grace_from, connection_id, issuer, client_id, client_secret,
                                           default_role, sso_required, session_max_age, version, created_at, updated_at)
                 values ('{ORGANIZATION}', 'everyone', now(), '{CONNECTION}', 'https://id.example', 'tenantry', sha256('s'),
                         null, true, 3600, 7, now(), now());
             insert into domains (organization_id, id, name, token, verified_at, created_at, updated_at)
                 values ('{ORGANIZATION}', gen_random_uuid(), 'acme.example', repeat('t', 16), now(), now(), now()),
                        ('{ORGANIZATION}', gen_random_uuid(), 'acme.test', repeat('t', 16), null, now(), now());
             insert into former_members (organization_id, user_id, created_at) values ('{ORGANIZATION}', '{USER}', now());
             insert into identities (user_id, id, provider, issuer, subject, connection_id, created_at)
                 values ('{USER}', '{OF_PROVIDER}', 'acme-id', 'https://id.example', 'one', null, now()),
                        ('{USER}', '{OF_CONNECTION}', '{ORGANIZATION}', 'https://id.example',
                         '{CONNECTION}/' || repeat('s', 512), '{CONNECTION}', now());
             insert into sessions (user_id, id, last_seen_at, expires_at, external_key, identity_id, created_at)
                 values ('{USER}', gen_random_uuid(), now(), now(), null, null, now()),
                        ('{USER}', gen_random_uuid(), now(), now(), sha256('s'), '{OF_PROVIDER}', now()),
                        ('{USER}', gen_random_uuid(), now(), now(), null, '{OF_CONNECTION}', now());
             insert into user_links (user_id, id, purpose, email_canonical, expires_at, created_at)
                 values ('{USER}', '{TO_PROVIDER}', 'confirm_identity', 'a@acme.example', now(), now()),
                        ('{USER}', '{TO_CONNECTION}', 'confirm_identity', 'a@acme.example', now(), now());
             insert into pending_identities (user_id, link_id, provider, issuer, subject, connection_id)
                 values ('{USER}', '{TO_PROVIDER}', 'acme-id', 'https://id.example', 'two', null),
                        ('{USER}', '{TO_CONNECTION}', '{ORGANIZATION}', 'https://id.example', '{CONNECTION}/two',
                         '{CONNECTION}');"
        ))
        .await;
    let single_sign_on: Vec<_> = names()
        .into_iter()
        .skip_while(|name| !name.contains("_000024_"))
        .collect();
    down(url, steps(single_sign_on.len()), true).await.unwrap();
    // A node of the version before would take what an organization's provider says for what everybody's does.
    for (table, count) in [
        ("sessions", 2),
        ("identities", 1),
        ("pending_identities", 1),
        ("user_links", 1),
    ] {
        assert_eq!(database.count(table).await, count, "{table}");
    }
    assert_eq!(
        database.count(&format!("identities where id = '{OF_PROVIDER}'")).await,
        1
    );
    assert_eq!(
        database
            .count(&format!("pending_identities where link_id = '{TO_PROVIDER}'"))
            .await,
        1
    );
    assert_eq!(
        database
            .count("sign_on_policies where mfa = 'everyone' and version = 7")
            .await,
        1
    );

    assert_eq!(up(url).await.unwrap(), single_sign_on);
    for table in ["domains", "former_members"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
    let without = "sign_on_policies where connection_id is null and issuer is null and client_id is null
                   and client_secret is null and default_role = 'member' and not sso_required and session_max_age is null";
    assert_eq!(database.count(without).await, 1);
    for table in ["identities", "pending_identities"] {
        let of_providers = format!("{table} where connection_id is null");
        assert_eq!(database.count(&of_providers).await, 1, "{table}");
    }
}

/// When a session ended it says why, and what is known by its key elsewhere is known by an identity.
#[tokio::test]
async fn what_was_checked_of_sessions_before_still_is() {
    const USER: &str = "0192f8a0-0000-7000-8000-00000000001a";
    let database = TestDatabase::new().await;
    database
        .owner(format!(
            "insert into users (id, email, email_canonical, name, created_at, updated_at)
                 values ('{USER}', 'a@example.org', 'a@example.org', 'Ann', now(), now())"
        ))
        .await;
    let mut owner = connect(database.owner_url()).await;
    for (revoked_at, external_key) in [("now()", "null"), ("null", "sha256('s')")] {
        let session = format!(
            "insert into sessions (user_id, id, last_seen_at, expires_at, revoked_at, external_key, created_at)
             values ('{USER}', gen_random_uuid(), now(), now(), {revoked_at}, {external_key}, now())"
        );
        let refused = sqlx::raw_sql(AssertSqlSafe(session)).execute(&mut owner).await;
        let refused = refusal(refused);
        assert!(refused.starts_with("23514"), "{revoked_at} {external_key}: {refused}");
    }
}
