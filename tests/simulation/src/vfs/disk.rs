//! The disk itself: files with what was written and what was synced, locks, and the memory that connections share.

use std::collections::{BTreeMap, BTreeSet};

use crate::seeded::Seeded;

/// The unit in which a power cut keeps or loses.
const SECTOR: usize = 512;
/// Slots of the lock on shared memory, by SQLite's definition.
pub(super) const SHM_LOCKS: usize = 8;

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The power is off, or was off since the file was opened.
    Power,
    /// Somebody else holds a lock.
    Busy,
    /// There is no such file.
    Missing,
}

/// Who opened a file, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Opener {
    id: u64,
    generation: u64,
}

/// Locks on a file, in SQLite's five steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// No lock.
    None,
    /// Reads.
    Shared,
    /// Will write.
    Reserved,
    /// Waits for readers to leave.
    Pending,
    /// Writes.
    Exclusive,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    /// Sectors written since the last sync.
    dirty: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct File {
    /// What readers see; `None` once it is deleted.
    written: Option<Content>,
    /// What a power cut leaves of it; `None` if its name was never synced.
    synced: Option<Vec<u8>>,
    /// A deleted file of the same name, which a power cut may bring back as it was.
    ghost: Option<Vec<u8>>,
    locks: BTreeMap<Opener, Level>,
    shared: SharedMemory,
}

#[derive(Debug, Default)]
struct SharedMemory {
    regions: Vec<Region>,
    slots: [Slot; SHM_LOCKS],
}

#[derive(Debug, Default)]
struct Slot {
    readers: BTreeSet<Opener>,
    writer: Option<Opener>,
}

/// A piece of memory that connections share. It stays where it is until the disk is dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region(pub(super) *mut u8);

// A region is handed to SQLite, which does its own locking through the slots.
#[allow(unsafe_code, reason = "the pointer is only passed on; this module never follows it")]
unsafe impl Send for Region {}

/// The disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: BTreeMap<String, File>,
    generation: u64,
    next_opener: u64,
    operations: u64,
    fail_after: Option<u64>,
    off: bool,
    lies: bool,
    memory: Vec<Box<[u64]>>,
}

impl Disk {
    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn fail_after(&mut self, operations: Option<u64>) {
        self.fail_after = operations;
    }

    pub(super) fn lie(&mut self) {
        self.lies = true;
    }

    /// Counts an operation that alters the disk; the power may fail at it.
    fn alter(&mut self) -> Result<(), Fault> {
        if self.off {
            return Err(Fault::Power);
        }
        self.operations += 1;
        match &mut self.fail_after {
            Some(0) => {
                self.off = true;
                Err(Fault::Power)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn check(&self, opener: Opener) -> Result<(), Fault> {
        if self.off || opener.generation != self.generation { Err(Fault::Power) } else { Ok(()) }
    }

    fn file(&mut self, name: &str) -> &mut File {
        self.files.entry(name.to_owned()).or_default()
    }

    /// Opens a file; with `create`, makes it if it is not there.
    pub(super) fn open(&mut self, name: &str, create: bool) -> Result<Opener, Fault> {
        if self.off {
            return Err(Fault::Power);
        }
        let file = self.file(name);
        if file.written.is_none() {
            if !create {
                return Err(Fault::Missing);
            }
            file.written = Some(Content::default());
        }
        self.next_opener += 1;
        Ok(Opener { id: self.next_opener, generation: self.generation })
    }

    pub(super) fn close(&mut self, name: &str, opener: Opener) {
        if let Some(file) = self.files.get_mut(name) {
            file.locks.remove(&opener);
        }
        self.release_shared(name, opener);
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.files.get(name).is_some_and(|file| file.written.is_some())
    }

    /// Deletes a file; `durably`: the folder is synced, so that a power cut does not bring it back.
    pub(super) fn delete(&mut self, name: &str, durably: bool) -> Result<(), Fault> {
        self.alter()?;
        let lies = self.lies;
        let file = self.file(name);
        if file.written.take().is_none() {
            return Err(Fault::Missing);
        }
        file.ghost = file.synced.take().or(file.ghost.take());
        if durably && !lies {
            file.ghost = None;
        }
        Ok(())
    }

    /// Reads as much as there is; the rest of `out` becomes zero. Returns how much there was.
    pub(super) fn read(
        &self,
        name: &str,
        opener: Opener,
        offset: usize,
        out: &mut [u8],
    ) -> Result<usize, Fault> {
        self.check(opener)?;
        let content = self.files.get(name).and_then(|file| file.written.as_ref()).ok_or(Fault::Missing)?;
        let there = content.bytes.get(offset..).unwrap_or_default();
        let count = there.len().min(out.len());
        out.fill(0);
        out.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        Ok(count)
    }

    pub(super) fn write(
        &mut self,
        name: &str,
        opener: Opener,
        offset: usize,
        data: &[u8],
    ) -> Result<(), Fault> {
        self.check(opener)?;
        self.alter()?;
        let content = self.file(name).written.as_mut().ok_or(Fault::Missing)?;
        let end = offset + data.len();
        let first = offset.min(content.bytes.len());
        if content.bytes.len() < end {
            content.bytes.resize(end, 0);
        }
        content.bytes.iter_mut().skip(offset).zip(data).for_each(|(to, from)| *to = *from);
        content.dirty.extend(first / SECTOR..=(end.max(1) - 1) / SECTOR);
        Ok(())
    }

    pub(super) fn truncate(&mut self, name: &str, opener: Opener, len: usize) -> Result<(), Fault> {
        self.check(opener)?;
        self.alter()?;
        let content = self.file(name).written.as_mut().ok_or(Fault::Missing)?;
        let from = len.min(content.bytes.len());
        let to = len.max(content.bytes.len());
        content.bytes.resize(len, 0);
        content.dirty.extend(from / SECTOR..=to / SECTOR);
        Ok(())
    }

    pub(super) fn len(&self, name: &str, opener: Opener) -> Result<usize, Fault> {
        self.check(opener)?;
        let content = self.files.get(name).and_then(|file| file.written.as_ref()).ok_or(Fault::Missing)?;
        Ok(content.bytes.len())
    }

    /// Makes a file durable, its name included.
    pub(super) fn sync(&mut self, name: &str, opener: Opener) -> Result<(), Fault> {
        self.check(opener)?;
        self.alter()?;
        if self.lies {
            return Ok(());
        }
        let file = self.file(name);
        let Some(content) = file.written.as_mut() else { return Err(Fault::Missing) };
        let synced = file.synced.get_or_insert_default();
        let dirty = std::mem::take(&mut content.dirty);
        copy_sectors(&content.bytes, synced, dirty.iter().copied());
        synced.resize(content.bytes.len(), 0);
        // A journaling file system writes down what happened to names in order, together with the next sync.
        self.files.values_mut().for_each(|file| file.ghost = None);
        Ok(())
    }

    /// Cuts the power and restores it.
    pub(super) fn cut(&mut self, mut random: Option<&mut Seeded>) {
        self.generation += 1;
        self.off = false;
        self.fail_after = None;
        for file in self.files.values_mut() {
            file.locks.clear();
            file.shared = SharedMemory::default();
            let mut chance = |part: f64| random.as_mut().is_some_and(|random| random.chance(part));
            let survivor = match (file.synced.take(), file.written.take(), file.ghost.take()) {
                (Some(mut bytes), Some(content), _) => {
                    keep_some(&mut bytes, &content, &mut chance);
                    Some(bytes)
                }
                // Its name was never synced: with luck it is there all the same, with some of its content.
                (None, Some(content), _) if chance(0.3) => {
                    let mut bytes = Vec::new();
                    keep_some(&mut bytes, &content, &mut chance);
                    Some(bytes)
                }
                // Deleted, but the folder was not synced: it may be back.
                (_, _, Some(bytes)) if !chance(0.5) => Some(bytes),
                _ => None,
            };
            file.synced.clone_from(&survivor);
            file.written = survivor.map(|bytes| Content { bytes, dirty: BTreeSet::new() });
        }
    }

    /// Takes or gives up a lock.
    pub(super) fn lock(&mut self, name: &str, opener: Opener, level: Level) -> Result<(), Fault> {
        self.check(opener)?;
        let locks = &mut self.file(name).locks;
        let others = |from: Level| locks.iter().any(|(other, held)| *other != opener && *held >= from);
        let free = match level {
            Level::None => true,
            Level::Shared => !others(Level::Pending),
            Level::Reserved => !others(Level::Reserved),
            Level::Pending => !others(Level::Pending),
            Level::Exclusive => !others(Level::Shared),
        };
        if free {
            locks.insert(opener, level);
            return Ok(());
        }
        // Whoever waits to write keeps new readers out.
        if level == Level::Exclusive && !others(Level::Pending) {
            locks.insert(opener, Level::Pending);
        }
        Err(Fault::Busy)
    }

    /// Gives a lock up, down to this level.
    pub(super) fn unlock(&mut self, name: &str, opener: Opener, level: Level) -> Result<(), Fault> {
        self.check(opener)?;
        self.file(name).locks.insert(opener, level);
        Ok(())
    }

    /// Whether somebody else is about to write.
    pub(super) fn is_reserved(&self, name: &str) -> bool {
        self.files.get(name).is_some_and(|file| file.locks.values().any(|held| *held >= Level::Reserved))
    }

    /// A piece of the memory that connections to this file share; `None` if it is not there and not to be made.
    pub(super) fn region(
        &mut self,
        name: &str,
        opener: Opener,
        index: usize,
        size: usize,
        create: bool,
    ) -> Result<Option<Region>, Fault> {
        self.check(opener)?;
        while create && self.file(name).shared.regions.len() <= index {
            let mut memory = vec![0u64; size.div_ceil(8)].into_boxed_slice();
            let region = Region(memory.as_mut_ptr().cast());
            self.memory.push(memory);
            self.file(name).shared.regions.push(region);
        }
        Ok(self.file(name).shared.regions.get(index).copied())
    }

    /// Locks slots of the shared memory.
    pub(super) fn lock_shared(
        &mut self,
        name: &str,
        opener: Opener,
        slots: std::ops::Range<usize>,
        exclusive: bool,
    ) -> Result<(), Fault> {
        self.check(opener)?;
        let all = &mut self.file(name).shared.slots;
        let wanted = all.get_mut(slots).ok_or(Fault::Busy)?;
        let taken = |slot: &Slot| {
            slot.writer.is_some_and(|writer| writer != opener)
                || (exclusive && slot.readers.iter().any(|reader| *reader != opener))
        };
        if wanted.iter().any(taken) {
            return Err(Fault::Busy);
        }
        for slot in wanted {
            if exclusive {
                slot.writer = Some(opener);
            } else {
                slot.readers.insert(opener);
            }
        }
        Ok(())
    }

    /// Unlocks slots of the shared memory.
    pub(super) fn unlock_shared(
        &mut self,
        name: &str,
        opener: Opener,
        slots: std::ops::Range<usize>,
    ) -> Result<(), Fault> {
        self.check(opener)?;
        let all = &mut self.file(name).shared.slots;
        for slot in all.get_mut(slots).into_iter().flatten() {
            slot.readers.remove(&opener);
            slot.writer = slot.writer.filter(|writer| *writer != opener);
        }
        Ok(())
    }

    /// Lets go of the shared memory.
    pub(super) fn release_shared(&mut self, name: &str, opener: Opener) {
        let Some(file) = self.files.get_mut(name) else { return };
        for slot in &mut file.shared.slots {
            slot.readers.remove(&opener);
            slot.writer = slot.writer.filter(|writer| *writer != opener);
        }
    }

    /// Forgets the shared memory of a file: its last user has closed it.
    pub(super) fn forget_shared(&mut self, name: &str) {
        if let Some(file) = self.files.get_mut(name) {
            file.shared = SharedMemory::default();
        }
    }
}

fn copy_sectors(from: &[u8], to: &mut Vec<u8>, sectors: impl Iterator<Item = usize>) {
    for sector in sectors {
        let start = sector * SECTOR;
        let Some(bytes) = from.get(start..from.len().min(start + SECTOR)) else { continue };
        if to.len() < start + bytes.len() {
            to.resize(start + bytes.len(), 0);
        }
        to.iter_mut().skip(start).zip(bytes).for_each(|(to, from)| *to = *from);
    }
}

/// Puts some of the unsynced sectors on top of what was synced.
fn keep_some(bytes: &mut Vec<u8>, content: &Content, chance: &mut impl FnMut(f64) -> bool) {
    let kept: Vec<usize> = content.dirty.iter().copied().filter(|_| chance(0.5)).collect();
    copy_sectors(&content.bytes, bytes, kept.into_iter());
    if content.bytes.len() < bytes.len() && chance(0.5) {
        bytes.truncate(content.bytes.len());
    }
}
