//! `cargo check` of what phones run, for the targets of phones.
//!
//! Rust's standard library for them comes through rustup. Where it cannot be had, a notice says so, and the part does
//! not read as passed. No phone's C compiler is needed: `cargo check` links nothing, so a stand-in that writes empty
//! objects does for the C of SQLCipher, ring and zstd. Whether that C compiles for phones is not shown here.

use std::path::Path;

use super::Findings;
use crate::files::write_unless_same;
use crate::process::Program;
use crate::setup::targets;
use crate::workspace::Workspace;

/// The targets that are checked.
const TARGETS: [&str; 3] = ["aarch64-linux-android", "armv7-linux-androideabi", "aarch64-apple-ios"];

/// The crate on top of everything that a phone runs.
const PACKAGE: &str = "gridwalk-ffi";

/// Stands in for a C compiler. For build scripts that ask what a header says it preprocesses, which the compiler of this
/// machine does with the headers that lie beside it, without what the phone's processor asks for.
const COMPILER: &str = r#"#!/bin/sh
out= source= preprocess=
for word; do
    [ "$previous" = -o ] && out=$word
    case $word in -E) preprocess=1 ;; *.c) source=$word ;; esac
    previous=$word
done
[ -z "$preprocess" ] || exec cc -E -I "${0%/*}/include" "$source"
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
        .env("OPENSSL_STATIC", "1")
        .env("OPENSSL_INCLUDE_DIR", folder.join("include"));
    for target in ready {
        let name = target.replace('-', "_");
        cargo = cargo
            .args(["--target", target])
            .env(&format!("CC_{name}"), folder.join("cc"))
            .env(&format!("AR_{name}"), folder.join("ar"));
    }
    cargo.env("SDKROOT", folder).env("IPHONEOS_DEPLOYMENT_TARGET", "16.0")
}

/// Writes the stand-ins.
fn stand_ins(folder: &Path) -> Result<(), String> {
    for (name, script) in [("cc", COMPILER), ("ar", ARCHIVER)] {
        write_unless_same(&folder.join(name), script.as_bytes())?;
        make_executable(&folder.join(name))?;
    }
    let headers = folder.join("include/openssl");
    OPENSSL.iter().try_for_each(|(name, text)| write_unless_same(&headers.join(name), text.as_bytes()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn ran(scratch: &Scratch, name: &str, words: &[&str]) -> String {
        // By its interpreter: while another test starts a program, what was just written cannot be executed by itself.
        let script = scratch.path().join(name);
        let program = Program::new("sh", scratch.path()).args([script]).args(words.iter().copied());
        program.capture().unwrap()
    }

    #[test]
    fn the_compiler_writes_an_empty_object_where_it_is_told() {
        let scratch = Scratch::new("stand-in-cc");
        stand_ins(scratch.path()).unwrap();
        ran(&scratch, "cc", &["-march=abacus", "-c", "no-such-file.c", "-o", "a.o"]);
        assert_eq!(scratch.text("a.o"), "");
    }

    #[test]
    fn the_compiler_preprocesses_with_the_headers_beside_it() {
        let scratch = Scratch::new("stand-in-cpp");
        stand_ins(scratch.path()).unwrap();
        scratch.write(
            "a.c",
            b"#include <openssl/opensslconf.h>\n#include <openssl/opensslv.h>\nv OPENSSL_VERSION_NUMBER\n",
        );
        let said = ran(&scratch, "cc", &["-march=abacus", "-I", "elsewhere", "-E", "a.c"]);
        assert_eq!(said.lines().last(), Some("v 0x30000000L"));
    }

    #[test]
    fn the_archiver_makes_an_archive_without_members() {
        let scratch = Scratch::new("stand-in-ar");
        stand_ins(scratch.path()).unwrap();
        ran(&scratch, "ar", &["cq", "liba.a", "no-such-object.o"]);
        assert_eq!(scratch.text("liba.a"), "!<arch>\n");
    }

    #[test]
    fn one_command_checks_every_target_that_is_ready() {
        let workspace = Workspace::find().unwrap();
        let ready = ["aarch64-linux-android", "aarch64-apple-ios"];
        let said = check(&workspace, Path::new("s"), &ready).to_string();
        assert!(said.ends_with(" --target aarch64-linux-android --target aarch64-apple-ios"), "{said}");
    }
}
