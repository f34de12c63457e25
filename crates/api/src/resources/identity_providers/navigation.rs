//! Going to a provider, and coming back: what a browser does by itself, and is answered with another place to go to.

use crate::{
    cookies,
    errors::{ApiError, ApiResult},
    guard::{Anyone, path_value},
    listing::{query_parameters, refused, some_query_parameters},
    parameters::{AuthorizeParameters, ProviderPath, ReturnParameters},
    reply::NO_STORE,
};
use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    cookie::{Cookie, SameSite, time::Duration},
    get,
    http::header::{CACHE_CONTROL, LOCATION},
};
use secrecy::ExposeSecret as _;
use tenantry_domain::{emails::Email, identities::FLOW_LIFE};
use tenantry_services::{
    Services,
    identities::{Answered, BrowserToken, Wanted},
};

/// The characters of what an app gets back as it gave it, and of a challenge (RFC 7636: 256 bits in base64url).
const MAX_STATE: usize = 500;
const CHALLENGE: usize = 43;

/// What a browser brings back from a provider, and the most characters of each.
const RETURNED: [(&str, usize); 4] = [("state", 8192), ("code", 8192), ("error", 255), ("iss", 512)];

/// `302`: the browser goes elsewhere.
pub(crate) struct Elsewhere {
    location: String,
    cookie: Option<Cookie<'static>>,
}

impl Responder for Elsewhere {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::Found();
        response
            .insert_header((CACHE_CONTROL, NO_STORE))
            .insert_header((LOCATION, self.location));
        if let Some(cookie) = self.cookie {
            response.cookie(cookie);
        }
        response.finish()
    }
}

/// The cookie that a sign-in is good in one browser by: named as that of a trusted device is.
fn cookie_name(services: &Services) -> &'static str {
    if services.is_reached_over_tls() {
        "__Host-tenantry-sign-in"
    } else {
        "tenantry-sign-in"
    }
}

fn browser(request: &HttpRequest, services: &Services) -> Option<BrowserToken> {
    let value = cookies::value(request, cookie_name(services))?;
    BrowserToken::parse(value.expose_secret())
}

/// It comes along from the provider's page, which a `Strict` one would not.
fn cookie(services: &Services, token: &BrowserToken) -> Cookie<'static> {
    Cookie::build(cookie_name(services), token.secret().expose_secret().to_owned())
        .path("/")
        .max_age(Duration::seconds(FLOW_LIFE.num_seconds()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(services.is_reached_over_tls())
        .finish()
}

/// Go to a provider
///
/// For a browser to be sent to, not to be fetched: it goes on to the provider, comes back to the `redirectUri` with a `code` or an
/// `error`, and keeps a cookie until then.
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "authorizeWithProvider",
    params(ProviderPath, AuthorizeParameters),
    responses(
        (status = 302, description = "To the provider; or back to the `redirectUri` with `error=temporarily_unavailable`",
            headers(("Location" = String), ("Set-Cookie" = String))),
        (status = 404, description = "`NOT_FOUND`: there is no such provider", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[get("/api/v1/auth/oidc/{provider}/authorize")]
pub(crate) async fn authorize_with_provider(caller: Anyone, request: HttpRequest) -> ApiResult<Elsewhere> {
    let Anyone { services, .. } = caller;
    let provider = path_value(&request, "provider");
    let provider = services.provider(provider).await?;
    let (wanted, login_hint) = wanted(&request, &services)?;
    let browser = browser(&request, &services).unwrap_or_else(|| BrowserToken::generate(services.environment()));
    let location = services
        .leave_for_provider(&provider, wanted, login_hint.as_deref(), &browser)
        .await?;
    Ok(Elsewhere {
        location,
        cookie: Some(cookie(&services, &browser)),
    })
}

fn wanted(request: &HttpRequest, services: &Services) -> ApiResult<(Wanted, Option<String>)> {
    let mut given = query_parameters(request, &["redirectUri", "state", "codeChallenge", "loginHint"])?;
    let mut take = |name: &str| {
        let at = given.iter().position(|(parameter, _)| parameter == name);
        at.map(|at| given.swap_remove(at).1)
    };
    let redirect_uri = take("redirectUri").ok_or_else(|| refused("redirectUri", "is required"))?;
    if !services.is_redirect_uri(&redirect_uri) {
        return Err(refused("redirectUri", "is none of those that are configured"));
    }
    let state = take("state");
    if let Some(state) = &state
        && !(1..=MAX_STATE).contains(&state.chars().count())
    {
        return Err(refused("state", &format!("must have 1 to {MAX_STATE} characters")));
    }
    let code_challenge = take("codeChallenge");
    let is_challenge = |text: &String| {
        text.len() == CHALLENGE
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if code_challenge.as_ref().is_some_and(|text| !is_challenge(text)) {
        return Err(refused("codeChallenge", "must be the base64url of a SHA-256"));
    }
    let login_hint = take("loginHint");
    if let Some(hint) = &login_hint
        && !(1..=Email::MAX).contains(&hint.chars().count())
    {
        return Err(refused(
            "loginHint",
            &format!("must have 1 to {} characters", Email::MAX),
        ));
    }
    let wanted = Wanted {
        redirect_uri,
        state,
        code_challenge,
    };
    Ok((wanted, login_hint))
}

/// Come back from a provider
///
/// For the provider to send the browser to. It goes on to the `redirectUri`, with a `code` that is exchanged for a session, or with an
/// `error`: `access_denied`, `temporarily_unavailable`, or `server_error`.
#[utoipa::path(
    tag = "Identity providers",
    operation_id = "returnFromProvider",
    params(ProviderPath, ReturnParameters),
    responses(
        (status = 302, description = "To the `redirectUri`, with a `code` or an `error`", headers(("Location" = String))),
        (status = 400, description = "`MALFORMED_REQUEST`: it is not the browser that left, or it left too long ago",
            body = crate::openapi::ErrorEnvelope),
        (status = 404, description = "`NOT_FOUND`: there is no such provider", body = crate::openapi::ErrorEnvelope),
    ),
)]
#[get("/api/v1/auth/oidc/{provider}/callback")]
pub(crate) async fn return_from_provider(caller: Anyone, request: HttpRequest) -> ApiResult<Elsewhere> {
    let Anyone { services, .. } = caller;
    let provider = path_value(&request, "provider");
    let provider = services.provider(provider).await?;
    let given = some_query_parameters(&request, &RETURNED.map(|(name, _)| name))?;
    for (name, most) in RETURNED {
        if given
            .iter()
            .any(|(given, value)| given == name && value.chars().count() > most)
        {
            return Err(refused(name, &format!("must have {most} or fewer characters")));
        }
    }
    let value = |name: &str| {
        let found = given.iter().find(|(parameter, _)| parameter == name);
        found.map(|(_, value)| value.as_str())
    };
    let answered = Answered {
        state: value("state").unwrap_or_default(),
        code: value("code"),
        error: value("error"),
        issuer: value("iss"),
    };
    let browser = browser(&request, &services);
    let location = services
        .return_from_provider(&provider, browser.as_ref(), answered)
        .await?;
    let not_ours = || {
        ApiError::malformed(
            "query.state",
            "This is not the browser in which the sign-in began, or it began too long ago.",
        )
    };
    Ok(Elsewhere {
        location: location.ok_or_else(not_ours)?,
        cookie: None,
    })
}
