//! `schemas/openapi.yaml` against the routes.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use tower::ServiceExt as _;

use super::router;
use crate::config::Config;
use crate::state::AppState;
use crate::testing::World;

/// The paths of the contract with their methods, read by their indentation.
fn contract() -> Vec<(String, Method)> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, paths) = text.split_once("\npaths:\n").unwrap();
    let (mut out, mut path) = (Vec::new(), String::new());
    for line in paths.lines().take_while(|line| line.is_empty() || line.starts_with(' ')) {
        if let Some(found) = line.strip_prefix("  /") {
            path = format!("/{}", found.trim_end_matches(':'));
        } else if let Some(found) = line.strip_prefix("    ").and_then(|rest| rest.strip_suffix(':'))
            && let Ok(method) = Method::from_bytes(found.to_ascii_uppercase().as_bytes())
            && !found.starts_with(' ')
            && found != "parameters"
        {
            out.push((path.clone(), method));
        }
    }
    out
}

#[tokio::test]
async fn every_path_of_the_contract_is_served_and_needs_a_session_where_it_says_so() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::clone(&world.storage);
    let (clock, entropy) = (Arc::clone(&world.clock) as _, Arc::clone(&world.entropy) as _);
    let state = AppState::new(Config::new(folder.path()), storage, clock, entropy).unwrap();
    let router = router(state);
    let contract = contract();
    assert_eq!(contract.len(), 14, "{contract:?}");
    for (path, method) in contract {
        let sample = path
            .replace("{record}", "01a2001d-3c7d-7acd-92b0-195379acccb6")
            .replace("{hash}", &"ab".repeat(32))
            .replace("{upload}", "nothing");
        let request = Request::builder()
            .method(method.clone())
            .uri(sample)
            .header("tus-resumable", "1.0.0")
            .body(Body::empty())
            .unwrap();
        let status = router.clone().oneshot(request).await.unwrap().status();
        let open = ["/healthz", "/metrics", "/v1/enrol", "/v1/nonce", "/v1/token"].contains(&path.as_str())
            || method == Method::OPTIONS;
        assert_eq!(status == StatusCode::UNAUTHORIZED, !open, "{method} {path}: {status}");
        assert!(status != StatusCode::NOT_FOUND && status != StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}
