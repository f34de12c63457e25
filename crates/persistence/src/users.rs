//! Rows of people and of their passwords.

mod departure;
mod memberships;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _,
    sea_query::{Alias, BinOper, Expr, ExprTrait as _, LockType, OnConflict},
};
use serde_json::{Map, Value};
use tenantry_domain::{emails::Email, ids::OrganizationId, text::Name, users::User};
use uuid::Uuid;

use crate::{
    entities::{
        credentials,
        users::{ActiveModel, Column, Entity, Model},
    },
    error::{Error, Result, one_row},
    user::UserTx,
};

pub use self::departure::Departure;

/// What is known of a person from the start.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Their address, as they typed it.
    pub email: Email,
    /// Their name.
    pub name: Name,
    /// A picture of them: an `https` URL.
    pub avatar_url: Option<String>,
    /// The language that they read: a BCP 47 tag.
    pub locale: Option<String>,
}

/// A person who works in `current`: what the row has of it counts only while they are a member there.
fn person(row: Model, current: Option<OrganizationId>) -> Result<User> {
    Ok(User {
        id: row.id.into(),
        email: Email::from_stored(row.email),
        email_verified_at: row.email_verified_at,
        name: Name::from_stored(row.name),
        avatar_url: row.avatar_url,
        locale: row.locale,
        mfa_enabled: row.mfa_enabled,
        preferences: json_object("users.preferences", row.preferences)?,
        current_organization_id: current,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The inside of a column that holds a JSON object.
pub(crate) fn json_object(column: &'static str, json: Value) -> Result<Map<String, Value>> {
    match json {
        Value::Object(object) => Ok(object),
        _ => Err(Error::Corrupt(format!("{column} is not an object"))),
    }
}

impl UserTx {
    /// Adds the person whose transaction this is, who has no password yet. `None` where the address is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register(&self, new: NewUser) -> Result<Option<User>> {
        let NewUser {
            email,
            name,
            avatar_url,
            locale,
        } = new;
        let now = self.now();
        let row = Model {
            id: self.user.as_uuid(),
            email: email.as_str().to_owned(),
            email_canonical: email.canonical().to_owned(),
            email_verified_at: None,
            name: name.as_str().to_owned(),
            avatar_url,
            locale,
            preferences: Map::new().into(),
            mfa_enabled: false,
            current_organization_id: None,
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
        person(row, None).map(Some)
    }

    /// The person whose transaction this is.
    ///
    /// # Errors
    /// [`Error::SessionEnded`] once they are gone; and when the database fails.
    pub async fn oneself(&self) -> Result<User> {
        self.find_oneself(None).await
    }

    /// The same, who stays until the transaction ends. Nothing else of theirs is locked before.
    ///
    /// # Errors
    /// Those of [`oneself`](Self::oneself).
    pub async fn oneself_to_keep(&self) -> Result<User> {
        self.find_oneself(Some(LockType::KeyShare)).await
    }

    /// The same, whom nobody else changes until the transaction ends.
    ///
    /// # Errors
    /// Those of [`oneself`](Self::oneself).
    pub async fn oneself_to_change(&self) -> Result<User> {
        self.find_oneself(Some(LockType::NoKeyUpdate)).await
    }

    /// The same, to whom nothing refers anew until the transaction ends: those who are about to are waited for. For whoever deletes
    /// them, or changes what they are found by.
    ///
    /// # Errors
    /// Those of [`oneself`](Self::oneself).
    pub async fn oneself_alone(&self) -> Result<User> {
        self.find_oneself(Some(LockType::Update)).await
    }

    async fn find_oneself(&self, lock: Option<LockType>) -> Result<User> {
        let current = Alias::new("current");
        let row = Entity::find_by_id(self.user.as_uuid())
            .apply_if(lock, |rows, lock| rows.lock(lock))
            .into_query()
            .expr_as(Expr::cust("lookup.my_current_organization()"), current)
            .to_owned();
        let row = self.connection.query_one(&row).await?.ok_or(Error::SessionEnded)?;
        let current = row.try_get::<Option<Uuid>>("", "current")?;
        person(Model::from_query_result(&row, "")?, current.map(Into::into))
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

    /// Makes an organization the one that the person works in, or none. `None` where it was that already: what they chose
    /// stays chosen while it is deleted, and [`User::current_organization_id`] says nothing of it then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn choose_organization(&self, user: &User, organization: Option<OrganizationId>) -> Result<Option<User>> {
        let changed = User {
            current_organization_id: organization,
            version: user.version + 1,
            updated_at: self.now(),
            ..user.clone()
        };
        let chosen = organization.map(|organization| organization.as_uuid());
        let values = ActiveModel {
            current_organization_id: Set(chosen),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = Entity::update_many()
            .set(values)
            .filter(Column::Id.eq(self.user.as_uuid()))
            .filter(Expr::col(Column::CurrentOrganizationId).binary(BinOper::Custom("is distinct from"), chosen))
            .exec(&self.connection)
            .await?;
        Ok((done.rows_affected > 0).then_some(changed))
    }

    /// Makes it known that the person's address is theirs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_email(&self, user: &User) -> Result<User> {
        let now = self.now();
        let changed = User {
            email_verified_at: Some(now),
            version: user.version + 1,
            updated_at: now,
            ..user.clone()
        };
        let values = ActiveModel {
            email_verified_at: Set(changed.email_verified_at),
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

    /// Gives the person a password, whatever it was before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password_hash(&self, password_hash: String) -> Result<()> {
        let now = self.now();
        let row = credentials::Model {
            user_id: self.user.as_uuid(),
            password_hash,
            created_at: now,
            updated_at: now,
        };
        let replacing = OnConflict::column(credentials::Column::UserId)
            .update_columns([credentials::Column::PasswordHash, credentials::Column::UpdatedAt])
            .to_owned();
        credentials::Entity::insert(credentials::ActiveModel::from(row))
            .on_conflict(replacing)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// The hash that the person's password is kept by: a PHC string. `None` where they have no password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_hash(&self) -> Result<Option<String>> {
        let row = credentials::Entity::find_by_id(self.user.as_uuid())
            .one(&self.connection)
            .await?;
        Ok(row.map(|row| row.password_hash))
    }

    /// Whether the password is still the one of this hash. If so, it remains that until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keeps_password_hash(&self, known: &str) -> Result<bool> {
        let row = credentials::Entity::find_by_id(self.user.as_uuid())
            .filter(credentials::Column::PasswordHash.eq(known))
            .lock_shared()
            .one(&self.connection)
            .await?;
        Ok(row.is_some())
    }

    /// Puts another hash in the place of this one. `false` where the password has another by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_password_hash(&self, known: &str, password_hash: String) -> Result<bool> {
        let values = credentials::ActiveModel {
            password_hash: Set(password_hash),
            updated_at: Set(self.now()),
            ..Default::default()
        };
        let done = credentials::Entity::update_many()
            .set(values)
            .filter(credentials::Column::UserId.eq(self.user.as_uuid()))
            .filter(credentials::Column::PasswordHash.eq(known))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected == 1)
    }
}
