//! The ledger of residents: each row is a person at a door, rows of one door are a household.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::codes::{self, resident_id};
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident_id::IdDocument;
use gridwalk_model::validate::Reason;
use gridwalk_model::{Fields, Kind, RecordId, Value, forbidden};

use super::ImportError;
use super::cells::{Problem, RowReader, RowReason};
use super::columns::ADDRESS_CODE;
use super::csv_source::{Row, Sheet};
use super::ledger::{Done, Unit, link};
use super::merge::{self, Outcome, Secret, Sink};
use super::report::{LeftOut, Proposal, ProposalKind};

/// The people of one household.
pub(super) struct Household {
    /// Address code, and the office's number of the household where it has one.
    key: String,
    dwelling: RecordId,
    members: Vec<Member>,
}

/// A person at a door.
struct Member {
    line: u64,
    /// The person's source key.
    name: String,
    address: String,
    /// What the file says of the person and of the number; nothing where an earlier row has said it.
    person: Option<(Fields, Fields)>,
    residency: Fields,
    labels: Option<String>,
}

impl Member {
    fn is_head(&self) -> bool {
        self.residency.get("relation").and_then(Value::as_text) == Some(Relation::Head.word())
    }
}

impl Unit for Household {
    fn rows(&self) -> usize {
        self.members.len()
    }

    fn apply(&self, sink: &mut dyn Sink, done: &mut Done) -> Result<(), ImportError> {
        let household = sink.id_for(merge::HOUSEHOLD, &self.key)?;
        let mut people = Vec::with_capacity(self.members.len());
        for member in &self.members {
            people.push(sink.id_for(merge::RESIDENT, &member.name)?);
        }
        let mut fields = Fields::from([("dwelling".to_owned(), Value::from(self.dwelling))]);
        let head = self.members.iter().zip(&people).find(|(member, _)| member.is_head());
        if let Some((_, head)) = head {
            fields.insert("head".to_owned(), Value::from(*head));
        }
        let line = self.members.first().map_or(0, |member| member.line);
        let mut shared = sink.put(line, household, Kind::Household, &fields)?.min(Outcome::Updated);
        for (member, resident) in self.members.iter().zip(people) {
            let outcome = self.apply_member(sink, member, resident, household, done)?;
            done.outcomes.push(outcome.max(shared));
            shared = Outcome::Unchanged;
        }
        Ok(())
    }
}

impl Household {
    /// A residency is written before its resident, and the resident before the number, so that each finds its
    /// place at once.
    fn apply_member(
        &self,
        sink: &mut dyn Sink,
        member: &Member,
        resident: RecordId,
        household: RecordId,
        done: &mut Done,
    ) -> Result<Outcome, ImportError> {
        let link = |name: &str, id: RecordId| (name.to_owned(), Value::from(id));
        let residency = sink.id_for(merge::RESIDENCY, &format!("{}/{}", member.name, member.address))?;
        let mut fields = member.residency.clone();
        fields.extend([
            link("resident", resident),
            link("dwelling", self.dwelling),
            link("household", household),
        ]);
        let lives = sink.put(member.line, residency, Kind::Residency, &fields)?;
        if let Some(labels) = &member.labels {
            let kind = ProposalKind::Labels(labels.clone());
            done.proposals.push(Proposal { line: member.line, resident, kind });
        }
        // The row of a person who stands in an earlier row as well is about the door alone.
        let Some((person, number)) = &member.person else { return Ok(lives) };
        let known = sink.put(member.line, resident, Kind::Resident, person)?;
        let number_id = sink.id_for(merge::RESIDENT_ID, &member.name)?;
        let mut fields = number.clone();
        fields.extend([link("resident", resident)]);
        let numbered = sink.put(member.line, number_id, Kind::ResidentId, &fields)?;
        if known != Outcome::Created && lives == Outcome::Created {
            done.proposals.push(Proposal { line: member.line, resident, kind: ProposalKind::NewDoor });
        }
        let behind = lives.max(numbered).min(Outcome::Updated);
        Ok(if known == Outcome::Created { known } else { known.max(behind) })
    }
}

/// The rows that were not good, with what is wrong.
type Bad<'s> = Vec<(&'s Row, Vec<Problem>)>;

/// Reads the ledger into households, in the order in which their doors come first. Labels that this product does not
/// keep are left out and named.
pub(super) fn read<'s>(
    sheet: &'s Sheet,
    doors: &BTreeMap<String, RecordId>,
    secret: &Secret,
) -> (Vec<Household>, Bad<'s>, Vec<LeftOut>) {
    let (first, at_doors) = (BTreeMap::new(), BTreeMap::new());
    let mut reading = Reading { sheet, doors, secret, first, at_doors, left_out: Vec::new() };
    let mut households: Vec<Household> = Vec::new();
    let mut by_key: BTreeMap<String, usize> = BTreeMap::new();
    let mut bad = Vec::new();
    for row in &sheet.rows {
        match reading.row(row) {
            Ok((key, dwelling, member)) => {
                let at = *by_key.entry(key.clone()).or_insert(households.len());
                match households.get_mut(at) {
                    Some(household) => household.members.push(member),
                    None => households.push(Household { key, dwelling, members: vec![member] }),
                }
            }
            Err(problems) => bad.push((row, problems)),
        }
    }
    (households, bad, reading.left_out)
}

struct Reading<'s, 'd> {
    sheet: &'s Sheet,
    doors: &'d BTreeMap<String, RecordId>,
    secret: &'d Secret,
    /// Where each person came first: line and name.
    first: BTreeMap<String, (u64, String)>,
    /// Line by person and door.
    at_doors: BTreeMap<(String, String), u64>,
    left_out: Vec<LeftOut>,
}

impl Reading<'_, '_> {
    fn row(&mut self, row: &Row) -> Result<(String, RecordId, Member), Vec<Problem>> {
        let labels = self.labels(row);
        let mut residency = RowReader::new(self.sheet, row);
        let dwelling = link(&mut residency, ADDRESS_CODE, self.doors, RowReason::UnknownAddress);
        residency.fields.clear();
        residency.word(Kind::Residency, "relation");
        residency.date("from");
        residency.flag("residence_matches_registration");
        let mut reader = residency;
        let residency = std::mem::take(&mut reader.fields);
        let mut person = read_person(&mut reader);
        let number = read_number(&mut reader, &mut person);
        reader.validate(Kind::Resident, &person);
        check_residency(&mut reader, &residency, dwelling);
        let address = codes::normalise(reader.cell(ADDRESS_CODE).unwrap_or_default());
        let name = number.as_ref().and_then(|number| number.get("number")?.as_text());
        let name = name.map(|number| self.secret.name(number));
        let called = reader.cell("name").unwrap_or_default().to_owned();
        let mut again = false;
        if let Some(name) = &name {
            if let Some(line) = self.at_doors.get(&(name.clone(), address.clone())) {
                reader.problem("number", RowReason::Repeated { line: *line });
            } else if let Some((line, other)) = self.first.get(name) {
                again = true;
                if *other != called {
                    reader.problem("number", RowReason::OtherName { line: *line });
                }
            }
        }
        let (Some(dwelling), Some(number), Some(name), true) = (dwelling, number, name, reader.is_good())
        else {
            return Err(reader.into_problems());
        };
        self.at_doors.insert((name.clone(), address.clone()), row.line);
        self.first.entry(name.clone()).or_insert((row.line, called));
        let text = |column: &str| reader.cell(column).filter(|text| !text.is_empty());
        let key = match text("household_no") {
            Some(number) => format!("{address}/{number}"),
            None => address.clone(),
        };
        let person = (!again).then_some((person, number));
        Ok((key, dwelling, Member { line: row.line, name, address, person, residency, labels }))
    }

    /// The labels of a row that a person may be asked about.
    fn labels(&mut self, row: &Row) -> Option<String> {
        let (labels, dropped) = tidy_labels(self.sheet.cell(row, "tags")?);
        if dropped > 0 {
            let column = self.sheet.heading("tags");
            self.left_out.push(LeftOut { table: self.sheet.table, line: row.line, column, labels: dropped });
        }
        Some(labels).filter(|labels| !labels.is_empty())
    }
}

fn read_person(reader: &mut RowReader<'_>) -> Fields {
    for name in ["name", "phone", "workplace", "remarks"] {
        reader.text(name);
    }
    reader.word(Kind::Resident, "sex");
    reader.word(Kind::Resident, "resident_kind");
    reader.date("birth_date");
    std::mem::take(&mut reader.fields)
}

/// The number's own document, without its link. Fills the birth date from an ID card's number where the file has
/// none.
fn read_number(reader: &mut RowReader<'_>, person: &mut Fields) -> Option<Fields> {
    reader.word(Kind::ResidentId, "document");
    let mut fields = std::mem::take(&mut reader.fields);
    let document = fields.get("document").and_then(Value::as_text).map(IdDocument::from_word);
    let number = codes::normalise(reader.cell("number").unwrap_or_default());
    if number.is_empty() {
        reader.problem("number", RowReason::Field(Reason::Missing));
        return None;
    }
    match document.unwrap_or(IdDocument::IdentityCard) {
        IdDocument::IdentityCard | IdDocument::PermanentResidence => match resident_id::check(&number) {
            Ok(id) => {
                if person.get("birth_date").is_none_or(Value::is_null) {
                    person.insert("birth_date".to_owned(), Value::from(id.birth_date.to_string()));
                }
                fields.insert("number".to_owned(), Value::from(id.number));
            }
            Err(error) => {
                reader.problem("number", RowReason::Field(Reason::IdNumber(error)));
                return None;
            }
        },
        _ => {
            fields.insert("number".to_owned(), Value::from(number));
            let mut whole = fields.clone();
            whole.insert("resident".to_owned(), Value::from(RecordId::from_bytes([0; 16])));
            reader.validate(Kind::ResidentId, &whole);
        }
    }
    Some(fields)
}

fn check_residency(reader: &mut RowReader<'_>, residency: &Fields, dwelling: Option<RecordId>) {
    // A door that is not known has been named; any link will do to check the rest.
    let any = Value::from(dwelling.unwrap_or(RecordId::from_bytes([0; 16])));
    let mut whole = residency.clone();
    whole.extend([("resident".to_owned(), any.clone()), ("dwelling".to_owned(), any)]);
    reader.validate(Kind::Residency, &whole);
}

/// Labels one by one, each once, in the order of the file; and how many of them this product does not keep.
fn tidy_labels(cell: &str) -> (String, usize) {
    let mut seen = BTreeSet::new();
    let labels = cell.split([';', '；', ',', '，', '、', '|', '/']).map(str::trim);
    let labels = labels.filter(|label| !label.is_empty() && seen.insert(*label));
    let (dropped, kept): (Vec<&str>, Vec<&str>) = labels.partition(|label| forbidden::find(label).is_some());
    (kept.join(";"), dropped.len())
}
