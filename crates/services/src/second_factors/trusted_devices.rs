//! Devices on which a second factor is not asked for.

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_auth::trusted_devices::DeviceToken;
use tenantry_domain::{
    events::{Event, EventType, Subject},
    ids::TrustedDeviceId,
    lists::{ListQuery, Page, TrustedDeviceField},
    second_factors::TrustedDevice,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::user::UserTx;

use crate::{
    Services,
    callers::Principal,
    error::{Error, Result},
};

/// What events call a trusted device.
pub(super) const RESOURCE: &str = "trusted_device";

impl Services {
    /// The caller's trusted devices.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_trusted_devices(
        &self,
        principal: &Principal,
        query: &ListQuery<TrustedDeviceField>,
        trace: TraceId,
    ) -> Result<Page<TrustedDevice>> {
        let tx = UserTx::read(self.database(), principal.user(), trace).await?;
        Ok(tx.trusted_devices(query).await?)
    }

    /// Trusts one of the caller's devices no longer.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none of this id; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn remove_trusted_device(
        &self,
        principal: &Principal,
        id: TrustedDeviceId,
        trace: TraceId,
    ) -> Result<()> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        if !tx.distrust_device(id).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Event::bare(EventType::UserTrustedDeviceRemoved, RESOURCE, id))
            .await?;
        Ok(())
    }

    /// Trusts none of the caller's devices any longer.
    ///
    /// # Errors
    /// When the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn remove_trusted_devices(&self, principal: &Principal, trace: TraceId) -> Result<()> {
        let tx = UserTx::begin_as(self.database(), principal, trace).await?;
        tx.distrust_devices().await?;
        let event = Event::bare(EventType::UserTrustedDevicesRemoved, User::TYPE, principal.user());
        tx.commit(event).await?;
        Ok(())
    }
}

/// The trusted device that one of these texts shows. One that is no token of the person's shows none.
pub(crate) async fn see_trusted_device(tx: &UserTx, shown: Vec<SecretString>) -> Result<Option<TrustedDevice>> {
    for token in shown.iter().filter_map(|text| DeviceToken::parse(text.expose_secret())) {
        if let Some(device) = tx.see_trusted_device(token.hash().as_bytes()).await? {
            return Ok(Some(device));
        }
    }
    Ok(None)
}
