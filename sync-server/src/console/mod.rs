//! The console: what officers see in a browser. Rendered on the server, without a line of script.
//!
//! # Rules of every screen
//!
//! - Deny by default: a person sees what their grants reach ([`reach`]); a record out of reach and one that does
//!   not exist answer alike.
//! - Names of people are masked. Showing them is an act with a purpose, written down, and ends by itself
//!   ([`names`]).
//! - A screen of personal data is written into the audit log in the very request that shows it; if that cannot be
//!   written, nothing is shown.
//! - Whatever changes something is a `POST` of the same origin with the session's form token.
//! - Chinese first, English second; both stand side by side in the templates, so that neither is forgotten.
//!
//! # Who does what
//!
//! | subject | module |
//! | --- | --- |
//! | who is signed in, form tokens, headers | [`visitor`], [`headers`] |
//! | signing in and out, one-time links, language | [`sign_in`], [`language`] |
//! | the few numbers that matter | [`start`] |
//! | events: summaries, list, one event, its story, its photos and voice notes, what may be done next | [`summaries`],
//! [`events`], [`event`], [`story`], [`photos`], [`voices`], [`acts`] |
//! | phones, what locked ones handed in, refused changes, alarms | [`devices`], [`sealed`], [`quarantine`],
//! [`alarms`] |
//! | rows that are ticked off once somebody has looked | [`ticking`] |
//! | who did or looked at what | [`audit_log`], [`audit_words`] |
//! | people, what they hold, codes and links that are shown once, what they may do | [`people`], [`person`], [`roles`] |
//! | names of people, units and areas | [`directory`], [`names`] |
//!
//! Reads of the store block, so every handler does all of its work in one closure on the blocking pool.

mod acts;
mod alarms;
mod assets;
mod audit_log;
mod audit_words;
mod cache;
mod devices;
mod directory;
mod event;
mod events;
mod failure;
mod headers;
mod language;
mod medium;
mod names;
mod people;
mod person;
mod photos;
mod quarantine;
mod reach;
mod roles;
mod sealed;
mod shell;
mod sign_in;
mod start;
mod story;
mod summaries;
#[cfg(test)]
mod tests;
mod ticking;
mod visitor;
mod voices;
mod wording;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use gridwalk_model::event::EventRules;
use gridwalk_model::{ContentHash, Timestamp};
use tokio::sync::Semaphore;

use crate::clock::{Clock, Entropy};
use crate::media::MediaError;
use crate::storage::Storage;
use crate::sync::Principal;
use failure::Failure;

/// Largest form that is read, in bytes.
const FORM_MAX_BYTES: usize = 16 * 1024;
/// Passwords that are hashed at once: each takes 19 MiB.
const HASHING_AT_ONCE: usize = 2;
/// Sign-ins that may wait for their turn; whoever comes after them is asked to try again.
const SIGN_INS_WAITING: usize = 32;

/// What the console needs of the server that it is part of.
pub trait ConsoleState: Clone + Send + Sync + 'static {
    /// The store.
    fn storage(&self) -> Arc<dyn Storage>;
    /// Time.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Randomness.
    fn entropy(&self) -> Arc<dyn Entropy>;
    /// The deployment's rules about events.
    fn rules(&self) -> Arc<EventRules>;
    /// Whether browsers reach the console by HTTPS, so that its cookies may be sent that way only.
    fn https(&self) -> bool;
    /// The bytes of a stored medium; `None` if the file is not there. Called on the blocking pool.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn medium(&self, hash: &ContentHash) -> std::io::Result<Option<Vec<u8>>>;
    /// Stores a medium in the name of a device. Called on the blocking pool.
    ///
    /// # Errors
    /// See [`crate::media::Media::take_whole`].
    fn keep_medium(&self, principal: &Principal, hash: ContentHash, bytes: &[u8]) -> Result<(), MediaError>;
}

type KeepMedium = dyn Fn(&Principal, ContentHash, &[u8]) -> Result<(), MediaError> + Send + Sync;
type ReadMedium = dyn Fn(&ContentHash) -> std::io::Result<Option<Vec<u8>>> + Send + Sync;

/// The console's own state. Clones share everything.
#[derive(Clone)]
struct Console {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    rules: Arc<EventRules>,
    https: bool,
    medium: Arc<ReadMedium>,
    keep_medium: Arc<KeepMedium>,
    summaries: Arc<summaries::Summaries>,
    directory: Arc<directory::Directory>,
    shown_names: Arc<names::ShownNames>,
    hashing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Console {
    fn new<S: ConsoleState>(state: S) -> Self {
        Self {
            storage: state.storage(),
            clock: state.clock(),
            entropy: state.entropy(),
            rules: state.rules(),
            https: state.https(),
            keep_medium: Arc::new({
                let state = state.clone();
                move |principal, hash, bytes| state.keep_medium(principal, hash, bytes)
            }),
            medium: Arc::new(move |hash| state.medium(hash)),
            summaries: Arc::default(),
            directory: Arc::default(),
            shown_names: Arc::default(),
            hashing: Arc::new(Semaphore::new(HASHING_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(SIGN_INS_WAITING)),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs `work` on the blocking pool.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let console = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&console)).await;
        done.unwrap_or(Err(Failure::Internal))
    }
}

/// The console's routes, with its headers on every answer. It has no fallback: paths that it does not know are the
/// caller's.
pub fn router<S: ConsoleState>(state: S) -> Router {
    let console = Console::new(state);
    Router::new()
        .route("/", get(start::show))
        .route("/signin", post(sign_in::sign_in))
        .route("/signin/{link}", get(sign_in::show_link).post(sign_in::redeem_link))
        .route("/signout", post(sign_in::sign_out))
        .route("/language/{lang}", get(language::switch))
        .route("/names", post(names::switch))
        .route("/events", get(events::show))
        .route("/events/{id}", get(event::show))
        .route("/events/{id}/acts", post(acts::perform))
        .route("/events/{id}/photos/{element}", get(photos::full))
        .route("/events/{id}/photos/{element}/preview", get(photos::preview))
        .route("/events/{id}/voices/{element}", get(voices::play))
        .route("/phones", get(devices::show))
        .route("/sealed/{no}", get(sealed::show))
        .route("/sealed/{no}/accept", post(sealed::accept))
        .route("/sealed/{no}/discard", post(sealed::discard))
        .route("/sealed/{no}/photos/{name}", get(sealed::photo))
        .route("/sealed/{no}/voices/{name}", get(sealed::play))
        .route("/people", get(people::show).post(people::add))
        .route("/people/{id}", get(person::show))
        .route("/people/{id}/code", post(person::code))
        .route("/people/{id}/link", post(person::link))
        .route("/people/{id}/roles", post(roles::change))
        .route("/people/{id}/change/{word}", post(person::change))
        .route("/refused", get(quarantine::show))
        .route("/refused/{no}/settle", post(quarantine::settle))
        .route("/alarms", get(alarms::show))
        .route("/alarms/{no}/seen", post(alarms::acknowledge))
        .route("/audit", get(audit_log::show))
        .route("/assets/console.css", get(assets::stylesheet))
        .route("/assets/icon.svg", get(assets::icon))
        .layer(DefaultBodyLimit::max(FORM_MAX_BYTES))
        .layer(from_fn(headers::same_origin_only))
        .layer(from_fn_with_state(console.clone(), headers::finish))
        .with_state(console)
}
