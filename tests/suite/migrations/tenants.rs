//! Two tenants, A and B, alike to the last row; and how to ask as a serving process does.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tenantry_tests::database::{TestDatabase, connect};

/// Numbers that end in the tenant's letter; the digit before it tells what they are of.
pub(super) const ORGANIZATION_A: &str = "0192f8a0-0000-7000-8000-00000000000a";
pub(super) const ORGANIZATION_B: &str = "0192f8a0-0000-7000-8000-00000000000b";
pub(super) const USER_A: &str = "0192f8a0-0000-7000-8000-00000000001a";
pub(super) const USER_B: &str = "0192f8a0-0000-7000-8000-00000000001b";
pub(super) const WORKSPACE_A: &str = "0192f8a0-0000-7000-8000-00000000002a";
pub(super) const PROJECT_A: &str = "0192f8a0-0000-7000-8000-00000000004a";
pub(super) const INVITATION_A: &str = "0192f8a0-0000-7000-8000-0000000000da";
pub(super) const INVITATION_B: &str = "0192f8a0-0000-7000-8000-0000000000db";
pub(super) const WORKSPACE_B: &str = "0192f8a0-0000-7000-8000-00000000002b";

const TENANT: &str = "
    insert into users (id, email, email_canonical, name, created_at, updated_at)
        values ('…1@', '@@example.org', '@@example.org', 'User @', now(), now());
    insert into credentials values ('…1@', 'hash @', now(), now());
    insert into sessions (user_id, id, last_seen_at, expires_at, created_at) values ('…1@', '…3@', now(), now(), now());
    insert into refresh_tokens (token_hash, user_id, session_id, expires_at, created_at)
        values (sha256('@'), '…1@', '…3@', now(), now());
    insert into organizations (id, name, slug, region, created_at, updated_at)
        values ('…0@', 'Organization @', 'organization-@', 'local', now(), now());
    insert into workspaces (organization_id, id, name, slug, is_default, created_at, updated_at)
        values ('…0@', '…2@', 'Workspace @', 'default', true, now(), now());
    insert into projects (organization_id, id, workspace_id, name, slug, created_by, created_at, updated_at)
        values ('…0@', '…4@', '…2@', 'Project @', 'project', '…1@', now(), now());
    insert into roles (organization_id, id, key, name, built_in, created_at, updated_at)
        values ('…0@', '…5@', 'owner', 'Owner', true, now(), now());
    insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
        values ('…0@', '…6@', '…1@', now(), now(), now());
    insert into grants (organization_id, id, member_id, role_id, created_at, updated_at)
        values ('…0@', '…7@', '…6@', '…5@', now(), now());
    insert into idempotency_records values ('…0@', '…1@', sha256('s'), sha256('f'), '{}', now(), now());
    insert into user_idempotency_records values ('…1@', sha256('s'), sha256('f'), '{}', now(), now());
    insert into events (organization_id, id, type, resource_type, resource_id, trace_id, created_at)
        values ('…0@', '…8@', 'project.created', 'project', '…4@', repeat('0', 32), now());
    insert into user_events (user_id, id, type, resource_type, resource_id, trace_id, created_at)
        values ('…1@', '…9@', 'user.registered', 'user', '…1@', repeat('0', 32), now());
    insert into user_jobs (user_id, id, kind, payload, trace_id, due_at, created_at)
        values ('…1@', '…a@', 'mail', '{}', repeat('0', 32), '2100-01-01 00:00:00+00', now());
    insert into organization_jobs (organization_id, id, kind, payload, trace_id, due_at, created_at)
        values ('…0@', '…b@', 'mail', '{}', repeat('0', 32), '2100-01-01 00:00:00+00', now());
    insert into user_links (user_id, id, purpose, email_canonical, expires_at, created_at)
        values ('…1@', '…c@', 'verify_email', '@@example.org', now(), now());
    insert into invitations (organization_id, id, email, email_canonical, role_id, workspace_id, invited_by, expires_at,
                             created_at, updated_at)
        values ('…0@', '…d@', '@@example.net', '@@example.net', '…5@', '…2@', '…6@', '2026-01-08 00:00:00+00',
                '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00');
    insert into second_factors (user_id, totp_secret, created_at, updated_at) values ('…1@', sha256('@'), now(), now());
    insert into recovery_codes (user_id, code_hash, created_at) values ('…1@', sha256('@'), now());
    insert into trusted_devices (user_id, id, token_hash, last_used_at, expires_at, created_at)
        values ('…1@', '…e@', sha256('@'), now(), now(), now());
    insert into passkeys (user_id, id, name, credential_id, credential, synced, created_at, updated_at)
        values ('…1@', '…f@', 'Key', sha256('@'), '{}', false, now(), now());
    insert into answered_challenges (user_id, challenge_hash, expires_at) values ('…1@', sha256('@'), now());
    insert into identities (user_id, id, provider, issuer, subject, created_at)
        values ('…1@', gen_random_uuid(), 'acme-id', 'https://id.example', 'subject @', now());
    insert into pending_identities (user_id, link_id, provider, issuer, subject)
        values ('…1@', '…c@', 'acme-id', 'https://id.example', 'another subject @');
    insert into email_changes (user_id, id, email, email_canonical, awaits_current, awaits_new, expires_at, created_at,
                               updated_at)
        values ('…1@', gen_random_uuid(), 'New @', 'new @', true, true, now(), now(), now());
    insert into known_devices (user_id, device, network, last_seen_at, created_at)
        values ('…1@', 'Firefox', '203.0.0.0/16', now(), now());
    insert into sign_on_policies (organization_id, mfa_grace_from, created_at, updated_at)
        values ('…0@', '2026-01-01 00:00:00+00', now(), now());
    insert into domains (organization_id, id, name, token, verified_at, created_at, updated_at)
        values ('…0@', gen_random_uuid(), '@.example', repeat('t', 16), now(), now(), now());
    insert into former_members (organization_id, user_id, created_at) values ('…0@', '…1@', now());
";

/// Every table, but for the list of migrations.
pub(super) const TABLES: [&str; 30] = [
    "users",
    "credentials",
    "sessions",
    "refresh_tokens",
    "organizations",
    "workspaces",
    "projects",
    "roles",
    "members",
    "grants",
    "idempotency_records",
    "user_idempotency_records",
    "events",
    "user_events",
    "user_jobs",
    "organization_jobs",
    "user_links",
    "invitations",
    "second_factors",
    "recovery_codes",
    "trusted_devices",
    "passkeys",
    "answered_challenges",
    "identities",
    "pending_identities",
    "email_changes",
    "known_devices",
    "sign_on_policies",
    "domains",
    "former_members",
];

/// A database with both tenants.
pub(super) async fn database() -> TestDatabase {
    let database = TestDatabase::new().await;
    for letter in ["a", "b"] {
        let tenant = TENANT
            .replace('…', "0192f8a0-0000-7000-8000-0000000000")
            .replace("@@", &format!("{letter}@"));
        // What is left of the marks is the letter, but for the one in an address.
        let tenant = tenant
            .replace(&format!("{letter}@example"), "\u{0}")
            .replace('@', letter);
        database
            .owner(tenant.replace('\u{0}', &format!("{letter}@example")))
            .await;
    }
    database
}

/// A connection of the runtime role.
pub(super) struct Runtime(PgConnection);

impl Runtime {
    pub(super) async fn connect(database: &TestDatabase) -> Self {
        Self(connect(database.runtime_url()).await)
    }

    /// Runs `sql` in a transaction for `user` in `organization`, as a request does, and gives its rows as JSON.
    pub(super) async fn ask(
        &mut self,
        user: Option<&str>,
        organization: Option<&str>,
        sql: &str,
    ) -> sqlx::Result<Vec<serde_json::Value>> {
        let mut transaction = self.begin(user, organization).await?;
        let sql = format!("with answer as ({sql}) select to_jsonb(answer) from answer");
        // Under no name: a pooler may be in between.
        let rows = sqlx::query_scalar(AssertSqlSafe(sql))
            .persistent(false)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(rows)
    }

    /// Runs a statement likewise and gives the number of rows it has changed.
    pub(super) async fn change(
        &mut self,
        user: Option<&str>,
        organization: Option<&str>,
        sql: &str,
    ) -> sqlx::Result<u64> {
        let mut transaction = self.begin(user, organization).await?;
        let done = transaction.execute(AssertSqlSafe(sql.to_owned())).await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }

    async fn begin(
        &mut self,
        user: Option<&str>,
        organization: Option<&str>,
    ) -> sqlx::Result<sqlx::Transaction<'_, sqlx::Postgres>> {
        let mut begin = "begin".to_owned();
        for (setting, value) in [("app.user_id", user), ("app.organization_id", organization)] {
            if let Some(value) = value {
                begin.push_str(&format!("; set local {setting} = '{value}'"));
            }
        }
        self.0.begin_with(AssertSqlSafe(begin)).await
    }
}

/// The code with which PostgreSQL refused.
pub(super) fn refusal<T: std::fmt::Debug>(outcome: sqlx::Result<T>) -> String {
    match outcome.unwrap_err() {
        sqlx::Error::Database(refusal) => format!("{} {}", refusal.code().unwrap(), refusal.message()),
        other => other.to_string(),
    }
}
