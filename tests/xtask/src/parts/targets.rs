//! `cargo check` of what phones run, for the targets of phones.
//!
//! Rust's standard library for them comes through rustup. Where it cannot be had, a notice says so, and the part does
//! not read as passed. No phone's C compiler is needed: `cargo check` links nothing, so a stand-in that writes empty
//! objects does for the C of SQLCipher, ring and zstd. Whether that C compiles for phones is not shown here.

use std::path::{Path, PathBuf};

use super::Findings;
use crate::process::Program;
use crate::setup::targets;
use crate::workspace::Workspace;

/// The targets that are checked.
const TARGETS: [&str; 3] = ["aarch64-linux-android", "armv7-linux-androideabi", "aarch64-apple-ios"];

/// The crate on top of everything that a phone runs.
const PACKAGE: &str = "gridwalk-device";

/// Stands in for a C compiler. It can only preprocess, for build scripts that read their headers, which the compiler
/// of this machine does, without what the phone's processor asks for.
const COMPILER: &str = r#"#!/bin/sh
out= preprocess=
for word; do
    [ "$previous" = -o ] && out=$word
    [ "$word" = -E ] && preprocess=1
    previous=$word
done
if [ -n "$preprocess" ]; then
    for word; do
        shift
        case $word in -E | -I* | -D* | *.c) set -- "$@" "$word" ;; esac
    done
    exec cc "$@"
fi
[ -z "$out" ] || : >"$out"
"#;

/// Stands in for the archiver: the first file it is given becomes an archive without members.
const ARCHIVER: &str = r#"#!/bin/sh
for word; do
    case $word in *.a) printf '!<arch>\n' >"$word" ;; esac
done
"#;

/// What OpenSSL's binding reads of its headers.
const OPENSSL: [(&str, &str); 2] = [
    ("opensslv.h", "#define OPENSSL_VERSION_NUMBER 0x30000000L\n"),
    ("opensslconf.h", "/* everything is there */\n"),
];

/// Checks every target whose standard library is there or can be had.
pub fn run(workspace: &Workspace, findings: &mut Findings) {
    let mut ready = Vec::new();
    for target in TARGETS {
        match targets::install(workspace, target) {
            Ok(()) => ready.push(target),
            Err(problem) => findings
                .not_run
                .push(format!("{target}, as its standard library is not to be had ({problem})")),
        }
    }
    if ready.is_empty() {
        return;
    }
    let folder = workspace.path("target/stand-ins");
    match stand_ins(&folder) {
        Ok(()) => {
            findings.run(&check(workspace, &folder, &ready));
            if findings.failures.is_empty() {
                findings.notes.push(format!("checked for {}", ready.join(", ")));
            }
        }
        Err(problem) => findings.failures.push(problem),
    }
}

/// One command for all targets, so that macros and build scripts are compiled once.
fn check(workspace: &Workspace, folder: &Path, ready: &[&str]) -> Program {
    let mut cargo = Program::cargo(workspace.root())
        .args(["check", "--package", PACKAGE])
        // OpenSSL is built from source for Android; not for this.
        .env("OPENSSL_NO_VENDOR", "1")
        .env("OPENSSL_LIB_DIR", folder)
        .env("OPENSSL_INCLUDE_DIR", folder.join("include"));
    for target in ready {
        let name = target.replace('-', "_");
        cargo = cargo
            .args(["--target", target])
            .env(&format!("CC_{name}"), folder.join("cc"))
            .env(&format!("AR_{name}"), folder.join("ar"));
    }
    cargo.env("SDKROOT", "/").env("IPHONEOS_DEPLOYMENT_TARGET", "16.0")
}

/// Writes the stand-ins.
fn stand_ins(folder: &Path) -> Result<(), String> {
    for (name, script) in [("cc", COMPILER), ("ar", ARCHIVER)] {
        write(&folder.join(name), script)?;
        make_executable(&folder.join(name))?;
    }
    OPENSSL.iter().try_for_each(|(name, text)| write(&folder.join("include/openssl").join(name), text))
}

/// Writes a file unless it is there and the same: build scripts run again when it is newer.
fn write(file: &PathBuf, text: &str) -> Result<(), String> {
    if std::fs::read_to_string(file).is_ok_and(|found| found == text) {
        return Ok(());
    }
    let folder = file.parent().ok_or("a file without a folder")?;
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, text))
        .map_err(|error| format!("{}: {error}", file.display()))
}

fn make_executable(file: &Path) -> Result<(), String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}
