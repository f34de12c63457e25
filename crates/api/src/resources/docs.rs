//! The document and the page that shows it; every asset is in the binary.

use actix_web::{
    HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION},
    middleware::{Next, from_fn},
    web,
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// What Swagger UI needs and nothing more: its own scripts and styles, its inline styles and images, and calls to this
/// server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

pub(crate) fn routes(config: &mut web::ServiceConfig, document: &OpenApi) {
    // A document of plain values has no way not to become JSON.
    let json = web::Bytes::from(document.to_json().unwrap_or_default());
    let page = SwaggerUi::new("/docs/{_:.*}").config(
        Config::from("/openapi.json")
            .display_operation_id(true)
            .display_request_duration(true)
            .filter(true)
            .try_it_out_enabled(true),
    );
    config
        .route("/openapi.json", web::get().to(move || serve_document(json.clone())))
        .route("/docs", web::get().to(redirect))
        .service(web::scope("").wrap(from_fn(page_policy)).service(page));
}

async fn serve_document(json: web::Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "public, max-age=60"))
        .body(json)
}

async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

async fn page_policy(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    // A scope without a path is asked about whatever no route took.
    let is_page = request.path().starts_with("/docs/");
    let mut response = next.call(request).await?;
    if !is_page {
        return Ok(response);
    }
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    Ok(response)
}
