//! Rows of what a person proves themselves by beside their password.

mod passkeys;
mod trusted_devices;

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _, QueryTrait as _, Statement, sea_query::OnConflict,
};
use tenantry_domain::{
    second_factors::{SecondFactors, TotpFactor},
    users::User,
};

use crate::{
    entities::{
        recovery_codes,
        second_factors::{ActiveModel, Column, Entity, Model},
        users,
    },
    error::{Error, Result, one_row},
    user::UserTx,
};

fn second_factors(row: Model) -> Result<SecondFactors> {
    let out_of_range = |column: &str| Error::Corrupt(format!("second_factors.{column} is negative"));
    let last_step = row.totp_last_step.map(u64::try_from).transpose();
    let last_step = last_step.map_err(|_| out_of_range("totp_last_step"))?;
    Ok(SecondFactors {
        totp: row.totp_secret.map(|sealed_secret| TotpFactor {
            sealed_secret,
            confirmed_at: row.totp_confirmed_at,
            last_step,
        }),
        failures: u32::try_from(row.failures).map_err(|_| out_of_range("failures"))?,
        locked_until: row.locked_until,
    })
}

impl UserTx {
    /// The person's second factors; none of them where there never was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn second_factors(&self) -> Result<SecondFactors> {
        self.find_second_factors(false).await
    }

    /// The same, which nobody else changes until the transaction ends: of two who show a code at once, one waits. The person is
    /// to be held before ([`oneself_to_keep`](Self::oneself_to_keep)).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn second_factors_to_change(&self) -> Result<SecondFactors> {
        self.find_second_factors(true).await
    }

    async fn find_second_factors(&self, to_change: bool) -> Result<SecondFactors> {
        let row = Entity::find_by_id(self.user.as_uuid())
            .apply_if(to_change.then_some(()), |rows, ()| rows.lock_exclusive())
            .one(&self.connection)
            .await?;
        row.map_or_else(|| Ok(SecondFactors::default()), second_factors)
    }

    /// Whether the person has a second factor of any kind that proves something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_factor(&self) -> Result<bool> {
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select exists (select 1 from second_factors f where f.user_id = $1 and f.totp_confirmed_at is not null)
                    or exists (select 1 from passkeys p where p.user_id = $1) as found",
            [self.user.as_uuid().into()],
        );
        let row = self.connection.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| Error::Corrupt("a select of one value gave none".to_owned()))?;
        Ok(row.try_get("", "found")?)
    }

    /// Makes the person's second factors what they are to be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_second_factors(&self, factors: &SecondFactors) -> Result<()> {
        let now = self.now();
        let totp = factors.totp.as_ref();
        let last_step = totp.and_then(|totp| totp.last_step).map(i64::try_from).transpose();
        let row = Model {
            user_id: self.user.as_uuid(),
            totp_secret: totp.map(|totp| totp.sealed_secret.clone()),
            totp_confirmed_at: totp.and_then(|totp| totp.confirmed_at),
            totp_last_step: last_step.map_err(|_| Error::Corrupt("a time step of the far future".to_owned()))?,
            failures: i32::try_from(factors.failures).unwrap_or(i32::MAX),
            locked_until: factors.locked_until,
            created_at: now,
            updated_at: now,
        };
        let replacing = OnConflict::column(Column::UserId)
            .update_columns([
                Column::TotpSecret,
                Column::TotpConfirmedAt,
                Column::TotpLastStep,
                Column::Failures,
                Column::LockedUntil,
                Column::UpdatedAt,
            ])
            .to_owned();
        Entity::insert(ActiveModel::from(row))
            .on_conflict(replacing)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Says of the person whether a second factor is asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_mfa_enabled(&self, user: &User, enabled: bool) -> Result<User> {
        let changed = User {
            mfa_enabled: enabled,
            version: user.version + 1,
            updated_at: self.now(),
            ..user.clone()
        };
        let values = users::ActiveModel {
            mfa_enabled: Set(changed.mfa_enabled),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = users::Entity::update_many()
            .set(values)
            .filter(users::Column::Id.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        one_row(done.rows_affected)?;
        Ok(changed)
    }

    /// Puts these recovery codes, by their hashes, in the place of all that the person had.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_recovery_codes(&self, hashes: impl IntoIterator<Item = [u8; 32]> + Send) -> Result<()> {
        recovery_codes::Entity::delete_many()
            .filter(recovery_codes::Column::UserId.eq(self.user.as_uuid()))
            .exec(&self.connection)
            .await?;
        let rows: Vec<_> = hashes
            .into_iter()
            .map(|hash| {
                recovery_codes::ActiveModel::from(recovery_codes::Model {
                    user_id: self.user.as_uuid(),
                    code_hash: hash.to_vec(),
                    used_at: None,
                    created_at: self.now(),
                })
            })
            .collect();
        if !rows.is_empty() {
            recovery_codes::Entity::insert_many(rows)
                .exec_without_returning(&self.connection)
                .await?;
        }
        Ok(())
    }

    /// Uses a recovery code of the person's up. `false` where they have none of this hash that is unused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_recovery_code(&self, hash: &[u8; 32]) -> Result<bool> {
        let done = recovery_codes::Entity::update_many()
            .set(recovery_codes::ActiveModel {
                used_at: Set(Some(self.now())),
                ..Default::default()
            })
            .filter(recovery_codes::Column::UserId.eq(self.user.as_uuid()))
            .filter(recovery_codes::Column::CodeHash.eq(hash.to_vec()))
            .filter(recovery_codes::Column::UsedAt.is_null())
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// How many recovery codes the person has left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recovery_codes_left(&self) -> Result<u32> {
        let left = recovery_codes::Entity::find()
            .filter(recovery_codes::Column::UserId.eq(self.user.as_uuid()))
            .filter(recovery_codes::Column::UsedAt.is_null())
            .count(&self.connection)
            .await?;
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }
}
