//! `serve` and `admin`.

use std::io::Write as _;
use std::net::SocketAddr;

use clap::{Args, Subcommand};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{CliError, Data, SIGNIN_PATH};
use crate::config::Config;
use crate::open::{self, store_path};
use crate::rules;
use crate::serve::{administrator_link, first_link, serve};
use crate::storage::sqlite::SqliteOptions;

/// Serve devices and the console.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: Data,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Serve plain HTTP on an address that others can reach. Only behind something that encrypts.
    #[arg(long)]
    plain_http: bool,
    /// Requests come through a proxy that encrypts and names the client in X-Forwarded-For.
    #[arg(long)]
    behind_proxy: bool,
    /// Days for which the tracks of patrols are kept.
    #[arg(long, value_name = "DAYS", default_value_t = crate::config::TRACK_DAYS)]
    track_days: u32,
    /// Folder with the deployment's rules: doors.json, field.json, events.json, or some of them. What none of them says
    /// stays as it was said last, here and on phones.
    #[arg(long, value_name = "FOLDER")]
    rules: Option<std::path::PathBuf>,
    /// Name of the deployment, as devices show it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Administrators.
#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Print a one-time sign-in link for an administrator. 生成管理员一次性登录链接。
    Link {
        #[command(flatten)]
        data: Data,
        /// Name with which the administrator signs in; by default the first administrator.
        #[arg(long)]
        login: Option<String>,
    },
}

fn runtime() -> Result<Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Enough for all requests under way; the admission limit keeps fewer of them busy.
        .max_blocking_threads(64)
        .build()
        .map_err(CliError::io("runtime"))
}

impl Serve {
    pub(super) fn run(self) -> Result<(), CliError> {
        if !self.listen.ip().is_loopback() && !self.plain_http {
            return Err(CliError::PlainHttp(self.listen.ip()));
        }
        let rules = self.rules.as_deref().map(rules::read).transpose()?;
        let _lock = open::lock(&self.data.data)?;
        let config = Config {
            behind_proxy: self.behind_proxy,
            https: self.behind_proxy,
            track_days: self.track_days,
            ..Config::new(self.data.data)
        };
        tracing::info!(store = %store_path(&config.data).display(), "starting");
        let state = open::state(config, &SqliteOptions::default(), rules.as_ref())?;
        runtime()?.block_on(async {
            if let Some(name) = self.name {
                state.write(move |tx| tx.set_server_name(&name)).await?;
            }
            let what = self.listen.to_string();
            let listener = TcpListener::bind(self.listen).await.map_err(CliError::io(what))?;
            let address = listener.local_addr().map_err(CliError::io("socket"))?;
            // Asked to end while starting is asked to end all the same.
            let asked = asked_to_end();
            // Whoever started us may not read on; that is no reason to end.
            let mut out = std::io::stdout();
            let _ = writeln!(out, "listening on http://{address}");
            if let Some(link) = first_link(&state).await? {
                println!(
                    "one-time administrator link 管理员一次性登录链接: http://{address}{SIGNIN_PATH}{link}"
                );
            }
            serve(state, listener, asked).await.map_err(CliError::io("socket"))
        })
    }
}

impl Admin {
    pub(super) fn run(self) -> Result<(), CliError> {
        let Self::Link { data, login } = self;
        let storage = data.open()?;
        println!("{SIGNIN_PATH}{}", administrator_link(&*storage, login.as_deref())?);
        Ok(())
    }
}

/// Done when the process is asked to end. The handlers are in place when this returns.
fn asked_to_end() -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        async move {
            match (interrupt, terminate) {
                (Ok(mut interrupt), Ok(mut terminate)) => {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                }
                _ => std::future::pending().await,
            }
        }
    }
    #[cfg(not(unix))]
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}
