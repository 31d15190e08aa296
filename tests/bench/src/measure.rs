//! Time, memory, the disk's sync time, and the line that is printed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde_json::json;

/// What a benchmark returns.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One figure.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How many.
    pub n: usize,
    /// How many a second.
    pub rate: Option<f64>,
    /// Bytes each, where bytes are the point.
    pub bytes: Option<f64>,
    /// Milliseconds: of the whole, or of one where the name says so.
    pub ms: Option<f64>,
    /// The disk's median sync time, where something was made durable.
    pub fsync_p50_us: Option<f64>,
    /// Peak or present memory in MiB, where memory is the point.
    pub rss_mb: Option<f64>,
    /// What it is held against, in words: which column, and how much at most.
    pub limit: Option<&'static str>,
}

/// Prints figures.
pub struct Printer {
    json: bool,
}

impl Printer {
    /// A printer of JSON lines or of a table.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints one.
    pub fn print(&mut self, figure: &Figure) {
        let Figure { name, n, rate, bytes, ms, fsync_p50_us, rss_mb, limit } = figure;
        if self.json {
            let round = |value: &Option<f64>| value.map(|value| (value * 1_000.0).round() / 1_000.0);
            let line = json!({
                "name": name, "n": n, "rate": round(rate), "bytes": round(bytes), "ms": round(ms),
                "fsync_p50_us": round(fsync_p50_us), "rss_mb": round(rss_mb), "limit": limit,
            });
            println!("{line}");
            return;
        }
        let column = |value: &Option<f64>, unit: &str| {
            value.map_or_else(String::new, |value| format!("  {value:>12.3} {unit}"))
        };
        println!(
            "{name:<44} n={n:<8}{}{}{}{}{}{}",
            column(rate, "/s"),
            column(bytes, "B"),
            column(ms, "ms"),
            column(fsync_p50_us, "µs fsync p50"),
            column(rss_mb, "MiB"),
            limit.map_or_else(String::new, |limit| format!("  limit: {limit}")),
        );
    }
}

/// A running clock: the one place of the benchmarks that looks at one.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[allow(clippy::disallowed_methods)]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since it was started.
    pub fn ms(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1_000.0
    }
}

/// Runs `work` and says how many milliseconds it took.
pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let watch = Stopwatch::start();
    let value = work()?;
    Ok((value, watch.ms()))
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The disk's median time for appending 4 KiB and syncing it, in microseconds.
pub fn fsync_p50_us(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("fsync.probe"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let ((), time) = timed(|| {
            file.write_all(&[7; 4_096])?;
            Ok(file.sync_data()?)
        })?;
        times.push(time * 1_000.0);
    }
    Ok(median(times))
}

/// A line of `/proc/PID/status` in MiB: `VmRSS` (now) or `VmHWM` (peak). `None` where there is no such file.
pub fn memory_mb(process: &str, line: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib: f64 = status.lines().find(|l| l.starts_with(line))?.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1_024.0)
}
