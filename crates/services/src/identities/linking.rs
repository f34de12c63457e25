//! The identities of whoever is signed in: linking one more, and unlinking.

use tenantry_domain::{
    events::{Event, EventType},
    identities::Identity,
    ids::IdentityId,
    jobs::IdentityChange,
    lists::{IdentityField, ListQuery, Page},
    trace::TraceId,
};
use tenantry_persistence::user::UserTx;

use super::{ShownCode, demand_room, exchange::use_up, tell};
use crate::{
    Services,
    callers::Principal,
    error::{Conflict, Error, Result},
    preconditions::Precondition,
};

impl Services {
    /// The caller's identities.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_identities(
        &self,
        principal: &Principal,
        query: &ListQuery<IdentityField>,
        trace: TraceId,
    ) -> Result<Page<Identity>> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        Ok(tx.identities(query).await?)
    }

    /// One of the caller's identities.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none of this id; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn identity(&self, principal: &Principal, id: IdentityId, trace: TraceId) -> Result<Identity> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        tx.identity(id).await?.ok_or(Error::NotFound)
    }

    /// That there is a provider and the caller proved lately who they are, as it is asked before a body is read.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ReauthenticationRequired`]; and when the database is away.
    pub async fn demand_provider_and_fresh_sign_in(
        &self,
        principal: &Principal,
        key: &str,
        trace: TraceId,
    ) -> Result<()> {
        self.provider(key).await?;
        self.demand_fresh_sign_in(principal, trace).await
    }

    /// That the caller has an identity of this id and proved lately who they are, as it is asked before one goes.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ReauthenticationRequired`]; and when the database is away.
    pub async fn demand_identity_and_fresh_sign_in(
        &self,
        principal: &Principal,
        id: IdentityId,
        trace: TraceId,
    ) -> Result<()> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        tx.identity(id).await?.ok_or(Error::NotFound)?;
        Ok(tx.demand_fresh_session(principal.session()).await?)
    }

    /// Links whom a provider vouched for to the caller. The app shows that it began the sign-in by itself: a code that somebody
    /// passed to it would hand the caller's account to them.
    ///
    /// # Errors
    /// [`Error::IncorrectCode`], [`Error::NotFound`] where there is no such provider, [`Conflict::IdentityTaken`],
    /// [`Conflict::TooManyIdentities`], [`Conflict::EmailNotInDomain`]; when the sign-in is too old, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn link_identity(
        &self,
        principal: &Principal,
        key: &str,
        shown: ShownCode,
        trace: TraceId,
    ) -> Result<Identity> {
        self.provider(key).await?;
        let code = self.read_code(&shown).ok_or(Error::IncorrectCode)?;
        if !code.is_of_its_app() || code.identity().provider != key {
            return Err(Error::IncorrectCode);
        }
        let (tx, user) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        // What was vouched for through a provider that is another by now is as good as used.
        let incorrect = |error| match error {
            Error::Unauthenticated => Error::IncorrectCode,
            error => error,
        };
        use_up(&tx, &code).await.map_err(incorrect)?;
        demand_room(&tx, code.identity()).await?;
        let identity = tx.add_identity(code.identity(), false).await?;
        let identity = identity.ok_or(Error::Conflict(Conflict::IdentityTaken))?;
        let vouched_for = self.demand_vouched_for(&tx, &user, &identity).await;
        vouched_for.map_err(incorrect)?;
        tell(&tx, IdentityChange::Linked, &identity).await?;
        tx.commit(Event::created(EventType::IdentityLinked, &identity)).await?;
        self.ring_for_jobs();
        // Tokens of its issuer count from now on.
        self.caller_caches().forget();
        Ok(identity)
    }

    /// Unlinks one of the caller's identities. Sessions that it opened by signing in go on; those that stand for a trusted issuer's end,
    /// and those that an organization's provider opened.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none of this id, [`Conflict::LastSignInMethod`]; when it was used since, the sign-in is too
    /// old, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn unlink_identity(
        &self,
        principal: &Principal,
        id: IdentityId,
        precondition: &Precondition,
        trace: TraceId,
    ) -> Result<()> {
        let (tx, _) = UserTx::begin_fresh(self.database(), principal, trace).await?;
        let identity = tx.identity_to_change(id).await?.ok_or(Error::NotFound)?;
        precondition.check(identity.revision())?;
        tx.remove_identity(id).await?;
        self.demand_way_in(&tx).await?;
        // Linked again, it takes no token of before, which may have been ended here one by one.
        tx.note_end_of_sessions().await?;
        tell(&tx, IdentityChange::Unlinked, &identity).await?;
        tx.commit(Event::deleted(EventType::IdentityUnlinked, &identity))
            .await?;
        self.ring_for_jobs();
        // Tokens of its issuer count no longer.
        self.caller_caches().forget();
        Ok(())
    }
}
