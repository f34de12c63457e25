//! The outbox: an event a write, in the write's transaction.

use sea_orm::{ActiveValue::Set, EntityTrait as _};
use tenantry_domain::{
    environment::{Environment, Timestamp},
    events::Event,
    ids::{EventId, UserId},
    trace::TraceId,
};

use crate::{
    connection::Connection,
    entities::{events, user_events},
    error::Result,
    scope::Scope,
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
