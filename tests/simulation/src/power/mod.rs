//! The levels of files and of power cuts. The phones' stores and the server's are files; processes die before and after
//! commits. On the level of power cuts their disks keep only what was synced, and the power fails anywhere, in the
//! midst of a commit too.
//!
//! What is asked here is durability alone. After every restart, what a worker was told is saved must be on the phone, and
//! what the server told a phone it had taken must be on the server. The other faults belong to [`crate::world`].

mod handset;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use gridwalk_device::store::Side;
use gridwalk_device::{DeviceError, Event, NetError};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::SyncRequest;
use gridwalk_replica::{Document, FlatChange};
use sha2::{Digest, Sha256};

use crate::seeded::Seeded;
use crate::vfs::PowerDisk;
use crate::world::Outcome;
use handset::Handset;
use server::Server;

/// A bug that is put in on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerPlant {
    /// Phones commit with `synchronous=OFF`.
    PhonesDoNotSync,
    /// The server commits with `synchronous=OFF`.
    ServerDoesNotSync,
    /// The phones' disks say that they synced, and did not.
    DisksLie,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct PowerPlan {
    /// The seed of everything.
    pub seed: u64,
    /// How many things happen before the faults stop.
    pub steps: usize,
    /// How many phones there are.
    pub phones: usize,
    /// What the stores are on.
    pub ground: Ground,
    /// A bug on purpose.
    pub plant: Option<PowerPlant>,
}

/// What the stores are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Files of the system. Processes die, before and after commits; the power stays on.
    Files,
    /// Disks that forget, whose power is cut.
    Power,
}

impl Ground {
    fn disk(self) -> Result<PowerDisk, String> {
        match self {
            Self::Files => PowerDisk::of_the_system(),
            Self::Power => PowerDisk::new(),
        }
        .map_err(failed("making a disk"))
    }
}

/// 2026-03-02 08:00 in China.
const MORNING: i64 = 1_772_409_600_000;
/// Messages within which one synchronisation must have come to its end.
const TALK: usize = 200;
/// Rounds of everybody syncing after which the world must have come to rest.
const ROUNDS: usize = 12;
const FIELDS: [&str; 3] = ["remarks", "room", "estate"];

struct Day {
    random: Seeded,
    now: Timestamp,
    server: Server,
    phones: Vec<Handset>,
    outcome: Outcome,
    run: Sha256,
}

/// Runs a plan from beginning to end.
pub fn run(plan: PowerPlan) -> Outcome {
    let result = Day::begin(plan).and_then(|mut day| {
        for _ in 0..plan.steps {
            if day.outcome.broken.is_empty() {
                day.step()?;
            }
        }
        if day.outcome.broken.is_empty() {
            day.settle()?;
            day.judge()?;
        }
        Ok(day.end())
    });
    // What the day itself cannot do, outside of any planted cut, is a broken promise as well.
    result.unwrap_or_else(|reason| Outcome { broken: vec![reason], ..Outcome::default() })
}

/// Says which of the day's own acts failed.
fn failed<E: std::fmt::Debug>(what: &'static str) -> impl FnOnce(E) -> String {
    move |error| format!("{what} fails: {error:?}")
}

impl Day {
    fn begin(plan: PowerPlan) -> Result<Self, String> {
        let mut random = Seeded::for_subject(plan.seed, "power");
        let now = Timestamp::from_millis(MORNING);
        let durable = plan.plant != Some(PowerPlant::ServerDoesNotSync);
        let server =
            Server::open(Seeded::new(random.bits()), plan.ground.disk()?, durable, plan.phones, now)?;
        let phones = (0..plan.phones)
            .map(|n| {
                Handset::new(server.who(n)?, n, plan.ground.disk()?, plan.plant, Seeded::new(random.bits()))
            })
            .collect::<Result<_, String>>()?;
        let outcome = Outcome::default();
        Ok(Self { random, now, server, phones, outcome, run: Sha256::new() })
    }

    fn end(mut self) -> Outcome {
        self.outcome.run = self.run.finalize().into();
        self.outcome.requests = self.server.requests;
        self.outcome
    }

    fn note(&mut self, what: String) {
        let line = format!("{} {what}", self.now.millis() - MORNING);
        self.run.update(line.as_bytes());
        self.outcome.trace.push(line);
    }

    fn breach(&mut self, what: String) {
        self.note(format!("BROKEN: {what}"));
        self.outcome.broken.push(what);
    }

    fn phone(&mut self, n: usize) -> Result<&mut Handset, String> {
        self.phones.get_mut(n).ok_or_else(|| "no such phone".to_owned())
    }

    fn step(&mut self) -> Result<(), String> {
        self.now = self.now.plus_millis(self.random.below(90_000) as i64);
        let n = self.random.below(self.phones.len());
        match self.random.below(100) {
            0..=49 => self.edit(n)?,
            50..=79 => self.talk(n, true)?,
            80..=89 => {
                self.note(format!("the power of phone {n} is cut"));
                self.restore_phone(n)?;
            }
            90..=95 => {
                self.note("the server's power is cut".to_owned());
                self.restore_server()?;
            }
            96..=97 => {
                let drained = self.phone(n)?.drain();
                self.note(format!("phone {n} drains: {drained}"));
            }
            _ => {
                let moved = self.server.checkpoint();
                self.note(format!("the server moves its log: {moved}"));
            }
        }
        if self.phone(n)?.is_dead() {
            self.restore_phone(n)?;
        }
        if self.server.is_off() {
            self.restore_server()?;
        }
        Ok(())
    }

    /// A worker saves something. Often the power fails within the next few operations on the disk.
    fn edit(&mut self, n: usize) -> Result<(), String> {
        if self.random.chance(0.3) {
            let after = self.random.below(14) as u64;
            self.phone(n)?.fail_after(after);
        }
        if self.random.chance(0.1) {
            let side = self.random.pick(&[Side::Before, Side::After]);
            self.phone(n)?.die_at_commit(side);
        }
        let grid = self.server.grid;
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        let (now, choice) = (self.now, self.random.bits());
        let known: Vec<RecordId> = self.phone(n)?.saved.keys().copied().collect();
        let field = self.random.pick(&FIELDS);
        let value = Value::from(format!("{}", self.random.below(1_000)));
        let existing = self.random.choose(&known).copied().filter(|_| choice % 4 != 0);
        let (record, fields) = match existing {
            Some(record) => (record, Fields::from([(field.to_owned(), value)])),
            None => (
                RecordId::from_parts(now, bytes),
                Fields::from([("area".to_owned(), grid.into()), ("room".to_owned(), value)]),
            ),
        };
        let result = self.phone(n)?.write(|store| match existing {
            Some(record) => store.edit(record, &fields, now),
            None => {
                store.edits(now, |edits| edits.create_with_id(record, Kind::Dwelling, &fields)).map(|()| true)
            }
        });
        self.note(format!("phone {n} saves {record}: {}", said(&result)));
        match result {
            Ok(true) => {
                self.outcome.edits += 1;
                self.phone(n)?.saved.entry(record).or_default().push(fields);
                // Until it is synced the worker writes on.
                if choice % 8 == 0 { self.talk(n, true) } else { Ok(()) }
            }
            Ok(false) => Ok(()),
            Err(_) if self.phone(n)?.is_dead() => Ok(()),
            Err(error) => Err(format!("phone {n} cannot save: {error:?}")),
        }
    }

    /// One phone talks to the server until it has nothing more to say, or the power fails.
    fn talk(&mut self, n: usize, faults: bool) -> Result<(), String> {
        let now = self.now;
        let mut next = self.phone(n)?.tell(Event::Sync, now);
        for _ in 0..TALK {
            if self.phone(n)?.is_dead() {
                return Ok(());
            }
            let Some((number, request)) = next else { return Ok(()) };
            if faults && self.random.chance(0.1) {
                let after = self.random.below(40) as u64;
                self.phone(n)?.fail_after(after);
            }
            if faults && self.random.chance(0.05) {
                let side = self.random.pick(&[Side::Before, Side::After]);
                self.phone(n)?.die_at_commit(side);
            }
            let event = Event::Response { n: number, result: self.carry(n, request, faults)? };
            next = self.phone(n)?.tell(event, now);
        }
        self.breach(format!("phone {n} talks to the server without end"));
        Ok(())
    }

    #[allow(clippy::type_complexity, reason = "the type of the engine's own event")]
    fn carry(
        &mut self,
        n: usize,
        request: SyncRequest,
        faults: bool,
    ) -> Result<Result<Box<gridwalk_replica::wire::SyncResponse>, NetError>, String> {
        if faults && self.random.chance(0.05) {
            self.note(format!("a request of phone {n} is lost"));
            return Ok(Err(NetError::Offline));
        }
        if faults && self.random.chance(0.15) {
            let after = self.random.below(60) as u64;
            self.server.fail_after(after);
        }
        let device = self.phone(n)?.device;
        let answer = self.server.serve(device, request, self.now);
        self.note(format!(
            "the server answers phone {n}: {}",
            match &answer {
                Ok(response) => format!("{:?}, {} pulls", response.verdicts, response.pulls.len()),
                Err(_) => "no".to_owned(),
            }
        ));
        if self.server.is_off() {
            self.restore_server()?;
        } else if let Err(error) = &answer
            && !matches!(error, ProtocolError::Busy { .. })
        {
            return Err(format!("the server refuses phone {n}: {error:?}"));
        }
        if faults && self.random.chance(0.05) {
            self.note(format!("an answer to phone {n} is lost"));
            return Ok(Err(NetError::Stalled));
        }
        Ok(answer.map(Box::new).map_err(NetError::from))
    }

    fn restore_phone(&mut self, n: usize) -> Result<(), String> {
        let phone = self.phones.get_mut(n).ok_or("no such phone")?;
        phone.restore(&mut self.random)?;
        let missing = phone.missing()?;
        if let Some(missing) = missing {
            self.breach(format!("phone {n} had saved {missing}, and after a power cut it is gone"));
        }
        Ok(())
    }

    fn restore_server(&mut self) -> Result<(), String> {
        self.server.restore(&mut self.random)?;
        let gone = self.server.gone()?;
        if gone > 0 {
            self.breach(format!(
                "the server had taken {gone} changes or devices, and after a power cut they are gone"
            ));
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        self.note("the faults stop".to_owned());
        for n in 0..self.phones.len() {
            self.restore_phone(n)?;
        }
        self.restore_server()?;
        for _ in 0..ROUNDS {
            self.now = self.now.plus_millis(2 * 3_600_000);
            for n in 0..self.phones.len() {
                self.talk(n, false)?;
            }
        }
        Ok(())
    }

    fn judge(&mut self) -> Result<(), String> {
        let theirs = self.server.members()?;
        let mut breaches = Vec::new();
        for (n, phone) in self.phones.iter().enumerate() {
            let waiting = phone.waiting()?;
            if waiting > 0 {
                breaches.push(format!("{waiting} changes of phone {n} are still waiting"));
            }
            if phone.members(&self.server.stream())? != theirs {
                breaches.push(format!("phone {n} and server hold different records"));
            }
            for (record, saved) in &phone.saved {
                let document = self.server.document(*record)?;
                if let Some(missing) = document.as_ref().map_or(Some("all".to_owned()), |d| lacks(d, saved)) {
                    breaches.push(format!("phone {n} saved {record}; the server lacks {missing}"));
                }
            }
        }
        breaches.into_iter().for_each(|breach| self.breach(breach));
        let gone = self.server.gone()?;
        if gone > 0 {
            self.breach(format!("the server had taken {gone} changes that it does not have"));
        }
        Ok(())
    }
}

fn said(result: &Result<bool, DeviceError>) -> &'static str {
    match result {
        Ok(true) => "saved",
        Ok(false) => "nothing to save",
        Err(_) => "failed",
    }
}

/// The first of these writes that is not in the document's history.
fn lacks(document: &Document, saved: &[Fields]) -> Option<String> {
    let mut writes: BTreeMap<String, Vec<Option<Value>>> = BTreeMap::new();
    for change in document.changes_since(&[]) {
        for write in FlatChange::read(&change.raw).ok().into_iter().flat_map(|change| change.writes) {
            writes.entry(write.key).or_default().push(write.value);
        }
    }
    let is_there = |key: &String, value: &Value| {
        // Settling for the value that wins already writes no value again.
        let found = writes.get(key).map(Vec::as_slice).unwrap_or_default();
        found.iter().any(|written| written.as_ref().is_none_or(|written| written == value))
    };
    saved
        .iter()
        .flatten()
        .find(|(key, value)| !is_there(key, value))
        .map(|(key, value)| format!("{key} = {value:?}"))
}
