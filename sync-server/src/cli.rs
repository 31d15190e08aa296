//! The command line. Secrets are never given on it, as other users of the machine can read it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;

use crate::access::AccessError;
use crate::audit;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::console::SIGNIN_PATH;
use crate::open::{self, store_path};
use crate::serve::{administrator_link, first_link, serve};
use crate::state::StartError;
use crate::storage::sqlite::SqliteOptions;
use crate::storage::{Storage, StorageError};

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
    Serve(Serve),
    /// Administrators. 管理员。
    #[command(subcommand)]
    Admin(Admin),
    /// Check the chain of the audit log. 校验审计日志。
    VerifyAudit(Data),
}

/// Where the data is.
#[derive(Clone, Debug, Args)]
pub struct Data {
    /// Folder of the store and the media.
    #[arg(long, value_name = "FOLDER", env = "GRIDWALK_DATA")]
    pub data: PathBuf,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    data: Data,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Serve plain HTTP on an address that others can reach. Only behind something that encrypts.
    #[arg(long)]
    plain_http: bool,
    /// Requests come through a proxy that names the client in X-Forwarded-For.
    #[arg(long)]
    behind_proxy: bool,
    /// Name of the deployment, as devices show it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Print a one-time sign-in link for an administrator. 生成一次性登录链接。
    Link {
        #[command(flatten)]
        data: Data,
        /// Name with which the administrator signs in; by default the first administrator.
        #[arg(long)]
        login: Option<String>,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Plain HTTP would be open to others.
    #[error("{0} can be reached by others: put a proxy with TLS in front, or say --plain-http")]
    PlainHttp(IpAddr),
    /// The audit log was tampered with.
    #[error("audit log is broken at row {0}")]
    AuditBroken(u64),
    /// Starting.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// People and devices.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Files and sockets.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("GRIDWALK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Enough for all requests under way; the admission limit keeps fewer busy.
        .max_blocking_threads(64)
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.command)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gridwalk-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Serve(options) => run_serve(options).await,
        Command::Admin(Admin::Link { data, login }) => {
            let state = open::state(Config::new(data.data), &SqliteOptions::default())?;
            println!("{SIGNIN_PATH}{}", administrator_link(&state, login).await?);
            Ok(())
        }
        Command::VerifyAudit(data) => {
            let storage = open::storage(&data.data, &SqliteOptions::default())?;
            let storage: &dyn Storage = &*storage;
            match storage.view(audit::verify)? {
                Ok(rows) => {
                    println!("{rows} rows, chain is whole");
                    Ok(())
                }
                Err(broken) => Err(CliError::AuditBroken(broken.no)),
            }
        }
    }
}

async fn run_serve(options: Serve) -> Result<(), CliError> {
    if !options.listen.ip().is_loopback() && !options.plain_http {
        return Err(CliError::PlainHttp(options.listen.ip()));
    }
    let _lock = open::lock(&options.data.data)?;
    let config = Config { behind_proxy: options.behind_proxy, ..Config::new(options.data.data) };
    tracing::info!(store = %store_path(&config.data).display(), at = %SystemClock.now(), "starting");
    let state = open::state(config, &SqliteOptions::default())?;
    if let Some(name) = options.name {
        state.write(move |tx| tx.set_server_name(&name)).await?;
    }
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}");
    if let Some(link) = first_link(&state).await? {
        println!("one-time administrator link 管理员一次性登录链接: http://{address}{SIGNIN_PATH}{link}");
    }
    serve(state, listener, asked_to_end()).await?;
    Ok(())
}

/// Done when the process is asked to end.
async fn asked_to_end() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
