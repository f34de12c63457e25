//! How the members of an organization sign in.

use tenantry_domain::{
    events::{Event, EventType},
    permissions::{Required, perm},
    sign_on::{MfaPolicy, SignOnPolicy},
};

use crate::{Services, callers::Access, error::Result, preconditions::Precondition};

impl Services {
    /// How the organization's members sign in.
    ///
    /// # Errors
    /// When the caller may not see it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn sign_on_policy<P: Required>(&self, access: &Access<P>) -> Result<SignOnPolicy> {
        let tx = access.read(self.database()).await?;
        Ok(tx.sign_on_policy(&tx.organization().await?).await?)
    }

    /// Whether the caller may change it: what is asked before a body is read.
    ///
    /// # Errors
    /// When not, or when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn may_change_sign_on(&self, access: &Access<perm::SettingsManage>) -> Result<()> {
        let tx = access.read(self.database()).await?;
        tx.organization().await?;
        drop(tx);
        let context = access.context();
        self.demand_fresh_sign_in(context.principal(), access.trace()).await
    }

    /// Demands a second factor of others than before.
    ///
    /// # Errors
    /// When the caller may not, or proved too long ago who they are; when the policy is another version, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn change_sign_on_policy(
        &self,
        access: &Access<perm::SettingsManage>,
        mfa: MfaPolicy,
        precondition: &Precondition,
    ) -> Result<SignOnPolicy> {
        let tx = access.begin_in_turn(self.database()).await?;
        let organization = tx.organization().await?;
        tx.demand_fresh()?;
        let policy = tx.sign_on_policy(&organization).await?;
        precondition.check(policy.version)?;
        if policy.mfa == mfa {
            return Ok(policy);
        }
        let changed = tx.change_sign_on_policy(&policy, mfa).await?;
        tx.commit(Event::changed(EventType::SignOnPolicyChanged, &policy, &changed))
            .await?;
        self.caller_caches().forget();
        Ok(changed)
    }
}
