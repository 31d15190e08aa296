//! Counters for Prometheus. Numbers only; nothing about anybody.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use gridwalk_replica::admission::Verdict;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

type Labels = Vec<(String, String)>;

/// The server's counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    changes: Family<Labels, Counter>,
    seconds: Histogram,
    pulled: Counter,
    media_bytes: Counter,
    gauges: Gauges,
}

/// Values that are read from elsewhere when somebody asks.
#[derive(Clone, Default)]
struct Gauges {
    commits: Gauge<u64, AtomicU64>,
    jobs: Gauge<u64, AtomicU64>,
    waiting: Gauge<u64, AtomicU64>,
    records: Gauge<u64, AtomicU64>,
    quarantine: Gauge<u64, AtomicU64>,
    alarms: Gauge<u64, AtomicU64>,
    media: Gauge<u64, AtomicU64>,
}

/// What is read from the store when somebody asks for the metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreCounts {
    /// Records.
    pub records: u64,
    /// Refused changes that nobody has looked at.
    pub quarantine: u64,
    /// Alarms in the audit log.
    pub alarms: u64,
    /// Stored media.
    pub media: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gridwalk");
        let requests = Family::<Labels, Counter>::default();
        let changes = Family::<Labels, Counter>::default();
        let seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let (pulled, media_bytes) = (Counter::default(), Counter::default());
        let gauges = Gauges::default();
        registry.register("requests", "Answered requests", requests.clone());
        registry.register("changes", "Pushed changes by verdict", changes.clone());
        registry.register("sync_seconds", "Time to answer a sync", seconds.clone());
        registry.register("pulled_records", "Records sent to devices", pulled.clone());
        registry.register("media_bytes", "Bytes of media received", media_bytes.clone());
        registry.register("commits", "Durable commits since start", gauges.commits.clone());
        registry.register("commit_jobs", "Requests in them", gauges.jobs.clone());
        registry.register("writer_waiting", "Requests waiting for the writer", gauges.waiting.clone());
        registry.register("records", "Records stored", gauges.records.clone());
        registry.register("quarantine", "Refused changes to look at", gauges.quarantine.clone());
        registry.register("alarms", "Alarms in the audit log", gauges.alarms.clone());
        registry.register("media", "Media stored", gauges.media.clone());
        Self { registry, requests, changes, seconds, pulled, media_bytes, gauges }
    }
}

impl Metrics {
    /// Counts an answered request. `route` is the pattern, never the path.
    pub fn request(&self, route: &str, status: u16) {
        let labels = vec![("route".to_owned(), route.to_owned()), ("status".to_owned(), status.to_string())];
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a verdict.
    pub fn verdict(&self, verdict: &Verdict) {
        let word = match verdict {
            Verdict::Accepted => "accepted",
            Verdict::Duplicate => "duplicate",
            Verdict::MissingDeps => "missing_deps",
            Verdict::Held => "held",
            Verdict::Forbidden => "forbidden",
            Verdict::ActorForked => "actor_forked",
            Verdict::Invalid(_) => "invalid",
            Verdict::BlockedBy(_) => "blocked_by",
        };
        self.changes.get_or_create(&vec![("verdict".to_owned(), word.to_owned())]).inc();
    }

    /// Counts an answered sync.
    pub fn sync(&self, micros: u64, pulled: usize) {
        self.seconds.observe(micros as f64 / 1e6);
        self.pulled.inc_by(pulled as u64);
    }

    /// Counts received bytes of media.
    pub fn media_received(&self, bytes: u64) {
        self.media_bytes.inc_by(bytes);
    }

    /// The text that Prometheus reads.
    pub fn text(&self, store: StoreCounts, writer: &crate::writer::WriterCounts) -> String {
        self.gauges.commits.set(writer.commits.load(Ordering::Relaxed));
        self.gauges.jobs.set(writer.jobs.load(Ordering::Relaxed));
        self.gauges.waiting.set(writer.waiting.load(Ordering::Relaxed));
        self.gauges.records.set(store.records);
        self.gauges.quarantine.set(store.quarantine);
        self.gauges.alarms.set(store.alarms);
        self.gauges.media.set(store.media);
        let mut out = String::new();
        if encode(&mut out, &self.registry).is_err() {
            let _ = writeln!(out, "# EOF");
        }
        out
    }
}
