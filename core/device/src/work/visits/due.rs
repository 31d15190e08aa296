//! Who is due, from care tags, residencies and the visits that were made: the one rule, for the whole list, for one
//! target, and for the rows that the list of what is due is read from (`spans.rs`).

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::local_time::LocalTime;
use gridwalk_model::records::care_tag::CareTag;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{Household, Residency, Resident, Visit, VisitCadence};
use gridwalk_model::visits::cadence::{NeedInForce, born_into_home};
use gridwalk_model::visits::{Cadence, Due, DueState, Plan, VisitFact, Why};
use gridwalk_model::{Kind, Record, RecordId, Timestamp};
use jiff::civil::Date;

use crate::edit::{Entry, typed, typed_list};
use crate::error::DeviceError;
use crate::store::{Store, View};
use crate::work::doors::{Living, LivingPerson, WhoLives};

/// A visit that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitDue {
    /// Whom: a resident for care, a dwelling for the other rounds; a place or an organization, or a person or door of
    /// which no residency is known, where nothing but a day was agreed.
    pub target: RecordId,
    /// The target's kind.
    pub kind: Kind,
    /// The door, where it is known.
    pub door: Option<RecordId>,
    /// What for.
    pub purpose: VisitPurpose,
    /// Why. A person's needs are of the sensitive class: only [`Store::visit_sheet`] tells them, for a purpose. Lists say
    /// that a care visit is due, and not why.
    pub why: Vec<Why>,
    /// When, and what happened last.
    pub due: Due,
    /// How it stands today.
    pub state: DueState,
}

impl VisitDue {
    /// As a list may show it, to whoever looks over the worker's shoulder.
    fn without_needs(mut self) -> Self {
        self.why.retain(|why| !why.is_sensitive());
        self
    }
}

/// What is known of one person on the care list.
struct Person {
    id: RecordId,
    needs: Vec<NeedInForce>,
    /// The main home, else the second one that they moved to last: since when, where that is known, and the door.
    home: Option<(Option<Date>, RecordId)>,
    visits: Vec<VisitFact>,
}

/// What is known of one door behind which somebody lives.
struct Door {
    id: RecordId,
    /// Of everybody who lives there: the day of moving in, if it is known, and the day from which this system knows it.
    living: Vec<(Option<Date>, Date)>,
    visits: Vec<VisitFact>,
}

/// What the rules need beside the facts.
pub(super) struct Round {
    pub(super) cadence: Cadence,
    pub(super) today: Date,
}

/// Reads for the rule, in a transaction or outside of one. What this build cannot read counts as not there.
#[derive(Clone, Copy)]
pub(super) struct Books<'s> {
    pub(super) view: View<'s>,
    local: LocalTime,
}

impl<'s> Books<'s> {
    pub(super) fn open(view: View<'s>) -> Result<Self, DeviceError> {
        Ok(Self { view, local: view.field_rules()?.local() })
    }

    fn fact(&self, entry: Entry<Visit>) -> Option<VisitFact> {
        let day = self.local.day_of(entry.record.at)?;
        Some(VisitFact { id: entry.id, day, result: entry.record.result, next_due: entry.record.next_due })
    }

    /// The local day on which a record was made: from which this system knows of it.
    pub(super) fn known(&self, record: RecordId) -> Option<Date> {
        self.local.day_of(record.made_at())
    }

    /// A record that is shown.
    pub(super) fn get<T: Record>(&self, id: RecordId) -> Result<Option<Entry<T>>, DeviceError> {
        Ok(self.view.shown(id)?.and_then(|listed| typed(listed).ok()))
    }

    pub(super) fn list_linked<T: Record>(
        &self,
        field: &str,
        target: RecordId,
    ) -> Result<Vec<Entry<T>>, DeviceError> {
        Ok(typed_list(self.view.list_linked(T::SCHEMA.tag, field, target)?))
    }

    /// The day of moving in, and that from which this system knows of it.
    fn since(&self, home: &Living) -> Option<(Option<Date>, Date)> {
        Some((home.from, self.known(home.residency)?))
    }

    /// See [`Store::cadence`].
    pub(super) fn cadence(&self) -> Result<Cadence, DeviceError> {
        let records =
            typed_list::<VisitCadence>(self.view.list_kind(Kind::VisitCadence.tag(), None, usize::MAX)?);
        let own = records.into_iter().max_by_key(|entry| entry.id);
        Ok(own.and_then(|entry| Cadence::parse(&entry.record.rules).ok()).unwrap_or_default())
    }
}

impl Round {
    fn due(&self, plan: &Plan, visits: &[VisitFact]) -> Option<(Due, DueState)> {
        let due = plan.next_due(visits, self.cadence.again_days)?;
        let state = due.state(self.today, self.cadence.soon_days);
        Some((due, state))
    }

    fn person(&self, person: &Person) -> Option<VisitDue> {
        let mut plan = self.cadence.care_plan(&person.needs, self.today)?;
        // Somebody who came back is expected from then on.
        let moved_away = person.home.is_none() && !person.visits.is_empty();
        if let Some((since, _)) =
            person.home.filter(|(since, _)| since.is_none_or(|since| since <= self.today))
        {
            plan.since = plan.since.max(since.unwrap_or(plan.since));
        } else if moved_away {
            return None;
        }
        let (due, state) = self.due(&plan, &person.visits)?;
        Some(VisitDue {
            target: person.id,
            kind: Kind::Resident,
            door: person.home.map(|(_, door)| door),
            purpose: VisitPurpose::Care,
            why: plan.why,
            due,
            state,
        })
    }

    /// One visit a door: the welcome to newcomers, or the ordinary round, which begins with it.
    fn door(&self, door: &Door) -> Option<VisitDue> {
        let welcomes = door.living.iter().filter_map(|(moved_in, known)| {
            let plan = self.cadence.welcome_plan((*moved_in)?, *known)?;
            Some((self.due(&plan, &door.visits)?, plan.why))
        });
        let welcome = welcomes.min_by_key(|((due, _), _)| due.day);
        let (purpose, ((due, state), why)) = match welcome {
            Some(welcome) => (VisitPurpose::Welcome, welcome),
            None => {
                let starts = || door.living.iter().map(|(from, known)| from.unwrap_or(*known).max(*known));
                let moved = door.visits.iter().filter(|visit| visit.result == VisitResult::Moved);
                let moved = moved.map(|visit| visit.day).max();
                // Those who came after others had moved away begin anew.
                let since = starts().filter(|start| moved.is_none_or(|moved| *start > moved)).min();
                let since = since.or_else(|| starts().min())?;
                let plan = self.cadence.household_plan(since)?;
                (VisitPurpose::Routine, (self.due(&plan, &door.visits)?, plan.why))
            }
        };
        let (target, kind) = (door.id, Kind::Dwelling);
        Some(VisitDue { target, kind, door: Some(door.id), purpose, why, due, state })
    }

    /// Only a day that was agreed.
    fn agreed(&self, target: RecordId, kind: Kind, visits: &[VisitFact]) -> Option<VisitDue> {
        let plan = Cadence::agreed_plan();
        let (due, state) = self.due(&plan, visits)?;
        let door = (kind == Kind::Dwelling).then_some(target);
        Some(VisitDue { target, kind, door, purpose: VisitPurpose::Routine, why: plan.why, due, state })
    }
}

fn need(tag: Entry<CareTag>) -> NeedInForce {
    NeedInForce { need: tag.record.need, from: tag.record.from, until: tag.record.until }
}

/// Whether somebody is to be visited at all.
fn is_there(resident: &Resident) -> bool {
    resident.died_on.is_none() && resident.merged_into.is_none()
}

/// Visits by whom they were made to.
struct Visited(BTreeMap<RecordId, Vec<VisitFact>>);

impl Visited {
    fn of(&self, targets: impl IntoIterator<Item = RecordId>) -> Vec<VisitFact> {
        targets.into_iter().filter_map(|target| self.0.get(&target)).flatten().cloned().collect()
    }
}

/// Visits to those who live behind a door count for the door; that one of them moved says nothing of the others.
fn of_people(visits: Vec<VisitFact>) -> impl Iterator<Item = VisitFact> {
    visits.into_iter().filter(|visit| visit.result != VisitResult::Moved)
}

/// Every record that stands for somebody of these.
fn records_of(people: &[Living]) -> BTreeSet<RecordId> {
    people.iter().flat_map(|one| one.records.iter().copied()).collect()
}

impl Store {
    /// The cadence that counts here: the deployment's latest, else the starter.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn cadence(&self) -> Result<Cadence, DeviceError> {
        self.books()?.cadence()
    }

    fn books(&self) -> Result<Books<'_>, DeviceError> {
        Books::open(self.view())
    }

    pub(super) fn round(&self, now: Timestamp) -> Result<Round, DeviceError> {
        Ok(Round { cadence: self.cadence()?, today: self.view().local_day(now)? })
    }

    /// Every visit that this phone knows to come, the most urgent first, without the needs of people. Looks through all
    /// of its residencies, visits and tags; after one edit, [`Self::visits_due_of`] answers for its door alone, and
    /// [`Self::today`] lists those that are overdue or soon.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn visits_due(&self, now: Timestamp) -> Result<Vec<VisitDue>, DeviceError> {
        let due = self.visits_due_by(&self.round(now)?, |_| true)?;
        Ok(due.into_iter().map(VisitDue::without_needs).collect())
    }

    /// The same with only those visits in mind that `counts` names: what was due before a week began.
    pub(in crate::work) fn visits_due_as_of(
        &self,
        now: Timestamp,
        counts: impl Fn(&Entry<Visit>) -> bool,
    ) -> Result<Vec<VisitDue>, DeviceError> {
        self.visits_due_by(&self.round(now)?, counts)
    }

    fn visits_due_by(
        &self,
        round: &Round,
        counts: impl Fn(&Entry<Visit>) -> bool,
    ) -> Result<Vec<VisitDue>, DeviceError> {
        let books = self.books()?;
        let mut visited: BTreeMap<RecordId, Vec<VisitFact>> = BTreeMap::new();
        for visit in self.list::<Visit>(None, usize::MAX)?.entries.into_iter().filter(counts) {
            visited.entry(visit.record.target).or_default().extend(books.fact(visit));
        }
        let visited = Visited(visited);

        let mut households: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
        for entry in self.list::<Household>(None, usize::MAX)?.entries {
            households.entry(entry.record.dwelling).or_default().push(entry.id);
        }
        let mut out = Vec::new();
        let who = books.who_lives(round);
        for (id, people) in who.everywhere()? {
            let behind = households.get(&id).into_iter().flatten().copied();
            let mut visits = visited.of(std::iter::once(id).chain(behind));
            visits.extend(of_people(visited.of(records_of(&people))));
            out.extend(round.door(&Door { id, living: books.living(&people, round)?, visits }));
        }
        let tagged: BTreeSet<RecordId> = self
            .list_any::<CareTag>(None, usize::MAX)?
            .entries
            .iter()
            .map(|tag| tag.record.resident)
            .collect();
        let mut seen = BTreeSet::new();
        for id in tagged {
            let Some(person) = who.person(id)?.filter(|person| seen.insert(person.person)) else { continue };
            let visits = visited.of(person.records.iter().copied());
            out.extend(round.person(&books.person_to_visit(&person, visits)?));
        }
        let told: BTreeSet<RecordId> = out.iter().map(|due| due.target).collect();
        for (id, visits) in visited.0.iter().filter(|(id, _)| !told.contains(id)) {
            out.extend(books.agreed(*id, visits, round)?);
        }
        out.sort_by_key(|due| (due.due.day, due.target));
        Ok(out)
    }

    /// The visits that are due to a resident, by whichever record stands for them, or to a door, without the needs of
    /// people: in proportion to what is linked to it.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn visits_due_of(&self, target: RecordId, now: Timestamp) -> Result<Vec<VisitDue>, DeviceError> {
        let due = self.books()?.due_to(target, &self.round(now)?)?;
        Ok(due.into_iter().map(VisitDue::without_needs).collect())
    }

    /// The same in full, with the care tags that say so: for what is shown for a purpose.
    pub(super) fn visit_due_in_full(
        &self,
        target: RecordId,
        now: Timestamp,
    ) -> Result<(Option<VisitDue>, Vec<RecordId>), DeviceError> {
        let (books, round) = (self.books()?, self.round(now)?);
        let Some(due) = books.due_to(target, &round)? else { return Ok((None, Vec::new())) };
        let mut tags = Vec::new();
        if due.why.iter().any(Why::is_sensitive) {
            let person = books.who_lives(&round).person(due.target)?;
            for record in
                person.map_or_else(|| vec![due.target], |person| person.records.into_iter().collect())
            {
                tags.extend(books.list_linked::<CareTag>("resident", record)?.into_iter().map(|tag| tag.id));
            }
        }
        Ok((Some(due), tags))
    }
}

impl<'s> Books<'s> {
    const fn who_lives(&self, round: &Round) -> WhoLives<'s> {
        WhoLives::on(self.view, round.today)
    }

    /// What is due to a target on the day of `round`; to a person by the record that stands for them, whichever of
    /// theirs was asked for.
    pub(super) fn due_to(&self, target: RecordId, round: &Round) -> Result<Option<VisitDue>, DeviceError> {
        let kind = self.view.shown(target)?.and_then(|listed| Kind::parse(&listed.kind));
        let due = match kind {
            Some(Kind::Resident) => match self.who_lives(round).person(target)? {
                Some(person) => {
                    let visits = self.visits_to(person.records.iter().copied())?;
                    round.person(&self.person_to_visit(&person, visits)?)
                }
                None => None,
            },
            Some(Kind::Dwelling) => self.door_to_visit(target, round)?.and_then(|door| round.door(&door)),
            _ => None,
        };
        match due {
            None => self.agreed(target, &self.visits_to([target])?, round),
            due => Ok(due),
        }
    }

    /// The visit that was agreed with somebody to whom no cadence applies.
    fn agreed(
        &self,
        target: RecordId,
        visits: &[VisitFact],
        round: &Round,
    ) -> Result<Option<VisitDue>, DeviceError> {
        if visits.iter().all(|visit| visit.next_due.is_none()) {
            return Ok(None);
        }
        let Some(kind) = self.view.shown(target)?.and_then(|listed| Kind::parse(&listed.kind)) else {
            return Ok(None);
        };
        let nobody_knows = match kind {
            Kind::Place | Kind::Organization => true,
            Kind::Resident => {
                self.get::<Resident>(target)?.is_some_and(|entry| is_there(&entry.record))
                    && self.has_no_residency(target)?
            }
            Kind::Dwelling => self.list_linked::<Residency>("dwelling", target)?.is_empty(),
            _ => false,
        };
        Ok(if nobody_knows { round.agreed(target, kind, visits) } else { None })
    }

    /// Of each home the day of moving in, and that from which this system knows of it. A child that was born into the
    /// home has not moved in.
    fn living(&self, homes: &[Living], round: &Round) -> Result<Vec<(Option<Date>, Date)>, DeviceError> {
        let mut out = Vec::new();
        for one in homes {
            let Some((from, known)) = self.since(one) else { continue };
            let Some(moved_in) = from.filter(|from| round.cadence.welcome_plan(*from, known).is_some())
            else {
                out.push((from, known));
                continue;
            };
            let resident = self.get::<Resident>(one.person)?;
            let born = resident.and_then(|resident| resident.record.birth_date);
            out.push((Some(moved_in).filter(|from| !born_into_home(*from, born)), known));
        }
        Ok(out)
    }

    fn person_to_visit(&self, person: &LivingPerson, visits: Vec<VisitFact>) -> Result<Person, DeviceError> {
        let mut needs = Vec::new();
        for record in &person.records {
            needs.extend(self.list_linked::<CareTag>("resident", *record)?.into_iter().map(need));
        }
        Ok(Person {
            id: person.person,
            needs,
            home: person.home().map(|home| (home.from, home.dwelling)),
            visits,
        })
    }

    fn door_to_visit(&self, id: RecordId, round: &Round) -> Result<Option<Door>, DeviceError> {
        let Some(people) = self.who_lives(round).behind(id)? else { return Ok(None) };
        let households = self.list_linked::<Household>("dwelling", id)?.into_iter().map(|entry| entry.id);
        let mut visits = self.visits_to(std::iter::once(id).chain(households))?;
        visits.extend(of_people(self.visits_to(records_of(&people))?));
        Ok(Some(Door { id, living: self.living(&people, round)?, visits }))
    }

    fn visits_to(&self, targets: impl IntoIterator<Item = RecordId>) -> Result<Vec<VisitFact>, DeviceError> {
        let mut out = Vec::new();
        for target in targets {
            out.extend(
                self.list_linked::<Visit>("target", target)?.into_iter().filter_map(|entry| self.fact(entry)),
            );
        }
        Ok(out)
    }
}
