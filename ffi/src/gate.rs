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
    patience: Duration,
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
        Self::with_patience(PATIENCE)
    }

    fn with_patience(patience: Duration) -> Arc<Self> {
        let (phase, running) = (watch::Sender::new(Phase::Open), watch::Sender::new(0));
        Arc::new(Self { patience, phase, running })
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
        if timeout(self.patience, self.empty()).await.is_err() {
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

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_pause_waits_for_short_calls_and_takes_back_those_of_the_network() {
        let gate = Gate::new();
        let (finish, finished) = oneshot::channel::<i32>();
        let spawn = |bears, work: oneshot::Receiver<i32>| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                gate.run(bears, async { work.await.map_err(|_| GridwalkError::bug("test")) }).await
            })
        };
        let (_never, waits) = oneshot::channel();
        let short = spawn(Bears::Finishing, finished);
        let long = spawn(Bears::Interruption, waits);
        gate.running.subscribe().wait_for(|running| *running == 2).await.unwrap();
        let pausing = {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { gate.pause(std::future::ready(Ok(()))).await })
        };
        assert!(matches!(long.await.unwrap(), Err(GridwalkError::Paused { .. })));
        assert!(!pausing.is_finished(), "the short call is still under way");
        finish.send(5).unwrap();
        assert_eq!(short.await.unwrap(), Ok(5));
        assert_eq!(pausing.await.unwrap(), Ok(()));
        let late = gate.run(Bears::Finishing, async { Ok(1) }).await;
        assert!(matches!(late, Err(GridwalkError::Paused { .. })));
        gate.resume(std::future::ready(Ok(()))).await.unwrap();
        assert_eq!(gate.run(Bears::Finishing, async { Ok(1) }).await, Ok(1));
    }

    #[tokio::test]
    async fn a_pause_does_not_wait_for_ever() {
        let gate = Gate::with_patience(Duration::ZERO);
        let (_never, waits) = oneshot::channel::<i32>();
        let stuck = {
            let gate = Arc::clone(&gate);
            let work = async { waits.await.map_err(|_| GridwalkError::bug("test")) };
            tokio::spawn(async move { gate.run(Bears::Finishing, work).await })
        };
        gate.running.subscribe().wait_for(|running| *running == 1).await.unwrap();
        gate.pause(std::future::ready(Ok(()))).await.unwrap();
        assert!(matches!(stuck.await.unwrap(), Err(GridwalkError::Paused { .. })));
    }

    #[tokio::test]
    async fn closing_is_for_good_and_a_second_close_waits_for_the_first() {
        let gate = Gate::new();
        let (done, doing) = oneshot::channel::<()>();
        let first = {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                let rest = async {
                    let _ = doing.await;
                    Ok(())
                };
                gate.close(rest).await
            })
        };
        gate.until(Phase::Closing).await;
        let second = {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { gate.close(async { Err(GridwalkError::bug("closed twice")) }).await })
        };
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        done.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(()));
        assert_eq!(second.await.unwrap(), Ok(()));
        assert!(matches!(gate.resume(std::future::ready(Ok(()))).await, Err(GridwalkError::Closed { .. })));
        assert!(matches!(gate.pause(std::future::ready(Ok(()))).await, Err(GridwalkError::Closed { .. })));
        let late = gate.run(Bears::Finishing, async { Ok(1) }).await;
        assert!(matches!(late, Err(GridwalkError::Closed { .. })));
    }

    #[tokio::test]
    async fn a_dropped_call_goes_on_and_a_panic_becomes_an_error() {
        let gate = Gate::new();
        let (done, doing) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel::<()>();
        let work = async move {
            let _ = doing.await;
            let _ = tell.send(());
            Ok(())
        };
        let mut call = Box::pin(gate.run(Bears::Finishing, work));
        tokio::select! {
            biased;
            _ = &mut call => unreachable!("nothing lets it finish"),
            () = std::future::ready(()) => {}
        }
        drop(call);
        done.send(()).unwrap();
        told.await.unwrap();
        let panicked: Result<(), _> = gate.run(Bears::Finishing, async { panic!("made up") }).await;
        assert!(matches!(panicked, Err(GridwalkError::Bug { .. })));
        gate.pause(std::future::ready(Ok(()))).await.unwrap();
    }
}
