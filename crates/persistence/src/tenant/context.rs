//! Who calls and what they hold in one organization.

use chrono::{DateTime, TimeDelta};
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement};
use serde::Deserialize;
use serde_json::Value;
use tenantry_domain::{
    authorization::Membership,
    environment::{Environment, Timestamp},
    ids::OrganizationId,
    organizations::OrganizationStatus,
    sessions::is_fresh,
    sign_on::{MfaPolicy, may_bypass_connection},
    slugs,
};
use uuid::Uuid;

use crate::{
    Database,
    connection::Connection,
    database::Mode,
    error::{Error, Result, known},
    events::DecidedOver,
    roles,
    sessions::Principal,
};

/// How a request names an organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrganizationRef {
    /// By id.
    Id(OrganizationId),
    /// By what may be a slug: it is looked up as it is.
    Slug(String),
}

impl OrganizationRef {
    /// Takes what a UUID parser accepts for an id and all else for a slug. A text that can be neither is `None`, so it is
    /// not looked up at all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) if is_slug_text(text) => Some(Self::Slug(text.to_owned())),
            Err(_) => None,
        }
    }
}

/// The letters of a slug, without its finer rules: an organization keeps a slug that was reserved after it took it.
fn is_slug_text(text: &str) -> bool {
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=slugs::MAX).contains(&text.len()) && text.bytes().all(letter)
}

/// Who calls and what they hold in one organization, as the database said at one moment. Made by [`load`] alone.
#[derive(Debug)]
pub struct TenantContext {
    principal: Principal,
    pub(super) membership: Membership,
    pub(super) status: OrganizationStatus,
    last_seen_at: Option<Timestamp>,
    /// What the membership's grants were read from.
    grants: Value,
    /// From when on a second factor is demanded of the caller.
    mfa_required_from: Option<Timestamp>,
    /// How the caller is to sign in, as the look-up tells it.
    sign_on: Value,
    /// How old a sign-in may be, in seconds.
    session_max_age: Option<u32>,
    /// Whether the organization's provider is to open the session, and did not.
    connection_bypassed: bool,
    /// Whether a second factor was used for the session.
    factor_used: bool,
    /// When the caller last proved who they are.
    authenticated_at: Timestamp,
    /// When they did so to whom the organization demands it.
    signed_in_at: Timestamp,
    pub(super) rules: Rules,
}

/// What a context is judged by.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    environment: Environment,
    mfa_grace: TimeDelta,
}

impl Rules {
    fn of(database: &Database) -> Self {
        Self {
            environment: database.environment().clone(),
            mfa_grace: database.mfa_grace(),
        }
    }
}

impl TenantContext {
    /// What the caller holds.
    #[must_use]
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// That the organization can be worked in: all that is asked where being a member is enough.
    ///
    /// # Errors
    /// [`Error::Suspended`].
    pub fn demand_active(&self) -> Result<()> {
        match self.status {
            OrganizationStatus::Active => Ok(()),
            OrganizationStatus::Suspended => Err(Error::Suspended),
            OrganizationStatus::Deleted => Err(Error::NotFound),
        }
    }

    /// What a write of the caller's is decided over.
    pub(super) fn decided_over(&self) -> DecidedOver<'_> {
        DecidedOver {
            principal: &self.principal,
            member: self.membership.member,
            grants: &self.grants,
            sign_on: &self.sign_on,
            factor_used: self.factor_used,
        }
    }

    /// From when on a second factor is demanded of the caller; `None` where it is not.
    #[must_use]
    pub fn mfa_required_from(&self) -> Option<Timestamp> {
        self.mfa_required_from
    }

    /// That the caller signed in as the organization demands it by now: through its provider, lately enough, and by a second factor.
    ///
    /// # Errors
    /// [`Error::ConnectionDemanded`], [`Error::SessionTooOld`], [`Error::FactorDemanded`].
    pub fn demand_sign_on(&self) -> Result<()> {
        let now = self.rules.environment.now();
        if self.connection_bypassed {
            return Err(Error::ConnectionDemanded(self.membership.organization));
        }
        if let Some(seconds) = self.session_max_age
            && now - self.signed_in_at >= TimeDelta::seconds(seconds.into())
        {
            return Err(Error::SessionTooOld(seconds));
        }
        match self.mfa_required_from {
            Some(from) if now >= from && !self.factor_used => Err(Error::FactorDemanded),
            _ => Ok(()),
        }
    }

    /// That the caller proved lately who they are.
    ///
    /// # Errors
    /// [`Error::SignInTooOld`].
    pub(super) fn demand_fresh(&self) -> Result<()> {
        if is_fresh(self.authenticated_at, self.rules.environment.now()) {
            Ok(())
        } else {
            Err(Error::SignInTooOld)
        }
    }

    /// When the member was last seen here, as far as this was written down.
    #[must_use]
    pub fn last_seen_at(&self) -> Option<Timestamp> {
        self.last_seen_at
    }
}

/// How an organization demands of a member to sign in.
#[derive(Deserialize)]
struct Demanded {
    /// Of whom a second factor is demanded.
    mfa: MfaPolicy,
    /// From when on the time is counted that they have to set one up, in milliseconds since 1970.
    mfa_grace_from: i64,
    session_max_age: Option<u32>,
    /// What they are to sign in through.
    connection: Option<Uuid>,
}

/// Loads what the caller holds in an organization: two round trips. `None` for a stranger, and where there is none.
///
/// # Errors
/// When the database fails, or the caller's session has ended.
pub async fn load(
    database: &Database,
    principal: &Principal,
    organization: &OrganizationRef,
) -> Result<Option<TenantContext>> {
    let connection = database.begin(Mode::ReadOnly, Some(principal.user()), None).await?;
    read_context(&connection, principal, organization, Rules::of(database)).await
}

pub(super) async fn read_context(
    connection: &Connection,
    principal: &Principal,
    organization: &OrganizationRef,
    rules: Rules,
) -> Result<Option<TenantContext>> {
    let (id, slug) = match organization {
        OrganizationRef::Id(id) => (Some(id.as_uuid()), None),
        OrganizationRef::Slug(slug) => (None, Some(slug.clone())),
    };
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select s.authenticated_at, s.created_at, s.factor_used_at, m.organization_id, m.status, m.member_id, m.last_seen_at, m.grants,
                m.sign_on, i.connection_id
         from sessions s
         left join identities i on i.user_id = s.user_id and i.id = s.identity_id
         left join lookup.membership($4, $5) m on true
         where s.user_id = $1 and s.id = $2 and s.revoked_at is null and s.expires_at > $3",
        [
            principal.user().as_uuid().into(),
            principal.session().as_uuid().into(),
            rules.environment.now().into(),
            id.into(),
            slug.into(),
        ],
    );
    let row = connection.query_one_raw(statement).await?.ok_or(Error::SessionEnded)?;
    context_from_row(&row, principal, rules)
}

fn context_from_row(row: &QueryResult, principal: &Principal, rules: Rules) -> Result<Option<TenantContext>> {
    let Some(organization) = row.try_get::<Option<Uuid>>("", "organization_id")? else {
        return Ok(None);
    };
    let grants: Value = row.try_get("", "grants")?;
    let membership = Membership {
        organization: organization.into(),
        member: row.try_get::<Uuid>("", "member_id")?.into(),
        user: principal.user(),
        grants: roles::grants_from_json(grants.clone())?,
    };
    let sign_on: Value = row.try_get("", "sign_on")?;
    let demanded = Demanded::deserialize(&sign_on).map_err(|error| Error::Corrupt(error.to_string()))?;
    let grace_from = DateTime::from_timestamp_millis(demanded.mfa_grace_from)
        .ok_or_else(|| Error::Corrupt("sign_on_policies.mfa_grace_from".to_owned()))?;
    let factor_demanded = demanded.mfa.demands_of(&membership);
    let authenticated_at: Timestamp = row.try_get("", "authenticated_at")?;
    let connection = demanded.connection.filter(|_| !may_bypass_connection(&membership));
    let (connection_bypassed, signed_in_at) = match connection {
        // What was proven here since proves nothing to the organization.
        Some(_) => (
            row.try_get::<Option<Uuid>>("", "connection_id")? != connection,
            row.try_get("", "created_at")?,
        ),
        None => (false, authenticated_at),
    };
    Ok(Some(TenantContext {
        principal: principal.clone(),
        mfa_required_from: factor_demanded.then(|| grace_from + rules.mfa_grace),
        session_max_age: demanded.session_max_age,
        connection_bypassed,
        sign_on,
        factor_used: row.try_get::<Option<Timestamp>>("", "factor_used_at")?.is_some(),
        authenticated_at,
        signed_in_at,
        rules,
        membership,
        status: known("organizations.status", &row.try_get::<String>("", "status")?)?,
        last_seen_at: row.try_get("", "last_seen_at")?,
        grants,
    }))
}
