//! Rows of the devices that a person signed in on, and of the networks that they were in.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use tenantry_domain::{
    known_devices::{KnownDevice, MAX_KNOWN_DEVICES},
    sessions::Device,
};

use crate::{
    error::{Error, Result},
    user::UserTx,
};

/// Writes down that a device was seen, and tells whether it was new, which is so for one of several that see it at once: a row that was
/// just inserted was deleted by nobody yet (`xmax`). What was known before is what the statement began with.
const SEE: &str = "\
with known as (
    select count(*) as devices, coalesce(bool_or(device = $2 and network = $3 and forgotten), false) as forgotten
    from known_devices where user_id = $1
), seen as (
    insert into known_devices (user_id, device, network, last_seen_at, created_at) values ($1, $2, $3, $4, $4)
    on conflict (user_id, device, network) do update set last_seen_at = excluded.last_seen_at, forgotten = false
    returning xmax = 0 as is_inserted
)
select devices, is_inserted, forgotten from known, seen";

/// Drops those beyond the most, those first that were not seen for the longest time.
const DROP: &str = "\
delete from known_devices where user_id = $1 and (device, network) in (
    select device, network from known_devices where user_id = $1 order by last_seen_at desc, device, network offset $2
)";

const FORGET: &str = "update known_devices set forgotten = true where user_id = $1";

impl UserTx {
    /// Keeps in mind that the person signs in on a device; `true` where they did not before, or not from its network. The first one
    /// of all is what they begin with, and nothing new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn see_device(&self, device: &Device) -> Result<bool> {
        let KnownDevice { device, network } = device.into();
        let user = self.user.as_uuid();
        let see = [user.into(), device.into(), network.into(), self.now().into()];
        let see = Statement::from_sql_and_values(DbBackend::Postgres, SEE, see);
        let known = self.connection.query_one_raw(see).await?;
        let known = known.ok_or_else(|| Error::Corrupt("known_devices was not counted".to_owned()))?;
        let devices = u64::try_from(known.try_get::<i64>("", "devices")?).unwrap_or_default();
        let is_inserted: bool = known.try_get("", "is_inserted")?;
        if is_inserted && devices >= MAX_KNOWN_DEVICES {
            let most = i64::try_from(MAX_KNOWN_DEVICES).unwrap_or(i64::MAX);
            let drop = Statement::from_sql_and_values(DbBackend::Postgres, DROP, [user.into(), most.into()]);
            self.connection.execute_raw(drop).await?;
        }
        Ok(devices > 0 && (is_inserted || known.try_get("", "forgotten")?))
    }

    /// Has every device of the person's count as new when it is seen again: somebody else may have signed in on it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_devices(&self) -> Result<()> {
        let forget = Statement::from_sql_and_values(DbBackend::Postgres, FORGET, [self.user.as_uuid().into()]);
        self.connection.execute_raw(forget).await?;
        Ok(())
    }
}
