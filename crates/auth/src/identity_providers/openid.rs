//! Providers that speak OpenID Connect.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use openidconnect::{
    AdditionalClaims, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields,
    IssuerUrl, LocalizedClaim, Nonce, OAuth2TokenResponse as _, PkceCodeVerifier, ProviderMetadata, RedirectUrl,
    RequestTokenError, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
    UserInfoClaims, UserInfoError,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
    },
    url::Url,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_domain::{
    environment::{Environment, Timestamp},
    identities::ExternalIdentity,
};
use tokio::{sync::Mutex, time::timeout};

use super::{Guarded, Preset, ProviderError, ProviderSettings, Returned, claims, flow::Flow};
use crate::http_client::{HttpError, Request};

/// How long what is known of a provider is not asked for again.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);

/// How long a provider is not asked again that was away, or whose token is signed by a key that it has not published.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// How long a provider may take to say what it is: less than whoever waits for it does, so that it is written down if it is too slow.
const DISCOVERY: Duration = Duration::from_secs(8);

/// How far clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// What ID tokens may be signed with: nothing that a verifier could sign with, too.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The tenant of Microsoft accounts that belong to people and to no organization: Microsoft has seen that their addresses are theirs.
const MICROSOFT_PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What a provider says of itself beside what all say.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct MoreMetadata {
    /// RFC 9207, section 3.
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for MoreMetadata {}

/// What Microsoft says of a person beside what all say.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct MoreClaims {
    /// The tenant that they are of.
    tid: Option<String>,
    /// Whether the owner of the address's domain has seen that it is theirs.
    xms_edov: Option<Value>,
}

impl AdditionalClaims for MoreClaims {}

type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Tokens = StandardTokenResponse<
    IdTokenFields<
        MoreClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Client = openidconnect::Client<
    MoreClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type IdClaims = openidconnect::IdTokenClaims<MoreClaims, CoreGenderClaim>;

/// What a provider says of itself, its keys among it.
pub(super) struct Known {
    metadata: Metadata,
    asked_at: Timestamp,
}

impl Known {
    /// Where browsers go to sign in.
    pub(super) fn authorization_endpoint(&self) -> &Url {
        self.metadata.authorization_endpoint().url()
    }
}

/// What was learned of a provider.
#[derive(Default)]
struct Learned {
    known: Option<Arc<Known>>,
    failed_at: Option<Timestamp>,
}

/// What is known of a provider, asked for when it is needed, by one at a time.
#[derive(Default)]
pub(super) struct Cache(Mutex<Learned>);

impl Cache {
    /// What the provider says of itself.
    pub(super) async fn known(
        &self,
        settings: &ProviderSettings,
        http: &Guarded<'_>,
        environment: &Environment,
    ) -> Result<Arc<Known>, ProviderError> {
        self.known_for(KNOWN_FOR, settings, http, environment).await
    }

    /// The same, asked for again where it is older than `age`.
    async fn known_for(
        &self,
        age: TimeDelta,
        settings: &ProviderSettings,
        http: &Guarded<'_>,
        environment: &Environment,
    ) -> Result<Arc<Known>, ProviderError> {
        // Held while the provider is asked: whoever comes meanwhile waits for the answer, or for the time that it may take.
        let mut learned = self.0.lock().await;
        let now = environment.now();
        let since = |at: Timestamp| (now - at).abs();
        if let Some(known) = learned.known.as_ref().filter(|known| since(known.asked_at) < age) {
            return Ok(Arc::clone(known));
        }
        if learned.failed_at.is_some_and(|at| since(at) < PAUSE) {
            return Err(ProviderError::unavailable("it was away a moment ago"));
        }
        let discovered = timeout(DISCOVERY, discover(settings, http)).await;
        let discovered = discovered.unwrap_or_else(|_| Err(ProviderError::unavailable("its metadata take too long")));
        match discovered {
            Ok(metadata) => {
                let known = Arc::new(Known {
                    metadata,
                    asked_at: now,
                });
                *learned = Learned {
                    known: Some(Arc::clone(&known)),
                    failed_at: None,
                };
                Ok(known)
            }
            Err(error) => {
                // From now on: it may have taken all of the time that it is given.
                learned.failed_at = Some(environment.now());
                Err(error)
            }
        }
    }

    /// Whom the provider vouches for.
    pub(super) async fn complete(
        &self,
        settings: &ProviderSettings,
        http: &Guarded<'_>,
        environment: &Environment,
        flow: &Flow,
        callback: &str,
        returned: &Returned<'_>,
    ) -> Result<ExternalIdentity, ProviderError> {
        let known = self.known(settings, http, environment).await?;
        demand_issuer(&known.metadata, returned)?;
        let client = client(settings, &known.metadata, callback)?;
        let ask = |request: Request| http.send(request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(returned.code.to_owned()))
            .map_err(ProviderError::unavailable)?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier().to_owned()))
            .request_async(&ask)
            .await
            .map_err(token_error)?;
        let now = environment.now();
        let claims = match verified(&client, &tokens, flow, now) {
            Err(Unverified::UnknownKey) => {
                // It may have changed its keys since it was last asked.
                let known = self.known_for(PAUSE, settings, http, environment).await?;
                let client = self::client(settings, &known.metadata, callback)?;
                verified(&client, &tokens, flow, now)
            }
            verified => verified,
        }
        .map_err(|unverified| match unverified {
            Unverified::UnknownKey => ProviderError::refused("the ID token is signed by no key of the provider's"),
            Unverified::Refused(error) => error,
        })?;
        let mut identity = identity(settings, &claims)?;
        let lacks = identity.email.is_none() || identity.name.is_none();
        if lacks && known.metadata.userinfo_endpoint().is_some() {
            complement(&mut identity, settings, &client, &tokens, &claims, &ask).await?;
        }
        Ok(identity)
    }
}

async fn discover(settings: &ProviderSettings, http: &Guarded<'_>) -> Result<Metadata, ProviderError> {
    let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(ProviderError::unavailable)?;
    let ask = |request: Request| http.send(request);
    // It is of this very issuer, or refused.
    Metadata::discover_async(issuer, &ask)
        .await
        .map_err(|error| match error {
            DiscoveryError::Request(error) => ProviderError::unavailable(error),
            // What it answered is not repeated: a provider could write whatever it likes into our log.
            DiscoveryError::Response(status, ..) => {
                ProviderError::unavailable(format!("its metadata are answered {status}"))
            }
            DiscoveryError::Validation(_) => ProviderError::unavailable("its metadata are of another issuer"),
            _ => ProviderError::unavailable("its metadata are not understood"),
        })
}

/// That it was this provider that sent the browser back, where it says who it is (RFC 9207).
fn demand_issuer(metadata: &Metadata, returned: &Returned<'_>) -> Result<(), ProviderError> {
    let says = metadata
        .additional_metadata()
        .authorization_response_iss_parameter_supported;
    match returned.issuer {
        Some(issuer) if issuer == metadata.issuer().as_str() => Ok(()),
        None if says != Some(true) => Ok(()),
        Some(_) => Err(ProviderError::refused("the browser comes from another issuer")),
        None => Err(ProviderError::refused("the issuer does not say that it is the one")),
    }
}

fn client(settings: &ProviderSettings, metadata: &Metadata, callback: &str) -> Result<Client, ProviderError> {
    let secret = settings.client_secret.as_ref();
    let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    let callback = RedirectUrl::new(callback.to_owned()).map_err(ProviderError::unavailable)?;
    let methods = metadata.token_endpoint_auth_methods_supported();
    let has = |method| methods.is_some_and(|methods| methods.contains(&method));
    // What is not said is the basic one (OpenID Connect Discovery 1.0, section 3).
    let in_body = has(CoreClientAuthMethod::ClientSecretPost) && !has(CoreClientAuthMethod::ClientSecretBasic);
    let client_id = ClientId::new(settings.client_id.clone());
    Ok(Client::from_provider_metadata(metadata.clone(), client_id, secret)
        .set_redirect_uri(callback)
        .set_auth_type(if in_body {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        }))
}

pub(super) fn token_error<T>(error: RequestTokenError<HttpError, T>) -> ProviderError
where
    T: openidconnect::ErrorResponse + 'static,
{
    match error {
        RequestTokenError::Request(error) => ProviderError::unavailable(error),
        // Neither of these repeats what was answered: it may hold tokens.
        RequestTokenError::ServerResponse(_) => ProviderError::refused("the code was refused"),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            ProviderError::refused("the answer to the code holds no tokens")
        }
    }
}

/// Why the claims of an ID token do not count.
enum Unverified {
    /// No key that is known signed it.
    UnknownKey,
    /// It proves nothing.
    Refused(ProviderError),
}

/// What the ID token says, once it is of this provider, for us, good now, and of this sign-in.
fn verified(client: &Client, tokens: &Tokens, flow: &Flow, now: Timestamp) -> Result<IdClaims, Unverified> {
    let token = tokens
        .id_token()
        .ok_or_else(|| Unverified::Refused(ProviderError::refused("there is no ID token")))?;
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now - LEEWAY)
        .set_issue_time_verifier_fn(move |issued| {
            if issued <= now + LEEWAY {
                Ok(())
            } else {
                Err("issued in the future".to_owned())
            }
        });
    let nonce = Nonce::new(flow.nonce().to_owned());
    token.claims(&verifier, &nonce).cloned().map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            Unverified::UnknownKey
        }
        error => Unverified::Refused(ProviderError::refused(what_is_wrong(&error))),
    })
}

/// What is wrong with claims, without what they say: a provider could write whatever it likes into our log.
const fn what_is_wrong(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "the ID token has expired, or is of the future",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token is of another sign-in",
        ClaimsVerificationError::InvalidSubject(_) => "the subject is another one",
        ClaimsVerificationError::SignatureVerification(_) => "the signature of the ID token is none that counts",
        _ => "the claims are none",
    }
}

fn identity(settings: &ProviderSettings, claims: &IdClaims) -> Result<ExternalIdentity, ProviderError> {
    let subject = claims::subject(claims.subject().as_str());
    let subject = subject.ok_or_else(|| ProviderError::refused("the subject is none that can be kept"))?;
    let email_verified = match settings.preset {
        Preset::Microsoft => is_verified_by_microsoft(claims.additional_claims()),
        _ => is_vouched_for(settings, claims.email_verified()),
    };
    Ok(ExternalIdentity {
        provider: settings.key.clone(),
        issuer: settings.issuer.clone(),
        subject,
        connection: settings.connection,
        email: claims.email().and_then(|email| claims::email(email)),
        email_verified,
        name: localized(claims.name().map(without_language)).and_then(|name| claims::name(&name)),
        picture: localized(claims.picture().map(without_language)).and_then(|picture| claims::picture(&picture)),
        locale: claims.locale().and_then(|locale| claims::locale(locale)),
    })
}

/// Takes what the ID token does not tell from what the provider's userinfo does.
async fn complement<'a, F>(
    identity: &mut ExternalIdentity,
    settings: &ProviderSettings,
    client: &'a Client,
    tokens: &Tokens,
    claims: &IdClaims,
    ask: &'a F,
) -> Result<(), ProviderError>
where
    F: openidconnect::AsyncHttpClient<'a, Error = HttpError>,
{
    let token = tokens.access_token();
    if !token.secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        // It could not be sent in a header.
        return Err(ProviderError::refused("the access token is none"));
    }
    let info: UserInfoClaims<MoreClaims, CoreGenderClaim> = client
        .user_info(token.clone(), Some(claims.subject().clone()))
        .map_err(ProviderError::unavailable)?
        .request_async(ask)
        .await
        .map_err(|error| match error {
            UserInfoError::Request(error) => ProviderError::unavailable(error),
            UserInfoError::ClaimsVerification(error) => ProviderError::refused(what_is_wrong(&error)),
            _ => ProviderError::refused("userinfo is not to be had"),
        })?;
    if identity.email.is_none() {
        identity.email = info.email().and_then(|email| claims::email(email));
        identity.email_verified = match settings.preset {
            Preset::Microsoft => is_verified_by_microsoft(claims.additional_claims()),
            // Of both, the one that denies it counts.
            _ if claims.email_verified() == Some(false) => false,
            _ => is_vouched_for(settings, info.email_verified()),
        };
    }
    let name = || localized(info.name().map(without_language)).and_then(|name| claims::name(&name));
    let picture = || localized(info.picture().map(without_language)).and_then(|picture| claims::picture(&picture));
    identity.name = identity.name.take().or_else(name);
    identity.picture = identity.picture.take().or_else(picture);
    identity.locale = identity
        .locale
        .take()
        .or_else(|| info.locale().and_then(|locale| claims::locale(locale)));
    Ok(())
}

/// Whether the provider has seen that an address is whose it says.
fn is_vouched_for(settings: &ProviderSettings, says: Option<bool>) -> bool {
    says.unwrap_or(settings.connection.is_some())
}

/// Whether an address of Microsoft's is whose it is said to be. An administrator of any tenant may write any address there.
fn is_verified_by_microsoft(claims: &MoreClaims) -> bool {
    let says = match &claims.xms_edov {
        Some(Value::Bool(says)) => *says,
        Some(Value::String(says)) => says == "1" || says.eq_ignore_ascii_case("true"),
        Some(Value::Number(says)) => says.as_u64() == Some(1),
        _ => false,
    };
    says || claims.tid.as_deref() == Some(MICROSOFT_PERSONAL)
}

/// A claim as it is said in no particular language, or else in the first.
fn without_language<T>(claim: &LocalizedClaim<T>) -> Option<&T> {
    claim.get(None).or_else(|| claim.iter().next().map(|(_, value)| value))
}

fn localized<T: std::ops::Deref<Target = String>>(claim: Option<Option<&T>>) -> Option<String> {
    claim.flatten().map(|claim| claim.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MICROSOFT_PERSONAL, MoreClaims, is_verified_by_microsoft};

    #[test]
    fn microsoft_has_seen_what_it_says_it_has_or_what_is_its_own() {
        let says = |tid: Option<&str>, xms_edov: Option<Value>| {
            is_verified_by_microsoft(&MoreClaims {
                tid: tid.map(str::to_owned),
                xms_edov,
            })
        };
        let tenant = Some("0b4b3a2e-5a8b-4f0e-9f0a-2a3c4d5e6f70");
        for seen in [json!(true), json!("true"), json!("True"), json!("1"), json!(1)] {
            assert!(says(tenant, Some(seen.clone())), "{seen}");
        }
        for not_seen in [
            json!(false),
            json!("false"),
            json!("0"),
            json!(0),
            json!(2),
            json!([true]),
            Value::Null,
        ] {
            assert!(!says(tenant, Some(not_seen.clone())), "{not_seen}");
        }
        assert!(!says(tenant, None));
        assert!(!says(None, None));
        assert!(says(Some(MICROSOFT_PERSONAL), None));
    }
}
