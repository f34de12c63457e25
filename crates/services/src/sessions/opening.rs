//! Opening a session: what was shown, whether that is enough, and how an organization demands it.

use std::borrow::Cow;

use secrecy::SecretString;
use tenantry_auth::refresh_tokens;
use tenantry_domain::{
    events::{Event, EventType},
    identities::Identity,
    ids::SessionId,
    sessions::{Device, FactorUse},
    users::User,
};
use tenantry_persistence::user::UserTx;

use super::{RESOURCE, SignIn, SignedIn};
use crate::{Services, error::Result, second_factors::see_trusted_device};

/// What somebody showed at the first step of a sign-in.
#[derive(Clone, Copy)]
pub(crate) enum FirstStep<'s> {
    /// The password of this hash.
    Password(&'s str),
    /// That a provider vouches for them.
    Identity(&'s Identity),
}

impl<'s> FirstStep<'s> {
    /// What it is known by at the second step.
    pub(crate) fn name(self) -> Cow<'s, str> {
        match self {
            Self::Password(hash) => hash.into(),
            Self::Identity(identity) => format!("identity {}", identity.id).into(),
        }
    }

    /// The identity, if it was one.
    pub(crate) const fn identity(self) -> Option<&'s Identity> {
        match self {
            Self::Password(_) => None,
            Self::Identity(identity) => Some(identity),
        }
    }
}

impl Services {
    /// Opens the session of somebody who took the first step, or asks them for their second factor.
    pub(crate) async fn after_first_step(
        &self,
        tx: UserTx,
        user: User,
        first_step: FirstStep<'_>,
        trusted_devices: Vec<SecretString>,
        device: &Device,
    ) -> Result<SignIn> {
        let factor = if user.mfa_enabled {
            let Some(trusted) = see_trusted_device(&tx, trusted_devices).await? else {
                // Nobody is asked for a second step for nothing.
                self.demand_connection(&tx, first_step.identity()).await?;
                return self.ask_for_second_factor(tx, &user, first_step).await;
            };
            FactorUse::OnDevice(trusted.created_at)
        } else {
            FactorUse::None
        };
        let (signed_in, session) = self
            .open_session(&tx, user, device, factor, first_step.identity())
            .await?;
        tx.commit(Event::bare(EventType::SessionCreated, RESOURCE, session))
            .await?;
        Ok(SignIn::Done(Box::new(signed_in)))
    }

    /// Opens the first session of somebody who has an account only now: they belong to nothing that would demand more of them, unless it is
    /// by the identity that opens it.
    pub(crate) async fn open_first_session(
        &self,
        tx: &UserTx,
        user: User,
        device: &Device,
        identity: Option<&Identity>,
    ) -> Result<SignedIn> {
        let opened = self.open(tx, user, device, FactorUse::None, identity).await?;
        Ok(opened.0)
    }

    /// Opens a session for which a second factor was used, or none, by an identity, or otherwise.
    pub(crate) async fn open_session(
        &self,
        tx: &UserTx,
        user: User,
        device: &Device,
        factor: FactorUse,
        identity: Option<&Identity>,
    ) -> Result<(SignedIn, SessionId)> {
        let bypassed = self.demand_connection(tx, identity).await?;
        let opened = self.open(tx, user, device, factor, identity).await?;
        if let Some(organization) = bypassed {
            self.note_bypass(tx, organization, opened.1).await?;
        }
        Ok(opened)
    }

    async fn open(
        &self,
        tx: &UserTx,
        user: User,
        device: &Device,
        factor: FactorUse,
        identity: Option<&Identity>,
    ) -> Result<(SignedIn, SessionId)> {
        let ends = tx.now() + refresh_tokens::ABSOLUTE_LIFE;
        // Those that an organization's provider opened are told apart, and end with what it vouches for.
        let through = identity.filter(|identity| identity.connection_id.is_some());
        let session = tx
            .open_session(device, ends, factor, through.map(|identity| identity.id))
            .await?;
        let signed_in = self.issue(tx, user, session.id, ends).await?;
        // Last: others who sign in on it wait from here on.
        self.note_device(tx, &signed_in.user, device).await?;
        Ok((signed_in, session.id))
    }
}
