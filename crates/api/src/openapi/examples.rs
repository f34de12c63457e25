//! Examples of every parameter and answer, made of what the schemas say.

use serde_json::{Map, Value, json};
use utoipa::openapi::{
    Components, Content, Ref, RefOr,
    path::{Operation, Parameter, ParameterBuilder},
    schema::{ArrayItems, KnownFormat, Schema, SchemaFormat, SchemaType, Type},
};

use tenantry_services::limits::Limit;

use super::errors::{self, Subject};
use crate::{errors::ErrorCode, limits};

/// An id, wherever one is shown.
const ID: &str = "01a1fbf7-030a-7efe-afba-f659b791409b";

/// How deep schemas refer to each other at the most.
const MAX_DEPTH: usize = 16;

/// Gives examples to the parameters and answers of an operation that have none.
pub(super) fn show(path: &str, operation: &mut Operation, components: &Components) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            of_parameter(parameter, components);
        }
    }
    let of_organization = match operation.operation_id.as_deref() {
        Some("inviteMember" | "resendInvitation") => Some(Limit::OrganizationInvitations),
        Some("replaceSignOn" | "verifyDomain") => Some(Limit::OrganizationLookups),
        _ => None,
    };
    let subject = Subject {
        permission: super::permission(operation).map(str::to_owned),
        field: text_field(operation, components),
        is_of_invitation: path.starts_with("/api/v1/invitations/"),
        takes_csrf_token: operation
            .parameters
            .iter()
            .flatten()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "X-CSRF-Token")),
        limit: limits::of_path(path).or(of_organization),
    };
    let this_page = path.replace("{orgId}", "acme").replace("{wsId}", ID);
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        for content in response.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            let Some(schema) = &content.schema else { continue };
            if *schema == RefOr::Ref(Ref::from_schema_name("ErrorEnvelope")) {
                errors::show(content, &response.description, &subject);
                continue;
            }
            let mut example = of_schema(schema, components);
            if let Some(link) = example.pointer_mut("/links/self") {
                *link = json!(format!("{this_page}?page=1"));
            }
            if !status.starts_with('2') {
                unhealthy(&mut example);
            }
            content.example = Some(example);
        }
    }
}

/// The readiness of a service that does not serve.
fn unhealthy(example: &mut Value) {
    for place in ["/status", "/checks/database/status"] {
        if let Some(status) = example.pointer_mut(place) {
            *status = json!("unhealthy");
        }
    }
    if let Some(error) = example.get_mut("error") {
        *error = errors::example(ErrorCode::ServiceUnavailable);
    }
}

/// A field of an operation's body that is text.
fn text_field(operation: &Operation, components: &Components) -> Option<String> {
    let Some(RefOr::T(body)) = &operation.request_body else {
        return None;
    };
    let RefOr::T(Content {
        schema: Some(RefOr::Ref(reference)),
        ..
    }) = body.content.get("application/json")?
    else {
        return None;
    };
    let name = reference.ref_location.rsplit('/').next()?;
    let RefOr::T(Schema::Object(body)) = components.schemas.get(name)? else {
        return None;
    };
    let is_text = |schema: &RefOr<Schema>| match schema {
        RefOr::T(Schema::Object(field)) => match &field.schema_type {
            SchemaType::Type(kind) => *kind == Type::String,
            SchemaType::Array(kinds) => kinds.contains(&Type::String),
            SchemaType::AnyValue => false,
        },
        _ => false,
    };
    let found = body.properties.iter().find(|(_, schema)| is_text(schema));
    found.map(|(name, _)| name.clone())
}

fn of_parameter(parameter: &mut Parameter, components: &Components) {
    let example = match parameter.name.as_str() {
        "orgId" => json!("acme"),
        name if name.ends_with("Id") => json!(ID),
        "token" => json!("link"),
        "q" => json!("rocket"),
        "status" => {
            let schema = parameter.schema.as_ref();
            schema.map_or(Value::Null, |schema| of_schema(schema, components))
        }
        "cursor" => json!(""),
        // A condition or a key that is filled in would make another request of the one that is tried: these are shown
        // where nothing is filled in from.
        "If-Match" | "If-None-Match" => return hint(parameter, json!(r#""3""#)),
        "X-Token-Transport" => return hint(parameter, json!("cookie")),
        "X-CSRF-Token" => return hint(parameter, json!("Wk1pJ3cVx0m7nq2TtYbL5g")),
        "Idempotency-Key" => return hint(parameter, json!("3f1c9a52-order-1")),
        _ => return,
    };
    *parameter = ParameterBuilder::from(parameter.clone()).example(Some(example)).build();
}

fn hint(parameter: &mut Parameter, example: Value) {
    if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema {
        object.examples = vec![example];
    }
}

/// An example of what a schema describes.
fn of_schema(schema: &RefOr<Schema>, components: &Components) -> Value {
    build(schema, components, 0)
}

fn build(schema: &RefOr<Schema>, components: &Components, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    let inner = |schema: &RefOr<Schema>| build(schema, components, depth + 1);
    let schema = match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            return components.schemas.get(name).map_or(Value::Null, inner);
        }
        RefOr::T(schema) => schema,
    };
    match schema {
        Schema::Array(array) => {
            if let Some(example) = array.example.clone().or_else(|| array.examples.first().cloned()) {
                return example;
            }
            match &array.items {
                ArrayItems::RefOrSchema(items) => Value::Array(vec![inner(items)]),
                ArrayItems::False => Value::Array(Vec::new()),
            }
        }
        Schema::Object(object) => {
            if let Some(example) = object.example.clone().or_else(|| object.examples.first().cloned()) {
                return example;
            }
            if let Some(word) = object.enum_values.as_ref().and_then(|words| words.first()) {
                return word.clone();
            }
            if !object.properties.is_empty() {
                let members = object
                    .properties
                    .iter()
                    .map(|(name, schema)| (name.clone(), inner(schema)));
                return Value::Object(members.collect::<Map<_, _>>());
            }
            of_type(&object.schema_type, object.format.as_ref())
        }
        Schema::OneOf(one) => one.items.first().map_or(Value::Null, inner),
        Schema::AnyOf(any) => any.items.first().map_or(Value::Null, inner),
        Schema::AllOf(all) => all.items.first().map_or(Value::Null, inner),
        _ => Value::Null,
    }
}

fn of_type(kind: &SchemaType, format: Option<&SchemaFormat>) -> Value {
    let of = |kind: &Type| match kind {
        Type::String if matches!(format, Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))) => json!(ID),
        Type::String => json!("…"),
        Type::Integer | Type::Number => json!(1),
        Type::Boolean => json!(false),
        Type::Object => json!({}),
        Type::Array => json!([]),
        Type::Null => Value::Null,
    };
    match kind {
        SchemaType::Type(kind) => of(kind),
        // What may be null is shown as null.
        SchemaType::Array(kinds) if kinds.contains(&Type::Null) => Value::Null,
        SchemaType::Array(kinds) => kinds.first().map_or(Value::Null, of),
        SchemaType::AnyValue => Value::Null,
    }
}
