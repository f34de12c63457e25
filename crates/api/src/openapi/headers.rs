//! The headers of answers: what they are, and how long they may become.

use utoipa::openapi::{
    RefOr, Response,
    header::{Header, HeaderBuilder},
    path::Operation,
    schema::{ObjectBuilder, SchemaFormat, Type},
};

use crate::errors::ErrorCode;

/// The headers of the tightest limit that counted.
const LIMITS: [(&str, &str); 3] = [
    ("RateLimit-Limit", "How many requests the tightest limit allows."),
    ("RateLimit-Remaining", "How many of them are left."),
    ("RateLimit-Reset", "Seconds until there are more."),
];

/// Tried again once the first request has been answered.
const IN_PROGRESS: &str = ErrorCode::IdempotencyInProgress.as_str();

/// Describes the headers that the operation declares, and adds those that follow from its answers.
pub(super) fn complete(operation: &mut Operation, limited: bool) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        for (name, header) in &mut response.headers {
            if let (RefOr::T(header), Some(described)) = (header, declared(name)) {
                *header = described;
            }
        }
        let trace = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9a-f]{32}$"))
            .min_length(Some(32))
            .max_length(Some(32));
        add(
            response,
            "X-Trace-Id",
            described("The W3C trace id of the request.", trace),
        );
        if limited {
            for (name, description) in LIMITS {
                add(response, name, number(description));
            }
        }
        match status.as_str() {
            "401" => add(
                response,
                "WWW-Authenticate",
                text("What is wrong with the credentials (RFC 6750).", 255),
            ),
            "415" => add(response, "Accept", text("The media types that are understood.", 255)),
            "429" | "503" => add(response, "Retry-After", retry_after()),
            "409" if response.description.contains(IN_PROGRESS) => add(response, "Retry-After", retry_after()),
            _ => {}
        }
    }
}

/// A header that handlers declare by its name alone.
fn declared(name: &str) -> Option<Header> {
    Some(match name {
        "ETag" => text("The version of the resource, for `If-Match` and `If-None-Match`.", 255),
        "Location" => described(
            "Where the resource is from now on.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::Custom("uri-reference".to_owned())))
                .max_length(Some(2048)),
        ),
        "Set-Cookie" => text(
            "For browsers: a trusted device, and in browser mode what has the session's tokens.",
            4096,
        ),
        "Idempotency-Replayed" => described(
            "Present where the request had been answered before, and did nothing now.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(["true"])),
        ),
        _ => return None,
    })
}

fn retry_after() -> Header {
    number("Seconds after which to try again.")
}

fn text(description: &str, max: usize) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(max));
    described(description, schema)
}

fn number(description: &str) -> Header {
    let schema = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(1_000_000_000));
    described(description, schema)
}

fn described(description: &str, schema: ObjectBuilder) -> Header {
    HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn add(response: &mut Response, name: &str, header: Header) {
    response.headers.insert(name.to_owned(), RefOr::T(header));
}
