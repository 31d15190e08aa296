//! The things that parts need beyond Rust itself: how to tell whether they are there, and where they come from.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::browser;
use crate::process::{Program, on_path};
use crate::workspace::Workspace;

/// Fonts with Chinese glyphs, one of which must be there for stamped photos and for readable screenshots: the
/// places on Linux where `core/evidence/src/stamp/font.rs` looks. A test compares the two lists.
const CHINESE_FONTS: [&str; 8] = [
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/wenquanyi/wqy-microhei/wqy-microhei.ttc",
];

/// Fonts without Chinese glyphs, one of which the tests of the stamp's fallback need.
const LATIN_FONTS: [&str; 3] = [
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
];

/// The oldest Node.js that runs the browser tests; Debian 12 and Ubuntu 24.04 have it.
const OLDEST_NODE: u32 = 18;

/// The oldest JDK that the Kotlin tests are written for; Debian 12 has it.
const OLDEST_JDK: u32 = 17;

/// Something that must be on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// `cargo fmt`.
    Rustfmt,
    /// `cargo clippy`.
    Clippy,
    /// A C compiler that links programs, for SQLCipher, zstd and ring.
    CCompiler,
    /// The allocator of the server is built with it.
    Make,
    /// OpenSSL's libcrypto with headers, which SQLCipher calls. Apple systems bring their own.
    Libcrypto,
    /// A font with Chinese glyphs.
    ChineseFont,
    /// A font without Chinese glyphs.
    LatinFont,
    /// Node.js with npm.
    Node,
    /// The npm packages of `tests/browser`.
    BrowserPackages,
    /// Chromium or Chrome.
    Chromium,
    /// Python with its standard library.
    Python,
    /// A Java development kit.
    Jdk,
    /// Maven, which fetches the Kotlin compiler and what the Kotlin tests stand on from Maven Central.
    Maven,
}

/// Where something that is missing comes from.
pub enum Remedy {
    /// Packages of Debian and Ubuntu.
    Apt(&'static [&'static str]),
    /// A component of the Rust toolchain.
    Rustup(&'static str),
    /// `npm ci` in `tests/browser`.
    Npm,
    /// Debian's package; Ubuntu has Chromium as a snap only, so there it is Playwright's own download.
    Chromium,
}

impl Need {
    /// All of them, each after what it stands on.
    pub const ALL: [Self; 13] = [
        Self::Rustfmt,
        Self::Clippy,
        Self::CCompiler,
        Self::Make,
        Self::Libcrypto,
        Self::ChineseFont,
        Self::LatinFont,
        Self::Node,
        Self::BrowserPackages,
        Self::Chromium,
        Self::Python,
        Self::Jdk,
        Self::Maven,
    ];

    /// What it takes to compile the workspace and to run the demo.
    pub const NATIVE: [Self; 4] = [Self::CCompiler, Self::Make, Self::Libcrypto, Self::ChineseFont];

    /// Its name for people.
    pub fn what(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::CCompiler => "a C compiler",
            Self::Make => "make",
            Self::Libcrypto => "OpenSSL's libcrypto with headers",
            Self::ChineseFont => "a font with Chinese glyphs",
            Self::LatinFont => "a font without Chinese glyphs",
            Self::Node => "Node.js 18 or newer, with npm",
            Self::BrowserPackages => "the npm packages of tests/browser",
            Self::Chromium => "Chromium",
            Self::Python => "Python 3.9 or newer",
            Self::Jdk => "a JDK 17 or newer",
            Self::Maven => "Maven",
        }
    }

    /// Whether it is there.
    pub fn is_met(self, workspace: &Workspace) -> bool {
        match self {
            Self::Rustfmt => cargo_has(workspace, "fmt"),
            Self::Clippy => cargo_has(workspace, "clippy"),
            Self::CCompiler => {
                compiles("#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n", &[])
            }
            Self::Make => on_path("make").is_some(),
            Self::Libcrypto => !cfg!(target_os = "linux") || has_libcrypto(),
            Self::ChineseFont => std::env::var_os("GRIDWALK_FONT").is_some() || any_file(&CHINESE_FONTS),
            Self::LatinFont => any_file(&LATIN_FONTS),
            Self::Node => {
                on_path("npm").is_some() && node_version(workspace).is_some_and(|v| v >= OLDEST_NODE)
            }
            Self::BrowserPackages => browser::packages_installed(workspace),
            Self::Chromium => browser::chromium(workspace).is_some(),
            Self::Python => python_is_there(workspace),
            Self::Jdk => javac_version(workspace).is_some_and(|version| version >= OLDEST_JDK),
            Self::Maven => on_path("mvn").is_some(),
        }
    }

    /// Where it comes from.
    pub fn remedy(self) -> Remedy {
        match self {
            Self::Rustfmt => Remedy::Rustup("rustfmt"),
            Self::Clippy => Remedy::Rustup("clippy"),
            Self::CCompiler => Remedy::Apt(&["gcc", "libc6-dev"]),
            Self::Make => Remedy::Apt(&["make"]),
            Self::Libcrypto => Remedy::Apt(&["libssl-dev"]),
            Self::ChineseFont => Remedy::Apt(&["fonts-wqy-microhei"]),
            Self::LatinFont => Remedy::Apt(&["fonts-dejavu-core"]),
            Self::Node => Remedy::Apt(&["nodejs", "npm"]),
            Self::BrowserPackages => Remedy::Npm,
            Self::Chromium => Remedy::Chromium,
            Self::Python => Remedy::Apt(&["python3"]),
            Self::Jdk => Remedy::Apt(&["default-jdk-headless"]),
            Self::Maven => Remedy::Apt(&["maven"]),
        }
    }

    /// The Debian packages that bring it, if packages do.
    pub fn apt_packages(self) -> &'static [&'static str] {
        match self.remedy() {
            Remedy::Apt(packages) => packages,
            Remedy::Chromium if !super::apt::is_ubuntu() => &["chromium"],
            _ => &[],
        }
    }

    /// What a person does to get it, where this program could not.
    pub fn advice(self) -> String {
        match self.remedy() {
            Remedy::Apt(packages) => format!("as root, `apt-get install {}`", packages.join(" ")),
            Remedy::Rustup(component) => format!("`rustup component add {component}`"),
            Remedy::Npm => "`npm ci` in tests/browser".into(),
            Remedy::Chromium => {
                "on Debian, as root, `apt-get install chromium`; elsewhere install Chrome or Chromium, \
                 and set GRIDWALK_CHROMIUM to its path if it is not on PATH"
                    .into()
            }
        }
    }
}

/// Adds a component to the toolchain in use.
pub fn rustup_add(workspace: &Workspace, component: &str) -> Result<(), String> {
    let rustup = on_path("rustup").ok_or("rustup is not on PATH")?;
    Program::new(rustup, workspace.root()).args(["component", "add", component]).capture().map(drop)
}

fn any_file(paths: &[&str]) -> bool {
    paths.iter().any(|path| Path::new(path).is_file())
}

fn cargo_has(workspace: &Workspace, subcommand: &str) -> bool {
    Program::cargo(workspace.root()).args([subcommand, "--version"]).capture().is_ok()
}

fn node_version(workspace: &Workspace) -> Option<u32> {
    let said = Program::new("node", workspace.root()).args(["--version"]).capture().ok()?;
    major(&said)
}

fn python_is_there(workspace: &Workspace) -> bool {
    let asks = "import asyncio, ctypes, sys, unittest; sys.exit(sys.version_info < (3, 9))";
    Program::new("python3", workspace.root()).args(["-c", asks]).capture().is_ok()
}

fn javac_version(workspace: &Workspace) -> Option<u32> {
    let said = Program::new("javac", workspace.root()).args(["-version"]).capture().ok()?;
    major(said.trim().strip_prefix("javac ")?)
}

fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn has_libcrypto() -> bool {
    let code = "#include <openssl/crypto.h>\nint main(void) { return OpenSSL_version_num() == 0; }\n";
    let folder = std::env::var("OPENSSL_DIR").ok();
    let mut flags: Vec<String> = Vec::new();
    if let Some(folder) = folder {
        flags.extend([format!("-I{folder}/include"), format!("-L{folder}/lib"), format!("-L{folder}/lib64")]);
    }
    flags.push("-lcrypto".into());
    compiles(code, &flags)
}

/// Whether the C compiler makes a program of this code: a true answer where file names only hint at one.
fn compiles(code: &str, flags: &[String]) -> bool {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let child = Command::new(compiler)
        .args(["-x", "c", "-", "-o", "/dev/null"])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let written = child.stdin.take().is_some_and(|mut stdin| stdin.write_all(code.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("18"), Some(18));
        assert_eq!(major("17.0.15"), Some(17));
        assert_eq!(major("none"), None);
    }

    #[test]
    fn fonts_are_looked_for_where_the_tested_code_looks() {
        let evidence = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/evidence/src");
        let stamp = std::fs::read_to_string(evidence.join("stamp/font.rs")).unwrap();
        let looked = stamp.lines().filter(|line| line.trim().starts_with("\"/usr/share/fonts/")).count();
        assert_eq!(looked, CHINESE_FONTS.len());
        let tests = std::fs::read_to_string(evidence.join("test_support.rs")).unwrap();
        assert!(CHINESE_FONTS.iter().all(|font| stamp.contains(font)));
        assert!(LATIN_FONTS.iter().all(|font| tests.contains(font)));
    }

    #[test]
    fn every_need_says_what_to_do() {
        for need in Need::ALL {
            assert!(!need.what().is_empty() && !need.advice().is_empty());
        }
        assert!(Need::Libcrypto.advice().contains("libssl-dev"));
    }

    #[test]
    fn a_program_that_does_not_compile_is_not_there() {
        assert!(!compiles("#include <no/such/header.h>\n", &[]));
        assert!(!compiles("int main(void) { return 0; }\n", &["-lno_such_library".into()]));
    }
}
