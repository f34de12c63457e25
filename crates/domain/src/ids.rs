//! A type for each kind of id, so that no id is taken for another's.
//!
//! To add one: a line in the `ids!` list below.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::environment::Environment;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id (UUIDv7, RFC 9562).
            #[must_use]
            pub fn new(environment: &Environment) -> Self {
                Self(environment.new_uuid())
            }

            /// The id as it is stored.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Takes the hyphenated form alone: one id has one spelling in a URL.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                if text.len() != 36 {
                    return Err(NotAnId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// A person, in whatever organizations.
    UserId;
    /// A signed-in device of a person.
    SessionId;
    /// A link that was mailed to a person.
    LinkId;
    /// An address that a person wants instead of theirs.
    EmailChangeId;
    /// A device on which a person is not asked for a second factor.
    TrustedDeviceId;
    /// A key of a person's devices that signs them in.
    PasskeyId;
    /// What a provider knows a person by.
    IdentityId;
    /// Something to be done later.
    JobId;
    /// A tenant.
    OrganizationId;
    /// A person's membership in one organization.
    MemberId;
    /// An address that is asked to join one organization.
    InvitationId;
    /// An organization's own provider: another one whenever that is.
    ConnectionId;
    /// A domain of one organization.
    DomainId;
    /// A role of one organization, built in or custom.
    RoleId;
    /// A role held by a member at an organization, a workspace or a project.
    GrantId;
    /// A grouping of projects.
    WorkspaceId;
    /// A project.
    ProjectId;
    /// A domain event.
    EventId;
}

/// The text is not a UUID in its hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an id")]
pub struct NotAnId;
