//! The real server as a process of its own, on a free port of the loopback interface: it can be killed, started
//! again on the same data, and asked to end in an orderly way.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::HarnessError;

/// What the server prints before its address.
const LISTENING: &str = "listening on http://";
/// Names a server to be used instead of the one of this workspace.
const PROGRAM: &str = "GRIDWALK_SERVER";

/// A serving process. It is killed when it is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
    data: PathBuf,
}

impl ServerProcess {
    /// Starts the server on a data folder, which is made if need be, and returns once it listens. A folder `rules` in
    /// it has the deployment's rules.
    ///
    /// # Errors
    /// [`HarnessError::Server`] with the last words of its log if it ends before it listens.
    pub fn start(data: &Path) -> Result<Self, HarnessError> {
        Self::start_at(data, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// The same on a given port, as after a crash.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_at(data: &Path, address: SocketAddr) -> Result<Self, HarnessError> {
        fs::create_dir_all(data).map_err(HarnessError::file(data))?;
        let log_path = data.join("server.log");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log_path)
            .map_err(HarnessError::file(&log_path))?;
        let mut command = Command::new(program()?);
        command.args(["serve", "--name", "虚构区", "--listen"]).arg(address.to_string());
        command.arg("--data").arg(data);
        let rules = data.join("rules");
        if rules.is_dir() {
            command.arg("--rules").arg(rules);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(HarnessError::server("start the server"))?;
        let address = child.stdout.take().and_then(first_address);
        match address {
            Some(address) => Ok(Self { child, address, data: data.to_owned() }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                let reason = last_words(&log_path);
                Err(HarnessError::Server { what: "start the server", reason })
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its address for a browser or a phone.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Kills it at once, as a power cut would end it.
    ///
    /// # Errors
    /// [`HarnessError::Server`] if the system does not let us.
    pub fn kill(mut self) -> Result<(), HarnessError> {
        self.child.kill().map_err(HarnessError::server("kill the server"))?;
        self.child.wait().map(drop).map_err(HarnessError::server("wait for the server"))
    }

    /// Asks it to end and waits for it.
    ///
    /// # Errors
    /// [`HarnessError::Server`] if it did not end well.
    pub fn stop(mut self) -> Result<(), HarnessError> {
        let what = "stop the server";
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        if !asked.map_err(HarnessError::server(what))?.success() {
            return Err(HarnessError::Server { what, reason: "signal was not taken".into() });
        }
        let status = self.child.wait().map_err(HarnessError::server(what))?;
        if status.success() {
            Ok(())
        } else {
            let reason = format!("{status}: {}", last_words(&self.data.join("server.log")));
            Err(HarnessError::Server { what, reason })
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs another command of the server's and returns what it printed.
///
/// # Errors
/// [`HarnessError::Server`] with what it said if it fails.
pub fn run_command(arguments: &[&std::ffi::OsStr]) -> Result<String, HarnessError> {
    let Output { status, stdout, stderr } = Command::new(program()?)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(HarnessError::server("run the server's command"))?;
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    } else {
        let reason = format!("{status}: {}", String::from_utf8_lossy(&stderr).trim());
        Err(HarnessError::Server { what: "run the server's command", reason })
    }
}

/// Reads the address, and goes on reading so that the server never waits for us.
fn first_address(stdout: impl std::io::Read + Send + 'static) -> Option<SocketAddr> {
    let mut lines = BufReader::new(stdout).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix(LISTENING).and_then(|rest| rest.trim().parse().ok()));
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    address
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

/// Builds the server if need be, so that what follows is not kept waiting.
///
/// # Errors
/// [`HarnessError::Server`] if it does not build.
pub fn make_ready() -> Result<(), HarnessError> {
    program().map(drop)
}

/// The server's program: the one that [`PROGRAM`] names, or that of this workspace, built if it is not up to date.
fn program() -> Result<PathBuf, HarnessError> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    if let Some(named) = env::var_os(PROGRAM) {
        return Ok(named.into());
    }
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(program) = built.as_ref() {
        return Ok(program.clone());
    }
    let program = build()?;
    *built = Some(program.clone());
    Ok(program)
}

/// Has cargo build the server in the profile of this very program, and asks it where the result is.
fn build() -> Result<PathBuf, HarnessError> {
    let what = "build the server";
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        // Of the whole workspace, so that cargo chooses the same features as for its tests and compiles nothing anew.
        .args(["build", "--quiet", "--workspace", "--bin", "gridwalk-server"])
        .args(["--message-format", "json", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().map_err(HarnessError::server(what))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back();
    match executable {
        Some(path) if output.status.success() => Ok(path),
        _ => Err(HarnessError::Server { what, reason: output.status.to_string() }),
    }
}

/// Has the server's own command make a one-time sign-in link for its administrator, and completes it.
///
/// # Errors
/// As [`run_command`].
pub fn signin_link(server: &ServerProcess) -> Result<String, HarnessError> {
    let words = ["admin", "link", "--data"].map(std::ffi::OsStr::new);
    let printed = run_command(&[words.as_slice(), &[server.data().as_os_str()]].concat())?;
    let path = printed.split_whitespace().find(|word| word.starts_with('/')).unwrap_or_default();
    Ok(format!("{}{path}", server.url()))
}
