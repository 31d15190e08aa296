//! The style sheet and the icon, compiled in.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

const STYLESHEET: &str = include_str!("../../assets/console.css");
const ICON: &str = include_str!("../../assets/icon.svg");
/// Pages name the style sheet by its content, so it may be kept.
const KEEP: &str = "public, max-age=86400";

/// Changes with the style sheet.
pub(super) fn stylesheet_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let hash = Sha256::digest(STYLESHEET.as_bytes());
        HEXLOWER.encode(hash.get(..6).unwrap_or_default())
    });
    &VERSION
}

pub(super) async fn stylesheet() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, KEEP)], STYLESHEET)
}

pub(super) async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, KEEP)], ICON)
}
