//! Rows of identities, and of those that wait for a mailed link to be followed.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, FromQueryResult as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, OnConflict, SimpleExpr},
};
use tenantry_domain::{
    emails::Email,
    environment::Timestamp,
    identities::{ExternalIdentity, Identity},
    ids::{IdentityId, LinkId, UserId},
    lists::{IdentityField, ListQuery, Page},
    passkeys::DOUBT,
};
use uuid::Uuid;

use crate::{
    entities::{
        identities::{ActiveModel, Column, Entity, Model},
        pending_identities,
    },
    error::{Result, one_row},
    lists,
    system::SystemTx,
    user::UserTx,
};

impl From<Model> for Identity {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            provider: row.provider,
            issuer: row.issuer,
            subject: unscoped(row.subject, row.connection_id),
            connection_id: row.connection_id.map(Into::into),
            email: row.email.map(Email::from_stored),
            last_used_at: row.last_used_at,
            created_at: row.created_at,
        }
    }
}

/// An address as it is kept.
fn address(identity: &ExternalIdentity) -> Option<String> {
    identity.email.as_ref().map(|email| email.as_str().to_owned())
}

/// A subject without the connection that it is kept with.
fn unscoped(subject: String, connection: Option<Uuid>) -> String {
    let scope = connection.map(|connection| format!("{connection}/"));
    let rest = scope.and_then(|scope| subject.strip_prefix(&scope).map(str::to_owned));
    rest.unwrap_or(subject)
}

/// Whether a row is of the identity that a provider vouches for.
fn is_shown(shown: &ExternalIdentity) -> SimpleExpr {
    let connection = match shown.connection {
        Some(connection) => Column::ConnectionId.eq(connection.as_uuid()),
        None => Column::ConnectionId.is_null(),
    };
    Column::Issuer
        .eq(&shown.issuer)
        .and(Column::Subject.eq(shown.scoped_subject()))
        .and(connection)
}

impl UserTx {
    /// Links an identity to the person. `None` where it is linked to anybody already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_identity(&self, new: &ExternalIdentity, used: bool) -> Result<Option<Identity>> {
        let now = self.now();
        let row = Model {
            user_id: self.user.as_uuid(),
            id: IdentityId::new(&self.environment).as_uuid(),
            provider: new.provider.clone(),
            issuer: new.issuer.clone(),
            subject: new.scoped_subject(),
            email: address(new),
            last_used_at: used.then_some(now),
            connection_id: new.connection.map(|id| id.as_uuid()),
            created_at: now,
        };
        let inserted = Entity::insert(ActiveModel::from(row.clone()))
            .on_conflict(
                OnConflict::columns([Column::Issuer, Column::Subject])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&self.connection)
            .await?;
        Ok((inserted == 1).then(|| row.into()))
    }

    /// The person's identities.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identities(&self, query: &ListQuery<IdentityField>) -> Result<Page<Identity>> {
        let rows = Entity::find().filter(Column::UserId.eq(self.user.as_uuid()));
        let column = |field| match field {
            IdentityField::CreatedAt => Expr::col((Entity, Column::CreatedAt)),
            IdentityField::UpdatedAt => Expr::cust("coalesce(identities.last_used_at, identities.created_at)"),
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows.into_query(), query, column, id, |row| {
            Ok(Model::from_query_result(row, "")?.into())
        })
        .await
    }

    /// All of the person's identities; there are few ([`MAX_IDENTITIES`](tenantry_domain::identities::MAX_IDENTITIES)).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_identities(&self) -> Result<Vec<Identity>> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// How many identities the person has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identities_count(&self) -> Result<u64> {
        let rows = Entity::find().filter(Column::UserId.eq(self.user.as_uuid()));
        Ok(rows.count(&self.connection).await?)
    }

    /// One of the person's identities.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identity(&self, id: IdentityId) -> Result<Option<Identity>> {
        self.find_identity(Column::Id.eq(id.as_uuid()), false).await
    }

    /// The same, which nobody else changes until the transaction ends. The person is to be held before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identity_to_change(&self, id: IdentityId) -> Result<Option<Identity>> {
        self.find_identity(Column::Id.eq(id.as_uuid()), true).await
    }

    /// The person's identity that a provider vouches for, which nobody else changes until the transaction ends. The person is to be
    /// held before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identity_to_use(&self, shown: &ExternalIdentity) -> Result<Option<Identity>> {
        self.find_identity(is_shown(shown), true).await
    }

    /// Whether the person's identity that a provider vouches for was never used, as far as others let it be by then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_never_used(&self, shown: &ExternalIdentity) -> Result<bool> {
        let found = self.find_identity(is_shown(shown), false).await?;
        Ok(found.is_some_and(|identity| identity.last_used_at.is_none()))
    }

    async fn find_identity(&self, by: SimpleExpr, to_change: bool) -> Result<Option<Identity>> {
        let row = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(by)
            .apply_if(to_change.then_some(()), |rows, ()| rows.lock_exclusive())
            .one(&self.connection)
            .await?;
        Ok(row.map(Into::into))
    }

    /// The person's identities that somebody else may have linked: before they proved their address at `proven_at`, or lately, or
    /// through an organization's provider.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn doubtful_identities(&self, proven_at: Timestamp) -> Result<Vec<Identity>> {
        // Whoever administers an organization says what its provider says.
        let through_connection = Column::ConnectionId.is_not_null();
        let before = Column::CreatedAt.lt(proven_at);
        let lately = Column::CreatedAt.gt(self.now() - DOUBT);
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(before.or(lately).or(through_connection))
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The person's identities that were vouched for through an earlier provider of the organization whose provider vouches for this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn superseded_identities(&self, new: &ExternalIdentity) -> Result<Vec<Identity>> {
        let Some(connection) = new.connection else {
            return Ok(Vec::new());
        };
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Provider.eq(&new.provider))
            .filter(Column::ConnectionId.ne(connection.as_uuid()))
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Writes down that an identity of the person's signed in, and what its provider knows now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_identity_used(&self, id: IdentityId, shown: &ExternalIdentity) -> Result<()> {
        let done = Entity::update_many()
            .set(ActiveModel {
                provider: Set(shown.provider.clone()),
                email: Set(address(shown)),
                last_used_at: Set(Some(self.now())),
                ..Default::default()
            })
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)
    }

    /// Takes an identity of the person's away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_identity(&self, id: IdentityId) -> Result<()> {
        let gone = Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(gone.rows_affected)
    }

    /// Keeps what will be an identity of the person's once a link is followed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_pending_identity(&self, link: LinkId, new: &ExternalIdentity) -> Result<()> {
        let row = pending_identities::Model {
            user_id: self.user.as_uuid(),
            link_id: link.as_uuid(),
            provider: new.provider.clone(),
            issuer: new.issuer.clone(),
            subject: new.scoped_subject(),
            email: address(new),
            connection_id: new.connection.map(|id| id.as_uuid()),
        };
        pending_identities::Entity::insert(pending_identities::ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// What will be an identity of the person's once a link is followed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_identity(&self, link: LinkId) -> Result<Option<ExternalIdentity>> {
        let row = pending_identities::Entity::find_by_id((self.user.as_uuid(), link.as_uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(|row| ExternalIdentity {
            provider: row.provider,
            issuer: row.issuer,
            subject: unscoped(row.subject, row.connection_id),
            connection: row.connection_id.map(Into::into),
            email_verified: row.email.is_some(),
            email: row.email.map(Email::from_stored),
            name: None,
            picture: None,
            locale: None,
        }))
    }
}

impl SystemTx {
    /// Whose identity this is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_identity(&self, shown: &ExternalIdentity) -> Result<Option<UserId>> {
        self.user_of_all(
            "select lookup.user_by_identity($1, $2) as user_id",
            [shown.issuer.as_str().into(), shown.scoped_subject().into()],
        )
        .await
    }
}
