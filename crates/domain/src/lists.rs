//! Lists: what they are sorted by, and where a page of one begins.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    domains::Domain, environment::Timestamp, identities::Identity, invitations::Invitation, keywords, members::Member,
    organizations::Organization, passkeys::Passkey, projects::Project, second_factors::TrustedDevice,
    sessions::Session, text::SearchText, users::memberships::UserMembership, workspaces::Workspace,
};

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The greatest first.
    Descending,
}

keywords! {
    /// What lists of resources are sorted by.
    pub enum ResourceField {
        /// The name.
        Name = "name",
        /// The moment of creation.
        CreatedAt = "createdAt",
        /// The moment of the last change.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of members are sorted by.
    pub enum MemberField {
        /// What the person is called in the organization.
        Name = "name",
        /// The person's address.
        Email = "email",
        /// The moment of joining.
        JoinedAt = "joinedAt",
        /// The moment at which the membership was made.
        CreatedAt = "createdAt",
        /// The moment of its last change.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of invitations are sorted by.
    pub enum InvitationField {
        /// The address that is invited.
        Email = "email",
        /// The moment at which the invitation expires.
        ExpiresAt = "expiresAt",
        /// The moment of creation.
        CreatedAt = "createdAt",
        /// The moment of the last change.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of domains are sorted by.
    pub enum DomainField {
        /// The name.
        Name = "name",
        /// The moment of creation.
        CreatedAt = "createdAt",
        /// The moment of the last change.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of one's own memberships are sorted by.
    pub enum MembershipField {
        /// The organization's name.
        Name = "name",
        /// The moment of joining.
        JoinedAt = "joinedAt",
        /// The moment at which the membership was made.
        CreatedAt = "createdAt",
        /// The moment of its last change.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of trusted devices are sorted by.
    pub enum TrustedDeviceField {
        /// The moment at which it was trusted.
        CreatedAt = "createdAt",
        /// The moment of its last sign-in.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of passkeys are sorted by.
    pub enum PasskeyField {
        /// The name.
        Name = "name",
        /// The moment at which it was registered.
        CreatedAt = "createdAt",
        /// The moment at which its name was last changed.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of identities are sorted by.
    pub enum IdentityField {
        /// The moment at which it was linked.
        CreatedAt = "createdAt",
        /// The moment of its last sign-in, or else at which it was linked.
        UpdatedAt = "updatedAt",
    }
}

keywords! {
    /// What lists of sessions are sorted by.
    pub enum SessionField {
        /// The moment of signing in.
        CreatedAt = "createdAt",
        /// The moment at which it was last seen.
        UpdatedAt = "updatedAt",
    }
}

/// What one entry is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortValue {
    /// A moment.
    Time(Timestamp),
    /// A text.
    Text(String),
}

/// An entry of a list.
pub trait Listed {
    /// What its list can be sorted by.
    type Field: Copy + Send + Sync;
    /// Its value of a field.
    fn sort_value(&self, field: Self::Field) -> SortValue;
    /// Its id, the last key of every order.
    fn sort_id(&self) -> Uuid;
}

/// An entry's place in its list's order: the values that it is sorted by, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// A value for each field of the order.
    pub values: Vec<SortValue>,
    /// The id.
    pub id: Uuid,
}

/// The part of a list that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// A numbered page, from 1, counted.
    Page(u32),
    /// What comes after a place, or from the start; not counted.
    After(Option<Place>),
}

/// How a list is asked for.
#[derive(Debug, Clone)]
pub struct ListQuery<F> {
    /// What to sort by, the first key first; the id follows.
    pub order: Vec<(F, Direction)>,
    /// Which part.
    pub window: Window,
    /// How many entries at the most.
    pub page_size: u32,
    /// What the name must contain, whatever its case.
    pub search: Option<SearchText>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Whether there are more after them.
    pub more: bool,
    /// How many there are in all, where they were counted.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// The place of the last entry in `order`, where more come after it.
    #[must_use]
    pub fn next_place(&self, order: &[(T::Field, Direction)]) -> Option<Place>
    where
        T: Listed,
    {
        let last = self.items.last().filter(|_| self.more)?;
        Some(Place {
            values: order.iter().map(|&(field, _)| last.sort_value(field)).collect(),
            id: last.sort_id(),
        })
    }
}

macro_rules! listed_resources {
    ($($resource:ty)*) => {$(
        impl Listed for $resource {
            type Field = ResourceField;

            fn sort_value(&self, field: ResourceField) -> SortValue {
                match field {
                    ResourceField::Name => SortValue::Text(self.name.as_str().to_owned()),
                    ResourceField::CreatedAt => SortValue::Time(self.created_at),
                    ResourceField::UpdatedAt => SortValue::Time(self.updated_at),
                }
            }

            fn sort_id(&self) -> Uuid {
                self.id.as_uuid()
            }
        }
    )*};
}

listed_resources! { Organization Workspace Project }

impl Listed for Member {
    type Field = MemberField;

    fn sort_value(&self, field: MemberField) -> SortValue {
        match field {
            MemberField::Name => SortValue::Text(self.name().as_str().to_owned()),
            MemberField::Email => SortValue::Text(self.email.canonical().to_owned()),
            MemberField::JoinedAt => SortValue::Time(self.joined_at),
            MemberField::CreatedAt => SortValue::Time(self.created_at),
            MemberField::UpdatedAt => SortValue::Time(self.updated_at),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}

impl Listed for Invitation {
    type Field = InvitationField;

    fn sort_value(&self, field: InvitationField) -> SortValue {
        match field {
            InvitationField::Email => SortValue::Text(self.email.canonical().to_owned()),
            InvitationField::ExpiresAt => SortValue::Time(self.expires_at),
            InvitationField::CreatedAt => SortValue::Time(self.created_at),
            InvitationField::UpdatedAt => SortValue::Time(self.updated_at),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}

impl Listed for Domain {
    type Field = DomainField;

    fn sort_value(&self, field: DomainField) -> SortValue {
        match field {
            DomainField::Name => SortValue::Text(self.name.as_str().to_owned()),
            DomainField::CreatedAt => SortValue::Time(self.created_at),
            DomainField::UpdatedAt => SortValue::Time(self.updated_at),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}

impl Listed for UserMembership {
    type Field = MembershipField;

    fn sort_value(&self, field: MembershipField) -> SortValue {
        match field {
            MembershipField::Name => SortValue::Text(self.organization.name.as_str().to_owned()),
            MembershipField::JoinedAt => SortValue::Time(self.joined_at),
            MembershipField::CreatedAt => SortValue::Time(self.created_at),
            MembershipField::UpdatedAt => SortValue::Time(self.updated_at),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}

impl Listed for Session {
    type Field = SessionField;

    fn sort_value(&self, field: SessionField) -> SortValue {
        match field {
            SessionField::CreatedAt => SortValue::Time(self.created_at),
            SessionField::UpdatedAt => SortValue::Time(self.last_seen_at),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}

impl Listed for TrustedDevice {
    type Field = TrustedDeviceField;

    fn sort_value(&self, field: TrustedDeviceField) -> SortValue {
        match field {
            TrustedDeviceField::CreatedAt => SortValue::Time(self.created_at),
            TrustedDeviceField::UpdatedAt => SortValue::Time(self.last_used_at),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}

impl Listed for Identity {
    type Field = IdentityField;

    fn sort_value(&self, field: IdentityField) -> SortValue {
        match field {
            IdentityField::CreatedAt => SortValue::Time(self.created_at),
            IdentityField::UpdatedAt => SortValue::Time(self.updated_at()),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}

impl Listed for Passkey {
    type Field = PasskeyField;

    fn sort_value(&self, field: PasskeyField) -> SortValue {
        match field {
            PasskeyField::Name => SortValue::Text(self.name.as_str().to_owned()),
            PasskeyField::CreatedAt => SortValue::Time(self.created_at),
            PasskeyField::UpdatedAt => SortValue::Time(self.updated_at),
        }
    }

    fn sort_id(&self) -> Uuid {
        self.id.as_uuid()
    }
}
