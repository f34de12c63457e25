//! How the members of an organization sign in.

use secrecy::SecretString;
use tenantry_auth::identity_providers::Provider;
use tenantry_domain::{
    events::{Event, EventType},
    ids::{ConnectionId, OrganizationId},
    permissions::{Required, perm},
    sign_on::{Connection, DefaultRole, MfaPolicy, SignOnPolicy},
};
use tenantry_persistence::sign_on::ClientSecret;

use crate::{
    Services,
    callers::Access,
    connections::connection_settings,
    error::{Error, Result},
    identities::in_time,
    limits::{Limit, LimitKey},
    preconditions::Precondition,
};

/// How members shall sign in.
#[derive(Debug)]
pub struct SignOnReplace {
    /// Of whom a second factor is demanded.
    pub mfa: MfaPolicy,
    /// The organization's own provider.
    pub connection: Option<ConnectionReplace>,
    /// What somebody becomes who signs in through it for the first time.
    pub default_role: Option<DefaultRole>,
    /// Whether members with an address of its domains sign in through it alone: for that there is one.
    pub sso_required: bool,
    /// How old a sign-in may be, in seconds.
    pub session_max_age: Option<u32>,
}

impl Default for SignOnReplace {
    /// As in an organization that never chose.
    fn default() -> Self {
        Self {
            mfa: MfaPolicy::Admins,
            connection: None,
            default_role: Some(DefaultRole::Member),
            sso_required: false,
            session_max_age: None,
        }
    }
}

/// What an organization's own provider shall be.
#[derive(Debug)]
pub struct ConnectionReplace {
    /// Its issuer, to the character.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// What is shown there; `Some(None)`: nothing. `None`: what was shown before to the same issuer under the same name, so that nobody
    /// has a secret sent elsewhere whom it was never told.
    pub client_secret: Option<Option<SecretString>>,
}

impl Services {
    /// How the organization's members sign in.
    ///
    /// # Errors
    /// When the caller may not see it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn sign_on_policy<P: Required>(&self, access: &Access<P>) -> Result<SignOnPolicy> {
        let tx = access.read(self.database()).await?;
        Ok(tx.sign_on_policy(&tx.organization().await?).await?)
    }

    /// Where the provider of an organization sends browsers back to.
    #[must_use]
    pub fn sign_on_callback(&self, organization: OrganizationId) -> String {
        self.callback_of(&organization.to_string())
    }

    /// Whether the caller may change it: what is asked before a body is read.
    ///
    /// # Errors
    /// When not, or when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn may_change_sign_on(&self, access: &Access<perm::SettingsManage>) -> Result<()> {
        let tx = access.read(self.database()).await?;
        tx.organization().await?;
        drop(tx);
        let context = access.context();
        self.demand_fresh_sign_in(context.principal(), access.trace()).await
    }

    /// Has members sign in otherwise than before. A provider that is another than before is asked who it is.
    ///
    /// # Errors
    /// [`Error::UnreachableIssuer`]; when the caller may not, or proved too long ago who they are; when the
    /// policy is another version, other providers were asked too often, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn change_sign_on_policy(
        &self,
        access: &Access<perm::SettingsManage>,
        wanted: SignOnReplace,
        precondition: &Precondition,
    ) -> Result<SignOnPolicy> {
        if let Some(connection) = &wanted.connection {
            self.demand_reachable(access, connection, precondition).await?;
        }
        let tx = access.begin_in_turn(self.database()).await?;
        let organization = tx.organization().await?;
        tx.demand_fresh()?;
        let policy = tx.sign_on_policy(&organization).await?;
        precondition.check(policy.version)?;
        let (connection, secret) = match wanted.connection {
            Some(wanted) => {
                let (connection, secret) = self.replaced(&policy, wanted)?;
                (Some(connection), secret)
            }
            None => (None, ClientSecret::Replaced(None)),
        };
        let wanted = SignOnPolicy {
            mfa: wanted.mfa,
            connection,
            default_role: wanted.default_role,
            sso_required: wanted.sso_required,
            session_max_age: wanted.session_max_age,
            ..policy.clone()
        };
        if wanted == policy && !matches!(secret, ClientSecret::Replaced(Some(_))) {
            return Ok(policy);
        }
        let changed = tx.change_sign_on_policy(&policy, wanted, secret).await?;
        tx.commit(Event::changed(EventType::SignOnPolicyChanged, &policy, &changed))
            .await?;
        self.caller_caches().forget();
        Ok(changed)
    }

    /// What a connection becomes, and its secret.
    fn replaced(&self, policy: &SignOnPolicy, wanted: ConnectionReplace) -> Result<(Connection, ClientSecret)> {
        let former = policy.connection.as_ref();
        let same = former.filter(|former| former.issuer == wanted.issuer && former.client_id == wanted.client_id);
        let (has_client_secret, secret) = match (wanted.client_secret, same) {
            (Some(Some(secret)), _) => {
                let sealed = self.sealed_client_secret(policy.id, &secret)?;
                (true, ClientSecret::Replaced(Some(sealed)))
            }
            (None, Some(same)) => (same.has_client_secret, ClientSecret::Kept),
            (Some(None), _) | (None, None) => (false, ClientSecret::Replaced(None)),
        };
        let connection = Connection {
            // What was vouched for through another counts no longer.
            id: same.map_or_else(|| ConnectionId::new(self.environment()), |same| same.id),
            issuer: wanted.issuer,
            client_id: wanted.client_id,
            has_client_secret,
        };
        Ok((connection, secret))
    }

    /// That somebody answers as the issuer of a connection, where it is another than before.
    async fn demand_reachable(
        &self,
        access: &Access<perm::SettingsManage>,
        wanted: &ConnectionReplace,
        precondition: &Precondition,
    ) -> Result<()> {
        let present = self.sign_on_policy(access).await?;
        precondition.check(present.version)?;
        if present
            .connection
            .is_some_and(|present| present.issuer == wanted.issuer)
        {
            return Ok(());
        }
        let key = LimitKey::organization(present.id);
        self.charge_all(&[(Limit::OrganizationLookups, key)])?;
        let settings = connection_settings(
            present.id,
            ConnectionId::new(self.environment()),
            String::new(),
            wanted.issuer.clone(),
            wanted.client_id.clone(),
            None,
        );
        let provider = Provider::new(settings);
        let asked = provider.discover(&*self.settings().connection_http, self.environment());
        in_time(asked).await.map_err(|error| {
            // Why is not told: it would tell what can be reached from here.
            tracing::info!(
                organization = %present.id,
                error = &error as &dyn std::error::Error,
                "an organization's provider cannot be reached"
            );
            Error::UnreachableIssuer
        })
    }
}
