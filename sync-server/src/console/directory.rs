//! Names of people, units and areas.

use std::sync::Arc;

use gridwalk_model::codes::mask;
use gridwalk_model::{Kind, RecordId};

use super::cache::Cache;
use super::failure::Failure;
use super::language::Lang;
use super::visitor::Visitor;
use crate::edit;
use crate::storage::ReadTx;
use crate::storage::access::PersonRow;
use crate::storage::records::RecordHead;

/// Areas and units of a large district.
const KEPT: usize = 4_000;
/// Areas that are read from the store at once.
const AREAS_AT_ONCE: u32 = 500;
/// Units that a list offers.
const UNITS_MAX: u32 = 500;

/// What is kept of an area or a unit.
#[derive(Debug, Default)]
struct Named {
    name: Option<String>,
    code: Option<String>,
    parent: Option<RecordId>,
    removed: bool,
}

/// Remembers the names of areas and units.
#[derive(Debug)]
pub(super) struct Directory {
    named: Cache<Named>,
}

impl Default for Directory {
    fn default() -> Self {
        Self { named: Cache::new(KEPT) }
    }
}

impl Directory {
    /// Begins looking up names within one transaction, as this visitor may see them.
    pub(super) fn on<'t>(&'t self, tx: &'t dyn ReadTx, visitor: &'t Visitor) -> Lookup<'t> {
        Lookup { directory: self, tx, visitor }
    }
}

/// Names within one transaction.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'t> {
    directory: &'t Directory,
    tx: &'t dyn ReadTx,
    visitor: &'t Visitor,
}

impl Lookup<'_> {
    pub(super) fn lang(&self) -> Lang {
        self.visitor.lang
    }

    fn named(&self, head: &RecordHead) -> Result<Arc<Named>, Failure> {
        self.directory.named.get(head, || {
            let Some((_, document)) = edit::read(self.tx, head.id)? else { return Ok(Named::default()) };
            let fields = document.fields();
            Ok(Named {
                name: fields.get("name").and_then(|name| name.as_text()).map(str::to_owned),
                code: fields.get("code").and_then(|code| code.as_text()).map(str::to_owned),
                parent: fields.get("parent").and_then(|parent| parent.as_link()),
                removed: fields.get("removed") == Some(&true.into()),
            })
        })
    }

    /// All areas with their code and name, by code.
    pub(super) fn areas(&self) -> Result<Vec<(RecordId, String, String)>, Failure> {
        let mut out = Vec::new();
        let mut before = None;
        loop {
            let heads = self.tx.records_of_kind(Kind::Area.tag(), before, AREAS_AT_ONCE)?;
            for head in &heads {
                before = Some(head.no);
                let named = self.named(head)?;
                if let (Some(code), false) = (&named.code, named.removed) {
                    out.push((head.id, code.clone(), self.area(head.id)?));
                }
            }
            if heads.len() < AREAS_AT_ONCE as usize {
                break;
            }
        }
        out.sort_by(|a, b| a.1.cmp(&b.1));
        Ok(out)
    }

    fn find(&self, id: RecordId, kind: Kind) -> Result<Option<Arc<Named>>, Failure> {
        let head = self.tx.record(id)?.filter(|head| head.kind == kind.tag());
        head.map(|head| self.named(&head)).transpose()
    }

    /// The name of an area and of the one above it.
    pub(super) fn area(&self, id: RecordId) -> Result<String, Failure> {
        let Some(area) = self.find(id, Kind::Area)? else {
            return Ok(self.lang().t("未登记的网格", "Unknown grid").to_owned());
        };
        let own = area.name.clone().unwrap_or_default();
        let above = match area.parent {
            Some(parent) => self.find(parent, Kind::Area)?.and_then(|above| above.name.clone()),
            None => None,
        };
        Ok(match above {
            Some(above) if !own.starts_with(&above) => format!("{above} · {own}"),
            _ => own,
        })
    }

    /// The name of a unit.
    pub(super) fn unit(&self, id: RecordId) -> Result<String, Failure> {
        let unit = self.find(id, Kind::Unit)?.and_then(|unit| unit.name.clone());
        Ok(unit.unwrap_or_else(|| self.lang().t("未登记的单位", "Unknown unit").to_owned()))
    }

    /// All units, by name.
    pub(super) fn units(&self) -> Result<Vec<(RecordId, String)>, Failure> {
        let mut out = Vec::new();
        for head in self.tx.records_of_kind(Kind::Unit.tag(), None, UNITS_MAX)? {
            let named = self.named(&head)?;
            if let (Some(name), false) = (&named.name, named.removed) {
                out.push((head.id, name.clone()));
            }
        }
        out.sort_by(|a, b| a.1.cmp(&b.1));
        Ok(out)
    }

    /// What kind of record this is and what it is called, if it has a name: of an area or a unit its name, of an event
    /// its number, of what is written about a resident their name as the visitor may see it.
    pub(super) fn record(&self, id: RecordId) -> Result<Option<(Kind, String)>, Failure> {
        let Some(head) = self.tx.record(id)? else { return Ok(None) };
        let Some(kind) = Kind::parse(&head.kind) else { return Ok(None) };
        let name = match kind {
            Kind::Area => self.area(id)?,
            Kind::Unit => self.unit(id)?,
            Kind::Event => self.field(id, "number")?,
            Kind::Resident => self.resident(id)?,
            _ => match self.resident_of(id)? {
                Some(resident) => self.resident(resident)?,
                None => String::new(),
            },
        };
        Ok(Some((kind, name)))
    }

    fn field(&self, id: RecordId, field: &str) -> Result<String, Failure> {
        let Some((_, document)) = edit::read(self.tx, id)? else { return Ok(String::new()) };
        Ok(document.get(field).and_then(|value| value.as_text().map(str::to_owned)).unwrap_or_default())
    }

    /// Whom a record is about.
    fn resident_of(&self, id: RecordId) -> Result<Option<RecordId>, Failure> {
        let Some((_, document)) = edit::read(self.tx, id)? else { return Ok(None) };
        let link = |field| document.get(field).and_then(|value| value.as_link());
        let about = link("resident").or_else(|| link("target"));
        let Some(about) = about else { return Ok(None) };
        let head = self.tx.record(about)?;
        Ok(head.filter(|head| head.kind == Kind::Resident.tag()).map(|head| head.id))
    }

    /// The name of a resident, masked unless the visitor asked to see names. Not remembered.
    fn resident(&self, id: RecordId) -> Result<String, Failure> {
        let name = self.field(id, "name")?;
        Ok(if self.visitor.names_shown { name } else { mask::name(&name) })
    }

    /// The name of a person as the visitor may see it.
    pub(super) fn person(&self, id: RecordId) -> Result<String, Failure> {
        match self.tx.person(id)? {
            Some(person) => Ok(self.shown(&person)),
            None => Ok(self.lang().t("已离任人员", "Former staff").to_owned()),
        }
    }

    /// A person's name: whole for themselves and for whoever asked to see names, masked for others.
    pub(super) fn shown(&self, person: &PersonRow) -> String {
        if person.no == self.visitor.person.no || self.visitor.names_shown {
            person.name.clone()
        } else {
            mask::name(&person.name)
        }
    }
}
