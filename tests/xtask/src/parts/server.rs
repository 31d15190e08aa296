//! The server program that other parts start as a process of its own.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::Program;
use crate::workspace::Workspace;

/// The server's name as a program.
const NAME: &str = "gridwalk-server";

/// Builds the server and returns where cargo put it.
///
/// The harness is named beside it, as cargo chooses features for all packages of a command together: this way
/// the server's dependencies are those already built for the simulation and the demo.
pub fn build(workspace: &Workspace) -> Result<PathBuf, String> {
    let cargo = Program::cargo(workspace.root()).args([
        "build",
        "-p",
        "gridwalk-harness",
        "-p",
        NAME,
        "--bins",
        "--message-format=json-render-diagnostics",
    ]);
    println!("$ {cargo}");
    executable(&cargo.capture()?).ok_or_else(|| format!("`{cargo}` made no program {NAME}"))
}

fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .find(|path| path.file_stem() == Path::new(NAME).file_stem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_program_is_read_from_cargos_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/t/debug/other\"}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/t/debug/gridwalk-server\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/debug/gridwalk-server")));
        assert_eq!(executable("{}\nnoise"), None);
    }
}
