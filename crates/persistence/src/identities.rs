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
            subject: row.subject,
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
            subject: new.subject.clone(),
            email: address(new),
            last_used_at: used.then_some(now),
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
        let by = Column::Issuer.eq(&shown.issuer).and(Column::Subject.eq(&shown.subject));
        self.find_identity(by, true).await
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

    /// The person's identities that somebody else may have linked: before they proved their address at `proven_at`, or lately.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn doubtful_identities(&self, proven_at: Timestamp) -> Result<Vec<Identity>> {
        let before = Column::CreatedAt.lt(proven_at);
        let lately = Column::CreatedAt.gt(self.now() - DOUBT);
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(before.or(lately))
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
            subject: new.subject.clone(),
            email: address(new),
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
            subject: row.subject,
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
    pub async fn user_by_identity(&self, issuer: &str, subject: &str) -> Result<Option<UserId>> {
        self.user_of_all(
            "select lookup.user_by_identity($1, $2) as user_id",
            [issuer.into(), subject.into()],
        )
        .await
    }
}
