//! The command line. Secrets are never given on it, as other users of the machine can read it.

mod import;
mod keeping;
mod serving;
mod staff;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::access::AccessError;
use crate::backup::BackupError;
use crate::import::ImportError;
use crate::open;
use crate::rules::RulesError;
use crate::state::StartError;
use crate::storage::sqlite::{SqliteOptions, SqliteStorage};
use crate::storage::{Storage, StorageError};

/// Path of a one-time sign-in link, before its secret.
pub const SIGNIN_PATH: &str = "/signin/";

/// Gridwalk's sync server. 网格同步服务器。
#[derive(Debug, Parser)]
#[command(name = "gridwalk-server", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve devices and the console. 启动服务。
    Serve(serving::Serve),
    /// Bring in what an office has: areas, ledgers. 导入区域或台账。
    #[command(subcommand)]
    Import(import::Import),
    /// Back up into a folder, while the server runs. 备份（无需停止服务）。
    Backup(keeping::Backup),
    /// Restore a backup into a data folder without a store. 从备份恢复。
    Restore(keeping::Restore),
    /// Let devices bring back what the server lost. 允许终端补传服务器丢失的记录。
    #[command(subcommand)]
    Recovery(keeping::Recovery),
    /// Check the chain of the audit log. 校验审计日志。
    VerifyAudit(Data),
    /// Administrators. 管理员。
    #[command(subcommand)]
    Admin(serving::Admin),
    /// People, what they hold, and their devices. 人员、授权与终端。
    #[command(subcommand)]
    Staff(staff::Staff),
}

/// Where the data is.
#[derive(Clone, Debug, Args)]
struct Data {
    /// Folder of the store and the media.
    #[arg(long, value_name = "FOLDER", env = "GRIDWALK_DATA")]
    data: PathBuf,
}

impl Data {
    /// Opens the store, which must be there: a mistyped folder is not to become a new one.
    fn open(&self) -> Result<Arc<SqliteStorage>, CliError> {
        if !open::store_path(&self.data).is_file() {
            return Err(CliError::NoStore(self.data.clone()));
        }
        let options = SqliteOptions { readers: 1, ..SqliteOptions::default() };
        Ok(open::storage(&self.data, &options)?)
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Plain HTTP would be open to others.
    #[error("{0} can be reached by others: put a proxy with TLS in front, or say --plain-http")]
    PlainHttp(std::net::IpAddr),
    /// The audit log was tampered with.
    #[error("audit log is broken at row {0}")]
    AuditBroken(u64),
    /// There is no store in the folder.
    #[error("no store in {0}; `gridwalk-server serve` makes one")]
    NoStore(PathBuf),
    /// There is no area with this code.
    #[error("no area with code {0}")]
    NoArea(String),
    /// The areas have errors; the report says which.
    #[error("areas were not imported: mend the file, or say --force")]
    AreasRefused,
    /// Starting.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// People and devices.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Rules for phones.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// Backups.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Imports.
    #[error("{0} / {zh}", zh = .0.zh())]
    Import(#[from] ImportError),
    /// Files and sockets.
    #[error("{what}: {error}")]
    Io {
        /// The file or socket.
        what: String,
        /// What went wrong.
        error: std::io::Error,
    },
}

impl CliError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("GRIDWALK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gridwalk-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Serve(options) => options.run(),
        Command::Import(import) => import.run(),
        Command::Backup(options) => options.run(),
        Command::Restore(options) => options.run(),
        Command::Recovery(options) => options.run(),
        Command::Admin(options) => options.run(),
        Command::Staff(options) => options.run(),
        Command::VerifyAudit(data) => {
            let storage = data.open()?;
            let storage: &dyn Storage = &*storage;
            match storage.view(crate::audit::verify)? {
                Ok(rows) => {
                    println!("{rows} rows, chain is whole");
                    Ok(())
                }
                Err(broken) => Err(CliError::AuditBroken(broken.no)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_folder_without_a_store_is_refused_and_stays_empty() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Data { data: folder.path().to_owned() }.open().err();
        assert!(matches!(refused, Some(CliError::NoStore(_))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
