//! Log lines for the shell's own log. Only lines of this product's own crates are forwarded, and of their fields only
//! numbers and yes/no: texts in fields might name people. Nothing is logged unless a sink was set.

use std::fmt::{Debug, Write};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::dispatch::Dispatcher;
use crate::traits::PlatformError;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// What happened.
    Info,
    /// For developers.
    Debug,
}

impl LogLevel {
    fn of(level: Level) -> Option<Self> {
        match level {
            Level::ERROR => Some(Self::Error),
            Level::WARN => Some(Self::Warn),
            Level::INFO => Some(Self::Info),
            Level::DEBUG => Some(Self::Debug),
            // Too much for a phone's log.
            _ => None,
        }
    }
}

/// A line of the log. Holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogLine {
    /// How important it is.
    pub level: LogLevel,
    /// The module that wrote it.
    pub target: String,
    /// What it says.
    pub message: String,
}

/// Takes log lines. Called from a thread of its own, one line after the other; what it throws is passed over.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes a line.
    fn log(&self, line: LogLine) -> Result<(), PlatformError>;
}

/// Lines that may wait for a slow sink; further ones are dropped.
const WAITING: usize = 1_000;

struct Sink {
    level: LogLevel,
    lines: Dispatcher,
    sink: Arc<dyn LogSink>,
}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);
static INSTALLED: OnceLock<bool> = OnceLock::new();

/// Forwards log lines of this level and above to `sink` from now on; without one, to nobody. Holds for the whole
/// process. Returns whether it could be done: not where the host has installed a `tracing` subscriber of its own.
#[uniffi::export]
pub fn set_log_sink(level: LogLevel, sink: Option<Arc<dyn LogSink>>) -> bool {
    let installed = *INSTALLED.get_or_init(|| tracing::subscriber::set_global_default(Forwarder).is_ok());
    let new = sink.filter(|_| installed).map(|sink| Sink {
        level,
        lines: Dispatcher::start("gridwalk-log", Some(WAITING)),
        sink,
    });
    let old = std::mem::replace(&mut *SINK.write().unwrap_or_else(PoisonError::into_inner), new);
    // Outside of the lock: releasing the shell's object may call back.
    drop(old);
    installed
}

struct Forwarder;

impl Forwarder {
    fn takes(metadata: &Metadata<'_>) -> Option<LogLevel> {
        let level = LogLevel::of(*metadata.level())?;
        metadata.target().starts_with("gridwalk").then_some(level)
    }
}

impl Subscriber for Forwarder {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The sink changes: what was not wanted once may be wanted later.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        Self::takes(metadata).is_some_and(|level| sink.as_ref().is_some_and(|sink| level <= sink.level))
    }

    fn event(&self, event: &Event<'_>) {
        let Some(level) = Self::takes(event.metadata()) else { return };
        let mut text = Text::default();
        event.record(&mut text);
        let line = LogLine {
            level,
            target: event.metadata().target().to_owned(),
            message: text.message + &text.fields,
        };
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Sink { lines, sink, .. }) = sink.as_ref() {
            let sink = Arc::clone(sink);
            lines.post(move || {
                // A log that throws has nowhere to say so.
                let _ = sink.log(line);
            });
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The message, and those fields that cannot name anybody.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn field(&mut self, field: &Field, value: impl std::fmt::Display) {
        // Writing into a text cannot fail.
        let _ = write!(self.fields, " {}={value}", field.name());
    }
}

impl Visit for Text {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, value);
    }

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        }
    }
}
