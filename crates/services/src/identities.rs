//! Identities: what providers know a person by, who signs in through them.
//!
//! A browser goes to a provider and comes back ([`returning`]), which writes nothing; what came of it is a code, which an app
//! exchanges for a session ([`exchange`]), or shows to link the identity to whoever is signed in ([`linking`]).

mod confirmation;
mod exchange;
mod linking;
mod returning;

pub use tenantry_auth::identity_providers::{
    Preset, Provider, ProviderSettings,
    flow::{BrowserToken, Wanted},
};
use tenantry_auth::trusted_issuers::TrustedIssuer;
use tenantry_domain::{
    environment::Timestamp,
    events::{Event, EventType},
    identities::{Identity, MAX_IDENTITIES},
    jobs::{IdentityChange, UserJob},
};
use tenantry_persistence::user::UserTx;

pub(crate) use self::exchange::first_step;
pub use self::{exchange::ShownCode, returning::Answered};
use crate::{
    Services,
    error::{Conflict, Error, Result},
};
impl Services {
    /// The providers that people sign in through, by their keys.
    pub fn identity_providers(&self) -> impl Iterator<Item = &ProviderSettings> {
        self.providers().iter().map(Provider::settings)
    }

    /// The provider of this key.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn identity_provider(&self, key: &str) -> Result<&Provider> {
        let mut providers = self.providers().iter();
        providers
            .find(|provider| provider.settings().key == key)
            .ok_or(Error::NotFound)
    }

    /// What people call a provider or a trusted issuer; one that is configured no longer is called by its key.
    pub(crate) fn provider_name<'s>(&'s self, key: &'s str) -> &'s str {
        if let Ok(provider) = self.identity_provider(key) {
            return &provider.settings().name;
        }
        let mut trusted = self.trusted_issuers().iter().map(TrustedIssuer::settings);
        trusted
            .find(|issuer| issuer.key == key)
            .map_or(key, |issuer| &issuer.name)
    }

    /// That a person can sign in yet, in the transaction in which something was taken from them that they signed in by.
    pub(crate) async fn demand_way_in(&self, tx: &UserTx) -> Result<()> {
        if tx.password_hash().await?.is_some() {
            return Ok(());
        }
        if self.relying_party().is_some() && tx.passkeys_count().await? > 0 {
            return Ok(());
        }
        let is_good = |identity: &Identity| {
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

/// That a person may have one more identity.
async fn demand_room(tx: &UserTx) -> Result<()> {
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
    for identity in tx.doubtful_identities(proven_at).await? {
        tx.remove_identity(identity.id).await?;
        tx.note(Event::deleted(EventType::IdentityUnlinked, &identity)).await?;
    }
    Ok(())
}
