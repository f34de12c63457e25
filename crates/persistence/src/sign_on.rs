//! Rows of how the members of an organization sign in.

mod connections;
mod entered;

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait as _,
};
use tenantry_domain::{
    organizations::Organization,
    permissions::{Required, perm},
    sign_on::{Connection, SignOnPolicy},
};

pub use self::{
    connections::{ConnectionOfDomain, DemandedConnection, NamedConnection, SealedConnection},
    entered::{EnteredOrganization, Terms},
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
        let age = row.session_max_age.map(u32::try_from).transpose();
        let default_role = row.default_role.as_deref();
        Ok(Self {
            id: row.organization_id.into(),
            mfa: known("sign_on_policies.mfa", &row.mfa)?,
            mfa_grace_from: row.mfa_grace_from,
            connection: match (row.connection_id, row.issuer, row.client_id) {
                (Some(id), Some(issuer), Some(client_id)) => Some(Connection {
                    id: id.into(),
                    issuer,
                    client_id,
                    has_client_secret: row.client_secret.is_some(),
                }),
                _ => None,
            },
            default_role: default_role
                .map(|role| known("sign_on_policies.default_role", role))
                .transpose()?,
            sso_required: row.sso_required,
            session_max_age: age.map_err(|_| Error::Corrupt("sign_on_policies.session_max_age".to_owned()))?,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// What becomes of the secret that is shown to an organization's provider.
#[derive(Debug)]
pub enum ClientSecret {
    /// It stays.
    Kept,
    /// It becomes this, which is sealed, or there is none.
    Replaced(Option<Vec<u8>>),
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
    /// Has members sign in otherwise than before. `wanted` is what `policy` becomes, but for its version and its time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_sign_on_policy(
        &self,
        policy: &SignOnPolicy,
        wanted: SignOnPolicy,
        secret: ClientSecret,
    ) -> Result<SignOnPolicy> {
        let changed = SignOnPolicy {
            version: policy.version + 1,
            updated_at: self.now(),
            ..wanted
        };
        let row = row(&changed, secret);
        let values = ActiveModel {
            organization_id: NotSet,
            mfa_grace_from: NotSet,
            created_at: NotSet,
            ..row.clone()
        };
        let done = self.scope.update::<Entity>().set(values).exec(&self.connection).await?;
        if done.rows_affected == 0 {
            // In its turn, so that nobody else adds it meanwhile.
            Entity::insert(row).exec_without_returning(&self.connection).await?;
        }
        Ok(changed)
    }
}

fn row(policy: &SignOnPolicy, secret: ClientSecret) -> ActiveModel {
    let connection = policy.connection.as_ref();
    ActiveModel {
        organization_id: Set(policy.id.as_uuid()),
        mfa: Set(policy.mfa.as_str().to_owned()),
        mfa_grace_from: Set(policy.mfa_grace_from),
        connection_id: Set(connection.map(|connection| connection.id.as_uuid())),
        issuer: Set(connection.map(|connection| connection.issuer.clone())),
        client_id: Set(connection.map(|connection| connection.client_id.clone())),
        client_secret: match secret {
            ClientSecret::Kept => NotSet,
            ClientSecret::Replaced(sealed) => Set(sealed),
        },
        default_role: Set(policy.default_role.map(|role| role.as_str().to_owned())),
        sso_required: Set(policy.sso_required),
        session_max_age: Set(policy.session_max_age.and_then(|age| age.try_into().ok())),
        version: Set(policy.version),
        created_at: Set(policy.created_at),
        updated_at: Set(policy.updated_at),
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
        Entity::insert(row(&policy, ClientSecret::Kept))
            .exec_without_returning(&self.user.connection)
            .await?;
        Ok(())
    }
}
