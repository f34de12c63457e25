//! What browsers are asked for passkeys by, and what they answer: the JSON of WebAuthn Level 3, sections 5.4 to 5.10.

use serde::Serialize;
use serde_json::Value;
use tenantry_domain::text::Name;
use tenantry_services::second_factors::{Assertion, CreationOptions, Registration, RequestOptions};
use utoipa::ToSchema;

use crate::{
    fields::{Failure, Fields, FromFields, Rest},
    rules, words,
};

/// The most bytes that an authenticator names a passkey by (WebAuthn Level 3, section 4).
const MAX_CREDENTIAL_ID: usize = 1023;

/// The most bytes of what a browser had signed; those of today write some 200.
const MAX_CLIENT_DATA: usize = 4096;

/// The most bytes of a passkey that was made: a chain of certificates is the longest of what may be in it.
const MAX_ATTESTATION: usize = 16_384;

/// The most bytes of what an authenticator adds to what is signed.
const MAX_AUTHENTICATOR_DATA: usize = 4096;

/// The most bytes of a signature: of RSA, with keys of 4096 bits.
const MAX_SIGNATURE: usize = 512;

/// The most bytes that an authenticator names a person by.
const MAX_USER_HANDLE: usize = 64;

/// The most characters of how an authenticator is attached: `platform` and `cross-platform` are all that there are today.
const MAX_ATTACHMENT: usize = 64;

/// What a browser is asked to make a passkey by: for `PublicKeyCredential.parseCreationOptionsFromJSON()`. Bytes are base64url.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyCreationOptions)]
pub(crate) struct CreationOptionsView {
    rp: RelyingPartyView,
    user: PasskeyUserView,
    /// What is to be signed: good for five minutes, and once.
    #[schema(
        format = "base64url",
        max_length = 255,
        example = "AAABm0gFm6sFZ2V0IGEgcGFzc2tleS4uLjEyMzQ1Njc4OTBhYg"
    )]
    challenge: String,
    /// What it may sign with, the best first.
    #[schema(min_items = 1, max_items = 20)]
    pub_key_cred_params: Vec<AlgorithmView>,
    /// How long that may take, in milliseconds.
    #[schema(minimum = 0, maximum = 600_000, example = 300_000)]
    timeout: i64,
    /// Those that one has.
    #[schema(max_items = 20, example = json!([]))]
    exclude_credentials: Vec<DescriptorView>,
    authenticator_selection: AuthenticatorSelectionView,
    /// Whether the maker of the authenticator is to vouch for it.
    #[schema(value_type = words::AttestationConveyancePreference)]
    attestation: &'static str,
    extensions: ExtensionsView,
}

/// What a passkey is for.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyRelyingParty)]
struct RelyingPartyView {
    /// The domain.
    #[schema(format = "hostname", max_length = 253, example = "example.com")]
    id: String,
    /// What people call it.
    #[schema(max_length = 255, example = "Tenantry")]
    name: String,
}

/// Whose a passkey will be.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyUser)]
struct PasskeyUserView {
    /// What an authenticator tells of them at a sign-in.
    #[schema(format = "base64url", max_length = 86, example = "AZqXGn1Gcr-nPBn6mxQoLg")]
    id: String,
    /// Their address, by which they tell their accounts apart.
    #[schema(max_length = 255, example = "olivia@acme.example")]
    name: String,
    /// What they are called.
    #[schema(max_length = 255, example = "Olivia")]
    display_name: String,
}

/// What a passkey may sign with.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyAlgorithm)]
struct AlgorithmView {
    /// The kind of key: `public-key`, the only one.
    #[serde(rename = "type")]
    #[schema(value_type = words::PublicKeyCredentialType)]
    kind: &'static str,
    /// Its number among the COSE algorithms.
    #[schema(minimum = -65535, maximum = 65535, example = -7)]
    alg: i64,
}

/// A passkey that one has.
#[derive(Serialize, ToSchema)]
#[schema(as = PublicKeyCredentialDescriptor)]
struct DescriptorView {
    /// The kind of key: `public-key`, the only one.
    #[serde(rename = "type")]
    #[schema(value_type = words::PublicKeyCredentialType)]
    kind: &'static str,
    /// What its authenticator calls it.
    #[schema(format = "base64url", max_length = 1364, example = "ysC3wNQlSzGl7XqxzUWQRA")]
    id: String,
}

/// What authenticators will do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyAuthenticatorSelection)]
struct AuthenticatorSelectionView {
    /// It is found without being named, so that nobody has to say who they are.
    #[schema(value_type = words::ResidentKeyRequirement)]
    resident_key: &'static str,
    /// The same for older browsers.
    require_resident_key: bool,
    /// It makes sure who uses it: by a finger, a face or a PIN.
    #[schema(value_type = words::UserVerificationRequirement)]
    user_verification: &'static str,
}

/// What is asked beyond that.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyExtensions)]
struct ExtensionsView {
    /// Whether the browser is to say if it can be found without being named.
    cred_props: bool,
}

const PUBLIC_KEY: &str = "public-key";

impl From<CreationOptions> for CreationOptionsView {
    fn from(options: CreationOptions) -> Self {
        Self {
            rp: RelyingPartyView {
                id: options.rp_id,
                name: options.rp_name,
            },
            user: PasskeyUserView {
                id: options.user_handle,
                name: options.user_name,
                display_name: options.user_display_name,
            },
            challenge: options.challenge,
            pub_key_cred_params: options
                .algorithms
                .into_iter()
                .map(|alg| AlgorithmView { kind: PUBLIC_KEY, alg })
                .collect(),
            timeout: options.timeout,
            exclude_credentials: options
                .excluded
                .into_iter()
                .map(|id| DescriptorView { kind: PUBLIC_KEY, id })
                .collect(),
            authenticator_selection: AuthenticatorSelectionView {
                resident_key: "required",
                require_resident_key: true,
                user_verification: "required",
            },
            attestation: "none",
            extensions: ExtensionsView { cred_props: true },
        }
    }
}

/// What a browser is asked to use a passkey by: for `PublicKeyCredential.parseRequestOptionsFromJSON()`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyRequestOptions)]
pub(crate) struct RequestOptionsView {
    /// What is to be signed, as base64url: good for five minutes, and once.
    #[schema(
        format = "base64url",
        max_length = 255,
        example = "AAABm0gFm6sFZ2V0IGEgcGFzc2tleS4uLjEyMzQ1Njc4OTBhYg"
    )]
    challenge: String,
    /// How long that may take, in milliseconds.
    #[schema(minimum = 0, maximum = 600_000, example = 300_000)]
    timeout: i64,
    /// The domain that it is for.
    #[schema(format = "hostname", max_length = 253, example = "example.com")]
    rp_id: String,
    /// Any will do: it is found without being named.
    #[schema(max_items = 0, example = json!([]))]
    allow_credentials: [DescriptorView; 0],
    /// The authenticator makes sure who uses it.
    #[schema(value_type = words::UserVerificationRequirement)]
    user_verification: &'static str,
}

impl From<RequestOptions> for RequestOptionsView {
    fn from(options: RequestOptions) -> Self {
        Self {
            challenge: options.challenge,
            timeout: options.timeout,
            rp_id: options.rp_id,
            allow_credentials: [],
            user_verification: "required",
        }
    }
}

/// A passkey that a browser made.
pub(crate) struct NewPasskeyBody {
    pub(crate) made: Registration,
    pub(crate) name: Option<Name>,
}

/// What `toJSON()` gives of a credential that was created, and what it is to be called. Bytes are base64url.
#[derive(ToSchema)]
#[schema(as = PasskeyRegistrationBody, rename_all = "camelCase", example = json!({
    "id": "ysC3wNQlSzGl7XqxzUWQRA", "rawId": "ysC3wNQlSzGl7XqxzUWQRA", "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiQVFJRCIsIm9yaWdpbiI6Imh0dHBzOi8vZXhhbXBsZS5jb20ifQ",
        "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"
    },
    "name": "My laptop"
}))]
#[expect(
    dead_code,
    reason = "read by the derive alone: the body is decoded into `NewPasskeyBody`"
)]
pub(crate) struct RegistrationBody {
    /// What its authenticator calls it.
    #[schema(min_length = 2, max_length = 1364, format = "base64url")]
    id: String,
    /// The same again.
    #[schema(min_length = 2, max_length = 1364, format = "base64url")]
    raw_id: String,
    /// The kind of key: `public-key`, the only one.
    #[schema(value_type = words::PublicKeyCredentialType)]
    r#type: String,
    response: AttestationResponse,
    /// How the authenticator is attached; it is not looked at.
    #[schema(max_length = 64, example = "platform")]
    authenticator_attachment: Option<String>,
    /// What the browser says of extensions; it is not looked at.
    #[schema(value_type = Option<Object>)]
    client_extension_results: Option<Value>,
    /// What it is to be called; by the browser and its system where it is absent.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "My laptop")]
    name: Option<Name>,
}

/// What an authenticator answered that made a passkey; browsers say more, which is not looked at.
#[derive(ToSchema)]
#[schema(as = AuthenticatorAttestationResponse)]
#[expect(dead_code, reason = "read by the derive alone")]
pub(crate) struct AttestationResponse {
    /// What was signed.
    #[schema(rename = "clientDataJSON", min_length = 2, max_length = 5462, format = "base64url")]
    client_data_json: String,
    /// The passkey.
    #[schema(
        rename = "attestationObject",
        min_length = 2,
        max_length = 21846,
        format = "base64url"
    )]
    attestation_object: String,
}

impl FromFields for NewPasskeyBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", rules::text);
        let credential_id = credential(fields);
        let response = fields.inside("response", Rest::PassedOver, |response| {
            let client_data_json = response.required("clientDataJSON", rules::bytes(MAX_CLIENT_DATA));
            let attestation_object = response.required("attestationObject", rules::bytes(MAX_ATTESTATION));
            Some((client_data_json?, attestation_object?))
        });
        let (client_data_json, attestation_object) = response?;
        Some(Self {
            made: Registration {
                credential_id: credential_id?,
                client_data_json,
                attestation_object,
            },
            name,
        })
    }
}

/// A passkey that a browser used.
pub(crate) struct UsedPasskeyBody(pub(crate) Assertion);

/// What `toJSON()` gives of a credential that was got. Bytes are base64url.
#[derive(ToSchema)]
#[schema(as = PasskeyAssertionBody, rename_all = "camelCase", example = json!({
    "id": "ysC3wNQlSzGl7XqxzUWQRA", "rawId": "ysC3wNQlSzGl7XqxzUWQRA", "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQVFJRCIsIm9yaWdpbiI6Imh0dHBzOi8vZXhhbXBsZS5jb20ifQ",
        "authenticatorData": "o3mm9u6vuaVeN4wRgDTidR5oL6ufLTCrE9ISWYbOGUcdAAAAAA",
        "signature": "MEUCIQCv7EqsBRtf2E4o_BjzZfBwNpP8fLjd5y6TUOLWt5l9DQIgLwC1wLLjMDGJ7wXRlY2nEPD6B0bTgHD1dXBgqWkhjQg",
        "userHandle": "AZqXGn1Gcr-nPBn6mxQoLg"
    }
}))]
#[expect(
    dead_code,
    reason = "read by the derive alone: the body is decoded into `UsedPasskeyBody`"
)]
pub(crate) struct AssertionBody {
    /// What its authenticator calls it.
    #[schema(min_length = 2, max_length = 1364, format = "base64url")]
    id: String,
    /// The same again.
    #[schema(min_length = 2, max_length = 1364, format = "base64url")]
    raw_id: String,
    /// The kind of key: `public-key`, the only one.
    #[schema(value_type = words::PublicKeyCredentialType)]
    r#type: String,
    response: AssertionResponse,
    /// How the authenticator is attached; it is not looked at.
    #[schema(max_length = 64, example = "platform")]
    authenticator_attachment: Option<String>,
    /// What the browser says of extensions; it is not looked at.
    #[schema(value_type = Option<Object>)]
    client_extension_results: Option<Value>,
}

/// What an authenticator answered that used a passkey; browsers may say more, which is not looked at.
#[derive(ToSchema)]
#[schema(as = AuthenticatorAssertionResponse)]
#[expect(dead_code, reason = "read by the derive alone")]
pub(crate) struct AssertionResponse {
    /// What was signed.
    #[schema(rename = "clientDataJSON", min_length = 2, max_length = 5462, format = "base64url")]
    client_data_json: String,
    /// What the authenticator adds to that.
    #[schema(
        rename = "authenticatorData",
        min_length = 2,
        max_length = 5462,
        format = "base64url"
    )]
    authenticator_data: String,
    /// The signature of both.
    #[schema(min_length = 2, max_length = 683, format = "base64url")]
    signature: String,
    /// Whose it is, by the authenticator's account.
    #[schema(rename = "userHandle", min_length = 2, max_length = 86, format = "base64url")]
    user_handle: String,
}

impl FromFields for UsedPasskeyBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let credential_id = credential(fields);
        let response = fields.inside("response", Rest::PassedOver, |response| {
            let client_data_json = response.required("clientDataJSON", rules::bytes(MAX_CLIENT_DATA));
            let authenticator_data = response.required("authenticatorData", rules::bytes(MAX_AUTHENTICATOR_DATA));
            let signature = response.required("signature", rules::bytes(MAX_SIGNATURE));
            let user_handle = response.required("userHandle", rules::bytes(MAX_USER_HANDLE));
            Some((client_data_json?, authenticator_data?, signature?, user_handle?))
        });
        let (client_data_json, authenticator_data, signature, user_handle) = response?;
        Some(Self(Assertion {
            credential_id: credential_id?,
            client_data_json,
            authenticator_data,
            signature,
            user_handle,
        }))
    }
}

/// The fields that every credential has.
fn credential(fields: &mut Fields) -> Option<Vec<u8>> {
    let id = fields.required("id", rules::bytes(MAX_CREDENTIAL_ID));
    let raw_id = fields.required("rawId", rules::bytes(MAX_CREDENTIAL_ID));
    fields.required("type", |value| match rules::string(value)?.as_str() {
        PUBLIC_KEY => Ok(()),
        _ => Err(Failure::new("enum", format!("must be {PUBLIC_KEY}"))),
    });
    fields.optional("authenticatorAttachment", |value| match rules::string(value)? {
        attachment if attachment.chars().count() <= MAX_ATTACHMENT => Ok(()),
        _ => {
            let message = format!("must have {MAX_ATTACHMENT} or fewer characters");
            Err(Failure::new("length", message))
        }
    });
    fields.optional("clientExtensionResults", |value| match value {
        Value::Object(_) => Ok(()),
        _ => Err(Failure::not_a("an object")),
    });
    if let (Some(id), Some(raw_id)) = (&id, &raw_id)
        && id != raw_id
    {
        fields.refuse("rawId", Failure::new("conflict", "must be what id is"));
    }
    raw_id
}
