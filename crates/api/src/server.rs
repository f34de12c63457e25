//! The listening server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    HttpServer,
    dev::ServerHandle,
    http::{Method, header},
    middleware::from_fn,
    web,
};
use tenantry_services::Services;
use tracing_actix_web::TracingLogger;

use crate::{
    limits,
    middleware::{self, RequestTimeout, RootSpan},
    resources, router,
};

/// How to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Origins of browsers that may call with credentials, such as `https://app.example.com`.
    pub cors_origins: Vec<String>,
    /// How long a request may take in all.
    pub request_timeout: Duration,
    /// How many threads serve.
    pub workers: usize,
    /// How long requests under way may take to end once the server is told to stop.
    pub drain_timeout: Duration,
}

/// A server that listens.
pub struct Running {
    address: SocketAddr,
    services: Services,
    handle: ServerHandle,
    /// Until it has ended.
    task: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
}

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may be idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The most connections of one thread; more wait in the backlog.
const MAX_CONNECTIONS: usize = 1024;

/// Headers that scripts of other origins may read.
const EXPOSED: &[&str] = &[
    "allow",
    "etag",
    "location",
    "x-trace-id",
    "x-cache",
    "retry-after",
    "www-authenticate",
    "idempotency-replayed",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// Starts to listen and to serve.
///
/// # Errors
/// When the address cannot be listened on.
pub fn start(services: Services, settings: &Settings) -> std::io::Result<Running> {
    let origins: Arc<[String]> = settings.cors_origins.clone().into();
    let timeout = web::Data::new(RequestTimeout(settings.request_timeout));
    let shared = web::Data::new(services.clone());
    let server = HttpServer::new(move || {
        let (app, _) = router::application();
        app.configure(|config| resources::dev_mail::routes(config, &shared))
            .app_data(shared.clone())
            .app_data(timeout.clone())
            .wrap(from_fn(middleware::negotiate))
            .wrap(from_fn(limits::by_address))
            .wrap(cors(&origins))
            .wrap(from_fn(middleware::outcome))
            .wrap(TracingLogger::<RootSpan>::new())
            .wrap(from_fn(middleware::trace))
    })
    .workers(settings.workers)
    .max_connections(MAX_CONNECTIONS)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(settings.drain_timeout.as_secs())
    .disable_signals()
    .bind(settings.listen)?;
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    let server = server.run();
    let handle = server.handle();
    Ok(Running {
        address,
        services,
        handle,
        task: Some(tokio::spawn(server)),
    })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says from now on that it is not ready, and has each connection end with the answer to its next request. Requests
    /// are served as before.
    pub fn begin_draining(&self) {
        self.services.begin_draining();
    }

    /// Stops listening, closes the connections that wait for a request, lets requests under way end for as long as
    /// [`Settings::drain_timeout`] says, and returns when they have.
    ///
    /// # Errors
    /// When the server had failed.
    pub async fn stop(mut self) -> std::io::Result<()> {
        self.handle.stop(true).await;
        self.finished().await
    }

    /// Returns when the server ends by itself, and at once where it has.
    ///
    /// # Errors
    /// When it failed, once.
    pub async fn finished(&mut self) -> std::io::Result<()> {
        let Some(task) = &mut self.task else { return Ok(()) };
        let outcome = task.await;
        // A task gives its outcome but once.
        self.task = None;
        outcome.map_err(std::io::Error::other)?
    }
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
        ])
        .allowed_header("idempotency-key")
        .allowed_header("traceparent")
        .allowed_header("tracestate")
        .allowed_header("x-api-key")
        .allowed_header("x-tenant-id")
        .allowed_header("x-token-transport")
        .allowed_header("x-csrf-token")
        .expose_headers(EXPOSED.iter().copied())
        .supports_credentials()
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
