//! Other programs: shown before they run, never waiting for the keyboard, their output visible.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// One program with its arguments, run in the checkout's root unless told otherwise.
pub struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    /// Variables that it does not inherit.
    withheld: Vec<OsString>,
    folder: std::path::PathBuf,
}

impl Program {
    /// A program found on PATH or by its path.
    pub fn new(name: impl Into<OsString>, folder: &Path) -> Self {
        Self {
            name: name.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            withheld: Vec::new(),
            folder: folder.to_path_buf(),
        }
    }

    /// The cargo that started this program, else the one on PATH. What `cargo run` told this program of itself is
    /// withheld: build scripts that watch these variables would run again, and all that depends on them.
    pub fn cargo(folder: &Path) -> Self {
        let mut cargo = Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), folder);
        let own = |name: &OsString| {
            let name = name.to_string_lossy();
            ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
        };
        cargo.withheld = std::env::vars_os().map(|(name, _)| name).filter(own).collect();
        cargo
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the program's environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs to the end with output passed on. The error is a sentence that names the command.
    pub fn run(&self) -> Result<(), String> {
        let status =
            self.command().stdin(Stdio::null()).status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(format!("`{self}` ended with {status}")) }
    }

    /// Runs to the end, passing standard output on line by line and keeping it as well.
    pub fn run_and_keep(&self) -> Finished {
        self.run_and_keep_to(&mut std::io::stdout())
    }

    /// Runs to the end, keeping standard output without showing it.
    pub fn run_and_keep_quietly(&self) -> Finished {
        self.run_and_keep_to(&mut std::io::sink())
    }

    fn run_and_keep_to(&self, out: &mut impl Write) -> Finished {
        let child = self.command().stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => return Finished { stdout: String::new(), problem: Some(self.not_started(&error)) },
        };
        let mut kept = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            echo(stdout, out, &mut kept);
        }
        let problem = match child.wait() {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("`{self}` ended with {status}")),
            Err(error) => Some(format!("`{self}` was lost: {error}")),
        };
        Finished { stdout: String::from_utf8_lossy(&kept).into_owned(), problem }
    }

    /// Runs quietly; standard output on success, everything it said on failure.
    pub fn capture(&self) -> Result<String, String> {
        let output =
            self.command().stdin(Stdio::null()).output().map_err(|error| self.not_started(&error))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            return Ok(stdout.into_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{self}` ended with {}\n{stdout}{stderr}", output.status))
    }

    /// Becomes this program: signals, terminal and exit code are then its own. Returns only on failure.
    #[cfg(unix)]
    pub fn replace(&self) -> Result<std::process::ExitCode, String> {
        use std::os::unix::process::CommandExt;
        let error = self.command().exec();
        Err(self.not_started(&error))
    }

    /// Runs with terminal and output passed on, and returns its exit code.
    #[cfg(not(unix))]
    pub fn replace(&self) -> Result<std::process::ExitCode, String> {
        let status = self.command().status().map_err(|error| self.not_started(&error))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Ok(std::process::ExitCode::from(code))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).current_dir(&self.folder);
        for name in &self.withheld {
            command.env_remove(name);
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        format!("`{self}` could not be started: {error}")
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Path::new(&self.name).file_name().unwrap_or(&self.name);
        write!(f, "{}", name.to_string_lossy())?;
        for argument in &self.arguments {
            let argument = argument.to_string_lossy();
            if argument.is_empty() || argument.contains(char::is_whitespace) {
                write!(f, " '{argument}'")?;
            } else {
                write!(f, " {argument}")?;
            }
        }
        Ok(())
    }
}

/// What a program that ran to its end left behind.
pub struct Finished {
    /// All of its standard output.
    pub stdout: String,
    /// Why it failed, if it did.
    pub problem: Option<String>,
}

fn echo(stdout: impl std::io::Read, out: &mut impl Write, kept: &mut Vec<u8>) {
    let mut reader = BufReader::new(stdout);
    let mut from = 0;
    while let Ok(read) = reader.read_until(b'\n', kept) {
        if read == 0 {
            break;
        }
        // A closed standard output must not stop the program whose result is wanted.
        let _ = out.write_all(kept.get(from..).unwrap_or_default()).and_then(|()| out.flush());
        from = kept.len();
    }
}

/// Whether a program of this name is on PATH; its full path if so.
pub fn on_path(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let program = Program::new("/usr/bin/cargo", Path::new(".")).args(["test", "-p", "a b", ""]);
        assert_eq!(program.to_string(), "cargo test -p 'a b' ''");
    }

    #[test]
    fn output_is_kept_whole_and_failure_is_told() {
        let mut shown = Vec::new();
        let mut shell = |script: &str| {
            Program::new("sh", Path::new(".")).args(["-c", script]).run_and_keep_to(&mut shown)
        };
        let good = shell("printf 'one\\ntwo'");
        assert_eq!((good.stdout.as_str(), good.problem), ("one\ntwo", None));
        let bad = shell("echo three; exit 4");
        assert_eq!(bad.stdout, "three\n");
        assert_eq!(shown, b"one\ntwothree\n");
        assert!(bad.problem.is_some_and(|problem| problem.contains("exit status: 4")));
    }

    #[test]
    fn a_missing_program_is_named() {
        let problem = Program::new("no-such-program", Path::new(".")).run().unwrap_err();
        assert!(problem.contains("no-such-program"), "{problem}");
        assert_eq!(on_path("no-such-program"), None);
        assert!(on_path("sh").is_some());
    }
}
