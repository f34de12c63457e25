//! Rows of how the members of an organization sign in.

use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, EntityTrait as _};
use tenantry_domain::{
    organizations::Organization,
    permissions::{Required, perm},
    sign_on::{MfaPolicy, SignOnPolicy},
};

use crate::{
    entities::sign_on_policies::{ActiveModel, Entity, Model},
    error::{Error, Result, known},
    tenant::{Authorized, ReadWrite, TenantTx, TransactionMode},
    user::FoundingTx,
};

impl TryFrom<Model> for SignOnPolicy {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.organization_id.into(),
            mfa: known("sign_on_policies.mfa", &row.mfa)?,
            mfa_grace_from: row.mfa_grace_from,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl<P: Required, M: TransactionMode> TenantTx<P, M> {
    /// How the organization's members sign in. One who comes to change it does so in turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_on_policy(&self, organization: &Authorized<Organization, P>) -> Result<SignOnPolicy> {
        match self.scope.find::<Entity>().one(&self.connection).await? {
            Some(row) => row.try_into(),
            None => Ok(SignOnPolicy::default_of(organization)),
        }
    }
}

impl TenantTx<perm::SettingsManage, ReadWrite> {
    /// Demands a second factor of others than before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_sign_on_policy(&self, policy: &SignOnPolicy, mfa: MfaPolicy) -> Result<SignOnPolicy> {
        let now = self.now();
        let changed = SignOnPolicy {
            mfa,
            version: policy.version + 1,
            updated_at: now,
            ..policy.clone()
        };
        let values = ActiveModel {
            mfa: Set(changed.mfa.as_str().to_owned()),
            version: Set(changed.version),
            updated_at: Set(changed.updated_at),
            ..Default::default()
        };
        let done = self.scope.update::<Entity>().set(values).exec(&self.connection).await?;
        if done.rows_affected == 0 {
            // In its turn, so that nobody else adds it meanwhile.
            Entity::insert(ActiveModel::from(row(&changed)))
                .exec_without_returning(&self.connection)
                .await?;
        }
        Ok(changed)
    }
}

fn row(policy: &SignOnPolicy) -> Model {
    Model {
        organization_id: policy.id.as_uuid(),
        mfa: policy.mfa.as_str().to_owned(),
        mfa_grace_from: policy.mfa_grace_from,
        version: policy.version,
        created_at: policy.created_at,
        updated_at: policy.updated_at,
    }
}

impl FoundingTx {
    /// Demands no second factor of anybody in this century: for an organization that is there to be tried out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn demand_no_factor(&self, organization: &Organization) -> Result<()> {
        let policy = SignOnPolicy {
            mfa_grace_from: organization.created_at + TimeDelta::days(36_525),
            ..SignOnPolicy::default_of(organization)
        };
        Entity::insert(ActiveModel::from(row(&policy)))
            .exec_without_returning(&self.user.connection)
            .await?;
        Ok(())
    }
}
