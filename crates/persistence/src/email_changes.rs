//! Rows of changes of address that are under way.

use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use tenantry_domain::{email_changes::EmailChange, emails::Email, ids::EmailChangeId, links::LinkPurpose, users::User};

use crate::{
    entities::{
        email_changes::{ActiveModel, Column, Entity, Model},
        users,
    },
    error::{Error, Result, one_row},
    user::UserTx,
};

impl From<Model> for EmailChange {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            email: Email::from_stored(row.email),
            awaits_current: row.awaits_current,
            awaits_new: row.awaits_new,
            expires_at: row.expires_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl UserTx {
    /// Keeps the address that the person wants instead of theirs; any other that they wanted before was
    /// [cancelled](Self::cancel_email_change).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_email_change(&self, user: &User, email: &Email) -> Result<EmailChange> {
        let now = self.now();
        let row = Model {
            user_id: self.user.as_uuid(),
            id: EmailChangeId::new(&self.environment).as_uuid(),
            email: email.as_str().to_owned(),
            email_canonical: email.canonical().to_owned(),
            awaits_current: user.email_verified_at.is_some(),
            awaits_new: true,
            expires_at: now + LinkPurpose::ProveNewEmail.life(),
            created_at: now,
            updated_at: now,
        };
        Entity::insert(ActiveModel::from(row.clone()))
            .exec_without_returning(&self.connection)
            .await?;
        Ok(row.into())
    }

    /// The address that the person wants instead of theirs, while that has not come to nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn email_change(&self) -> Result<Option<EmailChange>> {
        let row = Entity::find_by_id(self.user.as_uuid())
            .filter(Column::ExpiresAt.gt(self.now()))
            .one(&self.connection)
            .await?;
        Ok(row.map(Into::into))
    }

    /// Writes down what is confirmed of the change of the person's address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_email_change(&self, change: &EmailChange) -> Result<()> {
        let done = Entity::update_many()
            .set(ActiveModel {
                awaits_current: Set(change.awaits_current),
                awaits_new: Set(change.awaits_new),
                updated_at: Set(change.updated_at),
                ..Default::default()
            })
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)
    }

    /// Lets the change of the person's address come to nothing, and its links; `false` where none is under way. One that is being asked
    /// for is waited for by whoever holds the person [to change them](Self::oneself_to_change).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_email_change(&self) -> Result<bool> {
        let gone = Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        if gone.rows_affected == 0 {
            return Ok(false);
        }
        self.use_links(&[LinkPurpose::ApproveEmailChange, LinkPurpose::ProveNewEmail])
            .await?;
        Ok(true)
    }

    /// Makes an address the person's that is known to be theirs, and lets any change that is under way come to nothing. `None` where
    /// somebody else has it. They are held [alone](Self::oneself_alone).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_email(&self, user: &User, email: &Email) -> Result<Option<User>> {
        let now = self.now();
        let changed = User {
            email: email.clone(),
            // What was set up before is in doubt from now on, as with any address: somebody may have made the account to have its
            // owner take it for theirs.
            email_verified_at: Some(now),
            version: user.version + 1,
            updated_at: now,
            ..user.clone()
        };
        let values = users::ActiveModel {
            email: Set(changed.email.as_str().to_owned()),
            email_canonical: Set(changed.email.canonical().to_owned()),
            email_verified_at: Set(changed.email_verified_at),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = users::Entity::update_many()
            .set(values)
            .filter(users::Column::Id.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await;
        match done.map_err(Error::from) {
            Ok(done) => {
                one_row(done.rows_affected)?;
                self.cancel_email_change().await?;
                Ok(Some(changed))
            }
            Err(Error::Taken(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
