//! Words of the domain in the document: closed enums, by the domain's own spelling.
//!
//! To add one: a line in the `words!` list below, and `#[schema(value_type = …)]` where it is shown. What a kind of list is
//! sorted by: a line in the `sorts!` list, and its name among the `params(…)` of such lists.

use std::borrow::Cow;

use serde_json::json;
use tenantry_domain::{
    domains, email_changes, invitations, lists, members, organizations, permissions::Permission, projects,
    second_factors, sign_on,
};
use tenantry_services::{error::Conflict, identities::Preset, limits::LimitScope};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr, Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Schema, Type},
    },
};

macro_rules! words {
    ($($name:ident: $words:expr, $description:literal;)*) => {$(
        #[doc = $description]
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .enum_values(Some($words))
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
    ProjectStatus: all(projects::ProjectStatus::WORDS), "Whether a project is being worked on.";
    Visibility: all(projects::Visibility::WORDS), "Who may know of a project: `organization`, whoever may view projects \
        above it; `private`, its creator, those with a role on it or on its workspace, and those who manage projects.";
    OrganizationStatus: all(organizations::OrganizationStatus::WORDS), "Whether an organization can be worked in.";
    Plan: all(organizations::Plan::WORDS), "What an organization pays for.";
    Isolation: all(organizations::Isolation::WORDS),
        "How an organization's rows are kept apart: `shared` tables behind row-level security.";
    MemberStatus: all(members::MemberStatus::WORDS), "Whether a membership counts.";
    InvitationStatus: all(invitations::InvitationStatus::WORDS), "Whether an invitation can still be taken up.";
    DomainStatusName: all(domains::DomainStatus::WORDS), "Whether a domain is proven to be the organization's.";
    DomainRecordType: ["TXT"], "The type of a record in the DNS.";
    PermissionName: Permission::ALL.iter().map(|permission| permission.name()),
        "A permission, as `resource:action`.";
    ConflictReason: all(Conflict::WORDS), "What is in the way.";
    SecondFactorMethod: all(second_factors::SecondFactor::WORDS), "By what a sign-in can be completed.";
    EmailChangeSide: all(email_changes::Side::WORDS), "One of the two addresses of a change.";
    MfaPolicyName: all(sign_on::MfaPolicy::WORDS), "Of whom a second factor is demanded: of owners and `admins`, or of \
        `everyone`.";
    DefaultRoleName: all(sign_on::DefaultRole::WORDS), "What somebody becomes who signs in through the organization's connection \
        for the first time.";
    SignInMethodName: ["password", "passkey"], "What somebody can sign in with.";
    IdentityProviderType: all(Preset::WORDS), "What kind of provider it is.";
    RefreshTokenTransport: ["body", "cookie"], "How a refresh token travels.";
    TokenType: ["Bearer"], "How the access token is sent: in `Authorization`, after this word.";
    PublicKeyCredentialType: ["public-key"], "What kind of credential it is, for WebAuthn.";
    ResidentKeyRequirement: ["required"], "Whether a passkey is to be found without being named.";
    UserVerificationRequirement: ["required"], "Whether an authenticator is to make sure who uses it.";
    AttestationConveyancePreference: ["none"], "What the maker of an authenticator is to vouch for.";
    KeyType: ["OKP", "EC"], "The type of a key.";
    KeyCurve: ["Ed25519", "P-256"], "The curve of a key.";
    KeyAlgorithm: ["EdDSA", "ES256"], "The one algorithm that a key is used with.";
    KeyUse: ["sig"], "What a key is for: signatures.";
    RateLimitScope: LimitScope::ALL.map(LimitScope::as_str), "What a limit is counted for.";
}

fn all(words: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    words.iter().copied()
}

macro_rules! sorts {
    ($($name:ident: $field:ty;)*) => {$(
        #[doc = concat!("The parameter `sort` by [`", stringify!($field), "`].")]
        pub(crate) enum $name {}

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                vec![sort(<$field>::WORDS)]
            }
        }
    )*};
}

sorts! {
    ResourceSort: lists::ResourceField;
    MemberSort: lists::MemberField;
    InvitationSort: lists::InvitationField;
    DomainSort: lists::DomainField;
    MembershipSort: lists::MembershipField;
    SessionSort: lists::SessionField;
    TrustedDeviceSort: lists::TrustedDeviceField;
    PasskeySort: lists::PasskeyField;
    IdentitySort: lists::IdentityField;
}

fn sort(fields: &[&str]) -> Parameter {
    let default = "-createdAt";
    let second = fields.iter().find(|field| !default.ends_with(*field));
    let named: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    let any = fields.join("|");
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^-?({any})(,-?({any}))*$")))
        .max_length(Some(255))
        .default(Some(json!(default)));
    ParameterBuilder::new()
        .name("sort")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(format!(
            "Fields to sort by, separated by commas, each with `-` before it for descending order: {}",
            named.join(", ")
        )))
        .schema(Some(schema))
        .example(Some(json!(format!("{default},{}", second.unwrap_or(&"")))))
        .build()
}
