//! The OpenAPI document: collected from the routes, completed by what holds for all of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        Components, OpenApi, RefOr, Required, ResponseBuilder, Tag,
        content::ContentBuilder,
        header::HeaderBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::{AdditionalProperties, ObjectBuilder, Ref, Schema, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{errors::ErrorCode, router};

mod examples;

/// The document as it is committed and served: pretty JSON with a line break at its end.
#[must_use]
pub fn openapi_json() -> String {
    let (_, document) = router::application();
    // A document of plain values has no way not to become JSON.
    let mut json = document.to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

/// The envelope of every error.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "read by the derive alone: the envelope itself is written in `errors`"
)]
pub(crate) struct ErrorEnvelope {
    error: ErrorInfo,
}

/// What went wrong.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the derive alone: the envelope itself is written in `errors`"
)]
pub(crate) struct ErrorInfo {
    /// What went wrong, for programs.
    code: ErrorCode,
    /// What went wrong, for people.
    #[schema(max_length = 2000, example = "There is no such resource.")]
    message: String,
    /// More of it, by code: `fields`, `location`, `reason`, `requiredPermission`, `limit`…
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    /// The W3C trace id of the request, as in `X-Trace-Id`.
    #[schema(
        pattern = "^[0-9a-f]{32}$",
        min_length = 32,
        max_length = 32,
        example = "4bf92f3577b34da6a3ce929d0e0e4736"
    )]
    trace_id: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tenantry",
        description = include_str!("openapi/introduction.md"),
        license(name = "MIT or Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ErrorEnvelope, ErrorInfo, ErrorCode)),
    servers((url = "/", description = "This server")),
)]
struct Preamble;

pub(crate) fn preamble() -> OpenApi {
    let mut document = Preamble::openapi();
    document.tags = Some(
        [
            ("Authentication", "Making an account, signing in and out."),
            ("Sessions", "The devices on which one is signed in."),
            ("Me", "What is known of oneself."),
            ("Organizations", "The tenants."),
            ("Members", "Who is in an organization."),
            ("Permissions", "What can be permitted, and what implies what."),
            ("Workspaces", "Groupings of projects."),
            ("Projects", "The work itself."),
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
                complete_operation(path, method, operation);
            }
        }
    }
    for (name, schema) in &mut document.components.get_or_insert_default().schemas {
        let RefOr::T(Schema::Object(object)) = schema else {
            continue;
        };
        if name.ends_with("Body") {
            // What bodies do not know, they refuse.
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        } else {
            // What answers do not have is null, and never left out.
            object.required = object.properties.keys().cloned().collect();
        }
    }
    let components = document.components.clone().unwrap_or_default();
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            show_examples(operation, &components);
        }
    }
    document
}

/// Gives examples to the parameters and answers that have none.
fn show_examples(operation: &mut Operation, components: &Components) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(example) = examples::of_parameter(parameter)
        {
            *parameter = ParameterBuilder::from(parameter.clone()).example(Some(example)).build();
        }
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let code = ErrorCode::ALL
            .iter()
            .find(|code| response.description.contains(&format!("`{}`", code.as_str())));
        for content in response.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            if let (None, Some(schema)) = (&content.example, &content.schema) {
                let mut example = examples::of_schema(schema, components);
                let code = code.filter(|_| !status.starts_with('2'));
                if let (Some(code), Some(error)) = (code, example.get_mut("error")) {
                    *error = error_example(*code);
                }
                content.example = Some(example);
            }
        }
    }
}

fn complete_operation(path: &str, method: &str, operation: &mut Operation) {
    let under_api = path.starts_with("/api/");
    let secured = operation.security.is_some();
    let of_tenant = path.contains("{orgId}");
    let has_body = operation.request_body.is_some();
    let limited = path.starts_with("/api/v1/auth/");
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
        errors.extend([
            ErrorCode::NotAcceptable,
            ErrorCode::ServiceUnavailable,
            ErrorCode::Timeout,
        ]);
    }
    if secured {
        errors.push(ErrorCode::Unauthorized);
    }
    if of_tenant {
        errors.extend([ErrorCode::Forbidden, ErrorCode::TenantSuspended, ErrorCode::NotFound]);
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
    if limited {
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
            .or_insert_with(|| RefOr::T(error_response(&codes)));
    }
    if method == "get" && has_tag {
        let condition = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("An `ETag` that the client holds: `304` while it is current."))
            .schema(Some(bounded_string(255)))
            .build();
        operation.parameters.get_or_insert_default().push(RefOr::T(condition));
        let unchanged = ResponseBuilder::new()
            .description("What the client holds is current.")
            .build();
        operation
            .responses
            .responses
            .insert("304".to_owned(), RefOr::T(unchanged));
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let trace = HeaderBuilder::new()
                .description(Some("The W3C trace id of the request."))
                .schema(Some(bounded_string(32)))
                .build();
            response.headers.insert("X-Trace-Id".to_owned(), RefOr::T(trace));
        }
    }
}

fn ok_has_etag(operation: &Operation) -> bool {
    operation.responses.responses.iter().any(|(status, response)| {
        status == "200" && matches!(response, RefOr::T(response) if response.headers.contains_key("ETag"))
    })
}

fn bounded_string(max: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(max))
}

fn error_response(codes: &[ErrorCode]) -> utoipa::openapi::Response {
    let names: Vec<String> = codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorEnvelope")))
        .build();
    ResponseBuilder::new()
        .description(names.join(" or "))
        .content("application/json", content)
        .build()
}

fn error_example(code: ErrorCode) -> Value {
    json!({
        "code": code,
        "message": "What went wrong, for people.",
        "details": null,
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    })
}
