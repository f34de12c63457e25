//! The outbox: an event a write, in the write's transaction.

use sea_orm::{ActiveValue::Set, ConnectionTrait as _, DbBackend, EntityTrait as _, Statement};
use serde_json::Value;
use tenantry_domain::{
    environment::{Environment, Timestamp},
    events::Event,
    ids::{EventId, MemberId, UserId},
    trace::TraceId,
};

use crate::{
    connection::Connection,
    entities::{events, user_events},
    error::Result,
    scope::Scope,
    sessions::Principal,
};

/// Adds an event of an organization.
pub(crate) async fn append(
    connection: &Connection,
    environment: &Environment,
    scope: Scope,
    actor: UserId,
    trace: TraceId,
    now: Timestamp,
    event: Event,
) -> Result<()> {
    let row = events::ActiveModel {
        organization_id: Set(scope.organization().as_uuid()),
        id: Set(EventId::new(environment).as_uuid()),
        event_type: Set(event.event_type.as_str().to_owned()),
        actor_user_id: Set(Some(actor.as_uuid())),
        resource_type: Set(event.resource_type.to_owned()),
        resource_id: Set(event.resource_id),
        trace_id: Set(trace.to_string()),
        before: Set(event.before),
        after: Set(event.after),
        created_at: Set(now),
    };
    events::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// What a write was decided over.
pub(crate) struct DecidedOver<'c> {
    /// Who calls.
    pub(crate) principal: &'c Principal,
    /// Their membership.
    pub(crate) member: MemberId,
    /// What they hold, as the look-up tells it.
    pub(crate) grants: &'c Value,
    /// How they are to sign in, as the look-up tells it.
    pub(crate) sign_on: &'c Value,
    /// Whether a second factor was used for their session.
    pub(crate) factor_used: bool,
}

/// Adds an event of an organization if its actor, who calls, is still signed in, by a second factor where it was by one, and the
/// member they were, with every role they had, and no more is demanded of them. What was held on something that exists no longer
/// went with it. `false` where anything else was taken, and there is no event then.
pub(crate) async fn append_of_member(
    connection: &Connection,
    environment: &Environment,
    scope: Scope,
    decided: DecidedOver<'_>,
    trace: TraceId,
    now: Timestamp,
    event: Event,
) -> Result<bool> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "insert into events (organization_id, id, type, actor_user_id, resource_type, resource_id, trace_id, before, after,
                             created_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
         from lookup.membership($1, null) m
         where m.status = 'active' and m.member_id = $11 and m.sign_on = $14
           and exists (select from sessions where user_id = $4 and id = $13 and revoked_at is null
                       and (factor_used_at is not null or not $15))
           and not exists (
               select from jsonb_array_elements($12) had
               where not m.grants @> jsonb_build_array(had)
                 and (had ->> 'workspace_id' is null or exists (
                     select from workspaces
                     where workspaces.organization_id = $1 and workspaces.id = (had ->> 'workspace_id')::uuid))
                 and (had ->> 'project_id' is null or exists (
                     select from projects
                     where projects.organization_id = $1 and projects.id = (had ->> 'project_id')::uuid)))",
        [
            scope.organization().as_uuid().into(),
            EventId::new(environment).as_uuid().into(),
            event.event_type.as_str().into(),
            decided.principal.user().as_uuid().into(),
            event.resource_type.into(),
            event.resource_id.into(),
            trace.to_string().into(),
            event.before.into(),
            event.after.into(),
            now.into(),
            decided.member.as_uuid().into(),
            decided.grants.clone().into(),
            decided.principal.session().as_uuid().into(),
            decided.sign_on.clone().into(),
            decided.factor_used.into(),
        ],
    );
    Ok(connection.execute_raw(statement).await?.rows_affected() == 1)
}

/// Adds an event of a person outside of any organization.
pub(crate) async fn append_to_user(
    connection: &Connection,
    environment: &Environment,
    user: UserId,
    trace: TraceId,
    now: Timestamp,
    event: Event,
) -> Result<()> {
    let row = user_events::ActiveModel {
        user_id: Set(user.as_uuid()),
        id: Set(EventId::new(environment).as_uuid()),
        event_type: Set(event.event_type.as_str().to_owned()),
        resource_type: Set(event.resource_type.to_owned()),
        resource_id: Set(event.resource_id),
        trace_id: Set(trace.to_string()),
        before: Set(event.before),
        after: Set(event.after),
        created_at: Set(now),
    };
    user_events::Entity::insert(row)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
