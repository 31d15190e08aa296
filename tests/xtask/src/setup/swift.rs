//! Swift for Linux: a lean root of Debian 13, whose `swiftlang` brings the compiler, its package manager and the test
//! libraries, entered by `chroot`. Debian 12 and Ubuntu package no Swift.
//!
//! The root lies in the user's cache, outside of every checkout, and serves all of them. It is made under another name
//! and renamed when it is whole, so that one that is there can be used. What it was made by is written in it: a changed
//! recipe makes it anew.

use std::path::{Path, PathBuf};

use super::apt;
use crate::process::{Program, on_path};
use crate::workspace::Workspace;

const SUITE: &str = "trixie";

const PACKAGES: &str = "swiftlang,libc6-dev,libstdc++-14-dev,libssl3t64,git,ca-certificates,tzdata";

/// What of the packages is left out: documentation, translations, the debugger, the language server, static libraries.
const LEFT_OUT: [&str; 12] = [
    "/usr/share/man/*",
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/libexec/swift/bin/lldb*",
    "/usr/libexec/swift/bin/clangd",
    "/usr/libexec/swift/bin/sourcekit-lsp",
    "/usr/libexec/swift/bin/docc",
    "/usr/libexec/swift/bin/repl_swift",
    "/usr/libexec/swift/lib/liblldb*",
    "/usr/libexec/swift/lib/swift_static/*",
    "/usr/libexec/swift/lib/libLTO*",
    "/usr/libexec/swift/lib/python*",
];

/// The keys that Debian 13 is signed with.
const KEYS: &str = "/usr/share/keyrings/debian-archive-trixie-stable.gpg";

/// Written last.
const MARKER: &str = ".gridwalk-made-by";

/// The root; made if it is not there: 1.9 GB, one or two minutes.
///
/// # Errors
/// Exactly what is missing.
pub fn root(workspace: &Workspace) -> Result<PathBuf, String> {
    let cache = cache(|name| std::env::var_os(name))?;
    let root = cache.join("swift-trixie");
    if !apt::is_root() {
        return Err(format!(
            "missing: root on Debian or Ubuntu, to make Debian 13's Swift in {} and to enter it by chroot",
            root.display()
        ));
    }
    let failed = |error: std::io::Error| format!("{}: {error}", cache.display());
    std::fs::create_dir_all(&cache).map_err(failed)?;
    // Held to the end: of two that start at once, the second one waits and finds it made.
    let lock = std::fs::File::create(cache.join("swift-trixie.lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if !is_made(&root) {
        make(workspace, &root)?;
    }
    Ok(root)
}

/// A program in the root. `folders` are seen as `/gridwalk/NAME` there, and nothing else of this machine is.
pub fn inside(workspace: &Workspace, root: &Path, folders: &[(&str, &Path)], words: &[&str]) -> Program {
    let mut program = Program::new("unshare", workspace.root())
        .args(["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh"])
        .args([workspace.path("tests/xtask/src/setup/enter.sh").as_path(), root]);
    for (name, folder) in folders {
        program = program.args([*name]).args([*folder]);
    }
    program.args(["--"]).args(words.iter().copied())
}

/// Our folder in the user's cache.
fn cache(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Result<PathBuf, String> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(cache
        .ok_or("missing: a folder for caches, as neither HOME nor XDG_CACHE_HOME is set")?
        .join("gridwalk"))
}

fn recipe() -> Vec<String> {
    let mut words: Vec<String> = ["--mode=root", "--variant=essential", "--quiet"].map(String::from).to_vec();
    words.push(format!("--include={PACKAGES}"));
    words.push("--aptopt=Acquire::Languages \"none\"".into());
    words.push("--dpkgopt=force-unsafe-io".into());
    words.extend(LEFT_OUT.map(|path| format!("--dpkgopt=path-exclude={path}")));
    words.push(SUITE.into());
    words
}

fn is_made(root: &Path) -> bool {
    std::fs::read_to_string(root.join(MARKER)).is_ok_and(|made_by| made_by == recipe().join("\n"))
}

fn make(workspace: &Workspace, root: &Path) -> Result<(), String> {
    if on_path("mmdebstrap").is_none() || on_path("unshare").is_none() || !Path::new(KEYS).is_file() {
        let packages = ["mmdebstrap", "util-linux", "debian-archive-keyring"];
        apt::install(workspace, &packages).map_err(|problem| {
            format!("missing: {}, to make Debian 13's Swift\n  ({problem})", packages.join(", "))
        })?;
    }
    if !Path::new(KEYS).is_file() {
        return Err(format!(
            "missing: the keys of Debian 13 ({KEYS}); `apt-get upgrade debian-archive-keyring`"
        ));
    }
    eprintln!("making Debian 13 with Swift in {}: 1.9 GB, one or two minutes, once", root.display());
    let making = root.with_extension("making");
    remove(workspace, &making)?;
    // In namespaces of its own, so that nothing stays mounted whatever becomes of it.
    Program::new("unshare", workspace.root())
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"])
        .args(["mmdebstrap"])
        .args(recipe())
        .args([&making])
        .capture()?;
    let compiler = making.join("usr/libexec/swift/bin/swift-frontend");
    if !compiler.is_file() {
        return Err(format!("Debian's swiftlang brought no {}", compiler.display()));
    }
    remove(workspace, root)?;
    std::fs::write(making.join(MARKER), recipe().join("\n"))
        .and_then(|()| std::fs::rename(&making, root))
        .map_err(|error| format!("{}: {error}", root.display()))
}

/// Removes a folder, and nothing that is mounted in it.
fn remove(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    let rm = Program::new("rm", workspace.root()).args(["-rf", "--one-file-system", "--"]).args([folder]);
    rm.capture().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_cache_is_where_the_user_wants_it() {
        let with = |xdg: Option<&str>, home: Option<&str>| {
            cache(|name| if name == "HOME" { home } else { xdg }.map(Into::into))
        };
        assert_eq!(with(Some("/c"), Some("/h")), Ok("/c/gridwalk".into()));
        assert_eq!(with(Some("relative"), Some("/h")), Ok("/h/.cache/gridwalk".into()));
        assert_eq!(with(None, Some("/h")), Ok("/h/.cache/gridwalk".into()));
        assert!(with(None, None).unwrap_err().starts_with("missing: "));
    }

    #[test]
    fn a_root_is_made_once_its_marker_says_by_this_recipe() {
        let root = Scratch::new("swift-root");
        assert!(!is_made(root.path()));
        root.write(MARKER, b"another recipe");
        assert!(!is_made(root.path()));
        root.write(MARKER, recipe().join("\n").as_bytes());
        assert!(is_made(root.path()));
    }

    #[test]
    fn folders_stand_before_the_command() {
        let workspace = Workspace::find().unwrap();
        let program =
            inside(&workspace, Path::new("/r"), &[("ios", Path::new("/a b"))], &["swift", "--version"]);
        assert!(program.to_string().ends_with("/enter.sh /r ios '/a b' -- swift --version"), "{program}");
    }
}
