//! Extractors that say who may call a handler.
//!
//! [`SignedIn`] takes whoever has a live session. [`Guard`] takes a member of the organization in the path whose roles could
//! allow its permission, and gives the [`Access`] without which no use case reaches a tenant's row. Both hand out the body
//! unread: extractors run side by side and the first error wins, so a body among them could be looked at before it is
//! known who sends it.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header::AUTHORIZATION, web};
use tenantry_domain::{
    ids::{MemberId, ProjectId, UserId, WorkspaceId},
    members::or_oneself,
    permissions::{Required, perm},
    sessions::Device,
    trace::TraceId,
};
use tenantry_services::{
    Services,
    callers::{Access, OrganizationRef, Principal, TenantContext},
};

use crate::{
    body::UnreadBody,
    errors::{ApiError, ApiResult, BearerProblem},
};

/// The most characters of a `User-Agent` that are kept.
const MAX_USER_AGENT: usize = 512;

/// The trace of a request, as the outermost middleware determined it.
pub(crate) fn trace(request: &HttpRequest) -> ApiResult<TraceId> {
    request.extensions().get::<TraceId>().copied().ok_or(ApiError::Internal)
}

/// The use cases.
pub(crate) fn services(request: &HttpRequest) -> ApiResult<&Services> {
    request
        .app_data::<web::Data<Services>>()
        .map(|services| services.get_ref())
        .ok_or(ApiError::Internal)
}

/// What a request came from.
pub(crate) fn device(request: &HttpRequest) -> Device {
    let user_agent = request.headers().get("user-agent").map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.chars()
            .filter(|character| !character.is_control())
            .take(MAX_USER_AGENT)
            .collect()
    });
    Device {
        ip: request.peer_addr().map(|address| address.ip()),
        user_agent,
    }
}

/// A value of the path.
pub(crate) fn path_value<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    request.match_info().get(name).unwrap_or_default()
}

/// An id of the path.
pub(crate) fn path_id<T: std::str::FromStr>(request: &HttpRequest, name: &'static str) -> ApiResult<T> {
    path_value(request, name)
        .parse()
        .map_err(|_| ApiError::malformed(format!("path.{name}"), format!("{name} must be an id (a UUID).")))
}

/// What `ask` says of the thing that the path names. What is no id is no such thing either, which is told after what comes
/// before it.
pub(crate) async fn permitted<T: Copy>(
    id: &ApiResult<T>,
    ask: impl AsyncFnOnce(T) -> tenantry_services::Result<()>,
) -> tenantry_services::Result<()> {
    match id {
        Ok(id) => ask(*id).await,
        Err(_) => Ok(()),
    }
}

/// Someone, signed in or not.
pub(crate) struct Anyone {
    pub(crate) services: Services,
    pub(crate) trace: TraceId,
    pub(crate) body: UnreadBody,
}

/// Someone with a live session.
pub(crate) struct SignedIn {
    pub(crate) principal: Principal,
    pub(crate) services: Services,
    pub(crate) trace: TraceId,
    pub(crate) body: UnreadBody,
}

/// A member of the organization in the path whose roles could allow `P`.
pub(crate) struct Guard<P> {
    pub(crate) access: Access<P>,
    pub(crate) services: Services,
    pub(crate) body: UnreadBody,
}

/// A member of the organization in the path, whatever they hold there.
pub(crate) struct Member {
    pub(crate) context: Arc<TenantContext>,
}

impl<P: Required> Guard<P> {
    /// The caller.
    pub(crate) fn caller(&self) -> UserId {
        self.access.context().principal().user()
    }
}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl FromRequest for Anyone {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut extract = || {
            Ok(Self {
                services: services(request)?.clone(),
                trace: trace(request)?,
                body: UnreadBody::new(request, payload),
            })
        };
        std::future::ready(extract())
    }
}

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = UnreadBody::new(&request, payload);
        Box::pin(async move {
            let (services, trace) = (services(&request)?.clone(), trace(&request)?);
            let principal = principal(&request, &services, trace).await?;
            Ok(Self {
                principal,
                services,
                trace,
                body,
            })
        })
    }
}

impl FromRequest for Member {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let context = enter(&request, services(&request)?, trace(&request)?).await?;
            services(&request)?.admit_member(&context)?;
            Ok(Self { context })
        })
    }
}

/// What the caller holds in the organization of the path.
async fn enter(request: &HttpRequest, services: &Services, trace: TraceId) -> ApiResult<Arc<TenantContext>> {
    let principal = principal(request, services, trace).await?;
    let organization = OrganizationRef::parse(path_value(request, "orgId")).ok_or(ApiError::NotFound)?;
    Ok(services.enter(&principal, &organization).await?)
}

impl<P: Required> FromRequest for Guard<P> {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = UnreadBody::new(&request, payload);
        Box::pin(async move {
            let (services, trace) = (services(&request)?.clone(), trace(&request)?);
            let context = enter(&request, &services, trace).await?;
            let access = match services.admit::<P>(&context, trace) {
                Ok(access) => access,
                Err(refusal) => return Err(refused(&request, &services, &context, trace, refusal.into()).await),
            };
            Ok(Self { access, services, body })
        })
    }
}

/// Who calls.
pub(crate) async fn principal(request: &HttpRequest, services: &Services, trace: TraceId) -> ApiResult<Principal> {
    let token = bearer_token(request).ok_or(ApiError::Unauthorized(BearerProblem::Missing))?;
    Ok(services.authenticate(token, || device(request), trace).await?)
}

/// What a request brings as `Authorization: Bearer …`.
pub(crate) fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    // RFC 9110, section 11.1: the scheme's case does not matter.
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The answer to a caller whom no role lets in: a refusal, unless the path leads to what they may not even know of.
async fn refused(
    request: &HttpRequest,
    services: &Services,
    context: &Arc<TenantContext>,
    trace: TraceId,
    refusal: ApiError,
) -> ApiError {
    if !matches!(refusal, ApiError::Forbidden(_)) {
        return refusal;
    }
    let seen = if let Ok(id) = path_value(request, "memberId").parse::<MemberId>() {
        match services.admit::<or_oneself::MemberView>(context, trace) {
            Ok(access) => services.may_touch_member(&access, Some(id)).await,
            Err(_) => return ApiError::NotFound,
        }
    } else if let Ok(id) = path_value(request, "projectId").parse::<ProjectId>() {
        match services.admit::<perm::ProjectView>(context, trace) {
            Ok(access) => services.may_touch_project(&access, id).await,
            Err(_) => return ApiError::NotFound,
        }
    } else if let Ok(id) = path_value(request, "wsId").parse::<WorkspaceId>() {
        match services.admit::<perm::WorkspaceView>(context, trace) {
            Ok(access) => services.may_touch_workspace(&access, id).await,
            Err(_) => return ApiError::NotFound,
        }
    } else {
        Ok(())
    };
    match seen {
        Ok(()) => refusal,
        Err(error) => error.into(),
    }
}
