//! The routes, and who may use them.

mod access;
mod admin;
mod blame;
mod compares;
mod content;
mod editing;
mod events;
mod history;
mod live;
mod readings;
mod socket;
mod streams;
mod values;
mod webhooks;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::{ServeDir, ServeFile};

pub use access::{Access, App, Failure};
pub use compares::Compares;
pub use readings::Readings;
pub use socket::FRAME_OVERHEAD;

pub fn router(app: App) -> Router {
    let api = Router::new()
        .route("/versions", get(history::list).post(history::save))
        .route("/versions/{version}", get(history::read).delete(history::delete))
        .route("/versions/{version}/restore", post(history::restore))
        .route("/versions/{version}/values", get(values::read))
        .route("/compare", get(history::compare))
        .route("/compare/values", get(values::compare))
        .route("/blame", get(blame::read))
        .route("/rollback", post(blame::roll_back))
        .route("/kick", post(admin::kick_from_document))
        .route("/updates", get(history::updates))
        .route("/export", get(history::export))
        .route("/", get(live::read).patch(live::patch).delete(live::delete))
        .route("/events", get(events::listen))
        .route("/maps/{map}", get(live::map))
        .route("/maps/{map}/{key}", get(live::value).put(live::set).delete(live::unset));
    let mut router = Router::new()
        .route("/ws/scenes/{scene_id}", get(socket::open))
        .route("/http/scenes/{scene_id}", get(streams::answer).post(streams::receive))
        .nest("/api/scenes/{scene_id}", api)
        .route("/api/admin/kick", post(admin::kick))
        .route("/api/admin/compact", post(admin::compact))
        .route("/api/admin/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/api/admin/webhooks/{webhook}", delete(webhooks::delete))
        .route("/api/admin/webhooks/{webhook}/dead", get(webhooks::dead).post(webhooks::revive))
        .route("/api/openapi.json", get(describe))
        .route("/api/{*rest}", any(unknown_path))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready));
    if app.args.metrics_listen.is_none() {
        router = router.route("/metrics", get(metrics));
    }
    router = router.method_not_allowed_fallback(wrong_method);
    router = match &app.args.static_files {
        Some(folder) => {
            let index = ServeFile::new(folder.join("index.html"));
            router.fallback_service(ServeDir::new(folder).fallback(index))
        }
        None => router.fallback(unknown_path),
    };
    let measured = middleware::from_fn_with_state(app.clone(), measure);
    router.layer(cors(&app.args.allow_origin)).layer(measured).with_state(app)
}

/// For an address of its own: what operators look at.
pub fn operators(app: App) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app)
}

async fn unknown_path() -> Failure {
    Failure::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "there is nothing at this path: /api/openapi.json has what there is",
    )
}

async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this path is asked for by other methods: `Allow` has them")
}

/// Counts requests, by the route and not by the path: ids are no labels.
async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    app.rooms.shared().metrics.answered(&route, response.status().as_u16(), started.elapsed());
    response
}

fn cors(origins: &[String]) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            live::IDEMPOTENCY_KEY,
            events::LAST_EVENT_ID,
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER, live::REPLAYED])
        // A connection over HTTP asks often.
        .max_age(std::time::Duration::from_secs(3_600));
    if origins.is_empty() {
        // Nothing here relies on cookies: a page has what its token allows, from wherever it was served.
        return layer.allow_origin(AllowOrigin::any());
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins))
}

/// What there is to ask for. `server/tests/reference.rs` holds it to the routes and their answers.
async fn describe() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("../../openapi.json")).into_response()
}

async fn ready(State(app): State<App>) -> Response {
    match app.health.ask().await {
        Ok(()) => format!("ready\n{}\n", app.rooms.shared().neighbours()).into_response(),
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", fault.reason())).into_response(),
    }
}

async fn metrics(State(app): State<App>) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    let shared = app.rooms.shared();
    shared.metrics.gauges.unfinished_bytes.set(shared.allowances.unfinished() as i64);
    (headers, shared.metrics.render()).into_response()
}
