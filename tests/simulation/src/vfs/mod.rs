//! A disk that forgets: SQLite on files in memory of which only what was synced survives a power cut.
//!
//! Killing a process proves nothing about durability, because the page cache of the system stays. Here each file has
//! what was *written*, which every reader sees, and what was *synced*, which is all that is sure to be there after
//! [`PowerDisk::cut`]. Of what was written and not synced, a cut loses all, or keeps an arbitrary part sector by
//! sector, as disks do that write in an order of their own. Names are kept as journaling file systems keep them: a
//! file's first sync makes its name durable, and any sync makes earlier deletions durable. Between a deletion and
//! the next sync a cut may bring the file back.
//!
//! A disk is a folder. SQLite finds it by its path: the layer below ([`glue`]) takes the place of the system's own
//! file access once for the process, and passes on whatever is in no such folder. So the product's stores run on it
//! unaltered. Write-ahead logs work with shared memory and in exclusive mode.

mod disk;
mod glue;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::Disk;

use crate::seeded::Seeded;

/// What a power cut leaves of the writes that were not synced.
#[derive(Debug)]
pub enum Unsynced<'r> {
    /// Nothing.
    Lost,
    /// Any part, sector by sector.
    Partly(&'r mut Seeded),
}

/// A folder on a disk that forgets. Its connections must be closed before it is dropped.
#[derive(Debug)]
pub struct PowerDisk {
    // Kept for its path, which must be a real folder: stores make sure that it is there.
    folder: tempfile::TempDir,
    disk: Arc<Mutex<Disk>>,
    /// The folder as SQLite names it; `None` for a folder of the system.
    name: Option<String>,
}

impl PowerDisk {
    /// An empty disk.
    ///
    /// # Errors
    /// If no folder can be made in the system's folder for temporary files, or SQLite refuses the file layer.
    pub fn new() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("gridwalk-power-").tempdir()?;
        // As SQLite will name it.
        let name = folder.path().canonicalize()?.to_string_lossy().into_owned();
        let disk = Arc::new(Mutex::new(Disk::default()));
        glue::mount(&name, &disk)?;
        Ok(Self { folder, disk, name: Some(name) })
    }

    /// A folder of the system, with real files, whose power is never cut: for what is to run on both.
    ///
    /// # Errors
    /// If no folder can be made in the system's folder for temporary files.
    pub fn of_the_system() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("gridwalk-files-").tempdir()?;
        Ok(Self { folder, disk: Arc::default(), name: None })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder on this disk.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power and restores it. Open connections fail from now on; new ones find what survived.
    pub fn cut(&self, unsynced: Unsynced<'_>) {
        match unsynced {
            Unsynced::Lost => self.lock().cut(None),
            Unsynced::Partly(random) => self.lock().cut(Some(random)),
        }
    }

    /// Lets the power fail at one of the next operations that alter the disk: the one after `operations` others. From
    /// then on everything fails, until [`Self::cut`] brings it back.
    pub fn fail_after(&self, operations: u64) {
        self.lock().fail_after(Some(operations));
    }

    /// Whether the power has failed as [`Self::fail_after`] said.
    pub fn is_off(&self) -> bool {
        self.lock().is_off()
    }

    /// How many operations altered the disk so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations()
    }

    /// From now on the disk says that it synced, and does not: a cheap flash card.
    pub fn lie_about_syncs(&self) {
        self.lock().lie();
    }
}

impl Drop for PowerDisk {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            glue::unmount(name);
        }
    }
}

#[cfg(test)]
mod tests;
