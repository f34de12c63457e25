//! Examples of every parameter and answer, made of what the schemas say.

use serde_json::{Map, Value, json};
use utoipa::openapi::{
    Components, RefOr,
    path::Parameter,
    schema::{ArrayItems, KnownFormat, Schema, SchemaFormat, SchemaType, Type},
};

/// An id, wherever one is shown.
const ID: &str = "01a1fbf7-030a-7efe-afba-f659b791409b";

/// How deep schemas refer to each other at the most.
const MAX_DEPTH: usize = 8;

/// An example of a parameter whose declaration has none.
pub(super) fn of_parameter(parameter: &Parameter) -> Option<Value> {
    Some(match parameter.name.as_str() {
        "orgId" => json!("acme"),
        name if name.ends_with("Id") => json!(ID),
        "q" => json!("rocket"),
        "status" => json!("active"),
        "cursor" => json!(""),
        "Idempotency-Key" => json!("8e03978e-40d5-43e8-bc93-6894a57f9324"),
        "If-Match" | "If-None-Match" => json!("\"1\""),
        _ => return None,
    })
}

/// An example of what a schema describes.
pub(super) fn of_schema(schema: &RefOr<Schema>, components: &Components) -> Value {
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
        Schema::Array(array) => match &array.items {
            ArrayItems::RefOrSchema(items) => Value::Array(vec![inner(items)]),
            ArrayItems::False => Value::Array(Vec::new()),
        },
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
