//! The list of what is due on a phone with 10,000 records.

use std::path::Path;

use gridwalk_device::Store;
use gridwalk_model::geo::{Position, PositionSource};
use gridwalk_model::records::FieldValue;
use gridwalk_model::{Fields, Kind, RecordId, Value};

use crate::measure::{Figure, Printer, Result, median, timed};
use crate::pull::NOW;

const AREA: RecordId = RecordId::from_bytes([0xa1; 16]);
const USER: RecordId = RecordId::from_bytes([0xb2; 16]);
const DOORS: i64 = 3_000;
/// Lines of the list: more than a worker does in a day.
const LINES: usize = 100;
/// More than there are.
const ALL: usize = 10_000;
const EDITS: usize = 50;
const DAY_MS: i64 = 86_400_000;

/// What the edits are made to.
struct Filled {
    tasks: Vec<RecordId>,
    residents: Vec<RecordId>,
}

/// 3,000 doors with a resident and a residency each, 400 visits that agreed on the next, 300 tasks, 100 places with an
/// interval, 200 inspections: 10,000 records, some hundred of them due.
fn fill(store: &mut Store) -> Result<Filled> {
    let mut tasks = Vec::new();
    let mut residents = Vec::new();
    let text = |name: &str, value: String| (name.to_owned(), Value::from(value));
    let link = |name: &str, id: RecordId| (name.to_owned(), Value::from(id));
    store.edits(NOW, |edits| {
        let mut doors = Vec::new();
        for n in 0..DOORS {
            let north = (n % 97) as f64 * 1e-4;
            let position =
                Position::wgs84(36.1 + north, 120.4 + (n / 97) as f64 * 1e-4, None, PositionSource::Imported);
            let mut door = Fields::from([
                link("area", AREA),
                text("estate", "样例家园".into()),
                text("building", format!("{}号楼", n / 60)),
                text("room", format!("{}", n % 60)),
            ]);
            door.extend(position.ok().map(|position| ("position".to_owned(), position.to_value())));
            let door = edits.create_fields(Kind::Dwelling, &door)?;
            let resident = Fields::from([text("name", format!("样例{n}"))]);
            let resident = edits.create_fields(Kind::Resident, &resident)?;
            let lives = Fields::from([link("resident", resident), link("dwelling", door)]);
            edits.create_fields(Kind::Residency, &lives)?;
            doors.push(door);
            residents.push(resident);
        }
        let past = |days: i64| Value::Time(NOW.plus_millis(-days * DAY_MS));
        for (n, resident) in residents.iter().take(400).enumerate() {
            let visit = Fields::from([
                link("target", *resident),
                link("by", USER),
                ("at".to_owned(), past(30)),
                text("result", "met".into()),
                text("next_due", day(n as i64 % 60 - 20)),
            ]);
            edits.create_fields(Kind::Visit, &visit)?;
        }
        for (n, door) in doors.iter().take(300).enumerate() {
            let task = Fields::from([
                link("area", AREA),
                text("task_kind", "verification".into()),
                link("target", *door),
                ("due".to_owned(), past(n as i64 % 40 - 30)),
            ]);
            let task = edits.create_fields(Kind::Task, &task)?;
            // Only what is due shows whether the list follows.
            if n % 40 >= 30 {
                tasks.push(task);
            }
        }
        for n in 0..100i64 {
            let place = Fields::from([
                link("area", AREA),
                text("name", format!("样例店铺{n}")),
                text("category", "shop".into()),
                ("inspection_interval_days".to_owned(), Value::Int(30)),
            ]);
            let place = edits.create_fields(Kind::Place, &place)?;
            for days in [40 + n % 5, n % 45] {
                let inspection = Fields::from([
                    link("place", place),
                    link("checklist", AREA),
                    link("inspector", USER),
                    ("started_at".to_owned(), past(days)),
                    ("ended_at".to_owned(), past(days)),
                ]);
                edits.create_fields(Kind::Inspection, &inspection)?;
            }
        }
        Ok(())
    })?;
    Ok(Filled { tasks, residents })
}

fn day(from_now: i64) -> String {
    NOW.plus_millis(from_now * DAY_MS).to_string().chars().take(10).collect()
}

/// The whole list from a store that was just opened; then, after each of some edits, the part that a screen shows and
/// the whole list, with the edit that they follow. What of it is the wait for the disk is told by the same edit alone
/// on a store that does not wait.
pub fn run(printer: &mut Printer, folder: &Path, open: impl Fn(&Path) -> Result<Store>) -> Result {
    let folder = folder.join("today");
    let filled = fill(&mut open(&folder)?)?;
    let mut times = Vec::new();
    let mut lines = 0;
    for _ in 0..7 {
        let store = open(&folder)?;
        let (today, time) = timed(|| Ok(store.today(NOW, None, ALL)?))?;
        lines = today.items.len();
        times.push(time);
    }
    printer.print(&Figure {
        name: format!("device today in full, cold, all {lines} lines"),
        n: 7,
        ms: Some(median(times)),
        limit: Some("ms <= 50"),
        ..Figure::default()
    });
    let mut store = open(&folder)?;
    for what in [What::Task("done"), What::Visit] {
        edits(printer, &mut store, &filled, what, "with fsync")?;
    }
    store.plant_synchronous_off()?;
    for what in [What::Task("open"), What::Visit] {
        edits(printer, &mut store, &filled, what, "without fsync")?;
    }
    Ok(())
}

/// What is edited.
#[derive(Clone, Copy)]
enum What {
    /// A task's state becomes this.
    Task(&'static str),
    /// Somebody is visited.
    Visit,
}

/// Times edits, and the lists after them, on which each has to show.
fn edits(printer: &mut Printer, store: &mut Store, filled: &Filled, what: What, disk: &str) -> Result {
    let mut times = [const { Vec::new() }; 5];
    for (n, (task, resident)) in filled.tasks.iter().zip(&filled.residents).take(EDITS).enumerate() {
        let (_, edit) = timed(|| {
            match what {
                What::Task(state) => {
                    store.edit(*task, &Fields::from([("state".to_owned(), Value::from(state))]), NOW)?;
                }
                What::Visit => {
                    let visit = Fields::from([
                        ("target".to_owned(), Value::from(*resident)),
                        ("by".to_owned(), Value::from(USER)),
                        ("at".to_owned(), Value::Time(NOW)),
                        ("result".to_owned(), Value::from("met")),
                        ("next_due".to_owned(), Value::from(day(n as i64 % 7))),
                    ]);
                    store.edits(NOW, |edits| edits.create_fields(Kind::Visit, &visit))?;
                }
            }
            Ok(())
        })?;
        let (part, shown) = timed(|| Ok(store.today(NOW, None, LINES)?))?;
        let (whole, full) = timed(|| Ok(store.today(NOW, None, ALL)?))?;
        let listed = whole.items.iter().any(|item| item.record == *task);
        let follows = match what {
            What::Task(state) => listed == (state == "open"),
            What::Visit => true,
        };
        if part.items.len() != LINES || !follows {
            return Err(format!(
                "the list did not follow edit {n}: {} lines of {LINES}, listed: {listed}",
                part.items.len()
            )
            .into());
        }
        for (all, time) in times.iter_mut().zip([edit, shown, full, edit + shown, edit + full]) {
            all.push(time);
        }
    }
    let names = [
        "the edit alone".to_owned(),
        format!("the list alone, {LINES} lines"),
        "the list alone, all lines".to_owned(),
        format!("edit and list, {LINES} lines"),
        "edit and list, all lines".to_owned(),
    ];
    for (at, (name, times)) in names.into_iter().zip(times).enumerate() {
        // What an edit costs beyond the wait for the disk, and the part of the list that a screen shows.
        let limit = Some("ms <= 2").filter(|_| at == 3 && disk == "without fsync");
        let of = if matches!(what, What::Visit) { "visit" } else { "task" };
        let name = format!("device today after one edit of a {of}, {disk}: {name}");
        printer.print(&Figure { name, n: EDITS, ms: Some(median(times)), limit, ..Figure::default() });
    }
    Ok(())
}
