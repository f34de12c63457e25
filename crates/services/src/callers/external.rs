//! Callers with access tokens of other issuers, which an operator trusts.

use tenantry_auth::refresh_tokens::ABSOLUTE_LIFE;
use tenantry_auth::trusted_issuers::{ExternalToken, IssuerError, TrustedIssuer, claimed_issuer};
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    events::{Event, EventType},
    identities::Identity,
    ids::{IdentityId, OrganizationId, UserId},
    sessions::Device,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::{
    Error as StoreError,
    sessions::{ExternalSession, Principal, Seen, note_sight},
    system::{SystemReason, SystemTx},
    user::UserTx,
};

use crate::{
    Registration, Services,
    error::{Error, NoAccount, Result},
    sessions,
};

/// A caller with a session that stands for the issuer's.
#[derive(Clone)]
pub(super) struct Found {
    principal: Principal,
    /// When one before it was ended: tokens from until then are refused.
    ended_before: Option<Timestamp>,
    /// When its owner last proved who they are, as far as it was looked at.
    authenticated_at: Option<Timestamp>,
}

/// Why somebody whom a trusted issuer vouches for is not let in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// They have no account.
    NoAccount(NoAccount),
    /// This organization demands of them to sign in through its provider.
    SsoRequired(OrganizationId),
}

impl Refusal {
    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::NoAccount(why) => Some(Self::NoAccount(*why)),
            Error::SsoRequired(organization) => Some(Self::SsoRequired(*organization)),
            _ => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoAccount(why) => Self::NoAccount(why),
            Refusal::SsoRequired(organization) => Self::SsoRequired(organization),
        }
    }
}

/// How often two who open one session at once are told apart before it is given up.
const TRIES: usize = 3;

impl Services {
    /// The caller who shows an access token of a trusted issuer's. At first sight of somebody an account is made of them, and at first
    /// sight of the issuer's session one that stands for it here.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or [`Error::Expired`] for a token that is not good, or whose session was ended here;
    /// [`Error::NoAccount`], [`Error::SsoRequired`]; and when the issuer's keys cannot be had, or the database is away.
    pub(super) async fn authenticate_externally(
        &self,
        token: &str,
        device: &Device,
        trace: TraceId,
    ) -> Result<Principal> {
        let issuer = claimed_issuer(token).ok_or(Error::Unauthenticated)?;
        let issuer = self.trusted_issuer(&issuer).ok_or(Error::Unauthenticated)?;
        let shown = self.verified(issuer, token).await?;
        let now = self.environment().now();
        let known = &self.caller_caches().external;
        let key = *shown.session.as_bytes();
        // One that tells of a later proof is looked at.
        if let Some(found) = known.get(&key, now)
            && shown.authenticated_at <= found.authenticated_at
        {
            return if found.ended_before.is_some_and(|at| shown.issued_at <= at) {
                Err(Error::Unauthenticated)
            } else {
                Ok(found.principal)
            };
        }
        let refused = &self.caller_caches().refused;
        if let Some(why) = refused.get(&key, now) {
            return Err(why.into());
        }
        let (fill, fill_refused) = (known.begin_fill(now), refused.begin_fill(now));
        for _ in 0..TRIES {
            let found = match self.owner_of(&shown.identity).await? {
                Some(user) => self.in_session(user, &shown, device, trace).await,
                None => self.at_first_sight(&shown, device, trace).await,
            };
            if let Err(error) = &found
                && let Some(why) = Refusal::of(error)
            {
                fill_refused.put(key, why);
            }
            let found = found?;
            // None where somebody did the same at the same time.
            if let Some(found) = found {
                fill.put(key, found.clone());
                return Ok(found.principal);
            }
        }
        Err(Error::Unavailable("others do the same at the same time".into()))
    }

    async fn verified(&self, issuer: &TrustedIssuer, token: &str) -> Result<ExternalToken> {
        let verified = issuer.verify(token, &*self.settings().http, self.environment()).await;
        verified.map_err(|error| {
            let key = &issuer.settings().key;
            match error {
                IssuerError::Expired => Error::Expired,
                IssuerError::Refused(why) => {
                    tracing::info!(issuer = key, why, "the token of a trusted issuer was refused");
                    Error::Unauthenticated
                }
                IssuerError::Unavailable(error) => {
                    tracing::warn!(
                        issuer = key,
                        error = &*error as &dyn std::error::Error,
                        "keys of a trusted issuer are not to be had"
                    );
                    Error::Unavailable(error)
                }
            }
        })
    }

    /// The caller in a session that stands for the issuer's. `None` where somebody else is opening it, or its owner has gone.
    async fn in_session(
        &self,
        user: UserId,
        shown: &ExternalToken,
        device: &Device,
        trace: TraceId,
    ) -> Result<Option<Found>> {
        let session = session_of(shown);
        let tx = UserTx::read(self.database(), user, trace).await?;
        let seen = tx.external_session(&session).await?;
        drop(tx);
        let ended_before = match seen {
            Seen::Alive {
                principal,
                ended_before,
                is_stale,
            } => {
                if is_stale {
                    self.note_sight(&principal, &session).await;
                }
                return Ok(Some(found_by(shown, principal, ended_before)));
            }
            Seen::Ended => return Err(Error::Unauthenticated),
            Seen::Unknown { ended_before } => ended_before,
        };
        let tx = UserTx::begin(self.database(), user, trace).await?;
        let user = match tx.oneself_to_change().await {
            Err(StoreError::SessionEnded) => return Ok(None),
            user => user?,
        };
        // Whoever ends sessions was waited for, or waits: what was seen before may be so no longer.
        let Seen::Unknown { .. } = tx.external_session(&session).await? else {
            return Ok(None);
        };
        // It may have been unlinked just now.
        let Some(identity) = tx.identity_to_use(&shown.identity).await? else {
            return Ok(None);
        };
        tx.mark_identity_used(identity.id, &shown.identity).await?;
        let opened = self
            .open_external_session(&tx, &user, &session, identity.id, device)
            .await?;
        let Some(principal) = opened else { return Ok(None) };
        tx.commit(Event::bare(
            EventType::SessionCreated,
            sessions::RESOURCE,
            principal.session(),
        ))
        .await?;
        Ok(Some(found_by(shown, principal, ended_before)))
    }

    /// Makes an account of somebody whom nobody knows. `None` where they were made one at the same time.
    async fn at_first_sight(&self, shown: &ExternalToken, device: &Device, trace: TraceId) -> Result<Option<Found>> {
        let identity = &shown.identity;
        let email = identity
            .email
            .clone()
            .ok_or(Error::NoAccount(NoAccount::EmailMissing))?;
        let is_open = self.settings().registration == Registration::Open;
        if is_open && !self.has_account(&email).await? {
            if !identity.email_verified {
                // It mails whoever has the address.
                self.charge_mail(device)?;
            }
            let session = session_of(shown);
            let open = async |tx: &UserTx, user: User, linked: &Identity| {
                self.open_external_session(tx, &user, &session, linked.id, device).await
            };
            if let Some(opened) = self.register_identity(&email, identity, trace, open).await? {
                self.ring_for_jobs();
                return Ok(opened.map(|principal| found_by(shown, principal, None)));
            }
        }
        // Somebody may have made it of the same person at the same time.
        if self.owner_of(identity).await?.is_some() {
            return Ok(None);
        }
        self.ask_to_confirm(&email, identity, trace).await?;
        Err(Error::NoAccount(NoAccount::Unlinked))
    }

    async fn open_external_session(
        &self,
        tx: &UserTx,
        user: &User,
        session: &ExternalSession,
        identity: IdentityId,
        device: &Device,
    ) -> Result<Option<Principal>> {
        let bypassed = self.demand_connection(tx, None).await?;
        let ends = tx.now() + ABSOLUTE_LIFE;
        let opened = tx.open_external_session(device, ends, session, identity).await?;
        if let Some(principal) = &opened {
            self.note_device(tx, user, device).await?;
            if let Some(organization) = bypassed {
                self.note_bypass(tx, organization, principal.session()).await?;
            }
        }
        Ok(opened)
    }

    /// Best effort: nobody is turned away because it could not be written down that they came.
    async fn note_sight(&self, principal: &Principal, session: &ExternalSession) {
        if let Err(error) = note_sight(self.database(), principal, session).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a session's last sight was not written down"
            );
        }
    }

    async fn has_account(&self, email: &Email) -> Result<bool> {
        let tx = SystemTx::begin(self.database(), SystemReason::SignInThroughProvider).await?;
        Ok(tx.user_by_email(email.canonical()).await?.is_some())
    }

    fn trusted_issuer(&self, issuer: &str) -> Option<&TrustedIssuer> {
        let mut issuers = self.trusted_issuers().iter();
        issuers.find(|trusted| trusted.settings().issuer == issuer)
    }
}

fn found_by(shown: &ExternalToken, principal: Principal, ended_before: Option<Timestamp>) -> Found {
    Found {
        principal,
        ended_before,
        authenticated_at: shown.authenticated_at,
    }
}

fn session_of(shown: &ExternalToken) -> ExternalSession {
    ExternalSession {
        key: *shown.session.as_bytes(),
        issued_at: shown.issued_at,
        authenticated_at: shown.authenticated_at,
    }
}
