mod single_sign_on;

use tenantry_migrations::{Error, MigrationStatus, down, names, status, up};
use tenantry_tests::database::{TestDatabase, connect};

/// Everything that a migration can make or change, a line each.
const SCHEMA: &str = r"
with relation as (
    select c.*, c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
)
select format('schema %s %s %s', nspname, nspowner::regrole, nspacl::text) as line
from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
union all
select format('relation %s %s %s %s %s %s %s', name, relkind, relowner::regrole, relacl::text, reloptions::text,
              relrowsecurity, relforcerowsecurity)
from relation
union all
-- By its place among those that are there: a column that was dropped leaves its number behind.
select format('column %s.%s %s %s %s %s %s', r.name, a.attname,
              row_number() over (partition by r.oid order by a.attnum), format_type(a.atttypid, a.atttypmod),
              a.attnotnull, a.attacl::text, pg_get_expr(d.adbin, d.adrelid))
from relation r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
union all
select format('constraint %s on %s %s', k.conname, r.name, pg_get_constraintdef(k.oid))
from pg_constraint k join relation r on r.oid = k.conrelid
union all
select format('index %s', pg_get_indexdef(i.indexrelid)) from pg_index i join relation r on r.oid = i.indrelid
union all
select format('policy %s on %s %s %s %s %s %s', p.polname, r.name, p.polcmd, p.polpermissive,
              p.polroles::regrole[]::text, pg_get_expr(p.polqual, r.oid), pg_get_expr(p.polwithcheck, r.oid))
from pg_policy p join relation r on r.oid = p.polrelid
union all
select format('trigger %s', pg_get_triggerdef(t.oid))
from pg_trigger t join relation r on r.oid = t.tgrelid where not t.tgisinternal
union all
select format('function %s %s %s', p.proowner::regrole, p.proacl::text, pg_get_functiondef(p.oid))
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select format('type %s %s', t.typname, t.typowner::regrole)
from pg_type t join pg_namespace n on n.oid = t.typnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select format('defaults %s %s %s', defaclrole::regrole, defaclobjtype, defaclacl::text) from pg_default_acl
order by line";

async fn schema(database: &TestDatabase) -> Vec<String> {
    sqlx::query_scalar(SCHEMA)
        .fetch_all(&mut connect(database.owner_url()).await)
        .await
        .unwrap()
}

fn steps(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}

#[tokio::test]
async fn up_makes_what_up_after_any_down_makes() {
    let database = TestDatabase::unmigrated().await;
    let url = database.owner_url();
    assert_eq!(up(url).await.unwrap(), names());
    let made = schema(&database).await;
    assert!(
        made.iter().any(|line| line.starts_with("policy tenant on projects")),
        "{made:#?}"
    );
    for number in 1..=names().len() {
        let mut newest: Vec<_> = names().into_iter().rev().take(number).collect();
        assert_eq!(down(url, steps(number), false).await.unwrap(), newest);
        newest.reverse();
        assert_eq!(up(url).await.unwrap(), newest);
        let again = schema(&database).await;
        let moved: Vec<_> = made.iter().filter(|line| !again.contains(line)).collect();
        assert_eq!((moved, again.len()), (vec![], made.len()), "after {number} down");
    }
}

#[tokio::test]
async fn down_leaves_what_was_there_before_the_first_up() {
    let database = TestDatabase::unmigrated().await;
    let of_list = |line: &String| line.contains("seaql_migrations");
    let before = schema(&database).await;
    up(database.owner_url()).await.unwrap();
    down(database.owner_url(), steps(names().len()), false).await.unwrap();
    let mut after = schema(&database).await;
    assert!(after.iter().any(of_list));
    after.retain(|line| !of_list(line));
    // Giving a right and taking it back spells out what was implied.
    let implied = |lines: Vec<String>| -> Vec<String> {
        lines
            .into_iter()
            .filter(|line| !line.starts_with("schema public "))
            .collect()
    };
    assert_eq!(implied(after), implied(before));
}

#[tokio::test]
async fn up_twice_changes_nothing() {
    let database = TestDatabase::new().await;
    let before = schema(&database).await;
    assert_eq!(up(database.owner_url()).await.unwrap(), Vec::<String>::new());
    assert_eq!(schema(&database).await, before);
}

#[tokio::test]
async fn status_tells_and_changes_nothing() {
    let database = TestDatabase::unmigrated().await;
    let url = database.owner_url();
    let all = |applied| -> Vec<MigrationStatus> {
        names()
            .into_iter()
            .map(|name| MigrationStatus {
                name: name.to_owned(),
                applied,
            })
            .collect()
    };
    let before = schema(&database).await;
    assert_eq!(status(url).await.unwrap(), all(false));
    assert_eq!(schema(&database).await, before);
    up(url).await.unwrap();
    assert_eq!(status(url).await.unwrap(), all(true));
    down(url, 1, false).await.unwrap();
    assert_eq!(status(url).await.unwrap().last(), all(false).last());
}

#[tokio::test]
async fn down_refuses_on_data_unless_that_is_accepted() {
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    database
        .owner(
            "insert into organizations (id, name, slug, region, created_at, updated_at)
             values ('0192f8a0-0000-7000-8000-00000000000a', 'A', 'a', 'local', now(), now())",
        )
        .await;
    let before = schema(&database).await;
    // Even though the newest migration's tables are empty.
    let refused = down(url, 1, false).await;
    assert!(
        matches!(&refused, Err(Error::DataLoss { table }) if table == "public.organizations"),
        "{refused:?}"
    );
    assert_eq!(schema(&database).await, before);
    assert!(status(url).await.unwrap().iter().all(|migration| migration.applied));

    let all = names().len();
    assert_eq!(down(url, steps(all), true).await.unwrap().len(), all);
    assert!(status(url).await.unwrap().iter().all(|migration| !migration.applied));
}

#[tokio::test]
async fn down_takes_back_what_no_longer_has_an_owner() {
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    // What stays of somebody who deleted their account.
    database
        .owner(
            "insert into user_events (user_id, id, type, resource_type, resource_id, trace_id, created_at)
             values (gen_random_uuid(), gen_random_uuid(), 'user.deleted', 'user', gen_random_uuid(), repeat('0', 32), now())",
        )
        .await;
    let newer = names().iter().rev().position(|name| name.contains("_000012_")).unwrap();
    down(url, steps(newer + 1), true).await.unwrap();
    assert_eq!(database.count("user_events").await, 0);
    up(url).await.unwrap();
}

#[tokio::test]
async fn those_who_migrate_at_once_take_turns() {
    let database = TestDatabase::unmigrated().await;
    let url = database.owner_url();
    let (one, other) = tokio::join!(up(url), up(url));
    let mut applied = [one.unwrap(), other.unwrap()];
    applied.sort();
    let [none, all] = applied;
    assert_eq!(none, Vec::<String>::new());
    assert_eq!(all, names());
}

#[tokio::test]
async fn the_owner_is_no_superuser_and_makes_no_roles() {
    // The one that has migrated every database here.
    let database = TestDatabase::new().await;
    let role: (String, bool, bool, bool, bool) = sqlx::query_as(
        "select rolname::text, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls
         from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut connect(database.owner_url()).await)
    .await
    .unwrap();
    assert_eq!(role, ("tenantry_owner".to_owned(), false, false, false, false));
}

#[tokio::test]
async fn who_was_there_before_second_factors_has_the_time_of_the_founding_from_the_upgrade_on() {
    const ORGANIZATION: &str = "0192f8a0-0000-7000-8000-00000000000a";
    const USER: &str = "0192f8a0-0000-7000-8000-00000000001a";
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    let later: Vec<_> = names()
        .into_iter()
        .skip_while(|name| !name.contains("second_factors"))
        .collect();
    down(url, steps(later.len()), false).await.unwrap();
    database
        .owner(format!(
            "insert into users (id, email, email_canonical, name, created_at, updated_at)
                 values ('{USER}', 'a@example.org', 'a@example.org', 'Ann', now(), now());
             insert into sessions (user_id, id, last_seen_at, expires_at, created_at)
                 values ('{USER}', '{USER}', now(), now(), '2026-01-01 00:00:00+00');
             insert into organizations (id, name, slug, region, created_at, updated_at)
                 values ('{ORGANIZATION}', 'Acme', 'acme', 'local', '2026-01-01 00:00:00+00', now());"
        ))
        .await;
    assert_eq!(up(url).await.unwrap(), later);
    // As if they had not proven since their sign-in who they are, and used no second factor.
    let session = "sessions where authenticated_at = created_at and factor_used_at is null";
    assert_eq!(database.count(session).await, 1);
    // Nobody is refused on the day of the upgrade, and to clients it is as if nothing had been chosen.
    let policy = "sign_on_policies where mfa = 'admins' and version = 0 and created_at = '2026-01-01 00:00:00+00'
                  and updated_at = created_at and mfa_grace_from > now() - interval '1 hour'";
    assert_eq!(database.count(policy).await, 1);

    // On the way back nobody has one any more.
    database
        .owner(format!("update users set mfa_enabled = true where id = '{USER}'"))
        .await;
    down(url, steps(later.len()), true).await.unwrap();
    assert_eq!(database.count("users where not mfa_enabled and version = 2").await, 1);
}

#[tokio::test]
async fn without_passkeys_nothing_is_left_that_rests_on_them() {
    const ALONE: &str = "0192f8a0-0000-7000-8000-00000000001a";
    const WITH_APP: &str = "0192f8a0-0000-7000-8000-00000000001b";
    const APP_ALONE: &str = "0192f8a0-0000-7000-8000-00000000001c";
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    for (user, has_app, has_passkey) in [(ALONE, false, true), (WITH_APP, true, true), (APP_ALONE, true, false)] {
        database
            .owner(format!(
                "insert into users (id, email, email_canonical, name, mfa_enabled, created_at, updated_at)
                     values ('{user}', '{user}@example.org', '{user}@example.org', 'Ann', {has_app}, now(), now());
                 insert into sessions (user_id, id, last_seen_at, expires_at, factor_used_at, created_at)
                     values ('{user}', '{user}', now(), now(), now(), now()),
                            ('{user}', gen_random_uuid(), now(), now(), null, now());
                 insert into recovery_codes (user_id, code_hash, created_at)
                     values ('{user}', decode(repeat('00', 32), 'hex'), now()),
                            ('{user}', decode(repeat('11', 32), 'hex'), now());"
            ))
            .await;
        if has_passkey {
            database
                .owner(format!(
                    "insert into passkeys
                         (user_id, id, name, credential_id, credential, synced, created_at, updated_at)
                         values ('{user}', gen_random_uuid(), 'Phone', '{user}', '{{}}', true, now(), now()),
                                ('{user}', gen_random_uuid(), 'Key', '{user} too', '{{}}', false, now(), now());
                     insert into answered_challenges (user_id, challenge_hash, expires_at)
                         values ('{user}', decode(repeat('22', 32), 'hex'), now());"
                ))
                .await;
        }
    }
    let passkeys: Vec<_> = names()
        .into_iter()
        .skip_while(|name| !name.contains("_000020_"))
        .collect();
    down(url, steps(passkeys.len()), true).await.unwrap();
    // Who has no app has no second factor any more; who has one has used it as before.
    for (user, codes, used) in [(ALONE, 0, 0), (WITH_APP, 2, 1), (APP_ALONE, 2, 1)] {
        let of_user = format!("where user_id = '{user}'");
        assert_eq!(
            database.count(&format!("recovery_codes {of_user}")).await,
            codes,
            "{user}"
        );
        assert_eq!(database.count(&format!("sessions {of_user}")).await, 2, "{user}");
        let used_in = format!("sessions {of_user} and factor_used_at is not null");
        assert_eq!(database.count(&used_in).await, used, "{user}");
    }
    assert_eq!(database.count("users").await, 3);

    assert_eq!(up(url).await.unwrap(), passkeys);
    for table in ["passkeys", "answered_challenges"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn without_identities_their_links_are_gone_and_others_are_not() {
    const USER: &str = "0192f8a0-0000-7000-8000-00000000001a";
    const CONFIRMING: &str = "0192f8a0-0000-7000-8000-0000000000ca";
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    database
        .owner(format!(
            "insert into users (id, email, email_canonical, name, created_at, updated_at)
                 values ('{USER}', 'a@example.org', 'a@example.org', 'Ann', now(), now());
             insert into user_links (user_id, id, purpose, email_canonical, expires_at, created_at)
                 values ('{USER}', '{CONFIRMING}', 'confirm_identity', 'a@example.org', now(), now()),
                        ('{USER}', gen_random_uuid(), 'verify_email', 'a@example.org', now(), now()),
                        ('{USER}', gen_random_uuid(), 'reset_password', 'a@example.org', now(), now());
             insert into identities (user_id, id, provider, issuer, subject, created_at)
                 values ('{USER}', gen_random_uuid(), 'acme-id', 'https://id.example', 'one', now());
             insert into pending_identities (user_id, link_id, provider, issuer, subject)
                 values ('{USER}', '{CONFIRMING}', 'acme-id', 'https://id.example', 'two');"
        ))
        .await;
    let identities: Vec<_> = names()
        .into_iter()
        .skip_while(|name| !name.contains("_000021_"))
        .collect();
    down(url, steps(identities.len()), true).await.unwrap();
    assert_eq!(database.count("users").await, 1);
    assert_eq!(database.count("user_links").await, 2);
    let of_confirming = "user_links where purpose = 'confirm_identity'";
    assert_eq!(database.count(of_confirming).await, 0);

    assert_eq!(up(url).await.unwrap(), identities);
    for table in ["identities", "pending_identities"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn without_changes_of_addresses_their_links_are_gone_and_others_are_not() {
    const USER: &str = "0192f8a0-0000-7000-8000-00000000001a";
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    database
        .owner(format!(
            "insert into users (id, email, email_canonical, name, created_at, updated_at)
                 values ('{USER}', 'a@example.org', 'a@example.org', 'Ann', now(), now());
             insert into user_links (user_id, id, purpose, email_canonical, expires_at, created_at)
                 values ('{USER}', gen_random_uuid(), 'approve_email_change', 'a@example.org', now(), now()),
                        ('{USER}', gen_random_uuid(), 'prove_new_email', 'new@example.org', now(), now()),
                        ('{USER}', gen_random_uuid(), 'confirm_identity', 'a@example.org', now(), now()),
                        ('{USER}', gen_random_uuid(), 'verify_email', 'a@example.org', now(), now());
             insert into email_changes (user_id, id, email, email_canonical, awaits_current, awaits_new, expires_at,
                                        created_at, updated_at)
                 values ('{USER}', gen_random_uuid(), 'new@example.org', 'new@example.org', true, true, now(), now(), now());
             insert into known_devices (user_id, device, network, last_seen_at, created_at)
                 values ('{USER}', 'Firefox', '203.0.0.0/16', now(), now());"
        ))
        .await;
    let accounts: Vec<_> = names()
        .into_iter()
        .skip_while(|name| !name.contains("_000022_"))
        .collect();
    down(url, steps(accounts.len()), true).await.unwrap();
    // Nobody's address has changed by halves.
    assert_eq!(database.count("users where email = 'a@example.org'").await, 1);
    assert_eq!(database.count("user_links").await, 2);
    let of_changes = "user_links where purpose in ('approve_email_change', 'prove_new_email')";
    assert_eq!(database.count(of_changes).await, 0);

    assert_eq!(up(url).await.unwrap(), accounts);
    for table in ["email_changes", "known_devices"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn without_trusted_issuers_their_sessions_are_gone_and_others_are_not() {
    const USER: &str = "0192f8a0-0000-7000-8000-00000000001a";
    const IDENTITY: &str = "0192f8a0-0000-7000-8000-0000000000ca";
    let database = TestDatabase::new().await;
    let url = database.owner_url();
    database
        .owner(format!(
            "insert into users (id, email, email_canonical, name, sessions_ended_at, created_at, updated_at)
                 values ('{USER}', 'a@example.org', 'a@example.org', 'Ann', now(), now(), now());
             insert into identities (user_id, id, provider, issuer, subject, created_at)
                 values ('{USER}', '{IDENTITY}', 'acme-id', 'https://id.example', 'one', now());
             insert into sessions (user_id, id, last_seen_at, expires_at, revoked_at, revoked_because, external_key,
                                   identity_id, created_at)
                 values ('{USER}', '{USER}', now(), now(), null, null, null, null, now()),
                        ('{USER}', gen_random_uuid(), now(), now(), null, null, decode(repeat('00', 32), 'hex'),
                         '{IDENTITY}', now()),
                        ('{USER}', gen_random_uuid(), now(), now(), now(), 'revoked', decode(repeat('00', 32), 'hex'),
                         '{IDENTITY}', now());"
        ))
        .await;
    let external: Vec<_> = names()
        .into_iter()
        .skip_while(|name| !name.contains("_000023_"))
        .collect();
    down(url, steps(external.len()), true).await.unwrap();
    // A node of the version before would take them for sessions that were opened here.
    assert_eq!(database.count("sessions").await, 1);
    assert_eq!(database.count(&format!("sessions where id = '{USER}'")).await, 1);
    for table in ["users", "identities"] {
        assert_eq!(database.count(table).await, 1, "{table}");
    }

    assert_eq!(up(url).await.unwrap(), external);
    let own = "sessions where external_key is null and identity_id is null";
    assert_eq!(database.count(own).await, 1);
    assert_eq!(database.count("users where sessions_ended_at is null").await, 1);
}
