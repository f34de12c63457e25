//! Domains: names in the DNS that an organization proves to be its own by a record there.
//!
//! What the record says is random and the organization's own: that somebody else proved the same domain, or once did, helps
//! nobody. The DNS is asked outside of any transaction, since it takes its time.

use serde::{Deserialize, Serialize};
use tenantry_domain::{
    domains::{Domain, DomainName, DomainStatus, MAX_DOMAINS},
    events::{Event, EventType},
    ids::DomainId,
    lists::{DomainField, ListQuery, Page},
    permissions::{Required, perm},
};
use tenantry_persistence::tenant::TenantTx;

use crate::{
    Services,
    callers::Access,
    error::{Conflict, Error, Quota, Result},
    idempotency::{Created, IdempotencyKey, once},
    limits::{Limit, LimitKey},
    preconditions::Precondition,
};

/// The constraints that a domain meets where somebody has it already: the organization itself, or another that has proven it.
const TAKEN: [&str; 2] = ["domains_organization_id_name_key", "domains_verified_key"];

/// A domain that was added, as it is kept for a request that comes again: with what its JSON leaves out.
#[derive(Serialize, Deserialize)]
struct Added {
    domain: Domain,
    token: String,
}

impl Services {
    /// The domains of the organization, of this status alone where there is one.
    ///
    /// # Errors
    /// When the caller may not see them, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_domains(
        &self,
        access: &Access<perm::SettingsView>,
        query: &ListQuery<DomainField>,
        status: Option<DomainStatus>,
    ) -> Result<Page<Domain>> {
        Ok(access
            .read_list(self.database(), query)
            .await?
            .domains(query, status)
            .await?)
    }

    /// One domain.
    ///
    /// # Errors
    /// When the caller may not do `P` to it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn domain<P: Required>(&self, access: &Access<P>, id: DomainId) -> Result<Domain> {
        Ok(access.read(self.database()).await?.domain(id).await?.into_inner())
    }

    /// Whether the caller may do `P` to domains at all: what is asked before a body is read, or an id.
    ///
    /// # Errors
    /// When not.
    pub fn may_touch_domains<P: Required>(&self, access: &Access<P>) -> Result<()> {
        Ok(access.demand_in_organization()?)
    }

    /// Whether the caller may remove a domain: what is asked before parameters are looked at.
    ///
    /// # Errors
    /// When not, or when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn may_remove_domain(&self, access: &Access<perm::SettingsManage>, id: DomainId) -> Result<()> {
        self.domain(access, id).await?;
        let context = access.context();
        self.demand_fresh_sign_in(context.principal(), access.trace()).await
    }

    /// Adds a domain, which is yet to be proven.
    ///
    /// # Errors
    /// When the caller may not, there are as many as there may be, the organization has it already, the key is in use, or the
    /// database is away.
    #[tracing::instrument(skip_all)]
    pub async fn add_domain(
        &self,
        access: &Access<perm::SettingsManage>,
        name: DomainName,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Domain>> {
        // In turn, so that the last one of as many as there may be is added once.
        let tx = access.begin_in_turn(self.database()).await?;
        tx.demand_in_organization()?;
        let created = once(tx, key, async |tx| {
            let domain = added(tx, name).await?;
            let event = Event::created(EventType::DomainAdded, &domain);
            let token = domain.token.clone();
            Ok((Added { domain, token }, event))
        })
        .await?;
        let Added { domain, token } = created.resource;
        Ok(Created {
            resource: Domain { token, ..domain },
            replayed: created.replayed,
        })
    }

    /// Looks whether a domain is proven, and writes down that it is.
    ///
    /// # Errors
    /// When the caller may not; [`Conflict::DomainNotProven`], [`Conflict::DnsUnavailable`], and [`Conflict::DomainTaken`] where
    /// another organization has proven it; when the DNS was asked too often, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn verify_domain(&self, access: &Access<perm::SettingsManage>, id: DomainId) -> Result<Domain> {
        let claimed = self.domain(access, id).await?;
        if claimed.status() == DomainStatus::Verified {
            return Ok(claimed);
        }
        let organization = LimitKey::organization(claimed.organization_id);
        self.charge_all(&[(Limit::OrganizationLookups, organization)])?;
        self.demand_proven(&claimed).await?;
        let tx = access.begin_in_turn(self.database()).await?;
        // Under this id it is the same name and the same token, or gone.
        let domain = tx.domain(id).await?;
        if domain.status() == DomainStatus::Verified {
            return Ok(domain.into_inner());
        }
        let verified = tx.verify_domain(&domain).await.map_err(domain_taken)?;
        tx.commit(Event::changed(EventType::DomainVerified, &*domain, &verified))
            .await?;
        // Of its members another way to sign in may be demanded from now on.
        self.caller_caches().forget();
        Ok(verified)
    }

    /// Removes a domain.
    ///
    /// # Errors
    /// When the caller may not, or proved too long ago who they are; when the domain is another version, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn remove_domain(
        &self,
        access: &Access<perm::SettingsManage>,
        id: DomainId,
        precondition: &Precondition,
    ) -> Result<()> {
        let tx = access.begin_in_turn(self.database()).await?;
        let domain = tx.domain(id).await?;
        tx.demand_fresh()?;
        precondition.check(domain.version)?;
        tx.delete_domain(&domain).await?;
        tx.commit(Event::deleted(EventType::DomainRemoved, &*domain)).await?;
        self.caller_caches().forget();
        Ok(())
    }

    /// That the DNS has the record that proves a domain.
    async fn demand_proven(&self, domain: &Domain) -> Result<()> {
        let records = self.settings().dns.text_records(&domain.record_name()).await;
        let records = records.map_err(|error| {
            let organization = domain.organization_id;
            tracing::warn!(%organization, error = &error as &dyn std::error::Error, "the DNS gave no answer");
            Error::Conflict(Conflict::DnsUnavailable)
        })?;
        if records.contains(&domain.record_value()) {
            Ok(())
        } else {
            Err(Error::Conflict(Conflict::DomainNotProven))
        }
    }
}

async fn added(tx: &TenantTx<perm::SettingsManage>, name: DomainName) -> Result<Domain> {
    let organization = tx.organization().await?;
    let used = tx.domain_count().await?;
    if used >= MAX_DOMAINS {
        return Err(Error::QuotaExceeded(Quota {
            metric: "domains",
            limit: MAX_DOMAINS,
            used,
        }));
    }
    tx.create_domain(&organization, name).await.map_err(domain_taken)
}

/// An error of a write that may meet the domain of another.
fn domain_taken(error: tenantry_persistence::Error) -> Error {
    match error {
        tenantry_persistence::Error::Taken(constraint) if TAKEN.contains(&constraint.as_str()) => {
            Error::Conflict(Conflict::DomainTaken)
        }
        error => error.into(),
    }
}
