//! The routes, the document that comes of them, and the answers to whatever is not a route.

use actix_web::{
    App, HttpRequest, HttpResponse,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header::ALLOW},
    web,
};
use utoipa::openapi::{OpenApi, PathItem};
use utoipa_actix_web::{AppExt as _, service_config::ServiceConfig};

use crate::{
    errors::{ApiError, ApiResult},
    openapi, resources,
};

/// Every route, each declared beside its handler.
fn routes(config: &mut ServiceConfig) {
    resources::authentication::routes(config);
    resources::second_factors::routes(config);
    resources::passkeys::routes(config);
    resources::identity_providers::routes(config);
    resources::identities::routes(config);
    resources::trusted_devices::routes(config);
    resources::sessions::routes(config);
    resources::me::routes(config);
    resources::organizations::routes(config);
    resources::context::routes(config);
    resources::sign_on::routes(config);
    resources::discovery::routes(config);
    resources::domains::routes(config);
    resources::invitations::routes(config);
    resources::members::routes(config);
    resources::permissions::routes(config);
    resources::workspaces::routes(config);
    resources::projects::routes(config);
    resources::health::routes(config);
}

/// An application with every route, and its document.
pub(crate) fn application() -> (
    App<
        impl ServiceFactory<
            ServiceRequest,
            Response = ServiceResponse,
            Config = (),
            Error = actix_web::Error,
            InitError = (),
        >,
    >,
    OpenApi,
) {
    let (app, collected) = App::new()
        .into_utoipa_app()
        .openapi(openapi::preamble())
        .configure(routes)
        .split_for_parts();
    let document = openapi::complete(collected);
    let paths = Paths::of(&document);
    let app = app
        .configure(|config| resources::docs::routes(config, &document))
        .app_data(web::Data::new(paths))
        .default_service(web::to(elsewhere));
    (app, document)
}

/// The paths of the document, to tell an unknown path from an unknown method.
pub(crate) struct Paths(Vec<(Vec<String>, Vec<Method>)>);

impl Paths {
    fn of(document: &OpenApi) -> Self {
        Self(
            document
                .paths
                .paths
                .iter()
                .map(|(path, item)| (path.split('/').map(str::to_owned).collect(), methods(item)))
                .chain(["/openapi.json", "/docs", "/docs/"].map(|path| {
                    (
                        path.split('/').map(str::to_owned).collect(),
                        vec![Method::GET, Method::HEAD],
                    )
                }))
                .collect(),
        )
    }

    fn allowed(&self, path: &str) -> Option<String> {
        let segments: Vec<&str> = path.split('/').collect();
        let found = || {
            self.0
                .iter()
                .filter_map(|(pattern, methods)| Some((fits(pattern, &segments)?, methods)))
        };
        // A path that is written out is not an id that looks like it: `members/invite`.
        let best = found().map(|(written, _)| written).max()?;
        let mut allowed: Vec<&str> = found()
            .filter(|(written, _)| *written == best)
            .flat_map(|(_, methods)| methods.iter().map(Method::as_str))
            .collect();
        allowed.sort_unstable();
        allowed.dedup();
        allowed.push("OPTIONS");
        Some(allowed.join(", "))
    }
}

/// Whether a path is of a pattern, and then how many of its segments the pattern writes out.
fn fits(pattern: &[String], segments: &[&str]) -> Option<usize> {
    let each = || pattern.iter().zip(segments);
    let fit = pattern.len() == segments.len()
        && each().all(|(part, segment)| part == segment || part.starts_with('{') && !segment.is_empty());
    fit.then(|| each().filter(|(part, segment)| part == *segment).count())
}

fn methods(item: &PathItem) -> Vec<Method> {
    let known = [
        (item.get.is_some(), Method::GET),
        (item.get.is_some(), Method::HEAD),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (item.patch.is_some(), Method::PATCH),
        (item.delete.is_some(), Method::DELETE),
    ];
    known
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, method)| method)
        .collect()
}

/// Whatever no route took: an unknown path, a method that a path does not have, or a question about methods.
pub(crate) async fn elsewhere(request: HttpRequest, paths: web::Data<Paths>) -> ApiResult<HttpResponse> {
    let allow = paths.allowed(request.path()).ok_or(ApiError::NotFound)?;
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((ALLOW, allow)).finish());
    }
    Err(ApiError::MethodNotAllowed { allow })
}
