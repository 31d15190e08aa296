//! Does what the engine asks for: sends, uploads, waits.

use std::sync::Arc;

use gridwalk_model::{ContentHash, Timestamp};
use gridwalk_replica::protocol::{HandIn, HandedIn, MissingRequest, Protocol};
use gridwalk_replica::wire::SyncRequest;
use minicbor::bytes::ByteVec;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep};

use super::core::CoreThread;
use crate::clock::Clock;
use crate::net::{Cancel, NetError, Piece, Session, Source};
use crate::store::Upload;
use crate::sync::{Effect, Event};

/// A handle to the task.
pub(super) struct Driver {
    session: watch::Sender<Option<Session>>,
    task: JoinHandle<()>,
}

impl Driver {
    pub(super) fn start(
        core: CoreThread,
        effects: mpsc::UnboundedReceiver<Effect>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (session, sessions) = watch::channel(None);
        let run = Run { core, clock, sessions, cancel: Cancel::default() };
        let task = tokio::spawn(run.until_closed(effects));
        Self { session, task }
    }

    /// Where the server is from now on.
    pub(super) fn connect(&self, session: Session) {
        self.session.send_replace(Some(session));
    }

    /// The session of now; `None` before enrolment.
    pub(super) fn session(&self) -> Option<Session> {
        self.session.borrow().clone()
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

struct Run {
    core: CoreThread,
    clock: Arc<dyn Clock>,
    sessions: watch::Receiver<Option<Session>>,
    cancel: Cancel,
}

impl Run {
    async fn until_closed(mut self, mut effects: mpsc::UnboundedReceiver<Effect>) {
        let mut wake: Option<Timestamp> = None;
        loop {
            let now = self.clock.now();
            let wait = wake.map(|at| at.millis().saturating_sub(now.millis()).max(0));
            let timer = sleep(Duration::from_millis(wait.unwrap_or(i64::MAX / 2).unsigned_abs()));
            tokio::select! {
                effect = effects.recv() => match effect {
                    Some(Effect::WakeAt(at)) => wake = Some(at),
                    Some(effect) => self.perform(effect),
                    None => return,
                },
                () = timer, if wake.is_some() => {
                    wake = None;
                    if self.core.post(Event::Tick).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::CancelAll => {
                self.cancel.cancel();
                self.cancel = Cancel::default();
            }
            Effect::Send { n, request } => {
                let session = self.session();
                self.spawn(async move {
                    let result = send(session, *request).await.map(Box::new);
                    Event::Response { n, result }
                });
            }
            Effect::AskMissing { n, hashes } => {
                let session = self.session();
                self.spawn(async move { Event::Missing { n, result: ask(session, hashes).await } });
            }
            Effect::HandIn { n, part } => {
                let session = self.session();
                self.spawn(async move { Event::HandedIn { n, result: hand_in(session, *part).await } });
            }
            Effect::Upload { n, upload } => {
                let session = self.session();
                let source = StoreSource { core: self.core.clone() };
                self.spawn(async move {
                    let hash = upload.hash;
                    Event::Uploaded { n, hash, result: upload_one(session, upload, source).await }
                });
            }
            Effect::Changed | Effect::Wipe | Effect::WakeAt(_) => {}
        }
    }

    fn session(&self) -> Result<Session, NetError> {
        let session = self.sessions.borrow().clone().ok_or(NetError::Offline)?;
        Ok(session.with_http(session.http().with_cancel(self.cancel.clone())))
    }

    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let core = self.core.clone();
        tokio::spawn(async move {
            let event = work.await;
            // A closed device needs no answer.
            let _ = core.post(event);
        });
    }
}

async fn send(
    session: Result<Session, NetError>,
    request: SyncRequest,
) -> Result<gridwalk_replica::wire::SyncResponse, NetError> {
    let session = session?;
    session
        .authorised(|token| {
            let (http, request) = (session.http().clone(), request.clone());
            async move { http.sync(&token, request).await }
        })
        .await
}

async fn ask(
    session: Result<Session, NetError>,
    hashes: Vec<ContentHash>,
) -> Result<(Vec<ContentHash>, Vec<ContentHash>), NetError> {
    let session = session?;
    let hashes: Vec<ByteVec> = hashes.iter().map(|hash| ByteVec::from(hash.as_bytes().to_vec())).collect();
    let told = session
        .authorised(|token| {
            let (http, request) = (session.http().clone(), MissingRequest { hashes: hashes.clone() });
            async move { http.missing(&token, request).await }
        })
        .await?;
    let read =
        |hashes: Vec<ByteVec>| hashes.iter().filter_map(|hash| ContentHash::from_slice(hash)).collect();
    Ok((read(told.missing), read(told.stored)))
}

async fn hand_in(session: Result<Session, NetError>, part: HandIn) -> Result<HandedIn, NetError> {
    let session = session?;
    session
        .authorised(|token| {
            let (http, part) = (session.http().clone(), part.clone());
            async move { http.hand_in(&token, part).await }
        })
        .await
}

async fn upload_one(
    session: Result<Session, NetError>,
    upload: Upload,
    source: StoreSource,
) -> Result<(), NetError> {
    session?.upload(&upload, &source).await
}

/// Reads pieces from the store and keeps the progress there.
struct StoreSource {
    core: CoreThread,
}

impl Source for StoreSource {
    async fn piece(&self, hash: ContentHash, offset: u64) -> Option<Piece> {
        let bytes = self
            .core
            .call_behind_lock(move |store, _| store.media_piece(&hash, offset))
            .await
            .ok()
            .flatten()?;
        Some(Piece { bytes })
    }

    async fn progressed(&self, hash: ContentHash, url: &str, offset: u64) {
        // If it cannot be noted, the server is asked for it next time.
        let _ = self.core.event(Event::Uploading { hash, url: url.to_owned(), offset }).await;
    }
}
