//! The providers of organizations, as they are looked up before it is known who signs in, and whom they are demanded of.

use std::fmt;

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement};
use tenantry_domain::{
    ids::{ConnectionId, OrganizationId},
    sign_on::DefaultRole,
};
use uuid::Uuid;

use crate::{
    error::{Error, Result, known},
    system::SystemTx,
    user::UserTx,
};

/// What an organization is called, and its provider, if it has one that can be signed in through.
#[derive(Debug)]
pub struct NamedConnection {
    /// What the organization is called.
    pub organization_name: String,
    /// Its provider.
    pub connection: Option<SealedConnection>,
}

/// An organization's provider.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Its issuer, to the character.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// What is shown there, sealed.
    pub client_secret: Option<Vec<u8>>,
}

impl fmt::Debug for SealedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedConnection")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Whose provider those with an address of a domain sign in through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionOfDomain {
    /// The organization.
    pub organization: OrganizationId,
    /// What it is called.
    pub organization_name: String,
    /// Its provider.
    pub connection: ConnectionId,
    /// What somebody becomes there who signs in through that for the first time.
    pub default_role: Option<DefaultRole>,
    /// Whether its members sign in through it alone.
    pub sso_required: bool,
}

/// What an organization demands of a person: to sign in through its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemandedConnection {
    /// The organization.
    pub organization: OrganizationId,
    /// Whether it can be worked in: through the provider of one that cannot nobody signs in.
    pub is_active: bool,
    /// Its provider.
    pub connection: ConnectionId,
    /// Whether the person is an owner, who may sign in otherwise.
    pub is_owner: bool,
}

/// What a row of a policy says that somebody becomes.
pub(super) fn default_role(row: &QueryResult) -> Result<Option<DefaultRole>> {
    let role: Option<String> = row.try_get("", "default_role")?;
    role.map(|role| known("sign_on_policies.default_role", &role))
        .transpose()
}

impl SystemTx {
    /// What an organization is called, and its provider; `None` where there is no such organization.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_on_connection(&self, organization: OrganizationId) -> Result<Option<NamedConnection>> {
        let sql = "select organization_name, connection_id, issuer, client_id, client_secret
                   from lookup.sign_on_connection($1)";
        let found = self.look_up(sql, organization.as_uuid().into()).await?;
        found
            .map(|row| {
                let id: Option<Uuid> = row.try_get("", "connection_id")?;
                let connection = id.map(|id| {
                    Ok::<_, Error>(SealedConnection {
                        id: id.into(),
                        issuer: row.try_get("", "issuer")?,
                        client_id: row.try_get("", "client_id")?,
                        client_secret: row.try_get("", "client_secret")?,
                    })
                });
                Ok(NamedConnection {
                    organization_name: row.try_get("", "organization_name")?,
                    connection: connection.transpose()?,
                })
            })
            .transpose()
    }

    /// Whose provider those with an address of this domain sign in through; the domain as addresses have it in their canonical form.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_on_of_domain(&self, domain: &str) -> Result<Option<ConnectionOfDomain>> {
        let sql = "select organization_id, organization_name, connection_id, default_role, sso_required
                   from lookup.sign_on_of_domain($1)";
        let found = self.look_up(sql, domain.into()).await?;
        found
            .map(|row| {
                Ok(ConnectionOfDomain {
                    organization: row.try_get::<Uuid>("", "organization_id")?.into(),
                    organization_name: row.try_get("", "organization_name")?,
                    connection: row.try_get::<Uuid>("", "connection_id")?.into(),
                    default_role: default_role(&row)?,
                    sso_required: row.try_get("", "sso_required")?,
                })
            })
            .transpose()
    }
}

impl UserTx {
    /// The provider that the person is to sign in through, where an organization of theirs demands that: the one that has the domain
    /// of their address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn demanded_connection(&self) -> Result<Option<DemandedConnection>> {
        let statement = Statement::from_string(
            DbBackend::Postgres,
            "select organization_id, is_active, connection_id, is_owner from lookup.my_single_sign_on()",
        );
        let found = self.connection.query_one_raw(statement).await?;
        found
            .map(|row| {
                Ok(DemandedConnection {
                    organization: row.try_get::<Uuid>("", "organization_id")?.into(),
                    is_active: row.try_get("", "is_active")?,
                    connection: row.try_get::<Uuid>("", "connection_id")?.into(),
                    is_owner: row.try_get("", "is_owner")?,
                })
            })
            .transpose()
    }
}
