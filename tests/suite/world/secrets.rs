//! What people prove themselves by, made beside the API: links as they are mailed, codes as an app shows them, trusted devices.

use secrecy::ExposeSecret as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tenantry::system::SystemSource;
use tenantry_auth::{
    mailed_links,
    recovery_codes::RecoveryCode,
    second_step,
    totp::TotpSecret,
    vault::{Purpose, Vault},
};
use tenantry_domain::{
    ids::{InvitationId, LinkId, UserId},
    links::LinkPurpose,
};
use tenantry_tests::{app::keyring, authenticator::Authenticator, database::connect};

use super::{
    Person, Tenant,
    email_changes::{email_change, new_address},
    identities::pending_identity,
};
use crate::operations::{Meaning, Operation};

impl Tenant {
    /// The secret of an invitation of somebody into the second organization, whose address is confirmed.
    async fn invitation_link(&self, person: &Person) -> String {
        let id = InvitationId::new(&SystemSource::environment());
        let rows = format!(
            "{verified}
             insert into invitations (organization_id, id, email, email_canonical, role_id, invited_by, expires_at,
                                      created_at, updated_at)
             select m.organization_id, '{id}', '{email}', lower('{email}'), r.id, m.id, now() + interval '10 years', now(), now()
             from members m join roles r on r.organization_id = m.organization_id and r.key = 'viewer'
             where m.organization_id = '{organization}' and m.user_id = '{sender}'
             on conflict (organization_id, email_canonical) do update set id = excluded.id",
            verified = verified(&person.id),
            email = person.email,
            organization = self.second_organization,
            sender = self.owner.id,
        );
        self.sql(&rows).await;
        mailed_links::invitation_secret(&keyring(), id)
            .expose_secret()
            .to_owned()
    }

    /// The secret of a link as it is mailed to somebody for what an operation does.
    pub(super) async fn link(&self, person: &Person, operation: &str) -> String {
        let purpose = match operation {
            "previewInvitation" | "acceptInvitation" => return self.invitation_link(person).await,
            "verifyEmail" => LinkPurpose::VerifyEmail,
            "resetPassword" => LinkPurpose::ResetPassword,
            "confirmIdentity" => {
                self.sql(&verified(&person.id)).await;
                LinkPurpose::ConfirmIdentity
            }
            "confirmEmailChange" => LinkPurpose::ProveNewEmail,
            _ => panic!("{operation} takes a link of which nobody knows what it is for"),
        };
        let link = LinkId::new(&SystemSource::environment());
        self.sql(&user_link(person, purpose, &link.to_string())).await;
        mailed_links::secret(&keyring(), purpose, link)
            .expose_secret()
            .to_owned()
    }

    /// Takes the second factors away that somebody had or made for an operation: by the password alone they sign in to the next.
    pub(crate) async fn take_second_factors(&self, operation: &Operation, person: &Person) {
        let makes_some = [Meaning::Code, Meaning::Passkey, Meaning::Answered];
        if !makes_some.into_iter().any(|made| operation.has(made)) && operation.name != "setUpTotp" {
            return;
        }
        let user = &person.id;
        self.sql(&format!(
            "update users set mfa_enabled = false where id = '{user}';
             delete from second_factors where user_id = '{user}';
             delete from recovery_codes where user_id = '{user}';
             delete from passkeys where user_id = '{user}';
             update sessions set factor_used_at = null where user_id = '{user}'"
        ))
        .await;
    }

    /// Runs statements as the owner of the schema.
    pub(super) async fn sql(&self, statements: &str) {
        let mut owner = connect(&self.owner_url).await;
        owner.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
        owner.close().await.unwrap();
    }

    /// A code of somebody's second factor, which they have for as long as [`mend`](Self::mend) lets them: for the operation that
    /// confirms one, of one that is not confirmed.
    pub(super) async fn code(&self, person: &Person, operation: &str) -> String {
        let environment = SystemSource::environment();
        let secret = TotpSecret::generate(&environment);
        let vault = Vault::new(keyring(), keyring());
        let user: UserId = person.id.parse().unwrap();
        let sealed = vault
            .seal(Purpose::Totp, user.as_uuid(), secret.as_bytes(), &environment)
            .unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let confirmed = if operation == "confirmTotp" { "null" } else { "now()" };
        let recovery_code = RecoveryCode::generate(&environment);
        self.sql(&format!(
            "insert into second_factors (user_id, totp_secret, totp_confirmed_at, created_at, updated_at)
             values ('{user}', '\\x{}', {confirmed}, now(), now())
             on conflict (user_id) do update set totp_secret = excluded.totp_secret, totp_last_step = null,
                                                 totp_confirmed_at = excluded.totp_confirmed_at;
             insert into recovery_codes (user_id, code_hash, created_at) values ('{user}', '\\x{}', now());
             update users set mfa_enabled = {confirmed} is not null where id = '{user}';
             update sessions set factor_used_at = {confirmed} where user_id = '{user}'",
            hex(&sealed),
            hex(recovery_code.hash(user).as_bytes()),
        ))
        .await;
        if operation == "confirmTotp" {
            let shown = secret.show(&person.email.parse().unwrap()).unwrap();
            return Authenticator::from_url(shown.url.expose_secret()).code(environment.now());
        }
        recovery_code.secret().expose_secret().to_owned()
    }

    /// What a sign-in of somebody is completed with.
    pub(super) async fn second_step(&self, person: &Person) -> String {
        let mut owner = connect(&self.owner_url).await;
        let hash: String = sqlx::query_scalar("select password_hash from credentials where user_id = $1::uuid")
            .bind(&person.id)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        owner.close().await.unwrap();
        let user = person.id.parse().unwrap();
        let token = second_step::issue(&keyring(), user, &hash, SystemSource::environment().now());
        token.expose_secret().to_owned()
    }
}

/// Takes somebody's address for theirs.
fn verified(user: &str) -> String {
    format!("update users set email_verified_at = now() where id = '{user}' and email_verified_at is null;")
}

/// A link of this id as it is mailed to somebody, with what it is about.
pub(super) fn user_link(person: &Person, purpose: LinkPurpose, id: &str) -> String {
    let user = &person.id;
    let (email, about) = match purpose {
        LinkPurpose::ConfirmIdentity => (person.email.clone(), pending_identity(person, id)),
        LinkPurpose::ProveNewEmail => {
            let email = new_address();
            let change = email_change(user, &email);
            (email, change)
        }
        LinkPurpose::VerifyEmail | LinkPurpose::ResetPassword | LinkPurpose::ApproveEmailChange => {
            (person.email.clone(), String::new())
        }
    };
    format!(
        "insert into user_links (user_id, id, purpose, email_canonical, expires_at, created_at)
         values ('{user}', '{id}', '{purpose}', lower('{email}'), now() + interval '10 years', now());
         {about}"
    )
}

/// Makes somebody trust a device of this id.
pub(super) fn trusted_device(user: &str, id: &str) -> String {
    format!(
        "insert into trusted_devices (user_id, id, token_hash, last_used_at, expires_at, created_at)
         values ('{user}', '{id}', sha256('{id}'), now(), now() + interval '10 years', now());"
    )
}
