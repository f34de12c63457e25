//! Members: who is in an organization.

use tenantry_domain::{
    lists::{ListQuery, MemberField, Page},
    members::Member,
    permissions::perm,
};

use crate::{Services, callers::Access, error::Result};

impl Services {
    /// The members of the organization.
    ///
    /// # Errors
    /// When the caller may not see them, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_members(
        &self,
        access: &Access<perm::MemberView>,
        query: &ListQuery<MemberField>,
    ) -> Result<Page<Member>> {
        let tx = access.read(self.database()).await?;
        tx.demand_in_organization()?;
        Ok(tx.members(query).await?)
    }
}
