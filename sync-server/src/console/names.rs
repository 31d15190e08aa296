//! Showing names. They are masked until somebody says what for; that is written down, and ends by itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gridwalk_model::Timestamp;
use serde::Deserialize;

use super::Console;
use super::failure::Failure;
use super::language::local_path;
use super::visitor::Visitor;
use crate::access::hash_secret;
use crate::audit::{self, Entry};

/// For how long names are shown: 10 minutes.
pub(super) const SHOWN_MS: i64 = 10 * 60 * 1_000;
/// Longest purpose that is kept, in characters.
const PURPOSE_MAX: usize = 100;

/// Which sessions see names, and until when.
#[derive(Debug, Default)]
pub(super) struct ShownNames {
    until: Mutex<HashMap<[u8; 32], Timestamp>>,
}

impl ShownNames {
    /// Whether a session sees names now.
    pub(super) fn holds(&self, cookie: &str, now: Timestamp) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&hash_secret(cookie)).is_some_and(|until| *until > now)
    }

    fn show(&self, cookie: &str, now: Timestamp) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, until| *until > now);
        until.insert(hash_secret(cookie), now.plus_millis(SHOWN_MS));
    }

    /// Masks them again.
    pub(super) fn hide(&self, cookie: &str) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.remove(&hash_secret(cookie));
    }
}

/// Asks for names, or gives them up: an empty purpose.
#[derive(Deserialize)]
pub(super) struct Ask {
    csrf: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    hide: bool,
    #[serde(default)]
    back: String,
}

/// Shows names for a while, or masks them again.
pub(super) async fn switch(
    State(console): State<Console>,
    visitor: Visitor,
    Form(ask): Form<Ask>,
) -> Result<Response, Failure> {
    visitor.check(&ask.csrf)?;
    let back = local_path(&ask.back).unwrap_or("/").to_owned();
    let purpose: String = ask.purpose.trim().chars().take(PURPOSE_MAX).collect();
    if !ask.hide && purpose.is_empty() {
        return Err(Failure::BadForm);
    }
    // Without what was searched for, which may be a name.
    let target = back.split('?').next().unwrap_or("/").to_owned();
    console
        .blocking(move |console| {
            if ask.hide {
                console.shown_names.hide(&visitor.cookie);
                return Ok(());
            }
            let now = console.now();
            let actor = visitor.person.id.to_string();
            let entry = Entry {
                actor: &actor,
                action: "names.shown",
                target: &target,
                detail: &purpose,
                alarm: false,
            };
            console.storage.update(|tx| audit::append(tx, now, &entry))?;
            console.shown_names.show(&visitor.cookie, now);
            Ok(())
        })
        .await?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, back)]).into_response())
}
