//! Rows of people and of their passwords.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, sea_query::OnConflict,
};
use serde_json::{Map, Value};
use tenantry_domain::{emails::Email, text::Name, users::User};

use crate::{
    entities::{
        credentials,
        users::{ActiveModel, Column, Entity, Model},
    },
    error::{Error, Result, one_row},
    user::UserTx,
};

impl TryFrom<Model> for User {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            email: Email::from_stored(row.email),
            email_verified_at: row.email_verified_at,
            name: Name::from_stored(row.name),
            avatar_url: row.avatar_url,
            locale: row.locale,
            mfa_enabled: row.mfa_enabled,
            preferences: json_object("users.preferences", row.preferences)?,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The inside of a column that holds a JSON object.
pub(crate) fn json_object(column: &'static str, json: Value) -> Result<Map<String, Value>> {
    match json {
        Value::Object(object) => Ok(object),
        _ => Err(Error::Corrupt(format!("{column} is not an object"))),
    }
}

impl UserTx {
    /// Adds the person whose transaction this is, with their password. `None` where the address is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register(&self, email: &Email, name: &Name, password_hash: String) -> Result<Option<User>> {
        let now = self.now();
        let row = Model {
            id: self.user.as_uuid(),
            email: email.as_str().to_owned(),
            email_canonical: email.canonical().to_owned(),
            email_verified_at: None,
            name: name.as_str().to_owned(),
            avatar_url: None,
            locale: None,
            preferences: Map::new().into(),
            mfa_enabled: false,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let inserted = Entity::insert(ActiveModel::from(row.clone()))
            .on_conflict(OnConflict::column(Column::EmailCanonical).do_nothing().to_owned())
            .exec_without_returning(&self.connection)
            .await?;
        if inserted == 0 {
            return Ok(None);
        }
        let password = credentials::Model {
            user_id: row.id,
            password_hash,
            created_at: now,
            updated_at: now,
        };
        credentials::Entity::insert(credentials::ActiveModel::from(password))
            .exec_without_returning(&self.connection)
            .await?;
        row.try_into().map(Some)
    }

    /// The person whose transaction this is.
    ///
    /// # Errors
    /// [`Error::SessionEnded`] once they are gone; and when the database fails.
    pub async fn oneself(&self) -> Result<User> {
        let row = Entity::find_by_id(self.user.as_uuid()).one(&self.connection).await?;
        row.ok_or(Error::SessionEnded)?.try_into()
    }

    /// The same, locked until the transaction ends.
    ///
    /// # Errors
    /// Those of [`oneself`](Self::oneself).
    pub async fn oneself_to_change(&self) -> Result<User> {
        let row = Entity::find_by_id(self.user.as_uuid())
            .lock_exclusive()
            .one(&self.connection)
            .await?;
        row.ok_or(Error::SessionEnded)?.try_into()
    }

    /// Makes what is known of the person what is wanted of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_oneself(&self, user: &User, wanted: User) -> Result<User> {
        let changed = User {
            version: user.version + 1,
            updated_at: self.now(),
            ..wanted
        };
        let values = ActiveModel {
            name: Set(changed.name.as_str().to_owned()),
            avatar_url: Set(changed.avatar_url.clone()),
            locale: Set(changed.locale.clone()),
            preferences: Set(changed.preferences.clone().into()),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = Entity::update_many()
            .set(values)
            .filter(Column::Id.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(changed)
    }

    /// Keeps the person's password by another hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password_hash(&self, password_hash: String) -> Result<()> {
        let values = credentials::ActiveModel {
            password_hash: Set(password_hash),
            updated_at: Set(self.now()),
            ..Default::default()
        };
        credentials::Entity::update_many()
            .set(values)
            .filter(credentials::Column::UserId.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }
}
