//! Passkeys: making them, naming them, taking them away, and signing in by them.

use secrecy::SecretString;
pub use tenantry_auth::passkeys::{Assertion, CreationOptions, Registration, RequestOptions};
use tenantry_auth::passkeys::{PasskeyError, RelyingParty};
use tenantry_domain::{
    environment::Timestamp,
    events::{Event, EventType, Subject as _},
    ids::{PasskeyId, SessionId},
    jobs::FactorChange,
    lists::{ListQuery, Page, PasskeyField},
    passkeys::{MAX_PASSKEYS, Passkey},
    sessions::{Device, FactorUse},
    text::Name,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::{Error as StoreError, error::Result as StoreResult, user::UserTx};

use super::tell;
use crate::{
    Services,
    callers::Principal,
    error::{Conflict, Error, Result},
    preconditions::Precondition,
    sessions::{self, SignedIn},
};

/// A passkey that was registered just now.
pub struct MadePasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// Codes for the day on which it is lost, where it is the first factor of all.
    pub recovery_codes: Option<Vec<SecretString>>,
}

impl Services {
    /// That there can be passkeys, as it is asked before anything else.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn demand_passkeys(&self) -> Result<()> {
        self.relying_party_or_none().map(|_| ())
    }

    /// What a browser is asked to make a passkey of the caller's by.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there can be no passkeys, [`Conflict::TooManyPasskeys`]; when the sign-in is too old, or the database
    /// is away.
    #[tracing::instrument(skip_all)]
    pub async fn passkey_creation_options(&self, principal: &Principal, trace: TraceId) -> Result<CreationOptions> {
        let relying_party = self.relying_party_or_none()?;
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        tx.demand_fresh_session(principal.session()).await?;
        let user = tx.oneself().await?;
        let known = tx.passkey_credential_ids().await?;
        demand_room(known.len() as u64)?;
        relying_party
            .creation_options(self.keyring(), self.environment(), (&user, principal.session()), known)
            .map_err(Error::internal)
    }

    /// Takes a passkey that the caller made.
    ///
    /// # Errors
    /// [`Error::IncorrectPasskey`], [`Conflict::PasskeyTaken`], [`Conflict::TooManyPasskeys`], [`Error::NotFound`] where there can be
    /// no passkeys; when the sign-in is too old, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn register_passkey(
        &self,
        principal: &Principal,
        made: Registration,
        name: Name,
        trace: TraceId,
    ) -> Result<MadePasskey> {
        let relying_party = self.relying_party_or_none()?;
        let (tx, user) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        let caller = (user.id, principal.session());
        let (new, challenge) = relying_party
            .register(self.keyring(), tx.now(), caller, made)
            .map_err(incorrect)?;
        if !tx.use_challenge(challenge.hash().as_bytes(), challenge.ends()).await? {
            return Err(Error::IncorrectPasskey);
        }
        let passkeys = tx.passkeys_count().await?;
        demand_room(passkeys)?;
        let is_first = passkeys == 0 && tx.second_factors().await?.confirmed_totp().is_none();
        let passkey = tx.add_passkey(new, &name).await?;
        let passkey = passkey.ok_or(Error::Conflict(Conflict::PasskeyTaken))?;
        let recovery_codes = if is_first {
            tx.mark_factor_used(principal.session()).await?;
            Some(self.new_recovery_codes(&tx, user.id).await?)
        } else {
            None
        };
        tell(&tx, FactorChange::PasskeyAdded { name }).await?;
        tx.commit(Event::created(EventType::UserPasskeyAdded, &passkey)).await?;
        self.ring_for_jobs();
        self.caller_caches().forget();
        Ok(MadePasskey {
            passkey,
            recovery_codes,
        })
    }

    /// The caller's passkeys.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_passkeys(
        &self,
        principal: &Principal,
        query: &ListQuery<PasskeyField>,
        trace: TraceId,
    ) -> Result<Page<Passkey>> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        Ok(tx.passkeys(query).await?)
    }

    /// One of the caller's passkeys.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none of this id; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn passkey(&self, principal: &Principal, id: PasskeyId, trace: TraceId) -> Result<Passkey> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        tx.passkey(id).await?.ok_or(Error::NotFound)
    }

    /// That there can be passkeys and the caller proved lately who they are, as it is asked before a body is read.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ReauthenticationRequired`]; and when the database is away.
    pub async fn demand_passkeys_and_fresh_sign_in(&self, principal: &Principal, trace: TraceId) -> Result<()> {
        self.demand_passkeys()?;
        self.demand_fresh_sign_in(principal, trace).await
    }

    /// That the caller has a passkey of this id and proved lately who they are, as it is asked before a body is read or one goes.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ReauthenticationRequired`]; and when the database is away.
    pub async fn demand_passkey_and_fresh_sign_in(
        &self,
        principal: &Principal,
        id: PasskeyId,
        trace: TraceId,
    ) -> Result<()> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        tx.passkey(id).await?.ok_or(Error::NotFound)?;
        Ok(tx.demand_fresh_session(principal.session()).await?)
    }

    /// Calls one of the caller's passkeys something else.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none of this id; when it is another version by now, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn rename_passkey(
        &self,
        principal: &Principal,
        id: PasskeyId,
        name: Option<Name>,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<Passkey> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        let passkey = tx.passkey_to_change(id).await?.ok_or(Error::NotFound)?;
        precondition.check(passkey.version)?;
        let Some(name) = name.filter(|name| *name != passkey.name) else {
            return Ok(passkey);
        };
        let renamed = tx.rename_passkey(&passkey, name).await?;
        tx.commit(Event::changed(EventType::UserPasskeyRenamed, &passkey, &renamed))
            .await?;
        Ok(renamed)
    }

    /// Takes one of the caller's passkeys away. Sessions that it opened go on, and count as having used no factor; so does this one
    /// where it was the last factor of all, which takes the recovery codes with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none of this id, [`Conflict::LastSignInMethod`]; when it is another version by now, the
    /// sign-in is too old, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn remove_passkey(
        &self,
        principal: &Principal,
        id: PasskeyId,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<()> {
        let (tx, _) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        let passkey = tx.passkey_to_change(id).await?.ok_or(Error::NotFound)?;
        precondition.check(passkey.version)?;
        tx.remove_passkey(id).await?;
        self.demand_way_in(&tx).await?;
        forget_what_rested_on_it(&tx, Some(principal.session())).await?;
        let name = passkey.name.clone();
        tell(&tx, FactorChange::PasskeyRemoved { name }).await?;
        tx.commit(Event::deleted(EventType::UserPasskeyRemoved, &passkey))
            .await?;
        self.ring_for_jobs();
        self.caller_caches().forget();
        Ok(())
    }

    /// What a browser is asked to use a passkey by.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there can be no passkeys.
    pub fn passkey_request_options(&self) -> Result<RequestOptions> {
        Ok(self
            .relying_party_or_none()?
            .request_options(self.keyring(), self.environment()))
    }

    /// Signs in whoever uses a passkey of theirs, which counts as a second factor.
    ///
    /// # Errors
    /// [`Error::IncorrectPasskey`] where it proves nothing, [`Error::NotFound`] where there can be no passkeys; and when the database
    /// is away.
    #[tracing::instrument(skip_all)]
    pub async fn sign_in_by_passkey(&self, shown: Assertion, device: &Device, trace: TraceId) -> Result<SignedIn> {
        self.demand_passkeys()?;
        let user = shown.user().ok_or(Error::IncorrectPasskey)?;
        let begin = UserTx::begin(self.database(), user, trace);
        let (tx, user) = self.use_passkey(shown, begin).await?;
        let (signed_in, session) = self.open_session(&tx, user, device, FactorUse::Now, None).await?;
        tx.commit(Event::bare(EventType::SessionCreated, sessions::RESOURCE, session))
            .await?;
        Ok(signed_in)
    }

    /// Proves by a passkey who the caller is. Gives the moment from which on it counts.
    ///
    /// # Errors
    /// Those of [`sign_in_by_passkey`](Self::sign_in_by_passkey); and when the session has ended.
    #[tracing::instrument(skip_all)]
    pub async fn reauthenticate_by_passkey(
        &self,
        principal: &Principal,
        shown: Assertion,
        trace: TraceId,
    ) -> Result<Timestamp> {
        self.demand_passkeys()?;
        if shown.user() != Some(principal.user()) {
            return Err(Error::IncorrectPasskey);
        }
        let begin = UserTx::begin_as(self.database(), principal, trace);
        let (tx, _) = self.use_passkey(shown, begin).await?;
        self.reauthenticated(tx, principal, true).await
    }

    /// Checks what a passkey answered, and uses the challenge up, in the transaction of the person whose it says it is.
    async fn use_passkey(
        &self,
        shown: Assertion,
        begin: impl Future<Output = StoreResult<UserTx>>,
    ) -> Result<(UserTx, User)> {
        let relying_party = self.relying_party_or_none()?;
        // Before anything is looked up: whoever has no challenge of ours costs us nothing.
        let challenge = relying_party
            .challenge_of(self.keyring(), self.environment().now(), &shown)
            .map_err(incorrect)?;
        let tx = begin.await?;
        let user = match tx.oneself_to_keep().await {
            Err(StoreError::SessionEnded) => return Err(Error::IncorrectPasskey),
            user => user?,
        };
        let stored = tx.passkey_to_use(&shown.credential_id).await?;
        let mut stored = stored.ok_or(Error::IncorrectPasskey)?;
        // First of all: an answer that comes twice, such as a request that was sent again, raises no alarm about a copy.
        if !tx.use_challenge(challenge.hash().as_bytes(), challenge.ends()).await? {
            return Err(Error::IncorrectPasskey);
        }
        let has_changed = match relying_party.verify(&challenge, shown, &mut stored) {
            Ok(has_changed) => has_changed,
            Err(error) => return Err(self.refuse_passkey(tx, &stored.passkey, error).await),
        };
        tx.mark_passkey_used(&stored, has_changed).await?;
        Ok((tx, user))
    }

    /// Writes down that a passkey was not believed, which ends the transaction, and says what to answer.
    async fn refuse_passkey(&self, tx: UserTx, passkey: &Passkey, error: PasskeyError) -> Error {
        let noted = match &error {
            PasskeyError::Refused(_) => self.note_refusal(tx, passkey, EventType::UserPasskeyFailed).await,
            PasskeyError::Cloned => self.note_refusal(tx, passkey, EventType::UserPasskeySuspected).await,
            PasskeyError::Configuration(_) | PasskeyError::Shape(_) => Ok(()),
        };
        noted.err().unwrap_or_else(|| incorrect(error))
    }

    async fn note_refusal(&self, tx: UserTx, passkey: &Passkey, event: EventType) -> Result<()> {
        if event == EventType::UserPasskeySuspected {
            let name = passkey.name.clone();
            tell(&tx, FactorChange::PasskeySuspected { name }).await?;
        }
        tx.commit(Event::bare(event, Passkey::TYPE, passkey.id)).await?;
        self.ring_for_jobs();
        Ok(())
    }

    fn relying_party_or_none(&self) -> Result<&RelyingParty> {
        self.relying_party().ok_or(Error::NotFound)
    }
}

/// Takes away those passkeys of a person that somebody else may have registered, when the person has shown by a mail who they are,
/// after they had proven their address at `proven_at`.
pub(crate) async fn take_doubtful_passkeys(tx: &UserTx, proven_at: Timestamp) -> Result<()> {
    let doubtful = tx.doubtful_passkeys(proven_at).await?;
    if doubtful.is_empty() {
        return Ok(());
    }
    for passkey in &doubtful {
        tx.remove_passkey(passkey.id).await?;
        tx.note(Event::deleted(EventType::UserPasskeyRemoved, passkey)).await?;
    }
    forget_what_rested_on_it(tx, None).await
}

/// Forgets what rested on a passkey that is gone: that a factor was used in other sessions than the one to keep; and where it was the
/// last factor of all, that one was used in that too, and the recovery codes.
async fn forget_what_rested_on_it(tx: &UserTx, kept: Option<SessionId>) -> Result<()> {
    if tx.has_factor().await? {
        tx.forget_used_factors(kept).await?;
    } else {
        tx.replace_recovery_codes([]).await?;
        tx.forget_used_factors(None).await?;
    }
    Ok(())
}

/// What to answer whose passkey proved nothing, or could not be looked at for a reason of ours.
fn incorrect(error: PasskeyError) -> Error {
    match error {
        PasskeyError::Refused(reason) => {
            tracing::debug!(%reason, "a passkey was refused");
            Error::IncorrectPasskey
        }
        PasskeyError::Cloned => {
            tracing::warn!("a passkey was refused that has counted no further than before");
            Error::IncorrectPasskey
        }
        error @ (PasskeyError::Configuration(_) | PasskeyError::Shape(_)) => Error::internal(error),
    }
}

fn demand_room(passkeys: u64) -> Result<()> {
    if passkeys < MAX_PASSKEYS {
        Ok(())
    } else {
        Err(Error::Conflict(Conflict::TooManyPasskeys))
    }
}
