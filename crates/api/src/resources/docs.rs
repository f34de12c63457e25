//! The document and the page that shows it; every asset is in the binary.
//!
//! The page is ours, so that it can sign in; what shows the document is Swagger UI. An asset of ours is a file in `docs/`
//! and a line in [`assets`].

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, LazyLock},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, EntityTag, LOCATION},
    web::{self, Bytes},
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::{errors::ApiError, etags};

/// What the page needs and nothing more: scripts and styles from here, the images that are written in its styles, and
/// calls to this server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Kept, and asked about before it is used again.
const REVALIDATED: &str = "public, no-cache";

pub(crate) fn routes(config: &mut web::ServiceConfig, document: &OpenApi) {
    // A document of plain values has no way not to become JSON.
    let json = Bytes::from(document.to_json().unwrap_or_default());
    let document = Arc::new(Asset::new("openapi.json", "application/json", json));
    config
        .route("/openapi.json", {
            let document = Arc::clone(&document);
            web::get().to(move |request: HttpRequest| {
                let answer = document.answer(&request);
                async { answer }
            })
        })
        .route("/docs", web::get().to(redirect))
        .route("/docs/{file:[^/]*}", {
            web::get().to(|request: HttpRequest, file: web::Path<String>| {
                let asset = ASSETS.iter().find(|asset| asset.name == file.as_str());
                let answer = asset.ok_or(ApiError::NotFound).map(|asset| asset.answer(&request));
                async { answer }
            })
        });
}

/// A file that the page consists of.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: Bytes,
    is_gzipped: bool,
    tag: EntityTag,
}

impl Asset {
    fn new(name: &'static str, content_type: &'static str, bytes: Bytes) -> Self {
        // Tells versions of the program apart, and need not withstand anybody.
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self {
            name,
            content_type,
            tag: EntityTag::new_strong(format!("{:016x}", hasher.finish())),
            is_gzipped: false,
            bytes,
        }
    }

    fn ours(name: &'static str, content_type: &'static str, text: &'static str) -> Self {
        Self::new(name, content_type, Bytes::from_static(text.as_bytes()))
    }

    /// A file of Swagger UI; one that it does not have is missed by the tests.
    fn of_swagger_ui(name: &'static str, content_type: &'static str) -> Option<Self> {
        let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json"))).ok()??;
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        let asset = Self::new(name, content_type, bytes);
        Some(Self {
            is_gzipped: file.gzpipped,
            ..asset
        })
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let fresh = etags::is_fresh(request, &self.tag);
        let mut response = if fresh {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        response
            .insert_header((CACHE_CONTROL, REVALIDATED))
            .insert_header((ETAG, self.tag.to_string()))
            .insert_header((CONTENT_TYPE, self.content_type));
        if self.content_type != "application/json" {
            response.insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY));
        }
        if fresh {
            return response.finish();
        }
        if self.is_gzipped {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        response.body(self.bytes.clone())
    }
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(assets);

fn assets() -> Vec<Asset> {
    const HTML: &str = "text/html; charset=utf-8";
    const CSS: &str = "text/css; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let ours = [
        Asset::ours("", HTML, include_str!("docs/index.html")),
        Asset::ours("page.css", CSS, include_str!("docs/page.css")),
        Asset::ours("page.js", SCRIPT, include_str!("docs/page.js")),
        Asset::ours("session.js", SCRIPT, include_str!("docs/session.js")),
        Asset::ours("examples.js", SCRIPT, include_str!("docs/examples.js")),
        Asset::ours("ask.js", SCRIPT, include_str!("docs/ask.js")),
    ];
    let theirs = [
        Asset::of_swagger_ui("swagger-ui.css", CSS),
        Asset::of_swagger_ui("swagger-ui-bundle.js", SCRIPT),
        Asset::of_swagger_ui("favicon-32x32.png", "image/png"),
    ];
    ours.into_iter().chain(theirs.into_iter().flatten()).collect()
}

async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}
