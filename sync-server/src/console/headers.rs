//! What every answer carries, and what no form may lack.

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Console;
use super::failure::{self, Failure};
use super::language::Lang;

/// Nothing but this server's own style sheet, images and forms; no script at all.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

const FIXED: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Turns a failure into a page in the visitor's language, and puts the headers on whatever goes out.
pub(super) async fn finish(State(console): State<Console>, request: Request, next: Next) -> Response {
    let lang = Lang::of(request.headers());
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure::page(&console, failure, lang);
    }
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses a form that another site sent, signed in or not.
pub(super) async fn same_origin_only(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !is_same_origin(request.headers()) {
        return Failure::OtherSite.into_response();
    }
    next.run(request).await
}

/// Browsers say where a form came from in `Sec-Fetch-Site`, on plain HTTP in `Origin`. A client that says neither
/// is no browser, and carries nobody's cookies but its own.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site.as_bytes() == b"same-origin";
    }
    match headers.contains_key(ORIGIN) {
        false => true,
        true => {
            let host = text(&ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
            host.is_some() && host == text(&HOST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_told_apart() {
        let from = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_same_origin(&headers.collect())
        };
        assert!(from(&[]));
        assert!(from(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(from(&[("origin", "http://10.0.0.2:8080"), ("host", "10.0.0.2:8080")]));
        assert!(!from(&[("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "same-site"), ("origin", "http://a"), ("host", "a")]));
        assert!(!from(&[("origin", "http://evil.example"), ("host", "10.0.0.2:8080")]));
        assert!(!from(&[("origin", "null"), ("host", "10.0.0.2:8080")]));
    }
}
