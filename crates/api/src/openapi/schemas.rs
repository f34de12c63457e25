//! What every schema says beyond what its derive does: how long an id is, what an object takes, what common fields are.

use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, Parameter},
    schema::{AdditionalProperties, ArrayItems, KnownFormat, Object, Schema, SchemaFormat, SchemaType, Type},
};

/// The characters of a UUID.
const UUID: usize = 36;

/// Bytes as base64url without padding (RFC 4648, section 5): groups of four characters, and what is left of one.
const BASE64URL: &str = "^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$";

/// The most members of an object that clients fill as they like; what it may hold in all is less than these would take.
const FREE: usize = 4096;

/// What leaves out what it does not have, and so keeps what its derive says of it.
const SPARSE: [&str; 2] = ["ErrorDetails", "JsonWebKey"];

/// What fields of these names are, in whatever schema they have no words of their own.
const COMMON: [(&str, &str); 26] = [
    ("avatarUrl", "A picture of them."),
    (
        "color",
        "What it is marked with: red, green and blue, each as two hex digits.",
    ),
    ("createdAt", "When it was made."),
    ("currentPassword", "The password until now."),
    ("description", "What it is about."),
    (
        "email",
        "The address of their mail, by which they sign in; its case does not matter.",
    ),
    ("emailVerified", "Whether they proved that the address is theirs."),
    (
        "icon",
        "What it is shown with: an emoji, or the name of a picture that clients know.",
    ),
    ("id", "Its id, which never changes."),
    ("isDefault", "Whether projects go here when nobody says where."),
    ("joinedAt", "When the membership began."),
    ("key", "What it is called in requests."),
    (
        "mfaEnabled",
        "Whether a second factor is asked for beside the password.",
    ),
    ("name", "What it is called, or they are."),
    ("newPassword", "The password from now on: none of the common ones."),
    ("organizationId", "The organization."),
    ("password", "The password; a new one must be none of the common ones."),
    ("resourceId", "The id of what it is held on."),
    ("settings", "Whatever clients keep with it, up to 16,384 bytes as JSON."),
    ("slug", "Its name in URLs: lower-case letters, digits and `-`."),
    ("timestamp", "When this was so."),
    ("token", "What the mailed link holds under this name."),
    ("tokenType", "How the access token is sent."),
    ("updatedAt", "When it last changed."),
    ("userId", "The person."),
    ("workspaceId", "The workspace that it is in."),
];

/// A body that may be left out is left out, and is not `null`.
pub(super) fn leave_out_null(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(either))) = &content.schema else {
            continue;
        };
        let there = either.items.iter().find(|item| matches!(item, RefOr::Ref(_)));
        if let Some(there) = there.cloned() {
            content.schema = Some(there);
        }
    }
}

/// Completes the schemas, and those of parameters.
pub(super) fn complete(document: &mut OpenApi) {
    for (name, schema) in &mut document.components.get_or_insert_default().schemas {
        if let RefOr::T(Schema::Object(object)) = schema {
            close(name, object);
        }
        walk(schema);
    }
}

/// Completes the schemas of an operation's parameters.
pub(super) fn complete_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(Parameter {
            schema: Some(schema), ..
        }) = parameter
        {
            if let RefOr::T(Schema::Object(object)) = schema {
                never_null(object);
            }
            walk(schema);
        }
    }
}

/// What must be there, and that there is nothing else.
fn close(name: &str, object: &mut Object) {
    if object.properties.is_empty() || SPARSE.contains(&name) {
        return;
    }
    if name.ends_with("Body") {
        // What bodies do not know, they refuse.
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    } else {
        // What answers do not have is null, and never left out.
        object.required = object.properties.keys().cloned().collect();
    }
}

/// A parameter that is not there has no value at all.
fn never_null(object: &mut Object) {
    if let SchemaType::Array(kinds) = &mut object.schema_type {
        kinds.retain(|kind| *kind != Type::Null);
        if let [kind] = kinds.as_slice() {
            object.schema_type = SchemaType::Type(kind.clone());
        }
    }
}

fn walk(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            bound(object);
            for (name, field) in &mut object.properties {
                describe(name, field);
                walk(field);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                walk(items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(walk),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(walk),
        Schema::AllOf(all) => all.items.iter_mut().for_each(walk),
        _ => {}
    }
}

fn bound(object: &mut Object) {
    let is_id = object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Uuid));
    if is_id {
        object.min_length = Some(UUID);
        object.max_length = Some(UUID);
    }
    if object.format == Some(SchemaFormat::Custom("base64url".to_owned())) {
        object.pattern = Some(BASE64URL.to_owned());
    }
    let is_object = match &object.schema_type {
        SchemaType::Type(kind) => *kind == Type::Object,
        SchemaType::Array(kinds) => kinds.contains(&Type::Object),
        SchemaType::AnyValue => false,
    };
    if is_object && object.properties.is_empty() && object.additional_properties.is_none() {
        // Said in so many words: generators take an object of which nothing is said for an empty one.
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
        object.max_properties = Some(FREE);
    }
}

fn describe(name: &str, field: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = field else {
        return;
    };
    if object.description.is_none() {
        let words = COMMON.iter().find(|(common, _)| *common == name);
        object.description = words.map(|(_, words)| (*words).to_owned());
    }
}
