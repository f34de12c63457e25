//! Rows of passkeys, and of the challenges that they have answered.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, FromQueryResult as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, OnConflict, SimpleExpr},
};
use tenantry_domain::{
    environment::Timestamp,
    ids::PasskeyId,
    lists::{ListQuery, Page, PasskeyField},
    passkeys::{DOUBT, NewPasskey, Passkey, StoredPasskey},
    text::Name,
};

use crate::{
    entities::{
        answered_challenges,
        passkeys::{ActiveModel, Column, Entity, Model},
    },
    error::{Result, one_row},
    lists,
    user::UserTx,
};

impl From<Model> for StoredPasskey {
    fn from(row: Model) -> Self {
        Self {
            passkey: Passkey {
                id: row.id.into(),
                name: Name::from_stored(row.name),
                synced: row.synced,
                last_used_at: row.last_used_at,
                version: row.version,
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
            credential: row.credential,
        }
    }
}

impl UserTx {
    /// Adds a passkey of the person's. `None` where anybody has it already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_passkey(&self, new: NewPasskey, name: &Name) -> Result<Option<Passkey>> {
        let now = self.now();
        let row = Model {
            user_id: self.user.as_uuid(),
            id: PasskeyId::new(&self.environment).as_uuid(),
            name: name.as_str().to_owned(),
            credential_id: new.credential_id,
            credential: new.credential,
            synced: new.synced,
            version: 1,
            last_used_at: None,
            created_at: now,
            updated_at: now,
        };
        let inserted = Entity::insert(ActiveModel::from(row.clone()))
            .on_conflict(OnConflict::column(Column::CredentialId).do_nothing().to_owned())
            .exec_without_returning(&self.connection)
            .await?;
        Ok((inserted == 1).then(|| StoredPasskey::from(row).passkey))
    }

    /// The person's passkeys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkeys(&self, query: &ListQuery<PasskeyField>) -> Result<Page<Passkey>> {
        let rows = Entity::find().filter(Column::UserId.eq(self.user.as_uuid()));
        let column = |field| match field {
            PasskeyField::Name => Expr::col((Entity, Column::Name)),
            PasskeyField::CreatedAt => Expr::col((Entity, Column::CreatedAt)),
            PasskeyField::UpdatedAt => Expr::col((Entity, Column::UpdatedAt)),
        };
        let id = Expr::col((Entity, Column::Id));
        lists::fetch(&self.connection, rows.into_query(), query, column, id, |row| {
            Ok(StoredPasskey::from(Model::from_query_result(row, "")?).passkey)
        })
        .await
    }

    /// How many passkeys the person has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkeys_count(&self) -> Result<u64> {
        let rows = Entity::find().filter(Column::UserId.eq(self.user.as_uuid()));
        Ok(rows.count(&self.connection).await?)
    }

    /// The person's passkeys that somebody else may have registered: before they proved their address at `proven_at`, or lately.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn doubtful_passkeys(&self, proven_at: Timestamp) -> Result<Vec<Passkey>> {
        let before = Column::CreatedAt.lt(proven_at);
        let lately = Column::CreatedAt.gt(self.now() - DOUBT);
        let rows = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(before.or(lately))
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(|row| StoredPasskey::from(row).passkey).collect())
    }

    /// By what authenticators name the person's passkeys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkey_credential_ids(&self) -> Result<Vec<Vec<u8>>> {
        let rows = Entity::find()
            .select_only()
            .column(Column::CredentialId)
            .filter(Column::UserId.eq(self.user.as_uuid()));
        Ok(rows.into_tuple().all(&self.connection).await?)
    }

    /// One of the person's passkeys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkey(&self, id: PasskeyId) -> Result<Option<Passkey>> {
        self.find_passkey(Column::Id.eq(id.as_uuid()), false).await
    }

    /// The same, which nobody else changes until the transaction ends. The person is to be held before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkey_to_change(&self, id: PasskeyId) -> Result<Option<Passkey>> {
        self.find_passkey(Column::Id.eq(id.as_uuid()), true).await
    }

    async fn find_passkey(&self, by: SimpleExpr, to_change: bool) -> Result<Option<Passkey>> {
        Ok(self
            .find_stored_passkey(by, to_change)
            .await?
            .map(|stored| stored.passkey))
    }

    /// The person's passkey that an authenticator names so, which nobody else uses until the transaction ends. The person is to be
    /// held before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkey_to_use(&self, credential_id: &[u8]) -> Result<Option<StoredPasskey>> {
        self.find_stored_passkey(Column::CredentialId.eq(credential_id.to_vec()), true)
            .await
    }

    async fn find_stored_passkey(&self, by: SimpleExpr, to_change: bool) -> Result<Option<StoredPasskey>> {
        let row = Entity::find()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(by)
            .apply_if(to_change.then_some(()), |rows, ()| rows.lock_exclusive())
            .one(&self.connection)
            .await?;
        Ok(row.map(Into::into))
    }

    /// Calls a passkey of the person's something else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rename_passkey(&self, passkey: &Passkey, name: Name) -> Result<Passkey> {
        let renamed = Passkey {
            name,
            version: passkey.version + 1,
            updated_at: self.now(),
            ..passkey.clone()
        };
        let values = ActiveModel {
            name: Set(renamed.name.as_str().to_owned()),
            version: Set(renamed.version),
            updated_at: Set(renamed.updated_at),
            ..Default::default()
        };
        self.update_passkey(passkey.id, values).await?;
        Ok(renamed)
    }

    /// Writes down that a passkey of the person's was used, and what it is like since where that has changed: most count nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_passkey_used(&self, used: &StoredPasskey, has_changed: bool) -> Result<()> {
        let mut values = ActiveModel {
            last_used_at: Set(Some(self.now())),
            ..Default::default()
        };
        if has_changed {
            values.credential = Set(used.credential.clone());
            values.synced = Set(used.passkey.synced);
        }
        self.update_passkey(used.passkey.id, values).await
    }

    async fn update_passkey(&self, id: PasskeyId, values: ActiveModel) -> Result<()> {
        let done = Entity::update_many()
            .set(values)
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)
    }

    /// Takes a passkey of the person's away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_passkey(&self, id: PasskeyId) -> Result<()> {
        let gone = Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(gone.rows_affected)
    }

    /// Takes all of the person's passkeys away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_passkeys(&self) -> Result<()> {
        Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// Uses a challenge up, by its hash; those that can be answered no more go. `false` where it was used up before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_challenge(&self, hash: &[u8; 32], expires_at: Timestamp) -> Result<bool> {
        use answered_challenges::{ActiveModel, Column, Entity, Model};
        Entity::delete_many()
            .filter(Column::UserId.eq(self.user.as_uuid()))
            .filter(Column::ExpiresAt.lte(self.now()))
            .exec(&self.connection)
            .await?;
        let row = Model {
            user_id: self.user.as_uuid(),
            challenge_hash: hash.to_vec(),
            expires_at,
        };
        let once = OnConflict::columns([Column::UserId, Column::ChallengeHash])
            .do_nothing()
            .to_owned();
        let inserted = Entity::insert(ActiveModel::from(row))
            .on_conflict(once)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(inserted == 1)
    }
}
