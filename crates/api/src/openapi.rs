//! The OpenAPI document: collected from the routes, completed by what holds for all of them.

use std::collections::BTreeMap;

use tenantry_services::limits::Limit;
use utoipa::{
    OpenApi as _,
    openapi::{
        Header, OpenApi, RefOr, Required, ResponseBuilder, Tag,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{errors::ErrorCode, limits, router};

mod errors;
mod examples;
mod headers;
mod references;
mod schemas;

pub(crate) use self::errors::{ErrorEnvelope, ErrorInfo};

/// The document as it is committed and served: pretty JSON with a line break at its end.
#[must_use]
pub fn openapi_json() -> String {
    let (_, document) = router::application();
    // A document of plain values has no way not to become JSON.
    let mut json = document.to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tenantry",
        description = include_str!("openapi/introduction.md"),
        license(name = "MIT or Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Whoever runs this server"),
    ),
    components(schemas(ErrorEnvelope)),
    servers((url = "/", description = "This server")),
)]
struct Preamble;

pub(crate) fn preamble() -> OpenApi {
    let mut document = Preamble::openapi();
    document.tags = Some(
        [
            (
                "Authentication",
                "Making an account, signing in and out, another password.",
            ),
            (
                "Second factors",
                "What one proves oneself by beside the password: authenticator apps, recovery codes, trusted devices.",
            ),
            (
                "Passkeys",
                "Keys that one's devices hold, which sign in by themselves and count as a second factor (WebAuthn).",
            ),
            (
                "Identity providers",
                "Signing in through others, by OpenID Connect or OAuth 2.0, and what they know one by.",
            ),
            ("Sessions", "The devices on which one is signed in."),
            ("Me", "Oneself, and the organizations that one belongs to."),
            (
                "Organizations",
                "The tenants; who one is in them, and what one may do there.",
            ),
            ("Members", "Who is in an organization, and as what."),
            (
                "Invitations",
                "How people come into an organization: sent by members, taken up by whoever they are for.",
            ),
            (
                "Single sign-on",
                "How the members of an organization sign in: its domains, its own provider, and what it demands.",
            ),
            ("Permissions", "What can be permitted, and what implies what."),
            ("Workspaces", "Parts of an organization, each with its projects."),
            ("Projects", "What is worked on; each is in one workspace."),
            (
                "Health",
                "Whether the service lives and serves, and the keys of its tokens.",
            ),
        ]
        .map(|(name, description)| {
            let mut tag = Tag::new(name);
            tag.description = Some(description.to_owned());
            tag
        })
        .to_vec(),
    );
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The `accessToken` of a sign-in."))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    document
}

/// Adds what holds for every operation: the errors that it can answer with, and the headers of its answers.
pub(crate) fn complete(mut document: OpenApi) -> OpenApi {
    references::name_what_is_repeated(&mut document);
    schemas::complete(&mut document);
    let components = document.components.clone().unwrap_or_default();
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                schemas::leave_out_null(operation);
                complete_operation(path, method, operation);
                examples::show(path, operation, &components);
            }
        }
    }
    document
}

fn complete_operation(path: &str, method: &str, operation: &mut Operation) {
    let under_api = path.starts_with("/api/");
    let secured = operation.security.is_some();
    let of_tenant = path.contains("{orgId}");
    let has_body = operation.request_body.is_some();
    let limit = limits::of_path(path);
    let has_tag = ok_has_etag(operation);
    let named = |parameter: &str| {
        operation.parameters.as_ref().is_some_and(|parameters| {
            parameters
                .iter()
                .any(|known| matches!(known, RefOr::T(known) if known.name == parameter))
        })
    };
    let takes_key = named("Idempotency-Key");
    let takes_match = named("If-Match");

    let mut errors = vec![ErrorCode::MalformedRequest, ErrorCode::InternalError];
    if under_api {
        errors.extend([ErrorCode::NotAcceptable, ErrorCode::ServiceUnavailable]);
    }
    if under_api || operation.responses.responses.contains_key("503") {
        errors.push(ErrorCode::Timeout);
    }
    if secured {
        errors.push(ErrorCode::Unauthorized);
    }
    if of_tenant {
        errors.extend([
            ErrorCode::TenantSuspended,
            ErrorCode::MfaRequired,
            ErrorCode::SsoRequired,
            ErrorCode::ReauthenticationRequired,
            ErrorCode::NotFound,
        ]);
        errors.extend(permission(operation).map(|_| ErrorCode::Forbidden));
    } else if path.contains('{') {
        errors.push(ErrorCode::NotFound);
    }
    if has_body {
        errors.extend([
            ErrorCode::ValidationError,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
        ]);
    }
    if limit.is_some() {
        errors.push(ErrorCode::RateLimited);
    }
    if takes_match {
        errors.push(ErrorCode::PreconditionFailed);
    }
    if takes_key {
        errors.extend([ErrorCode::IdempotencyKeyReused, ErrorCode::IdempotencyInProgress]);
    }
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in errors {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    for (status, codes) in by_status {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(errors::response(&codes)));
    }
    if method == "get" && has_tag {
        let condition = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("An `ETag` that the client holds: `304` while it is current."))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some(255)),
            ))
            .build();
        operation.parameters.get_or_insert_default().push(RefOr::T(condition));
        let unchanged = ResponseBuilder::new()
            .description("What the client holds is current.")
            .header("ETag", Header::default())
            .build();
        operation
            .responses
            .responses
            .insert("304".to_owned(), RefOr::T(unchanged));
    }
    schemas::complete_parameters(operation);
    headers::complete(operation, limit.is_some());
    say_what_is_needed(operation, secured, limit);
}

/// The permission that an operation demands; none where membership is enough, or where there is no organization.
fn permission(operation: &Operation) -> Option<&str> {
    operation.extensions.as_ref()?.get("x-permission")?.as_str()
}

/// Ends the description with what the caller needs, so that every reader of the document sees it.
fn say_what_is_needed(operation: &mut Operation, secured: bool, limit: Option<Limit>) {
    let is_of_tenant = operation
        .extensions
        .as_ref()
        .is_some_and(|extensions| extensions.contains_key("x-permission"));
    let mut needs = match permission(operation) {
        Some(permission) => format!("**Needs `{permission}`.**"),
        None if is_of_tenant => "**Needs no permission: being a member is enough.**".to_owned(),
        None if secured => "**Needs a sign-in, and no permission.**".to_owned(),
        None => "**Needs no sign-in.**".to_owned(),
    };
    if let Some(limit) = limit {
        let rule = limit.rule();
        let window = match rule.window.num_minutes() {
            60 => "an hour".to_owned(),
            minutes => format!("{minutes} minutes"),
        };
        needs.push_str(&format!(
            " From one address at most {} requests in {window}: the `RateLimit-…` headers tell what is left.",
            rule.count
        ));
    }
    let description = operation.description.get_or_insert_default();
    description.push_str(&format!("\n\n{needs}"));
}

fn ok_has_etag(operation: &Operation) -> bool {
    operation.responses.responses.iter().any(|(status, response)| {
        status == "200" && matches!(response, RefOr::T(response) if response.headers.contains_key("ETag"))
    })
}
