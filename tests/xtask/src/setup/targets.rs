//! Rust's standard library for the phones' targets.

use std::path::Path;

use crate::process::{Program, on_path};
use crate::workspace::Workspace;

/// Whether the toolchain in use has the standard library for a target.
pub fn is_installed(workspace: &Workspace, target: &str) -> bool {
    let asked = rustc(workspace).args(["--print", "target-libdir", "--target", target]).capture();
    asked.is_ok_and(|folder| holds_std(Path::new(folder.trim())))
}

/// Has rustup install it, if it is not there.
///
/// # Errors
/// Why it could not be had; the machine may have no rustup, or no way to its server.
pub fn install(workspace: &Workspace, target: &str) -> Result<(), String> {
    if is_installed(workspace, target) {
        return Ok(());
    }
    let rustup = on_path("rustup").ok_or("rustup is not on PATH")?;
    eprintln!("installing Rust's standard library for {target}");
    Program::new(rustup, workspace.root()).args(["target", "add", target]).capture()?;
    if is_installed(workspace, target) { Ok(()) } else { Err("rustup installed it for another rustc".into()) }
}

/// The compiler that cargo uses.
fn rustc(workspace: &Workspace) -> Program {
    Program::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()), workspace.root())
}

fn holds_std(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_can_compile_for_itself_and_not_for_what_nobody_knows() {
        let workspace = Workspace::find().unwrap();
        let said = rustc(&workspace).args(["--version", "--verbose"]).capture().unwrap();
        let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        assert!(is_installed(&workspace, host));
        assert!(!is_installed(&workspace, "abacus-unknown-none"));
    }

    #[test]
    fn a_folder_without_the_library_does_not_do() {
        assert!(!holds_std(Path::new(env!("CARGO_MANIFEST_DIR"))));
        assert!(!holds_std(Path::new("/no/such/folder")));
    }
}
