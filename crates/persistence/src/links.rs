//! Rows of links that were mailed to people.

use crate::{
    entities::user_links::{ActiveModel, Column, Entity, Model},
    error::{Result, known},
    system::SystemTx,
    user::UserTx,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
};
use tenantry_domain::{
    emails::Email,
    ids::{LinkId, UserId},
    links::{Link, LinkPurpose},
};

impl UserTx {
    /// Adds a link that is mailed to `email`; those of the person's that have expired go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_link(&self, purpose: LinkPurpose, email: &Email) -> Result<LinkId> {
        let now = self.now();
        Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::ExpiresAt.lte(now))
            .exec(&self.connection)
            .await?;
        let id = LinkId::new(&self.environment);
        let row = Model {
            user_id: self.user.as_uuid(),
            id: id.as_uuid(),
            purpose: purpose.as_str().to_owned(),
            email_canonical: email.canonical().to_owned(),
            expires_at: now + purpose.life(),
            used_at: None,
            created_at: now,
        };
        Entity::insert(ActiveModel::from(row))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(id)
    }

    /// One of the person's links.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn link(&self, id: LinkId) -> Result<Option<Link>> {
        self.find_link(id, false).await
    }

    /// The same, which nobody else uses until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn link_to_use(&self, id: LinkId) -> Result<Option<Link>> {
        self.find_link(id, true).await
    }

    async fn find_link(&self, id: LinkId, to_use: bool) -> Result<Option<Link>> {
        let row = Entity::find_by_id((self.user.as_uuid(), id.as_uuid()))
            .apply_if(to_use.then_some(()), |rows, ()| rows.lock_exclusive())
            .one(&self.connection)
            .await?;
        row.map(link).transpose()
    }

    /// Uses up all of the person's links of some purposes: the one that was followed, and those that were mailed beside it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_links(&self, purposes: &[LinkPurpose]) -> Result<()> {
        Entity::update_many()
            .set(ActiveModel {
                used_at: Set(Some(self.now())),
                ..Default::default()
            })
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Purpose.is_in(purposes.iter().map(|purpose| purpose.as_str())))
            .filter(Column::UsedAt.is_null())
            .exec(&self.connection)
            .await?;
        Ok(())
    }
}

fn link(row: Model) -> Result<Link> {
    Ok(Link {
        id: row.id.into(),
        purpose: known("user_links.purpose", &row.purpose)?,
        email_canonical: row.email_canonical,
        expires_at: row.expires_at,
        used_at: row.used_at,
    })
}

impl SystemTx {
    /// Whose link this is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_link(&self, id: LinkId) -> Result<Option<UserId>> {
        self.user_of("select lookup.user_by_link($1) as user_id", id.as_uuid().into())
            .await
    }

    /// Who has this address, in its canonical form.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_email(&self, canonical: &str) -> Result<Option<UserId>> {
        self.user_of("select lookup.user_by_email($1) as user_id", canonical.into())
            .await
    }
}
