//! The operations of the OpenAPI document, and what each of their inputs means.
//!
//! What drives every operation (isolation, the permission matrix, the order of refusals) reads them from here, so a new
//! operation is driven on the day that it is added. An input that [`Meaning::of`] does not know fails these tests and is
//! named: give it a meaning there, and the compiler leads to whoever has to fill it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

use std::collections::HashMap;

use reqwest::{Method, RequestBuilder, header::COOKIE};
use serde_json::{Value, json};
use tenantry_tests::client::Client;
use url::form_urlencoded;

use crate::world;

/// An operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// Its `operationId`.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// Its path, parameters in braces.
    pub(crate) path: String,
    /// Its `x-permission`: `None` where it has none, `Some(None)` where that is `null`.
    pub(crate) permission: Option<Option<String>>,
    /// Whether it asks for credentials.
    pub(crate) secured: bool,
    /// Whether it takes a body.
    pub(crate) has_body: bool,
    pub(crate) inputs: Vec<Input>,
}

/// Something that a caller puts into a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Input {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) meaning: Meaning,
}

/// Where an input goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// What an input names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// An organization, by id or slug.
    Organization,
    /// An organization that the caller is a member of, by id, where none is in the path.
    MemberOf,
    /// A workspace, by id.
    Workspace,
    /// A project, by id.
    Project,
    /// A member, by id.
    Member,
    /// A role, by key or id.
    Role,
    /// A session, by id.
    Session,
    /// An invitation, by id.
    Invitation,
    /// A domain of an organization, by id.
    Domain,
    /// The name of a domain, which several organizations may say is theirs.
    DomainName,
    /// A trusted device, by id.
    TrustedDevice,
    /// A passkey, by id.
    Passkey,
    /// An identity at a provider, by id.
    Identity,
    /// A provider that people sign in through, by its key: everybody's.
    Provider,
    /// Where a browser goes once a provider has signed somebody in.
    RedirectUri,
    /// What a browser carries through a sign-in at a provider, good in that browser alone.
    FlowState,
    /// What a provider vouches for somebody by, which nobody else can make.
    Voucher,
    /// What a sign-in at a provider came to, good once and for whoever holds it.
    SignInCode,
    /// What the app that began that sign-in proves itself by.
    CodeVerifier,
    /// A place in a list.
    Cursor,
    /// Text to be found in names.
    Search,
    /// The key of a repeatable request.
    IdempotencyKey,
    /// The address of an account.
    Address,
    /// The password of that account.
    Password,
    /// Another password for it.
    NewPassword,
    /// A refresh token: whoever holds it is its owner, so there is no other's.
    RefreshToken,
    /// The secret of a mailed link, of which the same holds.
    LinkSecret,
    /// A code of a second factor, good once.
    Code,
    /// What a sign-in that has begun is completed with.
    SecondStep,
    /// A field, as JSON, of what an authenticator answered.
    Answered,
    /// The name of something.
    Name,
    /// A detail that names nothing and nobody; it may be left out.
    Detail,
}

impl Meaning {
    fn of(operation: &str, place: Place, name: &str) -> Option<Self> {
        Some(match (place, name) {
            // What is linked has no id yet: its place goes by the provider's key.
            (Place::Path, "identity") if operation == "linkIdentity" => Self::Provider,
            (Place::Path, "identity") => Self::Identity,
            (Place::Path, "provider") => Self::Provider,
            (Place::Query, "redirectUri") => Self::RedirectUri,
            (Place::Query, "state") if operation == "returnFromProvider" => Self::FlowState,
            (Place::Query, "code") => Self::Voucher,
            (Place::Body, "code") if ["exchangeSignInCode", "linkIdentity"].contains(&operation) => Self::SignInCode,
            (Place::Body, "codeVerifier") => Self::CodeVerifier,
            (Place::Path, "orgId") => Self::Organization,
            (Place::Body, "organizationId") => Self::MemberOf,
            (Place::Path, "wsId") | (Place::Body, "workspaceId") => Self::Workspace,
            (Place::Path, "projectId") => Self::Project,
            (Place::Path, "memberId") => Self::Member,
            (Place::Body, "role") => Self::Role,
            (Place::Path, "sessionId") => Self::Session,
            (Place::Path, "invitationId") => Self::Invitation,
            (Place::Path, "domainId") => Self::Domain,
            (Place::Body, "domain") => Self::DomainName,
            (Place::Path, "deviceId") => Self::TrustedDevice,
            (Place::Path, "passkeyId") => Self::Passkey,
            (Place::Query, "cursor") => Self::Cursor,
            (Place::Query, "q") => Self::Search,
            (Place::Header, "Idempotency-Key") => Self::IdempotencyKey,
            (Place::Body, "email") => Self::Address,
            (Place::Body, "password" | "currentPassword") => Self::Password,
            (Place::Body, "newPassword") => Self::NewPassword,
            (Place::Body, "refreshToken") => Self::RefreshToken,
            (Place::Path | Place::Body, "token") => Self::LinkSecret,
            (Place::Body, "code") => Self::Code,
            (Place::Body, "mfaToken") => Self::SecondStep,
            (Place::Body, "id" | "rawId" | "type" | "response") => Self::Answered,
            (Place::Body, "name" | "organizationName") => Self::Name,
            (Place::Query, "page" | "pageSize" | "sort" | "status")
            // What an app gets back as it gave it, and what else it may say of a sign-in; what a provider says besides.
            | (Place::Query, "state" | "codeChallenge" | "loginHint" | "iss" | "error")
            | (Place::Header, "If-Match" | "If-None-Match")
            // How a refresh token travels: `browser_mode` has the proof of what shows one.
            | (Place::Header, "X-Token-Transport" | "X-CSRF-Token")
            // A slug is taken or free for all to see: two organizations cannot have the same one.
            | (Place::Body, "slug" | "region" | "description" | "status" | "visibility" | "settings")
            | (Place::Body, "icon" | "color" | "isDefault")
            // Who shows one that is somebody else's shows nothing: `mfa::trusted_devices` has the proof.
            | (Place::Body, "trustedDeviceToken" | "trustDevice")
            | (Place::Body, "mfa" | "ssoRequired" | "sessionMaxAge" | "defaultRole" | "connection")
            // Who shows one that is somebody else's shows nothing: `passkeys` has the proof.
            | (Place::Body, "passkey" | "authenticatorAttachment" | "clientExtensionResults")
            | (Place::Body, "avatarUrl" | "locale" | "preferences") => Self::Detail,
            _ => return None,
        })
    }

    /// Whether it names a thing by an id: another tenant's is answered as one that does not exist.
    pub(crate) fn is_id(self) -> bool {
        matches!(
            self,
            Self::Organization
                | Self::MemberOf
                | Self::Workspace
                | Self::Project
                | Self::Member
                | Self::Role
                | Self::Session
                | Self::Invitation
                | Self::Domain
                | Self::TrustedDevice
                | Self::Passkey
                | Self::Identity
        )
    }
}

impl Operation {
    /// A request of this operation by `client`. Inputs without a value are left out.
    pub(crate) fn request(&self, client: &Client, values: &HashMap<Input, String>) -> RequestBuilder {
        let mut path = self.path.clone();
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut headers = Vec::new();
        let mut body = json!({});
        for input in &self.inputs {
            let Some(value) = values.get(input) else { continue };
            match input.place {
                Place::Path => path = path.replace(&format!("{{{}}}", input.name), value),
                Place::Query => {
                    query.append_pair(&input.name, value);
                }
                Place::Header => headers.push((&input.name, value)),
                Place::Body if input.meaning == Meaning::Answered => {
                    body[&input.name] = serde_json::from_str(value).unwrap();
                }
                Place::Body => body[&input.name] = value.as_str().into(),
            }
        }
        assert!(!path.contains('{'), "{}: nothing is known for {path}", self.name);
        let query = query.finish();
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        let mut request = headers
            .into_iter()
            .fold(client.request(self.method.clone(), &path), |request, (name, value)| {
                request.header(name.as_str(), value.as_str())
            });
        if self.has(Meaning::FlowState) {
            request = request.header(COOKIE, world::browser_cookie());
        }
        if self.has_body { request.json(&body) } else { request }
    }

    /// Whether it writes the very workspace that its path names.
    pub(crate) fn writes_workspace(&self) -> bool {
        self.method != Method::GET && self.path.ends_with("/workspaces/{wsId}")
    }

    /// Whether nobody is left who could call again: the caller is gone, signed out everywhere, or goes by another address.
    pub(crate) fn ends_caller(&self) -> bool {
        self.method == Method::DELETE && self.path == "/api/v1/me"
            || ["resetPassword", "confirmEmailChange"].contains(&self.name.as_str())
    }

    /// Whether one of its inputs means this.
    pub(crate) fn has(&self, meaning: Meaning) -> bool {
        self.inputs.iter().any(|input| input.meaning == meaning)
    }
}

/// Every operation, by path and method.
pub(crate) fn all() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&tenantry_api::openapi_json()).unwrap();
    match read(&document) {
        Ok(mut operations) => {
            operations
                .sort_by(|one, other| (&one.path, one.method.as_str()).cmp(&(&other.path, other.method.as_str())));
            operations
        }
        Err(unknown) => panic!("nobody knows what to put into\n{}", unknown.join("\n")),
    }
}

/// The operations of a document, or a line for each input of which nobody knows what it means.
fn read(document: &Value) -> Result<Vec<Operation>, Vec<String>> {
    let mut operations = Vec::new();
    let mut unknown = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            let (known, others): (Vec<_>, Vec<_>) = inputs(document, operation)
                .into_iter()
                .map(|(place, input)| {
                    Meaning::of(&name, place, &input)
                        .ok_or((place, input.clone()))
                        .map(|meaning| Input {
                            place,
                            name: input,
                            meaning,
                        })
                })
                .partition(Result::is_ok);
            unknown.extend(
                others
                    .into_iter()
                    .filter_map(Result::err)
                    .map(|(place, input)| format!("{name}: {place:?} {input}")),
            );
            operations.push(Operation {
                name,
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                permission: operation
                    .get("x-permission")
                    .map(|permission| permission.as_str().map(str::to_owned)),
                secured: !operation["security"].is_null(),
                has_body: !operation["requestBody"].is_null(),
                inputs: known.into_iter().filter_map(Result::ok).collect(),
            });
        }
    }
    if unknown.is_empty() {
        Ok(operations)
    } else {
        Err(unknown)
    }
}

/// What an operation takes: its parameters, and the fields of its body.
fn inputs(document: &Value, operation: &Value) -> Vec<(Place, String)> {
    let mut inputs = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let place = match parameter["in"].as_str().unwrap() {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            elsewhere => panic!("parameters in {elsewhere} are not driven"),
        };
        inputs.push((place, parameter["name"].as_str().unwrap().to_owned()));
    }
    for content in operation["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flat_map(|media| media.values())
    {
        let reference = content["schema"]["$ref"].as_str().unwrap();
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        for field in schema["properties"].as_object().unwrap().keys() {
            let input = (Place::Body, field.clone());
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
    }
    inputs
}

#[test]
fn an_input_that_nobody_knows_is_named() {
    let mut document: Value = serde_json::from_str(&tenantry_api::openapi_json()).unwrap();
    assert!(!read(&document).unwrap().is_empty());
    document["paths"]["/api/v1/organizations/{orgId}/labels/{labelId}"] = json!({ "put": {
        "operationId": "replaceLabel",
        "parameters": [
            { "in": "path", "name": "orgId" },
            { "in": "path", "name": "labelId" },
            { "in": "query", "name": "force" },
        ],
        "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Label" } } } },
    } });
    document["components"]["schemas"]["Label"] = json!({ "properties": { "name": {}, "parentId": {} } });
    assert_eq!(
        read(&document).unwrap_err(),
        [
            "replaceLabel: Path labelId",
            "replaceLabel: Query force",
            "replaceLabel: Body parentId"
        ]
    );
}
