//! The deployment's rules for phones: files that an operator writes. They are read and checked when the server starts, and
//! given to every phone that does not have them.

use std::path::{Path, PathBuf};

use gridwalk_model::Timestamp;
use gridwalk_model::doors::DoorRules;
use gridwalk_model::event::EventRules;
use gridwalk_model::field_rules::FieldRules;
use gridwalk_replica::wire::RuleFiles;
use sha2::{Digest as _, Sha256};

use crate::audit::{self, Entry};
use crate::storage::{ReadTx, Storage, StorageError, Stored};

/// Longest file, in bytes.
const FILE_MAX_BYTES: u64 = 64 * 1024;

/// Why rules were not taken. The ones before them stay.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// None of the files is there.
    #[error(
        "no doors.json, field.json or events.json in {0} / 文件夹中没有 doors.json、field.json 或 events.json"
    )]
    Nothing(PathBuf),
    /// A file is too long.
    #[error("{file} has more than {max} bytes / 文件超过 {max} 字节", max = FILE_MAX_BYTES)]
    TooLong {
        /// Which.
        file: PathBuf,
    },
    /// A file says something that cannot be used.
    #[error("{file}: {why}")]
    Unusable {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file cannot be read.
    #[error("{file}: {error}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Reads and checks the rules in a folder: `doors.json`, `field.json`, `events.json`, or some of them.
///
/// # Errors
/// See [`RulesError`].
pub fn read(folder: &Path) -> Result<RuleFiles, RulesError> {
    let doors =
        file(folder, "doors.json", |text| DoorRules::parse(text).map(drop).map_err(|e| e.to_string()))?;
    let wrong = |text: &str| FieldRules::parse(text).map(drop).map_err(|e| format!("{e} / {}", e.zh()));
    let field = file(folder, "field.json", wrong)?;
    let wrong = |text: &str| EventRules::parse(text).map(drop).map_err(|e| format!("{e} / {}", e.zh()));
    let events = file(folder, "events.json", wrong)?;
    if [&doors, &field, &events].iter().all(|file| file.is_none()) {
        return Err(RulesError::Nothing(folder.to_owned()));
    }
    Ok(marked(doors, field, events))
}

fn marked(doors: Option<String>, field: Option<String>, events: Option<String>) -> RuleFiles {
    let mut hasher = Sha256::new();
    for text in [&doors, &field, &events] {
        let text = text.as_deref().unwrap_or_default();
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let mark: Vec<u8> = hasher.finalize().iter().take(8).copied().collect();
    RuleFiles { mark: mark.into(), doors, field, events }
}

fn file(
    folder: &Path,
    name: &str,
    check: impl FnOnce(&str) -> Result<(), String>,
) -> Result<Option<String>, RulesError> {
    let file = folder.join(name);
    let text = std::fs::metadata(&file).and_then(|found| {
        if found.len() > FILE_MAX_BYTES { Ok(None) } else { std::fs::read_to_string(&file).map(Some) }
    });
    let text = match text {
        Ok(Some(text)) => text,
        Ok(None) => return Err(RulesError::TooLong { file }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RulesError::File { file, error }),
    };
    check(&text).map_err(|why| RulesError::Unusable { file, why })?;
    Ok(Some(text))
}

/// The rules for events by which this server folds, names and times them: the same that it gives to phones.
///
/// # Errors
/// A failure of the store.
pub fn events(tx: &dyn ReadTx) -> Stored<EventRules> {
    let files = tx.rule_files()?;
    let (field, events) = files.map_or((None, None), |files| (files.field, files.events));
    // A newer build's file that this one cannot use: told when it was set, and no reason not to serve.
    let field = field.and_then(|text| FieldRules::parse(&text).ok()).unwrap_or_default();
    let events = events.and_then(|text| EventRules::parse(&text).ok()).unwrap_or_default();
    Ok(events.with_limits(&field))
}

/// Sets the rules. Written down if they are others than before. What is not said stays as it was said last, here as on
/// phones.
///
/// # Errors
/// A failure of the store.
pub fn set(storage: &dyn Storage, rules: &RuleFiles, now: Timestamp) -> Result<bool, StorageError> {
    let old = storage.view(|tx| tx.rule_files())?;
    let rules = match &old {
        Some(old) => {
            let keep = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
            let events = keep(&rules.events, &old.events);
            marked(keep(&rules.doors, &old.doors), keep(&rules.field, &old.field), events)
        }
        None => rules.clone(),
    };
    if old.as_ref() == Some(&rules) {
        return Ok(false);
    }
    storage.update(|tx| {
        tx.put_rule_files(&rules, now)?;
        let mark = data_encoding::HEXLOWER.encode(&rules.mark);
        let entry =
            Entry { actor: "operator", action: "rules.set", target: "server", detail: &mark, alarm: false };
        audit::append(tx, now, &entry)?;
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn write(folder: &Path, name: &str, text: &str) {
        std::fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn rules_are_checked_when_they_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(matches!(read(folder), Err(RulesError::Nothing(_))));
        write(folder, "doors.json", &DoorRules::default().to_json());
        let one = read(folder).unwrap();
        assert!(one.doors.is_some() && one.field.is_none());
        write(folder, "field.json", &FieldRules::default().to_json());
        let two = read(folder).unwrap();
        assert_ne!(one.mark, two.mark);
        write(folder, "events.json", &EventRules::default().to_json());
        assert!(read(folder).unwrap().events.is_some());
        let twice = EventRules::default().to_json().replace("hallway_clutter", "ebike_charging");
        write(folder, "events.json", &twice);
        let wrong = read(folder).unwrap_err().to_string();
        assert!(
            wrong.contains("twice") && wrong.contains("重复") && wrong.contains("events.json"),
            "{wrong}"
        );
        std::fs::remove_file(folder.join("events.json")).unwrap();
        write(folder, "field.json", "{}");
        let wrong = read(folder).unwrap_err();
        assert!(wrong.to_string().contains("utc_offset_minutes"), "{wrong}");
        write(folder, "field.json", &" ".repeat(70_000));
        assert!(matches!(read(folder), Err(RulesError::TooLong { .. })));
    }

    #[test]
    fn the_server_goes_by_what_it_gives_to_phones() {
        let world = World::new();
        let ours = |world: &World| world.store().view(events).unwrap();
        assert_eq!(ours(&world), EventRules::default());
        let folder = tempfile::tempdir().unwrap();
        let own = EventRules { callback_tries: 9, ..EventRules::default() };
        write(folder.path(), "events.json", &own.to_json());
        set(world.store(), &read(folder.path()).unwrap(), world.now()).unwrap();
        // Later only the other file is there: phones keep the rules for events, and so does the server.
        std::fs::remove_file(folder.path().join("events.json")).unwrap();
        let limits = FieldRules { site_metres: 40, ..FieldRules::default() };
        write(folder.path(), "field.json", &limits.to_json());
        assert!(set(world.store(), &read(folder.path()).unwrap(), world.now()).unwrap());
        assert_eq!(ours(&world), own.with_limits(&limits));
        let kept = world.store().view(|tx| tx.rule_files()).unwrap().unwrap();
        assert!(kept.events.is_some() && kept.field.is_some());
    }

    #[test]
    fn phones_are_given_the_rules_once_and_setting_them_is_written_down() {
        use gridwalk_replica::wire::{PhoneNotes, SyncRequest};
        let world = World::new();
        let g1 = world.area("g1");
        let phone = world.worker("甲", &[g1]);
        let given = |mark: Option<&RuleFiles>| {
            let notes = PhoneNotes { rules: mark.map(|rules| rules.mark.clone()), ..PhoneNotes::default() };
            let request = SyncRequest { notes: Some(notes), ..phone.build(None) };
            world.request(phone.device, request).unwrap().notes.unwrap().rules
        };
        assert_eq!(given(None), None, "the deployment has none of its own");
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "doors.json", &DoorRules::default().to_json());
        let rules = read(folder.path()).unwrap();
        assert!(set(world.store(), &rules, world.now()).unwrap());
        assert!(!set(world.store(), &rules, world.now()).unwrap(), "the same again");
        assert_eq!(given(None).as_ref(), Some(&rules));
        assert_eq!(given(Some(&rules)), None);
        let other = RuleFiles { mark: vec![9; 8].into(), ..rules.clone() };
        assert_eq!(given(Some(&other)).as_ref(), Some(&rules));
        let log = world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
        assert_eq!(log.iter().filter(|row| row.action == "rules.set").count(), 1);
    }
}
