//! The routes, and who may use them.

mod access;
mod history;
mod socket;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::{ServeDir, ServeFile};

pub use access::{Access, App, Failure};

pub fn router(app: App) -> Router {
    let api = Router::new()
        .route("/versions", get(history::list).post(history::save))
        .route("/versions/{version}", get(history::read))
        .route("/versions/{version}/restore", post(history::restore))
        .route("/compare", get(history::compare))
        .route("/export", get(history::export));
    let mut router = Router::new()
        .route("/ws/scenes/{scene_id}", get(socket::open))
        .nest("/api/scenes/{scene_id}", api)
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    if let Some(folder) = &app.args.static_files {
        let index = ServeFile::new(folder.join("index.html"));
        router = router.fallback_service(ServeDir::new(folder).fallback(index));
    }
    router.layer(cors(&app.args.allow_origin)).with_state(app)
}

fn cors(origins: &[String]) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE]);
    if origins.is_empty() {
        // Nothing here relies on cookies: a page has what its token allows, from wherever it was served.
        return layer.allow_origin(AllowOrigin::any());
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins))
}

async fn ready(State(app): State<App>) -> Response {
    match app.health.ask().await {
        Ok(()) => format!("ready\n{}\n", app.rooms.shared().neighbours()).into_response(),
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", fault.reason())).into_response(),
    }
}

async fn metrics(State(app): State<App>) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (headers, app.rooms.shared().metrics.render()).into_response()
}
