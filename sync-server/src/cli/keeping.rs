//! `backup`, `restore`, `recovery`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use gridwalk_model::Timestamp;

use super::{CliError, Data};
use crate::backup::{back_up, restore, set_recovery};
use crate::clock::{Clock, SystemClock, SystemEntropy};
use crate::media::{Media, MediaLimits};
use crate::open;
use crate::state::StartError;
use crate::storage::Storage;

/// Days for which recovery is opened if nobody says otherwise.
const RECOVERY_DAYS: u16 = 7;

/// Back up into a folder.
#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(flatten)]
    data: Data,
    /// Folder of the backup. One that holds an earlier backup is brought up to date.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

/// Restore a backup.
#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    data: Data,
    /// Folder of the backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Let devices bring back other people's records for so many days, too.
    #[arg(long, value_name = "DAYS")]
    open_recovery: Option<u16>,
}

/// Let devices bring back what the server lost.
#[derive(Debug, Subcommand)]
pub(super) enum Recovery {
    /// Take whole histories from devices, other people's changes in them too. Every one is audited.
    Open {
        #[command(flatten)]
        data: Data,
        /// For so many days.
        #[arg(long, default_value_t = RECOVERY_DAYS)]
        days: u16,
    },
    /// Stop taking them.
    Close {
        #[command(flatten)]
        data: Data,
    },
}

fn in_days(now: Timestamp, days: u16) -> Timestamp {
    now.plus_days(i64::from(days))
}

impl Backup {
    pub(super) fn run(self) -> Result<(), CliError> {
        let storage: Arc<dyn Storage> = self.data.open()?;
        let folder = self.data.data.join("media");
        let media = Media::open(&folder, Arc::clone(&storage), Arc::new(SystemClock), MediaLimits::default())
            .map_err(StartError::from)?;
        let done = back_up(&*storage, &media, &self.to, SystemClock.now())?;
        println!("backed up through commit {}, {} media added", done.commit_no, done.media);
        Ok(())
    }
}

impl Restore {
    pub(super) fn run(self) -> Result<(), CliError> {
        let _lock = open::lock(&self.data.data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let commit_no = restore(&self.from, &self.data.data, &clock, &SystemEntropy)?;
        println!("restored through commit {commit_no}; a new epoch begins");
        let now = clock.now();
        match self.open_recovery {
            Some(days) => {
                set_recovery(&*self.data.open()?, in_days(now, days), now)?;
                println!("recovery is open for {days} days");
            }
            None => println!(
                "phones bring back their own work by themselves; `gridwalk-server recovery open` lets them bring \
                 back other people's as well"
            ),
        }
        Ok(())
    }
}

impl Recovery {
    pub(super) fn run(self) -> Result<(), CliError> {
        let now = SystemClock.now();
        let (data, until) = match self {
            Self::Open { data, days } => (data, in_days(now, days)),
            Self::Close { data } => (data, Timestamp::default()),
        };
        set_recovery(&*data.open()?, until, now)?;
        println!("{}", if until > now { "recovery is open" } else { "recovery is closed" });
        Ok(())
    }
}
