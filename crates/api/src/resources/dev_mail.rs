//! The mails of `tenantry dev`, which are sent to nobody: they hold the links that people would follow.
//!
//! Where mails are not kept there is no such path, and the document never has it.

use actix_web::{HttpResponse, get, web};
use serde_json::json;
use tenantry_services::Services;

use crate::{errors::ApiError, reply::NO_STORE};

/// Adds the path where there is anything to show.
pub(crate) fn routes(config: &mut web::ServiceConfig, services: &Services) {
    if services.kept_mails().is_some() {
        config.service(list);
    }
}

#[get("/dev/mail")]
async fn list(services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    let mails = services.kept_mails().ok_or(ApiError::NotFound)?;
    let mut response = HttpResponse::Ok();
    response.insert_header(("Cache-Control", NO_STORE));
    Ok(response.json(json!({ "data": mails })))
}
