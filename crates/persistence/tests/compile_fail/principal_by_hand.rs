//! A caller is known by a live session, never by an id alone.

use tenantry_domain::ids::{SessionId, UserId};
use tenantry_persistence::sessions::Principal;

fn pretended(user: UserId, session: SessionId) -> Principal {
    Principal { user, session }
}

fn main() {}
