//! Sessions: signing in, staying signed in, signing out.

mod opening;

use std::time::Duration;

use secrecy::SecretString;
use tenantry_auth::{
    csrf,
    passwords::Verdict,
    refresh_tokens::{self, Judgement, RefreshToken, StoredRefresh, StoredSession},
};
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    events::{Event, EventType},
    ids::SessionId,
    lists::{ListQuery, Page, SessionField},
    second_factors::SecondFactor,
    sessions::{Device, RevocationReason, Session},
    trace::TraceId,
    users::User,
};
use tenantry_persistence::{
    Error as StoreError,
    system::{SystemReason, SystemTx},
    user::UserTx,
};

use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
    users::call_email_change_off,
};

pub(crate) use self::opening::FirstStep;

/// What events call a session.
pub(crate) const RESOURCE: &str = "session";

/// A refresh token, as it came.
pub enum Carried<'r> {
    /// In the body of a request: whoever sends it has it.
    InBody(&'r str),
    /// In a cookie, which a browser sends of its own accord; with what the request shows against that.
    InCookie {
        /// The refresh token.
        token: &'r str,
        /// What may be the session's token against cross-site requests.
        csrf: Option<&'r str>,
    },
}

impl<'r> Carried<'r> {
    fn token(&self) -> &'r str {
        match self {
            Self::InBody(token) | Self::InCookie { token, .. } => token,
        }
    }
}

/// A session, and the tokens that stand for it.
pub struct SignedIn {
    /// The session.
    pub session: SessionId,
    /// Who signed in.
    pub user: User,
    /// The access token.
    pub access_token: SecretString,
    /// How long that lives.
    pub access_life: Duration,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// When that becomes worthless, unless it is used.
    pub refresh_expires_at: Timestamp,
    /// The token of the device, where it was trusted just now.
    pub trusted_device: Option<SecretString>,
}

/// What somebody shows who signs in.
pub struct Credentials {
    /// The address, as it was typed.
    pub email: String,
    /// The password.
    pub password: SecretString,
    /// What may be the token of a trusted device.
    pub trusted_devices: Vec<SecretString>,
}

/// What signing in came to.
pub enum SignIn {
    /// A session.
    Done(Box<SignedIn>),
    /// The password was right, and a second factor is asked for.
    Begun {
        /// What the sign-in is completed with.
        token: SecretString,
        /// How long that is good.
        life: Duration,
        /// By what it can be completed.
        methods: Vec<SecondFactor>,
    },
}

impl Services {
    /// Signs a person in by address and password, or as far as their second factor. An unknown address takes as long as a wrong
    /// password.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for both of these; and when the service is too busy.
    #[tracing::instrument(skip_all)]
    pub async fn sign_in(&self, credentials: Credentials, device: &Device, trace: TraceId) -> Result<SignIn> {
        let Credentials {
            email,
            password,
            trusted_devices,
        } = credentials;
        // What is no address is nobody's, and takes as long to find out.
        let stored = match email.parse::<Email>() {
            Ok(email) => {
                let tx = SystemTx::begin(self.database(), SystemReason::SignIn).await?;
                tx.credentials_by_email(email.canonical()).await?
            }
            Err(_) => None,
        };
        let hash = stored.as_ref().map(|stored| stored.password_hash.as_str());
        let verdict = self.settings().passwords.verify(password.clone(), hash).await?;
        let (Some(stored), Verdict::Right { rehash }) = (stored, verdict) else {
            return Err(Error::Unauthenticated);
        };
        let stronger = if rehash {
            Some(self.settings().passwords.hash(password).await?)
        } else {
            None
        };
        let tx = UserTx::begin(self.database(), stored.user, trace).await?;
        let user = tx.oneself_to_keep().await?;
        // A password that was changed while it was looked at opens no session: it would outlive the change.
        let (still_right, hash) = match stronger {
            Some(hash) => {
                let replaced = tx.replace_password_hash(&stored.password_hash, hash.clone()).await?;
                (replaced, hash)
            }
            None => (
                tx.keeps_password_hash(&stored.password_hash).await?,
                stored.password_hash,
            ),
        };
        if !still_right {
            return Err(Error::Unauthenticated);
        }
        self.after_first_step(tx, user, FirstStep::Password(&hash), trusted_devices, device)
            .await
    }

    /// What a session's refresh token in a cookie is sent with, against cross-site requests.
    #[must_use]
    pub fn csrf_token(&self, session: SessionId) -> String {
        csrf::token(self.keyring(), session)
    }

    /// That a request is not made by another site's page, which changes nothing where it may be.
    fn demand_same_site(&self, carried: &Carried<'_>, session: SessionId) -> Result<()> {
        match carried {
            Carried::InCookie { csrf: shown, .. }
                if !shown.is_some_and(|shown| csrf::is_good(self.keyring(), session, shown)) =>
            {
                Err(Error::CrossSite)
            }
            Carried::InBody(_) | Carried::InCookie { .. } => Ok(()),
        }
    }

    /// Renews a session's tokens.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a token that is not good; one that comes back long after its use ends the session.
    /// [`Error::CrossSite`] where it came in a cookie without the session's token against that.
    #[tracing::instrument(skip_all)]
    pub async fn refresh(&self, carried: Carried<'_>, trace: TraceId) -> Result<SignedIn> {
        let token = RefreshToken::parse(carried.token()).ok_or(Error::Unauthenticated)?;
        let hash = token.hash();
        let tx = SystemTx::begin(self.database(), SystemReason::RefreshToken).await?;
        let user = tx
            .user_by_refresh_token(hash.as_bytes())
            .await?
            .ok_or(Error::Unauthenticated)?;
        drop(tx);

        let tx = UserTx::begin(self.database(), user, trace).await?;
        let user = tx.oneself_to_keep().await?;
        let stored = tx.refresh_token(hash.as_bytes()).await?.ok_or(Error::Unauthenticated)?;
        let session = &stored.session;
        let judgement = refresh_tokens::judge(
            &StoredRefresh {
                expires_at: stored.expires_at,
                used_at: stored.used_at,
                successors: stored.successors,
            },
            &StoredSession {
                expires_at: session.expires_at,
                ended: session.revoked_at.is_some(),
            },
            tx.now(),
        );
        if !matches!(judgement, Judgement::Refuse) {
            self.demand_same_site(&carried, session.id)?;
        }
        match judgement {
            Judgement::Rotate => {
                tx.mark_refresh_token_used(hash.as_bytes(), session.id).await?;
                tx.touch_session(session.id).await?;
                let signed_in = self.issue(&tx, user, session.id, session.expires_at).await?;
                tx.commit(Event::bare(EventType::SessionRefreshed, RESOURCE, session.id))
                    .await?;
                Ok(signed_in)
            }
            Judgement::Refuse => Err(Error::Unauthenticated),
            Judgement::Theft => {
                tracing::warn!(session = %session.id, "a used refresh token came back: its session is revoked");
                let id = session.id;
                tx.end_session(id, RevocationReason::Reuse).await?;
                tx.commit(Event::bare(EventType::SessionRevoked, RESOURCE, id)).await?;
                self.caller_caches().forget();
                Err(Error::Unauthenticated)
            }
        }
    }

    /// Signs out the session that a refresh token belongs to. A token that is not good is signed out already.
    ///
    /// # Errors
    /// [`Error::CrossSite`], as at a [`refresh`](Self::refresh); and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn sign_out(&self, carried: Carried<'_>, trace: TraceId) -> Result<()> {
        let Some(token) = RefreshToken::parse(carried.token()) else {
            return Ok(());
        };
        let hash = token.hash();
        let tx = SystemTx::begin(self.database(), SystemReason::RefreshToken).await?;
        let Some(user) = tx.user_by_refresh_token(hash.as_bytes()).await? else {
            return Ok(());
        };
        drop(tx);

        let tx = UserTx::begin(self.database(), user, trace).await?;
        match tx.oneself_to_keep().await {
            Ok(_) => {}
            Err(StoreError::SessionEnded) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let Some(stored) = tx.refresh_token(hash.as_bytes()).await? else {
            return Ok(());
        };
        let same_site = self.demand_same_site(&carried, stored.session.id);
        if stored.expires_at <= tx.now() || !stored.session.is_alive(tx.now()) {
            // It is good for nothing any more, and so is the token beside it: nobody is kept from dropping both.
            if same_site.is_err() {
                return Ok(());
            }
        } else {
            same_site?;
        }
        self.end(tx, stored.session.id, RevocationReason::Logout).await?;
        Ok(())
    }

    /// The caller's live sessions.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_sessions(
        &self,
        principal: &Principal,
        query: &ListQuery<SessionField>,
        trace: TraceId,
    ) -> Result<Page<Session>> {
        Ok(UserTx::read(self.database(), principal.user(), trace)
            .await?
            .sessions(query)
            .await?)
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no live one of this id; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn revoke_session(&self, principal: &Principal, id: SessionId, trace: TraceId) -> Result<()> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        let user = tx.oneself_to_change().await?;
        if id != principal.session() {
            // Whoever had it asked for it, perhaps.
            call_email_change_off(&tx, &user).await?;
        }
        if self.end(tx, id, RevocationReason::Revoked).await? {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    /// Ends all of the caller's sessions but the present one.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn revoke_other_sessions(&self, principal: &Principal, trace: TraceId) -> Result<()> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        let user = tx.oneself_to_change().await?;
        tx.end_other_sessions(principal.session()).await?;
        // Whoever had one of them asked for it, perhaps.
        call_email_change_off(&tx, &user).await?;
        tx.commit(Event::bare(EventType::SessionsRevoked, RESOURCE, principal.session()))
            .await?;
        self.caller_caches().forget();
        Ok(())
    }

    async fn end(&self, tx: UserTx, id: SessionId, reason: RevocationReason) -> Result<bool> {
        if !tx.end_session(id, reason).await? {
            return Ok(false);
        }
        tx.commit(Event::bare(EventType::SessionRevoked, RESOURCE, id)).await?;
        self.caller_caches().forget();
        Ok(true)
    }

    /// New tokens of a session.
    async fn issue(&self, tx: &UserTx, user: User, session: SessionId, session_ends: Timestamp) -> Result<SignedIn> {
        let refresh = RefreshToken::generate(self.environment());
        let refresh_expires_at = refresh_tokens::expiry(tx.now(), session_ends);
        tx.add_refresh_token(session, *refresh.hash().as_bytes(), refresh_expires_at)
            .await?;
        let access = self
            .settings()
            .access_tokens
            .issue(user.id, session, self.environment())
            .map_err(Error::internal)?;
        Ok(SignedIn {
            session,
            user,
            access_token: access.token,
            access_life: access.expires_in,
            refresh_token: refresh.secret(),
            refresh_expires_at,
            trusted_device: None,
        })
    }
}
