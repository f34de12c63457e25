//! Members: people in one organization.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    emails::Email,
    environment::Timestamp,
    ids::{MemberId, OrganizationId, RoleId, UserId},
    keywords,
    roles::{BuiltInRole, RoleName, UnknownRole},
    text::Name,
};

keywords! {
    /// Whether a membership counts.
    pub enum MemberStatus {
        /// It does.
        Active = "active",
        /// It is kept, and gives no access.
        Inactive = "inactive",
    }
}

/// A member as it is stored, with what co-members may know of the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The id of the membership.
    pub id: MemberId,
    /// The tenant that it belongs to.
    pub organization_id: OrganizationId,
    /// The person.
    pub user_id: UserId,
    /// Their address.
    pub email: Email,
    /// What they call themselves.
    pub person_name: Name,
    /// The picture that they have of themselves.
    pub person_avatar_url: Option<String>,
    /// How they are shown in this organization.
    pub profile: Profile,
    /// The role held in the whole organization; `None` where roles are held further down alone.
    pub role: Option<RoleName>,
    /// Whether the membership counts.
    pub status: MemberStatus,
    /// When they joined.
    pub joined_at: Timestamp,
    /// When they were last seen in this organization, to within five minutes.
    pub last_seen_at: Option<Timestamp>,
    /// Counts the changes of the membership and of the person: it never goes back, and is another after any of them.
    pub version: i64,
    /// When the membership was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How a person is shown in one organization: what is `None` is theirs from everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What they are called.
    pub name: Option<Name>,
    /// A picture of them: an `https` URL.
    pub avatar_url: Option<String>,
}

/// A change of how a person is shown in one organization: `None` leaves a field as it is, and `Some(None)` makes it theirs
/// from everywhere.
#[derive(Debug, Clone, Default)]
pub struct ProfileUpdate {
    /// Another name.
    pub name: Option<Option<Name>>,
    /// Another picture.
    pub avatar_url: Option<Option<String>>,
}

impl Member {
    /// What they are called here.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.profile.name.as_ref().unwrap_or(&self.person_name)
    }

    /// What they look like here.
    #[must_use]
    pub fn avatar_url(&self) -> Option<&str> {
        let here = self.profile.avatar_url.as_ref();
        here.or(self.person_avatar_url.as_ref()).map(String::as_str)
    }

    /// Whether the organization is theirs.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.role
            .as_ref()
            .is_some_and(|role| role.key == BuiltInRole::Owner.key())
    }

    /// This member with `change` made, without a new version or date.
    #[must_use]
    pub fn changed(&self, change: ProfileUpdate) -> Self {
        Self {
            profile: Profile {
                name: change.name.unwrap_or_else(|| self.profile.name.clone()),
                avatar_url: change.avatar_url.unwrap_or_else(|| self.profile.avatar_url.clone()),
            },
            ..self.clone()
        }
    }
}

/// How a request names a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleRef {
    /// One that every organization has, by its key.
    BuiltIn(BuiltInRole),
    /// Any, by its id.
    Id(RoleId),
}

impl FromStr for RoleRef {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let built_in = text.parse().map(Self::BuiltIn);
        built_in.or_else(|_| text.parse().map(Self::Id).map_err(|_| UnknownRole))
    }
}

/// Permissions that every member has over themselves, whatever their roles: to see how they are shown, to change it, and to
/// leave.
pub mod or_oneself {
    use crate::permissions::{Permission, Required, perm};

    macro_rules! or_oneself {
        ($($name:ident $however_signed_in:literal)*) => {$(
            #[doc = concat!("[`", stringify!($name), "`](perm::", stringify!($name), "), or being the member oneself.")]
            #[derive(Debug, Clone, Copy)]
            pub enum $name {}

            impl Required for $name {
                const PERMISSION: Permission = perm::$name::PERMISSION;
                const NAME: &'static str = perm::$name::NAME;
                const OVER_ONESELF: bool = true;
                const OVER_ONESELF_HOWEVER_SIGNED_IN: bool = $however_signed_in;
            }
        )*};
    }

    // Leaving is never in anybody's way.
    or_oneself! { MemberView false MemberUpdate false MemberRemove true }
}

#[cfg(test)]
mod tests;
