//! Who calls: from a bearer token to a live session, and from that to what is held in an organization.
//!
//! Both answers are remembered for a moment, and forgotten when this node changes what they rest on. What writes is
//! decided over answers that are read anew in its transaction.

mod external;

use std::sync::Arc;

use tenantry_auth::access_tokens::TokenError;
use tenantry_cache::freshness::FreshCache;
use tenantry_domain::{ids::SessionId, permissions::Required, sessions::Device, trace::TraceId};
use tenantry_persistence::{members, sessions, tenant};
pub use tenantry_persistence::{
    sessions::Principal,
    tenant::{Access, OrganizationRef, TenantContext},
};

use crate::{
    Services,
    error::{Error, Result},
};

/// How old a member's last sight may become before it is written down again.
const SEEN_WITHIN: chrono::Duration = chrono::Duration::minutes(5);

/// The most answers of each kind that are remembered.
const CAPACITY: u64 = 100_000;

/// What is remembered of callers.
pub(crate) struct Caches {
    principals: FreshCache<SessionId, Principal>,
    /// Those with tokens of other issuers, by the issuer's session.
    external: FreshCache<[u8; 32], external::Found>,
    /// Those among them who are not let in, and why not.
    refused: FreshCache<[u8; 32], external::Refusal>,
    contexts: FreshCache<(SessionId, OrganizationRef), Arc<TenantContext>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            principals: FreshCache::new(CAPACITY),
            external: FreshCache::new(CAPACITY),
            refused: FreshCache::new(CAPACITY),
            contexts: FreshCache::new(CAPACITY),
        }
    }
}

impl Caches {
    /// Forgets all that is known of callers: a session has ended, or what somebody holds has changed.
    pub(crate) fn forget(&self) {
        self.principals.invalidate_all();
        self.external.invalidate_all();
        self.refused.invalidate_all();
        self.contexts.invalidate_all();
    }
}

impl Services {
    /// The caller who shows this access token, from this device. Of a trusted issuer's, an account is made at first sight.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or [`Error::Expired`] for a token that is not good, or whose session has ended;
    /// [`Error::NoAccount`] for one of a trusted issuer's; and when that, or the database, is away.
    #[tracing::instrument(skip_all)]
    pub async fn authenticate(
        &self,
        token: &str,
        device: impl FnOnce() -> Device,
        trace: TraceId,
    ) -> Result<Principal> {
        let now = self.environment().now();
        let claims = match self.settings().access_tokens.verify(token, now) {
            Ok(claims) => claims,
            Err(TokenError::Expired) => return Err(Error::Expired),
            Err(_) if self.trusted_issuers().is_empty() => return Err(Error::Unauthenticated),
            // What none of our keys signed may be another issuer's.
            Err(_) => return self.authenticate_externally(token, &device(), trace).await,
        };
        let known = &self.caller_caches().principals;
        if let Some(principal) = known.get(&claims.session, now)
            && principal.user() == claims.user
        {
            return Ok(principal);
        }
        let fill = known.begin_fill(now);
        let principal = sessions::principal(self.database(), claims.user, claims.session, trace)
            .await?
            .ok_or(Error::Unauthenticated)?;
        fill.put(claims.session, principal.clone());
        Ok(principal)
    }

    /// What the caller holds in an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] for those who are no member of it, as for those who name none; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn enter(&self, principal: &Principal, organization: &OrganizationRef) -> Result<Arc<TenantContext>> {
        let now = self.environment().now();
        let known = &self.caller_caches().contexts;
        let key = (principal.session(), organization.clone());
        if let Some(context) = known.get(&key, now) {
            return Ok(context);
        }
        let fill = known.begin_fill(now);
        let context = tenant::load(self.database(), principal, organization)
            .await?
            .ok_or(Error::NotFound)?;
        let seen_lately = context.last_seen_at().is_some_and(|seen| now - seen < SEEN_WITHIN);
        let can_be_seen = self.admit_member(&context).is_ok();
        if can_be_seen
            && !seen_lately
            && let Err(error) = members::touch(self.database(), &context).await
        {
            // Best effort: nobody is turned away because it could not be written down that they came.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a member's last sight was not written down"
            );
        }
        let context = Arc::new(context);
        fill.put(key, Arc::clone(&context));
        Ok(context)
    }

    /// Lets a member in, whatever they hold.
    ///
    /// # Errors
    /// [`Error::Suspended`], [`Error::SsoRequired`], [`Error::SessionTooOld`], [`Error::MfaRequired`].
    pub fn admit_member(&self, context: &TenantContext) -> Result<()> {
        context.demand_active()?;
        Ok(context.demand_sign_on()?)
    }

    /// Lets a caller in who holds `P` somewhere in the organization.
    ///
    /// # Errors
    /// Those of [`admit_member`](Self::admit_member), and [`Error::Forbidden`].
    pub fn admit<P: Required>(&self, context: &Arc<TenantContext>, trace: TraceId) -> Result<Access<P>> {
        tenant::admit(context, trace).map_err(Error::from)
    }
}
