//! Where a target is, and what it is called.

use gridwalk_model::describe::Words;
use gridwalk_model::event::EventRules;
use gridwalk_model::geo::{LatLon, Position};
use gridwalk_model::records::FieldValue;
use gridwalk_model::{Fields, Kind, RecordId, Value};
use jiff::civil::Date;

use crate::error::DeviceError;
use crate::store::{Listed, View};
use crate::work::doors::WhoLives;

/// A target on the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spot {
    pub(crate) title: Words,
    pub(crate) point: Option<LatLon>,
    /// Its place among doors.
    pub(crate) order: String,
}

/// How many links are followed to a position: order, inspection, place, dwelling.
const DEPTH: u8 = 4;

fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name).and_then(Value::as_text)
}

fn link(fields: &Fields, name: &str) -> Option<RecordId> {
    fields.get(name).and_then(Value::as_link)
}

impl View<'_> {
    /// The spot of a target. A task's own title goes before the target's name; `record` is what makes it due. Somebody is
    /// looked for where they mainly live on `today`.
    pub(crate) fn spot_of(
        &self,
        target: RecordId,
        record: RecordId,
        of_task: bool,
        today: Date,
    ) -> Result<Spot, DeviceError> {
        let mut spot = self.spot(target, today, DEPTH)?;
        if record != target && of_task {
            let task = self.listed(record)?;
            if let Some(title) = task.as_ref().and_then(|task| text(&task.fields, "title")) {
                spot.title = Words::same(title).beside(&spot.title);
            }
        }
        Ok(spot)
    }

    fn spot(&self, id: RecordId, today: Date, depth: u8) -> Result<Spot, DeviceError> {
        let Some(listed) = self.listed(id)?.filter(|_| depth > 0) else { return Ok(Spot::default()) };
        let fields = &listed.fields;
        let position = fields.get("position").and_then(|value| Position::from_value(value).ok());
        let own = Spot {
            title: own_title(&listed, self.event_rules()),
            point: position.map(|position| position.point()),
            order: String::new(),
        };
        if Kind::parse(&listed.kind) == Some(Kind::Dwelling) {
            return Ok(Spot { order: listed.sort, ..own });
        }
        let Some(next) = self.leads_to(&listed, today)? else {
            return Ok(Spot { order: listed.sort, ..own });
        };
        let further = self.spot(next, today, depth - 1)?;
        Ok(Spot {
            title: own.title.beside(&further.title),
            point: own.point.or(further.point),
            order: further.order,
        })
    }

    /// The record that says where this one is.
    fn leads_to(&self, listed: &Listed, today: Date) -> Result<Option<RecordId>, DeviceError> {
        let fields = &listed.fields;
        Ok(match Kind::parse(&listed.kind) {
            Some(Kind::Resident | Kind::Household) => WhoLives::on(*self, today).door_of(listed.id)?,
            Some(Kind::Place) => link(fields, "dwelling"),
            Some(Kind::Inspection) => link(fields, "place"),
            Some(Kind::RectificationOrder) => link(fields, "inspection"),
            Some(Kind::Event) => link(fields, "dwelling").or(link(fields, "place")),
            Some(Kind::Task | Kind::Visit | Kind::Submission | Kind::ServiceRecord) => link(fields, "target"),
            Some(Kind::Patrol | Kind::Campaign) => link(fields, "area"),
            _ => None,
        })
    }

    /// Where a record is or whom it is about, in words; its address where no door is known. Of somebody it is the last
    /// home that is known, also before the day on which they move in.
    pub(crate) fn whereabouts(&self, listed: &Listed) -> Result<Words, DeviceError> {
        let further = match self.leads_to(listed, Date::MAX)? {
            Some(next) => self.spot(next, Date::MAX, DEPTH)?.title,
            None => Words::default(),
        };
        if !further.is_empty() {
            return Ok(further);
        }
        let address = text(&listed.fields, "address").map(Words::same).unwrap_or_default();
        let own = own_title(listed, self.event_rules());
        Ok(if address == own { Words::default() } else { address })
    }
}

/// What a record calls itself, without what it is linked to.
pub(crate) fn own_title(listed: &Listed, rules: &EventRules) -> Words {
    let fields = &listed.fields;
    let joined =
        |names: &[&str]| Words::same(names.iter().filter_map(|name| text(fields, name)).collect::<String>());
    match Kind::parse(&listed.kind) {
        Some(Kind::Dwelling) => {
            let door = joined(&["estate", "building", "unit", "room"]);
            if door.is_empty() { joined(&["address"]) } else { door }
        }
        Some(Kind::Event) => {
            let (zh, en) = rules.label(text(fields, "category").unwrap_or_default());
            match text(fields, "number") {
                Some(number) => Words::new(format!("{zh} {number}"), format!("{en} {number}")),
                None => Words::new(zh, en),
            }
        }
        Some(Kind::Task) => joined(&["title"]),
        Some(kind) => {
            let named = kind.schema().fields.iter().any(|field| field.name == "name");
            let name = if named { joined(&["name"]) } else { Words::default() };
            match text(fields, "name_en") {
                Some(en) => Words { en: en.to_owned(), ..name },
                None => name,
            }
        }
        None => Words::default(),
    }
}
