//! Serving: the socket, the jobs in the background, and an orderly end.

use std::future::{Future, IntoFuture as _};
use std::sync::Arc;
use std::time::Duration;

use gridwalk_model::policy::Role;
use gridwalk_model::{RecordId, Timestamp};
use tokio::net::TcpListener;

use crate::access::AccessError;
use crate::access::account::create_signin_link;
use crate::access::staff::{NewWorker, add_person};
use crate::clock::{Clock as _, Entropy, SystemClock, SystemEntropy};
use crate::http;
use crate::http::listener::{Bounded, Peer};
use crate::state::AppState;
use crate::storage::access::PersonRow;
use crate::storage::{Storage, StorageError, WriteTx};
use crate::sync::{Context, replace_due};

/// How long requests under way may take to finish once the process is asked to end.
const FINISH_WITHIN: Duration = Duration::from_secs(20);
/// How often the background jobs run.
const JOBS_EVERY: Duration = Duration::from_secs(60);

/// Serves until `shutdown` is done, then finishes the requests under way, writes what waits, and checkpoints.
///
/// # Errors
/// If the socket fails.
pub async fn serve(
    state: AppState,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = http::router(state.clone()).into_make_service_with_connect_info::<Peer>();
    let listener = Bounded::new(listener, state.config.behind_proxy);
    let jobs = tokio::spawn(jobs(state.clone()));
    let (ending, ends) = tokio::sync::oneshot::channel();
    let asked = async move {
        shutdown.await;
        let _ = ending.send(());
    };
    let serving = axum::serve(listener, app).with_graceful_shutdown(asked);
    let overtime = async {
        if ends.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(FINISH_WITHIN).await;
    };
    let served = tokio::select! {
        served = serving.into_future() => served,
        // What is still under way has no answer yet, so nothing was promised.
        () = overtime => Ok(()),
    };
    jobs.abort();
    if let Err(error) = state.flush_seen().await {
        tracing::warn!(%error, "last sync times were not written");
    }
    let ending = state.clone();
    let ended = tokio::task::spawn_blocking(move || {
        ending.writer.stop();
        ending.storage.checkpoint()
    });
    if let Ok(Err(error)) = ended.await {
        tracing::warn!(%error, "checkpoint failed");
    }
    served
}

async fn jobs(state: AppState) {
    let mut ticks = tokio::time::interval(JOBS_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = run_jobs(&state).await {
            tracing::warn!(%error, "background job failed");
        }
    }
}

/// Runs the background jobs once: last sync times, residencies that began or ended, expired uploads, tracks
/// whose time is over.
///
/// # Errors
/// A failure of the store.
pub async fn run_jobs(state: &AppState) -> Result<(), StorageError> {
    state.flush_seen().await?;
    loop {
        let (now, entropy) = (state.now(), Arc::clone(&state.entropy));
        let today = crate::sync::day_of(now).to_string();
        // Asked on a snapshot first, so that an idle server writes nothing.
        if state.read(move |tx| tx.links_due(&today, 1)).await?.is_empty() {
            break;
        }
        state.write(move |tx| replace_due(tx, Context { now, entropy: &*entropy })).await?;
    }
    let (media, track_days) = (Arc::clone(&state.media), state.config.track_days);
    state
        .blocking(move || match media.expire().and_then(|_| media.remove_tracks(track_days)) {
            Ok(_) => Ok(()),
            Err(crate::media::MediaError::Storage(error)) => Err(error),
            Err(other) => Err(StorageError::Failed(other.to_string())),
        })
        .await
}

/// The administrator's one-time link, if nobody can administer yet: the part after the console's sign-in path.
/// Makes the person if there is none. An account that has a password gets no link.
///
/// # Errors
/// See [`AccessError`].
pub async fn first_link(state: &AppState) -> Result<Option<String>, AccessError> {
    let (now, entropy) = (state.now(), Arc::clone(&state.entropy));
    state
        .write(move |tx| {
            let people = tx.people()?;
            let mut administrators =
                people.iter().filter(|person| person.active && person.roles.contains(&Role::Administrator));
            let ready = administrators.clone().any(|person| person.password.is_some());
            if ready {
                return Ok(None);
            }
            let id: RecordId = match administrators.next() {
                Some(person) => person.id,
                None => add_administrator(tx, now, &*entropy)?,
            };
            create_signin_link(tx, "operator", id, now, &*entropy).map(Some)
        })
        .await
}

/// Makes a sign-in link for an administrator who lost theirs: the one with this login, or the first. Blocks.
///
/// # Errors
/// [`AccessError::NotFound`] if there is none.
pub fn administrator_link(storage: &dyn Storage, login: Option<&str>) -> Result<String, AccessError> {
    let now = SystemClock.now();
    storage.update(|tx| {
        let people = tx.people()?;
        let named = |person: &&PersonRow| match login {
            Some(login) => person.login.as_deref() == Some(login),
            None => person.active && person.roles.contains(&Role::Administrator),
        };
        let id = match (people.iter().find(named), login) {
            (Some(person), _) => person.id,
            (None, Some(_)) => return Err(AccessError::NotFound),
            (None, None) => add_administrator(tx, now, &SystemEntropy)?,
        };
        create_signin_link(tx, "operator", id, now, &SystemEntropy)
    })
}

fn add_administrator(
    tx: &mut dyn WriteTx,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<RecordId, AccessError> {
    let worker = NewWorker { name: "管理员", roles: &[Role::Administrator], unit: None };
    add_person(tx, "operator", &worker, now, entropy)
}
