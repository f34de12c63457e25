//! Names for what the derive writes out in full: an envelope refers to its resource's schema instead of repeating it, so
//! that a generated client has one type for it.

use std::collections::BTreeMap;

use utoipa::openapi::{
    OpenApi, Ref, RefOr,
    schema::{ArrayItems, Schema},
};

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Puts references in the place of schemas that have a name.
pub(super) fn name_what_is_repeated(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let named: Schemas = components
        .schemas
        .iter()
        .filter(|(_, schema)| is_of_fields(schema))
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    for schema in components.schemas.values_mut() {
        if let RefOr::T(schema) = schema {
            inside(schema, &named);
        }
    }
}

/// Whether it has fields of its own, or is one of several that have.
fn is_of_fields(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => !object.properties.is_empty(),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().all(|item| matches!(item, RefOr::Ref(_))),
        _ => false,
    }
}

fn inside(schema: &mut Schema, named: &Schemas) {
    match schema {
        Schema::Object(object) => object.properties.values_mut().for_each(|field| refer(field, named)),
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                refer(items, named);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|item| refer(item, named)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|item| refer(item, named)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|item| refer(item, named)),
        _ => {}
    }
}

fn refer(schema: &mut RefOr<Schema>, named: &Schemas) {
    if let Some((name, _)) = named.iter().find(|(_, whole)| *whole == schema) {
        *schema = RefOr::Ref(Ref::from_schema_name(name));
    } else if let RefOr::T(schema) = schema {
        inside(schema, named);
    }
}
