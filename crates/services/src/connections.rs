//! The providers of organizations: whom they vouch for, and who is to sign in through them.
//!
//! Whoever administers an organization says what its provider is, and that may say whatever it likes. It is believed about people
//! alone whose account's address is of a domain that the organization has proven to be its own: who has the domain reads their mails.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_auth::{
    http_client::HttpClient,
    identity_providers::{Preset, Provider, ProviderSettings},
    vault::Purpose,
};
use tenantry_cache::recent::RecentCache;
use tenantry_domain::{
    emails::Email,
    events::{Event, EventType},
    identities::{Identity, organization_of},
    ids::{ConnectionId, OrganizationId, SessionId},
    sign_on::DefaultRole,
    users::User,
};
use tenantry_persistence::{
    sign_on::{EnteredOrganization, SealedConnection, Terms},
    system::{SystemReason, SystemTx},
    user::UserTx,
};
use url::Url;

use crate::{
    Services,
    error::{Conflict, Error, Result},
    invitations::demand_seat,
    sessions,
};

/// The most organizations whose providers are remembered.
const CAPACITY: u64 = 200;

/// What an organization's provider is asked for.
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

/// Providers of organizations, with what was learned of them.
pub(crate) struct Connections(RecentCache<OrganizationId, Arc<Known>>);

struct Known {
    connection: SealedConnection,
    provider: Arc<Provider>,
}

impl Default for Connections {
    fn default() -> Self {
        Self(RecentCache::new(CAPACITY))
    }
}

/// By what those with an address of a domain can sign in beside what everybody can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Whether there can be passkeys.
    pub passkeys: bool,
    /// The organization's provider: what it is called in paths, and the organization's name.
    pub connection: Option<(OrganizationId, String)>,
    /// Whether its members sign in through that alone.
    pub sso_required: bool,
}

impl Services {
    /// By what an address can be signed in with. What is told hangs on its domain alone, not on whether anybody has it.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn discover(&self, email: &Email) -> Result<Discovered> {
        let tx = SystemTx::begin(self.database(), SystemReason::Discovery).await?;
        let found = tx.sign_on_of_domain(email.domain()).await?;
        Ok(Discovered {
            passkeys: self.relying_party().is_some(),
            sso_required: found.as_ref().is_some_and(|found| found.sso_required),
            connection: found.map(|found| (found.organization, found.organization_name)),
        })
    }

    /// The provider of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it has none, or cannot be worked in; and when its secret cannot be opened, or the database is away.
    pub(crate) async fn connection(&self, organization: OrganizationId) -> Result<Arc<Provider>> {
        let tx = SystemTx::begin(self.database(), SystemReason::SignInThroughProvider).await?;
        let found = tx.sign_on_connection(organization).await?.ok_or(Error::NotFound)?;
        drop(tx);
        let connection = found.connection.ok_or(Error::NotFound)?;
        let known = self.connections().0.get_or_make(
            organization,
            |known| known.connection == connection,
            || {
                let secret = connection.client_secret.as_deref();
                let secret = secret.map(|sealed| self.client_secret(organization, sealed));
                let settings = connection_settings(
                    organization,
                    connection.id,
                    found.organization_name,
                    connection.issuer.clone(),
                    connection.client_id.clone(),
                    secret.transpose()?,
                );
                Ok::<_, Error>(Arc::new(Known {
                    provider: Arc::new(Provider::new(settings)),
                    connection: connection.clone(),
                }))
            },
        )?;
        Ok(Arc::clone(&known.provider))
    }

    /// What people call the provider of an organization: by that, and by where it is, since that is whom they trust. `None` where there
    /// is no such organization.
    pub(crate) async fn connection_name(&self, organization: OrganizationId) -> Result<Option<String>> {
        let tx = SystemTx::begin(self.database(), SystemReason::SignInThroughProvider).await?;
        let found = tx.sign_on_connection(organization).await?;
        Ok(found.map(|found| {
            let issuer = found
                .connection
                .and_then(|connection| Url::parse(&connection.issuer).ok());
            match issuer.as_ref().and_then(Url::host_str) {
                Some(host) => format!("{} ({host})", found.organization_name),
                None => found.organization_name,
            }
        }))
    }

    /// What a provider is asked by: an organization's reaches nothing but what everybody does.
    pub(crate) fn http_of(&self, provider: &str) -> &dyn HttpClient {
        match organization_of(provider) {
            Some(_) => &*self.settings().connection_http,
            None => &*self.settings().http,
        }
    }

    fn client_secret(&self, organization: OrganizationId, sealed: &[u8]) -> Result<SecretString> {
        let vault = &self.settings().vault;
        let opened = vault.open(Purpose::ClientSecret, organization.as_uuid(), sealed);
        let opened = opened.map_err(Error::internal)?;
        let text = std::str::from_utf8(&opened).map_err(Error::internal)?;
        Ok(SecretString::from(text))
    }

    pub(crate) fn sealed_client_secret(&self, organization: OrganizationId, secret: &SecretString) -> Result<Vec<u8>> {
        let secret = secret.expose_secret().as_bytes();
        let vault = &self.settings().vault;
        vault
            .seal(
                Purpose::ClientSecret,
                organization.as_uuid(),
                secret,
                self.environment(),
            )
            .map_err(Error::internal)
    }

    /// That an identity of a person's counts now: one of the configuration's always does, one of an organization's where that has the
    /// domain of their address, which they have proven, and the same provider as then. Enters that organization.
    ///
    /// # Errors
    /// [`Conflict::EmailNotInDomain`], [`Error::Unauthenticated`] where the provider is another; and when the database is away.
    pub(crate) async fn demand_vouched_for(&self, tx: &UserTx, user: &User, identity: &Identity) -> Result<()> {
        if identity.connection_id.is_none() {
            return Ok(());
        }
        let organization = identity.organization().ok_or(Error::Unauthenticated)?;
        let entered = EnteredOrganization::enter(self.database(), tx, organization).await?;
        demand_terms(&entered, user, identity.connection_id).await.map(|_| ())
    }

    /// That a person signs in as their organization demands it, by this identity or otherwise. Gives the organization that they own and
    /// may therefore bypass the provider of.
    ///
    /// # Errors
    /// [`Error::SsoRequired`]; and when the database is away.
    pub(crate) async fn demand_connection(
        &self,
        tx: &UserTx,
        identity: Option<&Identity>,
    ) -> Result<Option<OrganizationId>> {
        let Some(demanded) = tx.demanded_connection().await? else {
            return Ok(None);
        };
        let organization = demanded.organization;
        let is_met = |by: &Identity| by.connection_id == Some(demanded.connection);
        if !demanded.is_active || identity.is_some_and(is_met) {
            return Ok(None);
        }
        if demanded.is_owner {
            return Ok(Some(organization));
        }
        tracing::info!(%organization, "a sign-in was refused that is not through the organization's provider");
        Err(Error::SsoRequired(organization))
    }

    /// Writes down in an organization's log that an owner of it did not sign in as it demands. Enters that organization.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn note_bypass(
        &self,
        tx: &UserTx,
        organization: OrganizationId,
        session: SessionId,
    ) -> Result<()> {
        let entered = EnteredOrganization::enter(self.database(), tx, organization).await?;
        let event = Event::bare(EventType::SignOnBypassed, sessions::RESOURCE, session);
        Ok(entered.append(event).await?)
    }
}

/// What an organization takes a person in by who has proven their address, through the same provider as when they were vouched for.
pub(crate) async fn demand_terms(
    entered: &EnteredOrganization<'_>,
    user: &User,
    connection: Option<ConnectionId>,
) -> Result<Terms> {
    let terms = match user.email_verified_at {
        Some(_) => entered.terms(&user.email).await?,
        None => None,
    };
    let terms = terms.ok_or(Error::Conflict(Conflict::EmailNotInDomain))?;
    if connection == Some(terms.connection) {
        Ok(terms)
    } else {
        Err(Error::Unauthenticated)
    }
}

/// Makes a person a member of an organization, in its turn, where it has a seat.
pub(crate) async fn join(entered: &EnteredOrganization<'_>, role: DefaultRole) -> Result<()> {
    demand_seat(entered.seats().await?)?;
    let member = entered.join(role).await?;
    Ok(entered.append(Event::created(EventType::MemberJoined, &member)).await?)
}

/// What is known of an organization's provider.
pub(crate) fn connection_settings(
    organization: OrganizationId,
    connection: ConnectionId,
    name: String,
    issuer: String,
    client_id: String,
    client_secret: Option<SecretString>,
) -> ProviderSettings {
    ProviderSettings {
        key: organization.to_string(),
        preset: Preset::Oidc,
        name,
        issuer,
        client_id,
        client_secret,
        scopes: SCOPES.map(str::to_owned).into(),
        connection: Some(connection),
    }
}
