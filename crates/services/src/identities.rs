//! Identities: what providers know a person by, who signs in through them.
//!
//! A browser goes to a provider and comes back ([`returning`]), which writes nothing; what came of it is a code, which an app
//! exchanges for a session ([`exchange`]), or shows to link the identity to whoever is signed in ([`linking`]).

mod confirmation;
mod exchange;
mod linking;
mod returning;

use std::sync::Arc;

pub use tenantry_auth::identity_providers::{
    MAX_ISSUER, Preset, Provider, ProviderSettings,
    flow::{BrowserToken, Wanted},
    is_issuer,
};
use tenantry_auth::trusted_issuers::TrustedIssuer;
use tenantry_domain::{
    environment::Timestamp,
    events::{Event, EventType},
    identities::{ExternalIdentity, Identity, MAX_IDENTITIES, organization_of},
    jobs::{IdentityChange, UserJob},
};
use tenantry_persistence::user::UserTx;

pub(crate) use self::returning::in_time;
pub use self::{exchange::ShownCode, returning::Answered};
use crate::{
    Services,
    error::{Conflict, Error, Result},
};
impl Services {
    /// The providers that people sign in through, by their keys.
    pub fn identity_providers(&self) -> impl Iterator<Item = &ProviderSettings> {
        self.providers().iter().map(|provider| provider.settings())
    }

    /// The provider of this key: one of the configuration, or an organization's own by that one's id.
    ///
    /// # Errors
    /// [`Error::NotFound`]; and when the database is away.
    pub async fn provider(&self, key: &str) -> Result<Arc<Provider>> {
        if let Some(organization) = organization_of(key) {
            return self.connection(organization).await;
        }
        let mut providers = self.providers().iter();
        let found = providers.find(|provider| provider.settings().key == key);
        found.map(Arc::clone).ok_or(Error::NotFound)
    }

    /// What people call a provider or a trusted issuer; one that is there no longer is called by its key.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn provider_name(&self, key: &str) -> Result<String> {
        if let Some(organization) = organization_of(key) {
            let name = self.connection_name(organization).await?;
            return Ok(name.unwrap_or_else(|| key.to_owned()));
        }
        let providers = self
            .identity_providers()
            .map(|provider| (&provider.key, &provider.name));
        let trusted = self.trusted_issuers().iter().map(TrustedIssuer::settings);
        let mut all = providers.chain(trusted.map(|issuer| (&issuer.key, &issuer.name)));
        let found = all.find(|(known, _)| *known == key);
        Ok(found.map_or(key, |(_, name)| name).to_owned())
    }

    /// That a person can sign in yet, in the transaction in which something was taken from them that they signed in by.
    pub(crate) async fn demand_way_in(&self, tx: &UserTx) -> Result<()> {
        if tx.password_hash().await?.is_some() {
            return Ok(());
        }
        if self.relying_party().is_some() && tx.passkeys_count().await? > 0 {
            return Ok(());
        }
        // Whoever administers an organization may take its provider away at any time.
        let is_good = |identity: &Identity| {
            if identity.connection_id.is_some() {
                return false;
            }
            let mut providers = self.identity_providers();
            let mut trusted = self.trusted_issuers().iter();
            providers.any(|provider| provider.issuer == identity.issuer)
                || trusted.any(|issuer| issuer.settings().issuer == identity.issuer)
        };
        if tx.all_identities().await?.iter().any(is_good) {
            return Ok(());
        }
        Err(Error::Conflict(Conflict::LastSignInMethod))
    }
}

/// That a person may have this identity beside theirs, of which those go that were vouched for through an earlier provider of the same
/// organization: they count no longer.
async fn demand_room(tx: &UserTx, new: &ExternalIdentity) -> Result<()> {
    for identity in tx.superseded_identities(new).await? {
        tx.remove_identity(identity.id).await?;
        tx.note(Event::deleted(EventType::IdentityUnlinked, &identity)).await?;
    }
    if tx.identities_count().await? < MAX_IDENTITIES {
        Ok(())
    } else {
        Err(Error::Conflict(Conflict::TooManyIdentities))
    }
}

/// Has the person told what became of an identity of theirs.
async fn tell(tx: &UserTx, change: IdentityChange, identity: &Identity) -> Result<()> {
    let job = UserJob::MailIdentity {
        change,
        provider: identity.provider.clone(),
        account: identity.email.as_ref().map(|email| email.as_str().to_owned()),
        at: tx.now(),
    };
    Ok(tx.enqueue(&job).await?)
}

/// Takes away those identities of a person that somebody else may have linked, when the person has shown by a mail who they are,
/// after they had proven their address at `proven_at`.
pub(crate) async fn take_doubtful_identities(tx: &UserTx, proven_at: Timestamp) -> Result<()> {
    // Who has the domain of their address, and demands that they sign in so, reads their mails as well.
    let demanded = tx.demanded_connection().await?.map(|demanded| demanded.connection);
    for identity in tx.doubtful_identities(proven_at).await? {
        if demanded.is_some() && identity.connection_id == demanded {
            continue;
        }
        tx.remove_identity(identity.id).await?;
        tx.note(Event::deleted(EventType::IdentityUnlinked, &identity)).await?;
    }
    Ok(())
}
