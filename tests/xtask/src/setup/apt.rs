//! Packages of Debian and Ubuntu.

use std::path::Path;

use crate::process::{Program, on_path};
use crate::workspace::Workspace;

/// Installs packages; refreshes the package lists only when installing fails with those that are there.
pub fn install(workspace: &Workspace, packages: &[&str]) -> Result<(), String> {
    if !is_debian_like() || on_path("apt-get").is_none() {
        return Err("this is neither Debian nor Ubuntu, so nothing was installed".into());
    }
    if !is_root() {
        return Err("not root, so nothing was installed".into());
    }
    if have_lists() && get(workspace, "install", packages).is_ok() {
        return Ok(());
    }
    get(workspace, "update", &[])?;
    get(workspace, "install", packages)
}

fn get(workspace: &Workspace, action: &str, packages: &[&str]) -> Result<(), String> {
    let mut apt = Program::new("apt-get", workspace.root()).env("DEBIAN_FRONTEND", "noninteractive").args([
        "-qq",
        "-o",
        "DPkg::Lock::Timeout=300",
        action,
    ]);
    if action == "install" {
        apt = apt.args(["-y", "--no-install-recommends"]).args(packages.iter().copied());
    }
    apt.capture().map(drop)
}

fn have_lists() -> bool {
    let Ok(entries) = std::fs::read_dir("/var/lib/apt/lists") else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

pub(super) fn is_root() -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }
    #[cfg(not(target_os = "linux"))]
    {
        false
    }
}

fn is_debian_like() -> bool {
    Path::new("/etc/debian_version").is_file()
}

/// Whether this is Ubuntu, whose `chromium` package is only a pointer to a snap.
pub fn is_ubuntu() -> bool {
    std::fs::read_to_string("/etc/os-release").is_ok_and(|text| names_ubuntu(&text))
}

fn names_ubuntu(os_release: &str) -> bool {
    os_release.lines().any(|line| matches!(line.trim(), "ID=ubuntu" | "ID=\"ubuntu\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ubuntu_is_told_from_debian() {
        assert!(names_ubuntu("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n"));
        assert!(!names_ubuntu("ID=debian\nVERSION_ID=\"12\"\n"));
    }
}
