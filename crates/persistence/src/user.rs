//! Transactions of a person, outside of any organization: their own row, credentials, sessions, records and events.
//!
//! Row-level security shows such a transaction what belongs to that person and nothing else. Three belong to a person and to
//! an organization at once: [`FoundingTx`], which makes one, since neither a role nor a membership can be asked for before
//! there are any; [`JoiningTx`], in which a person takes up an invitation; and [`DepartingTx`], in which a person leaves all
//! of theirs, which needs no right in any. One that signs in through an organization's provider enters that on the way
//! ([`EnteredOrganization`](crate::sign_on::EnteredOrganization)).

use tenantry_domain::{
    environment::{Environment, Timestamp},
    events::Event,
    ids::{InvitationId, OrganizationId, UserId},
    invitations::InvitationPreview,
    trace::TraceId,
    users::User,
};

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    error::{Error, Result},
    events,
    invitations::Invited,
    organizations,
    scope::Scope,
    sessions::Principal,
};

/// A transaction of one person.
pub struct UserTx {
    pub(crate) connection: Connection,
    pub(crate) user: UserId,
    pub(crate) environment: Environment,
    trace: TraceId,
}

impl UserTx {
    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(database: &Database, user: UserId, trace: TraceId) -> Result<Self> {
        Self::with_mode(database, Mode::ReadWrite, user, trace).await
    }

    /// Begins a transaction that writes, of a signed-in caller, whose session is looked at again inside it.
    ///
    /// # Errors
    /// [`Error::SessionEnded`]; and when the database cannot be reached.
    pub async fn begin_as(database: &Database, principal: &Principal, trace: TraceId) -> Result<Self> {
        let tx = Self::begin(database, principal.user(), trace).await?;
        tx.demand_live_session(principal.session()).await?;
        Ok(tx)
    }

    /// The same for what a thief of the session shall not do: the caller proved lately who they are. Nobody else changes them until
    /// it ends, so that of two who add a first factor at once, the second owes it.
    ///
    /// # Errors
    /// Those of [`begin_as`](Self::begin_as), and [`Error::SignInTooOld`].
    pub async fn begin_fresh(database: &Database, principal: &Principal, trace: TraceId) -> Result<(Self, User)> {
        let tx = Self::begin(database, principal.user(), trace).await?;
        let user = tx.oneself_to_change().await?;
        tx.demand_fresh_session(principal.session()).await?;
        Ok((tx, user))
    }

    /// Begins a transaction that reads; it ends by being dropped.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read(database: &Database, user: UserId, trace: TraceId) -> Result<Self> {
        Self::with_mode(database, Mode::ReadOnly, user, trace).await
    }

    async fn with_mode(database: &Database, mode: Mode, user: UserId, trace: TraceId) -> Result<Self> {
        Ok(Self {
            connection: database.begin(mode, Some(user), None).await?,
            user,
            environment: database.environment().clone(),
            trace,
        })
    }

    /// Whose transaction this is.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.environment.now()
    }

    pub(crate) fn trace(&self) -> TraceId {
        self.trace
    }

    /// Makes the written rows last, with the event that names what was done.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    pub async fn commit(self, event: Event) -> Result<()> {
        self.note(event).await?;
        self.connection.commit().await
    }

    /// Adds an event of something that was done beside what the transaction is committed with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note(&self, event: Event) -> Result<()> {
        let now = self.now();
        events::append_to_user(&self.connection, &self.environment, self.user, self.trace, now, event).await
    }

    /// Adds an event of an organization that the transaction is in, too.
    pub(crate) async fn append_in(&self, scope: Scope, event: Event) -> Result<()> {
        let now = self.now();
        events::append(
            &self.connection,
            &self.environment,
            scope,
            self.user,
            self.trace,
            now,
            event,
        )
        .await
    }
}

/// A transaction that founds an organization.
pub struct FoundingTx {
    pub(crate) user: UserTx,
    pub(crate) scope: Scope,
    /// How many seats it gets, where not as many as all.
    pub(crate) seats: Option<u16>,
}

impl FoundingTx {
    /// Begins a transaction in which an organization of a new id can be made, its rows, and its founder's.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(database: &Database, founder: UserId, trace: TraceId) -> Result<Self> {
        let organization = OrganizationId::new(database.environment());
        Ok(Self {
            user: UserTx {
                connection: database
                    .begin(Mode::ReadWrite, Some(founder), Some(organization))
                    .await?,
                user: founder,
                environment: database.environment().clone(),
                trace,
            },
            scope: Scope::new(organization, database.filters_by_organization()),
            seats: None,
        })
    }

    /// With another number of seats than organizations begin with.
    #[must_use]
    pub fn with_seats(self, seats: u16) -> Self {
        Self {
            seats: Some(seats),
            ..self
        }
    }

    /// The same for a signed-in caller, whose session is looked at again inside it.
    ///
    /// # Errors
    /// [`Error::SessionEnded`]; and when the database cannot be reached.
    pub async fn begin_as(database: &Database, principal: &Principal, trace: TraceId) -> Result<Self> {
        let tx = Self::begin(database, principal.user(), trace).await?;
        tx.user.demand_live_session(principal.session()).await?;
        Ok(tx)
    }

    /// The id of the organization.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.scope.organization()
    }

    /// The founder's side of the transaction.
    #[must_use]
    pub fn as_user(&self) -> &UserTx {
        &self.user
    }

    /// Makes the written rows last, with the event of the founding.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    pub async fn commit(self, event: Event) -> Result<()> {
        let UserTx {
            connection,
            user,
            environment,
            trace,
        } = self.user;
        let now = environment.now();
        events::append(&connection, &environment, self.scope, user, trace, now, event).await?;
        connection.commit().await
    }

    /// Makes the written rows last, with the events of the founding and of what the founder did with it.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    pub async fn commit_with(self, founding: Event, of_the_founder: Event) -> Result<()> {
        self.user.note(of_the_founder).await?;
        self.commit(founding).await
    }
}

/// A transaction in which a person takes up an invitation of an organization that they are no member of.
pub struct JoiningTx {
    pub(crate) user: UserTx,
    pub(crate) scope: Scope,
    pub(crate) invitation: InvitationId,
}

impl JoiningTx {
    /// Begins one, of a signed-in caller who has shown the invitation's link. Who belongs to the organization and what they hold
    /// is changed by nobody else until it ends.
    ///
    /// # Errors
    /// [`Error::SessionEnded`]; and when the database cannot be reached.
    pub async fn begin_as(
        database: &Database,
        principal: &Principal,
        invited: &Invited,
        trace: TraceId,
    ) -> Result<Self> {
        let InvitationPreview {
            id, organization_id, ..
        } = *invited.preview();
        let scope = Scope::new(organization_id, database.filters_by_organization());
        let user = UserTx {
            connection: database
                .begin(Mode::ReadWrite, Some(principal.user()), Some(organization_id))
                .await?,
            user: principal.user(),
            environment: database.environment().clone(),
            trace,
        };
        // The organization before the person, as whoever deletes themselves locks them.
        organizations::take_turn(&user.connection, scope).await?;
        user.demand_live_session(principal.session()).await?;
        Ok(Self {
            user,
            scope,
            invitation: id,
        })
    }

    /// The person's side of the transaction.
    #[must_use]
    pub fn as_user(&self) -> &UserTx {
        &self.user
    }

    /// Adds an event of the organization, beside the one that is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&self, event: Event) -> Result<()> {
        self.user.append_in(self.scope, event).await
    }
}

/// A transaction in which a person leaves every organization, and goes.
pub struct DepartingTx {
    pub(crate) user: UserTx,
    filters_by_organization: bool,
}

impl DepartingTx {
    /// Begins one, of a signed-in caller, whose session is looked at again inside it.
    ///
    /// # Errors
    /// [`Error::SessionEnded`]; and when the database cannot be reached.
    pub async fn begin_as(database: &Database, principal: &Principal, trace: TraceId) -> Result<Self> {
        let user = UserTx::begin(database, principal.user(), trace).await?;
        // The person's row is locked last, to be deleted: it must not be held before.
        if !user.has_live_session(principal.session()).await? {
            return Err(Error::SessionEnded);
        }
        Ok(Self {
            user,
            filters_by_organization: database.filters_by_organization(),
        })
    }

    /// The person's own side of the transaction.
    #[must_use]
    pub fn as_user(&self) -> &UserTx {
        &self.user
    }

    /// Tells the policies another organization, and gives the filter of the same.
    pub(crate) async fn enter(&mut self, organization: OrganizationId) -> Result<Scope> {
        self.user.connection.enter(organization).await?;
        Ok(Scope::new(organization, self.filters_by_organization))
    }

    /// Makes it last, with the event that the person has gone.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    pub async fn commit(self, event: Event) -> Result<()> {
        self.user.commit(event).await
    }
}
