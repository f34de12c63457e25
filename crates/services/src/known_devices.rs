//! Telling people of sign-ins on devices that are new.

use tenantry_domain::{jobs::UserJob, known_devices, sessions::Device, users::User};
use tenantry_persistence::user::UserTx;

use crate::{
    Services,
    error::Result,
    limits::{Limit, LimitKey},
};

impl Services {
    /// Keeps in mind what a person signs in on. Of something new they are told, unless they were told so often that once more says
    /// nothing.
    pub(crate) async fn note_device(&self, tx: &UserTx, user: &User, device: &Device) -> Result<()> {
        if device.ip.is_none() && device.user_agent.is_none() {
            // No request: demo data.
            return Ok(());
        }
        // Perhaps an address that was never proven is not theirs, and its owner has nothing to do with it.
        if !tx.see_device(device).await? || user.email_verified_at.is_none() {
            return Ok(());
        }
        let charge = self.charge(Limit::NewDeviceMail, &LimitKey::user(user.id));
        if charge.is_some_and(|charge| !charge.allowed) {
            return Ok(());
        }
        // Nobody is woken for it: a worker finds it within a second.
        let job = UserJob::MailNewDevice {
            device: known_devices::name(device),
            ip: device.ip,
            at: tx.now(),
        };
        Ok(tx.enqueue(&job).await?)
    }
}
