//! `staff`: what the console has no pages for yet.

use clap::{Args, Subcommand};
use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, RecordId};

use super::{CliError, Data};
use crate::access::AccessError;
use crate::access::enrolment::{CODE_LIFE_MS, create_code};
use crate::access::staff::{NewWorker, add_person, grant_area, revoke_area, revoke_device, set_roles};
use crate::clock::{Clock as _, SystemClock, SystemEntropy};
use crate::edit;
use crate::storage::access::{role_from_word, role_word};
use crate::storage::records::RecordNo;
use crate::storage::{ReadTx, Storage, StorageError};

const OPERATOR: &str = "operator";

/// People, what they hold, and their devices.
#[derive(Debug, Subcommand)]
pub(super) enum Staff {
    /// Add a person; prints their id. 新增人员。
    Add {
        #[command(flatten)]
        data: Data,
        /// Their name.
        name: String,
        /// What they may do; may be given several times.
        #[arg(long = "role", value_parser = parse_role, required = true)]
        roles: Vec<Role>,
        /// Code of a grid that they hold; may be given several times.
        #[arg(long = "area", value_name = "CODE")]
        areas: Vec<String>,
    },
    /// Say anew what a person may do. 变更岗位。
    Roles {
        #[command(flatten)]
        data: Data,
        /// The person's id.
        person: RecordId,
        /// What they may do; may be given several times.
        #[arg(long = "role", value_parser = parse_role, required = true)]
        roles: Vec<Role>,
    },
    /// Give a person an area: its daily records and its sensitive ones. 授予网格。
    Grant(Holding),
    /// Take an area away. What their devices had not sent is still taken for 30 days. 收回网格。
    Revoke(Holding),
    /// Print a one-time code with which a device enrols. 生成终端注册码。
    Code {
        #[command(flatten)]
        data: Data,
        /// The person's id.
        person: RecordId,
        /// Minutes for which it is good.
        #[arg(long, default_value_t = CODE_LIFE_MS / 60_000)]
        minutes: i64,
    },
    /// Lock a device. It hands in its unsent work first. 锁定终端。
    Lock {
        #[command(flatten)]
        data: Data,
        /// The device's id.
        device: DeviceId,
        /// It was stolen: it is to wipe itself at once, unsent work included.
        #[arg(long)]
        wipe: bool,
    },
    /// List people and devices. 列出人员与终端。
    List {
        #[command(flatten)]
        data: Data,
    },
}

/// A person and an area.
#[derive(Debug, Args)]
pub(super) struct Holding {
    #[command(flatten)]
    data: Data,
    /// The person's id.
    person: RecordId,
    /// Code of the area.
    #[arg(long, value_name = "CODE")]
    area: String,
}

fn parse_role(word: &str) -> Result<Role, String> {
    role_from_word(word).ok_or_else(|| {
        "one of gridworker, grid_leader, dispatcher, handler, auditor, administrator".to_owned()
    })
}

impl Staff {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (now, entropy) = (SystemClock.now(), &SystemEntropy);
        match self {
            Self::Add { data, name, roles, areas } => {
                let storage = data.open()?;
                let storage: &dyn Storage = &*storage;
                let areas = find_areas(storage, &areas)?;
                let worker = NewWorker { name: &name, roles: &roles, unit: None };
                let person = storage.update(|tx| {
                    let person = add_person(tx, OPERATOR, &worker, now, entropy)?;
                    for area in areas {
                        grant_area(tx, OPERATOR, person, area, true, now)?;
                    }
                    Ok::<_, CliError>(person)
                })?;
                println!("{person}");
            }
            Self::Roles { data, person, roles } => {
                let storage = data.open()?;
                let storage: &dyn Storage = &*storage;
                storage.update(|tx| set_roles(tx, OPERATOR, person, &roles, now))?;
            }
            Self::Grant(holding) => holding.change(true)?,
            Self::Revoke(holding) => holding.change(false)?,
            Self::Code { data, person, minutes } => {
                let storage = data.open()?;
                let storage: &dyn Storage = &*storage;
                let life = minutes.clamp(1, 7 * 24 * 60) * 60_000;
                println!("{}", storage.update(|tx| create_code(tx, OPERATOR, person, life, now, entropy))?);
            }
            Self::Lock { data, device, wipe } => {
                let storage = data.open()?;
                let storage: &dyn Storage = &*storage;
                storage.update(|tx| revoke_device(tx, OPERATOR, device, wipe, now))?;
            }
            Self::List { data } => {
                let storage = data.open()?;
                let storage: &dyn Storage = &*storage;
                storage.view(list)?;
            }
        }
        Ok(())
    }
}

impl Holding {
    fn change(self, give: bool) -> Result<(), CliError> {
        let now = SystemClock.now();
        let storage = self.data.open()?;
        let storage: &dyn Storage = &*storage;
        for area in find_areas(storage, &[self.area])? {
            storage.update(|tx| {
                if give {
                    grant_area(tx, OPERATOR, self.person, area, true, now)
                } else {
                    revoke_area(tx, OPERATOR, self.person, area, now)
                }
            })?;
        }
        Ok(())
    }
}

fn list(tx: &dyn ReadTx) -> Result<(), StorageError> {
    let devices = tx.devices()?;
    for person in tx.people()? {
        let roles: Vec<&str> = person.roles.iter().map(|role| role_word(*role)).collect();
        println!("{} {} [{}]", person.id, person.name, roles.join(" "));
        for device in devices.iter().filter(|device| device.person == person.no) {
            let state = if device.revoked_at.is_some() { "locked" } else { "good" };
            println!("    {} {} {state}, last seen {}", device.id, device.label, device.seen_at);
        }
    }
    Ok(())
}

/// The areas with these codes. Codes are no identities, so this reads through all areas; there are some hundreds.
fn find_areas(storage: &dyn Storage, codes: &[String]) -> Result<Vec<RecordId>, CliError> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = vec![None; codes.len()];
    storage.view(|tx| {
        let mut before: Option<RecordNo> = None;
        loop {
            let page = tx.records_of_kind("area", before, 200)?;
            let Some(last) = page.last() else { return Ok::<_, CliError>(()) };
            before = Some(last.no);
            for head in page {
                let document = edit::read(tx, head.id).map_err(AccessError::from)?;
                let code = document.and_then(|(_, document)| document.get("code"));
                let code = code.as_ref().and_then(|value| value.as_text());
                for (wanted, slot) in codes.iter().zip(&mut found) {
                    if code == Some(wanted) {
                        *slot = Some(head.id);
                    }
                }
            }
        }
    })?;
    found
        .into_iter()
        .zip(codes)
        .map(|(area, code)| area.ok_or_else(|| CliError::NoArea(code.clone())))
        .collect()
}
