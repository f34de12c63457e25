//! Words of the domain in the document: closed enums, by the domain's own spelling.
//!
//! To add one: a line in the `words!` list below, and `#[schema(value_type = …)]` where it is shown.

use std::borrow::Cow;

use tenantry_domain::{members, organizations, projects};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

macro_rules! words {
    ($($name:ident: $domain:ty = $description:literal;)*) => {$(
        #[doc = $description]
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .enum_values(Some(<$domain>::WORDS.iter().copied()))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

words! {
    ProjectStatus: projects::ProjectStatus = "Whether a project is being worked on.";
    Visibility: projects::Visibility = "Who may know of a project: `organization`, whoever may view projects above it; \
        `private`, its creator, those with a role on it or on its workspace, and those who manage projects.";
    OrganizationStatus: organizations::OrganizationStatus = "Whether an organization can be worked in.";
    Plan: organizations::Plan = "What an organization pays for.";
    Isolation: organizations::Isolation =
        "How an organization's rows are kept apart: `shared` tables behind row-level security.";
    MemberStatus: members::MemberStatus = "Whether a membership counts.";
}
