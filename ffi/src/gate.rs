//! The gate that every call passes: what runs is counted, so that a pause can wait for it; what comes too late is
//! turned away.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::GridwalkError;

/// How long a pause waits for calls that are under way before it takes them back. Calls of the store take
/// milliseconds; the rest of the two seconds that a system gives is for writing the log into the files.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// Which calls are let in. In the order in which a device goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// All.
    Open,
    /// None; those under way that wait for the network are taken back, others finish.
    Pausing,
    /// None; those still under way are taken back.
    Stopping,
    /// None, and none is under way.
    Paused,
    /// None: the store is being closed.
    Closing,
    /// None any more.
    Closed,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate {
    phase: watch::Sender<Phase>,
    running: watch::Sender<usize>,
}

/// How a call bears a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bears {
    /// It is short: the pause waits for it.
    Finishing,
    /// It waits for the network: it is taken back at once.
    Interruption,
}

/// Stands for a call under way.
struct Ticket(Arc<Gate>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { phase: watch::Sender::new(Phase::Open), running: watch::Sender::new(0) })
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Counted first, looked at second: a pause that begins in between sees the call, or the call sees the pause.
    fn enter(self: &Arc<Self>) -> Result<Ticket, GridwalkError> {
        self.running.send_modify(|running| *running += 1);
        let ticket = Ticket(Arc::clone(self));
        match self.phase() {
            Phase::Open => Ok(ticket),
            phase => Err(refusal(phase)),
        }
    }

    /// Runs `work` as a task of its own, which goes on when the caller stops waiting.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        bears: Bears,
        work: impl Future<Output = Result<T, GridwalkError>> + Send + 'static,
    ) -> Result<T, GridwalkError> {
        let ticket = self.enter()?;
        let task = tokio::spawn(async move {
            let mut phases = ticket.0.phase.subscribe();
            let last = match bears {
                Bears::Finishing => Phase::Pausing,
                Bears::Interruption => Phase::Open,
            };
            tokio::select! {
                biased;
                done = work => done,
                Ok(phase) = phases.wait_for(|phase| *phase > last) => Err(refusal(*phase)),
            }
        });
        outcome(task.await)
    }

    /// Lets no call in any more, waits until none is under way, and does `rest`. A second pause waits for the first.
    pub(crate) async fn pause(
        &self,
        rest: impl Future<Output = Result<(), GridwalkError>>,
    ) -> Result<(), GridwalkError> {
        if !self.turn(Phase::Open, Phase::Pausing) {
            return if self.settled().await < Phase::Closing { Ok(()) } else { Err(GridwalkError::closed()) };
        }
        if timeout(PATIENCE, self.empty()).await.is_err() {
            self.turn(Phase::Pausing, Phase::Stopping);
            self.empty().await;
        }
        let outcome = rest.await;
        self.phase.send_replace(Phase::Paused);
        outcome
    }

    /// Lets calls in again after [`Self::pause`], and does `rest`; nothing if they are let in.
    pub(crate) async fn resume(
        &self,
        rest: impl Future<Output = Result<(), GridwalkError>>,
    ) -> Result<(), GridwalkError> {
        if self.settled().await >= Phase::Closing {
            return Err(GridwalkError::closed());
        }
        if self.turn(Phase::Paused, Phase::Open) { rest.await } else { Ok(()) }
    }

    /// Lets no call in for good, waits until none is under way, and does `rest`. A second close waits for the first.
    pub(crate) async fn close(
        &self,
        rest: impl Future<Output = Result<(), GridwalkError>>,
    ) -> Result<(), GridwalkError> {
        while self.settled().await < Phase::Closing {
            if self.turn(Phase::Paused, Phase::Closing) {
                let outcome = rest.await;
                self.phase.send_replace(Phase::Closed);
                return outcome;
            }
            // Fails only if another call closes meanwhile.
            let _ = self.pause(std::future::ready(Ok(()))).await;
        }
        let _ = self.phase.subscribe().wait_for(|phase| *phase == Phase::Closed).await;
        Ok(())
    }

    /// Lets no call in for good, without waiting: nobody is left who could call.
    pub(crate) fn abandon(&self) {
        self.phase.send_replace(Phase::Closed);
    }

    /// Returns when this phase, or one behind it, has come.
    pub(crate) async fn until(&self, wanted: Phase) {
        let _ = self.phase.subscribe().wait_for(|phase| *phase >= wanted).await;
    }

    /// Returns when calls are let in again, or never will be.
    pub(crate) async fn until_not_paused(&self) {
        let _ = self.phase.subscribe().wait_for(|p| *p == Phase::Open || *p >= Phase::Closing).await;
    }

    /// From one phase to another; `false` in any other phase.
    fn turn(&self, from: Phase, to: Phase) -> bool {
        self.phase.send_if_modified(|phase| {
            let here = *phase == from;
            if here {
                *phase = to;
            }
            here
        })
    }

    /// The phase, once no pause is being made.
    async fn settled(&self) -> Phase {
        let moving = |phase: &Phase| matches!(phase, Phase::Pausing | Phase::Stopping);
        // The sender is here: waiting cannot fail.
        let settled = self.phase.subscribe().wait_for(|phase| !moving(phase)).await.map(|phase| *phase);
        settled.unwrap_or(Phase::Closed)
    }

    async fn empty(&self) {
        // The sender is here: waiting cannot fail.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }
}

fn refusal(phase: Phase) -> GridwalkError {
    match phase {
        Phase::Closing | Phase::Closed => GridwalkError::closed(),
        Phase::Open | Phase::Pausing | Phase::Stopping | Phase::Paused => GridwalkError::paused(),
    }
}

/// Runs `work` as a task of its own, for calls without a device.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, GridwalkError>> + Send + 'static,
) -> Result<T, GridwalkError> {
    outcome(tokio::spawn(work).await)
}

fn outcome<T>(joined: Result<Result<T, GridwalkError>, tokio::task::JoinError>) -> Result<T, GridwalkError> {
    joined.unwrap_or_else(|error| {
        // What a panic says may hold personal data.
        Err(GridwalkError::bug(if error.is_panic() { "a call panicked" } else { "the runtime is gone" }))
    })
}
