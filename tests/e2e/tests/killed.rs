//! `kill -9` of server and phone, a hundred times, with real processes and files (Must hold 3): nothing that was
//! acknowledged is missing, no store is damaged.
//!
//! The moments follow from a seed and are events, not times: a line that the phone has said, or a byte that has
//! passed between the two. Everything goes on with the same stores from round to round.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use gridwalk_e2e::measure::Stopwatch;
use gridwalk_e2e::promise::Promise;
use gridwalk_e2e::sound::{assert_phone_sound, assert_server_sound};
use gridwalk_e2e::town::settle;
use gridwalk_e2e::{Fate, Passing, Tap, Town};
use gridwalk_harness::office::HeldChange;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::seeded::Seeded;
use gridwalk_harness::server::ServerProcess;
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::{ContentHash, RecordId, Value};

/// Rounds of each of the two tests.
const ROUNDS: u64 = 50;
/// Acts that a phone sets out to do in one round.
const STEPS: u32 = 12;
/// After so many rounds everything is looked at.
const LOOK_EVERY: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Phone,
    Server,
    Both,
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so many lines of the phone.
    Line(usize),
    /// When so many bytes have passed, both directions counted.
    Byte(usize),
}

/// A child that more than one thread may kill.
type Shared<T> = Arc<Mutex<Option<T>>>;

struct Scene {
    town: Town,
    tap: Tap,
    area: RecordId,
    promises: Vec<Promise>,
    kills: u32,
}

impl Scene {
    async fn set() -> Self {
        let town = Town::start();
        let tap = Tap::start(town.address());
        let phone = town.phone_through(&tap.url(), "child", &[0]).await;
        phone.close().await.unwrap();
        let area = town.grid(0);
        Self { town, tap, area, promises: Vec::new(), kills: 0 }
    }

    fn spawn(&self, seed: u64, steps: u32) -> (Child, ChildStdout) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gridwalk-e2e-phone"))
            .arg(self.town.phone_folder("child"))
            .args([seed.to_string(), steps.to_string(), self.area.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        (child, stdout)
    }

    /// One round: a phone works, somebody dies, whoever died is started again.
    fn round(&mut self, seed: u64, victim: Victim, moment: Moment) {
        let (child, stdout) = self.spawn(seed, STEPS);
        let phone: Shared<Child> = Arc::new(Mutex::new(Some(child)));
        let server = Arc::new(Mutex::new(Some(self.town.take_server())));
        if let Moment::Byte(bytes) = moment {
            self.kill_at(bytes, victim, &phone, &server);
        }
        let mut lines = 0;
        let mut last = String::new();
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            self.promises.extend(Promise::from_line(&line));
            lines += 1;
            last = line;
            if matches!(moment, Moment::Line(number) if number == lines) {
                kill(victim, &phone, &server);
            }
        }
        self.tap.clear_rule();
        if let Some(mut child) = phone.lock().unwrap().take() {
            let ended = child.wait().unwrap();
            assert!(ended.success(), "seed {seed}: the phone failed by itself: {last}");
        } else {
            self.kills += 1;
        }
        match server.lock().unwrap().take() {
            Some(server) => self.town.give_back(server),
            None => {
                self.kills += 1;
                self.town.restart();
            }
        }
    }

    /// Has the proxy kill when a byte has passed.
    fn kill_at(&self, bytes: usize, victim: Victim, phone: &Shared<Child>, server: &Shared<ServerProcess>) {
        let mut left = bytes;
        self.tap.set_rule(move |passing| {
            let message = match passing {
                Passing::Request(request) => request,
                Passing::Answer(_, answer) => answer,
            };
            let length = message.to_bytes().len();
            if left < length {
                return Fate::CutAfter(std::mem::replace(&mut left, usize::MAX));
            }
            left = left.saturating_sub(length);
            Fate::Pass
        });
        let (phone, server) = (Arc::clone(phone), Arc::clone(server));
        self.tap.after_cut(move || kill(victim, &phone, &server));
    }

    /// Everything that was promised is on the server and on the phone, and both are sound.
    async fn look(&self) {
        assert_server_sound(&self.town.data());
        assert_phone_sound(&self.town.phone_folder("child"));
        let phone = Phone::open("child", &self.town.phone_folder("child")).await.unwrap();
        assert!(phone.device().with_store(|store, _| Ok(store.salvaged().is_none())).await.unwrap());
        settle(&phone).await;
        self.town.assert_agrees(&phone).await;
        assert_eq!(self.broken(&phone).await, Vec::<&Promise>::new());
        let office = self.town.office();
        assert_eq!(office.counts().unwrap().quarantined, 0);
        assert_eq!(office.counts().unwrap().alarms, 0);
        phone.close().await.unwrap();
    }

    /// The promises that the phone or the server has not kept.
    async fn broken(&self, phone: &Phone) -> Vec<&Promise> {
        let office = self.town.office();
        let mut held = BTreeMap::new();
        let mut broken = Vec::new();
        for promise in &self.promises {
            let (Promise::Field { record, .. } | Promise::Photo { record, .. }) = promise;
            let record = *record;
            let changes = held.entry(record).or_insert_with(|| office.changes_of(record).unwrap());
            let here = phone.device().with_store(move |store, _| store.fields(record)).await.unwrap();
            let here = here.map(|(_, fields)| fields).unwrap_or_default();
            let kept = match promise {
                Promise::Field { key, text, .. } => {
                    here.contains_key(key) && wrote(changes, key, &Value::from(text.as_str()))
                }
                Promise::Photo { element, hash, preview, .. } => {
                    let key = format!("photos/{}", element.to_hex());
                    let refers = |value: &&Value| {
                        let Value::Bytes(bytes) = value else { return false };
                        PhotoRef::from_bytes(bytes).is_ok_and(|photo| photo.hash == *hash)
                    };
                    here.get(&key).filter(refers).is_some_and(|value| wrote(changes, &key, value))
                        && [hash, preview].iter().all(|hash| office.has_media(hash).unwrap())
                }
            };
            if !kept {
                broken.push(promise);
            }
        }
        broken
    }

    /// A test of the test: promises that nobody could keep are found out.
    async fn look_for_what_is_not_there(&mut self) {
        let Some(Promise::Field { record, key, .. }) = self.promises.first().cloned() else {
            panic!("no promise")
        };
        let (element, hash) = (record, ContentHash::from_bytes([7; 32]));
        let lies = [
            Promise::Field { record, key, text: "没有写过".into() },
            Promise::Photo { record, element, hash, preview: hash },
        ];
        self.promises.extend(lies.clone());
        let phone = Phone::open("child", &self.town.phone_folder("child")).await.unwrap();
        assert_eq!(self.broken(&phone).await, lies.iter().collect::<Vec<_>>());
        phone.close().await.unwrap();
    }
}

fn wrote(changes: &[HeldChange], key: &str, value: &Value) -> bool {
    changes.iter().flat_map(|change| &change.writes).any(|(k, v)| k == key && v.as_ref() == Some(value))
}

fn kill(victim: Victim, phone: &Shared<Child>, server: &Shared<ServerProcess>) {
    if victim != Victim::Server
        && let Some(mut child) = phone.lock().unwrap().take()
    {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    if victim != Victim::Phone
        && let Some(server) = server.lock().unwrap().take()
    {
        server.kill().unwrap();
    }
}

async fn play(name: &str, seed: u64, moment: impl Fn(&mut Seeded) -> Moment) {
    let watch = Stopwatch::start();
    let mut scene = Scene::set().await;
    let mut seeded = Seeded::for_subject(seed, name);
    for round in 0..ROUNDS {
        let victim = seeded.pick(&[Victim::Phone, Victim::Server, Victim::Both]);
        scene.round(seed + round, victim, moment(&mut seeded));
        if (round + 1) % LOOK_EVERY == 0 {
            scene.look().await;
        }
    }
    let photos = scene.promises.iter().filter(|promise| matches!(promise, Promise::Photo { .. })).count();
    println!(
        "{name}: {ROUNDS} rounds, {} kills, {} promises, {photos} photos among them, {:?}",
        scene.kills,
        scene.promises.len(),
        watch.elapsed()
    );
    scene.look_for_what_is_not_there().await;
    assert!(u64::from(scene.kills) >= ROUNDS, "every round killed somebody: {}", scene.kills);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_after_an_acknowledged_act() {
    play("lines", 1_000, |seeded| Moment::Line(seeded.below(STEPS as usize) + 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_in_the_middle_of_a_message() {
    play("bytes", 2_000, |seeded| Moment::Byte(seeded.below(12_000))).await;
}
