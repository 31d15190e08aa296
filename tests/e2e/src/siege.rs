//! What stands between hostile input and everybody else: a ledger of refusals with their bounds, and an honest phone
//! that goes on working meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gridwalk_harness::phone::Phone;
use gridwalk_model::RecordId;

use crate::measure::{Stopwatch, peak_rss_kib};
use crate::raw;
use crate::town::{Town, dwelling, field, fields, settle};

/// A refusal must be there within this time.
const PROMPT: Duration = Duration::from_secs(1);
/// What the server may take at most, in KiB.
pub const MEMORY_KIB: u64 = 256 * 1024;

/// Measures every refusal.
#[derive(Debug, Default)]
pub struct Ledger(Vec<(String, u16, Duration)>);

impl Ledger {
    /// Writes one down.
    pub fn note(&mut self, name: impl Into<String>, status: u16, took: Duration) {
        self.0.push((name.into(), status, took));
    }

    /// Sends bytes and expects one of these statuses; with `framed`, an error of the protocol in the body.
    pub fn refused(
        &mut self,
        town: &Town,
        name: &str,
        bytes: &[u8],
        wanted: &[u16],
        framed: bool,
    ) -> raw::Answer {
        let watch = Stopwatch::start();
        let answer = raw::exchange(town.address(), bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.note(name, answer.status, watch.elapsed());
        assert!(wanted.contains(&answer.status), "{name}: {} {:?}", answer.status, answer.error());
        if framed {
            let error = answer.error().unwrap_or_else(|| panic!("{name}: no readable error"));
            assert_eq!(error.status(), answer.status, "{name}: {error:?}");
        }
        answer
    }

    /// Prints everything; fails past the bounds.
    pub fn report(&self, heading: &str, town: &Town) {
        let slowest = self.0.iter().max_by_key(|(_, _, took)| *took).unwrap();
        println!("{heading}: {} refusals, slowest {:?} ({})", self.0.len(), slowest.2, slowest.0);
        for (name, status, took) in &self.0 {
            println!("  {status} {:>9.3} ms  {name}", took.as_secs_f64() * 1_000.0);
        }
        let peak = peak_rss_kib(town.server().id());
        println!("{heading}: peak memory of the server {peak} KiB");
        assert!(slowest.2 < PROMPT, "{slowest:?}");
        assert!(peak < MEMORY_KIB, "{peak} KiB");
    }
}

/// An honest phone that edits and synchronises until told to stop.
pub struct Honest {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<(u32, Duration)>,
    phone: Phone,
    /// The record that it edits.
    pub home: RecordId,
}

impl Honest {
    /// Enrols it and sets it to work.
    pub async fn start(town: &Town) -> Self {
        let phone = town.phone("老实人", &[0]).await;
        let home = dwelling(&phone, town.grid(0), "0").await;
        settle(&phone).await;
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, ending) = (phone.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let (mut rounds, mut slowest) = (0, Duration::ZERO);
            loop {
                rounds += 1;
                let room = fields(&[("room", rounds.to_string().into())]);
                theirs.device().edit(home, room).await.unwrap();
                let watch = Stopwatch::start();
                let status = theirs.device().sync().await.unwrap();
                slowest = slowest.max(watch.elapsed());
                assert!(status.is_settled() && status.last_error.is_none(), "round {rounds}: {status:?}");
                if ending.load(Ordering::Relaxed) {
                    return (rounds, slowest);
                }
            }
        });
        Self { stop, task, phone, home }
    }

    /// Stops it; fails unless all that it did has arrived.
    pub async fn finish(self, town: &Town) {
        self.stop.store(true, Ordering::Relaxed);
        let (rounds, slowest) = self.task.await.unwrap();
        println!("honest phone: {rounds} edits synchronised meanwhile, slowest {slowest:?}");
        assert_eq!(field(&self.phone, self.home, "room").await, Some(rounds.to_string().as_str().into()));
        town.assert_agrees(&self.phone).await;
    }
}
