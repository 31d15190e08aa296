//! The plan for Android: shared libraries by cargo-ndk, classes by Maven, an AAR with a POM beside it.

use std::path::{Path, PathBuf};

use super::machine::{Machine, Prerequisite, program, standard_library};
use super::plan::{ROOT, Step};
use super::{LIBRARY, PACKAGE, VERSION, generate};
use crate::workspace::Workspace;

/// The folder that everything is made in.
pub const MADE: &str = "target/android";

/// The manifest of the Kotlin side, which says what it depends on.
const POM: &str = "android/bindings/pom.xml";

/// The architectures: Android's name of each, and Rust's.
const ARCHITECTURES: [(&str, &str); 3] = [
    ("arm64-v8a", "aarch64-linux-android"),
    ("armeabi-v7a", "armv7-linux-androideabi"),
    ("x86_64", "x86_64-linux-android"),
];

/// The oldest Android that the library is for: 8.0, as on the reference phone.
const OLDEST_API: u32 = 26;

/// From this one on, libraries are laid out for memory pages of 16 KiB by themselves, which app stores demand.
const OLDEST_NDK: u32 = 28;

/// What an app has to depend on besides the AAR: group and name, and the packaging that Android wants.
const DEPENDENCIES: [(&str, &str, &str); 3] = [
    ("org.jetbrains.kotlin", "kotlin-stdlib", "jar"),
    ("org.jetbrains.kotlinx", "kotlinx-coroutines-core", "jar"),
    ("net.java.dev.jna", "jna", "aar"),
];

/// What of the checkout the plan is drawn from.
pub struct Sources {
    /// The version of each of [`DEPENDENCIES`], as the tests ran with it.
    versions: Vec<String>,
}

impl Sources {
    /// Reads them.
    ///
    /// # Errors
    /// What could not be read.
    pub fn read(workspace: &Workspace) -> Result<Self, String> {
        let pom = std::fs::read_to_string(workspace.path(POM)).map_err(|error| format!("{POM}: {error}"))?;
        Self::of(&pom)
    }

    fn of(pom: &str) -> Result<Self, String> {
        let version = |(_, name, _)| version_of(pom, name).ok_or(format!("{POM} names no version of {name}"));
        Ok(Self { versions: DEPENDENCIES.into_iter().map(version).collect::<Result<_, _>>()? })
    }
}

/// Everything that must be there before the first step.
pub fn needed(machine: &dyn Machine) -> Vec<Prerequisite> {
    let mut needed = vec![program(machine, "cargo-ndk", "cargo-ndk", "`cargo install cargo-ndk`")];
    needed.extend(ARCHITECTURES.iter().map(|(_, target)| standard_library(machine, target)));
    needed.push(ndk(machine));
    let jdk = "install a JDK 17 or newer (Debian: `apt-get install default-jdk-headless`)";
    needed.push(program(machine, "jar", "a JDK", jdk));
    needed.push(program(machine, "mvn", "Maven", "install Maven (Debian: `apt-get install maven`)"));
    // OpenSSL's libcrypto is built from source for Android, which has none for apps.
    for name in ["perl", "make"] {
        needed.push(program(
            machine,
            name,
            name,
            &format!("install {name} (Debian: `apt-get install {name}`)"),
        ));
    }
    needed
}

/// The NDK, looked for where cargo-ndk looks: named by a variable, or the newest below the SDK.
fn ndk(machine: &dyn Machine) -> Prerequisite {
    let named = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT", "NDK_HOME"];
    let named = named.iter().find_map(|name| machine.variable(name));
    let in_sdk = || {
        let sdk = machine.variable("ANDROID_HOME").or_else(|| machine.variable("ANDROID_SDK_ROOT"))?;
        machine.folders(&sdk.join("ndk")).into_iter().max_by_key(|folder| revision(machine, folder))
    };
    let folder: Option<PathBuf> = named.or_else(in_sdk);
    let found = folder.and_then(|folder| revision(machine, &folder));
    let what = match found {
        Some(major) if major < OLDEST_NDK => {
            format!("the Android NDK {OLDEST_NDK} or newer (found {major})")
        }
        _ => format!("the Android NDK {OLDEST_NDK} or newer"),
    };
    let todo = "install it with Android Studio's SDK manager, and set ANDROID_NDK_HOME to its folder";
    Prerequisite::new(what, todo, found.is_some_and(|major| major >= OLDEST_NDK))
}

/// The major version that an NDK says it has.
fn revision(machine: &dyn Machine, ndk: &Path) -> Option<u32> {
    let text = machine.text(&ndk.join("source.properties"))?;
    let line = text.lines().find(|line| line.trim_start().starts_with("Pkg.Revision"))?;
    line.split_once('=')?.1.trim().split('.').next()?.parse().ok()
}

/// All steps.
pub fn plan(sources: &Sources) -> Vec<Step> {
    let mut steps = vec![Step::empty(MADE)];
    steps.extend(building());
    steps.extend(laying_out(sources));
    steps
}

/// What needs the NDK and Maven: the libraries and the classes.
fn building() -> Vec<Step> {
    let mut ndk = vec!["cargo".to_owned(), "ndk".to_owned()];
    ndk.extend(ARCHITECTURES.iter().flat_map(|(name, _)| ["--target".to_owned(), (*name).to_owned()]));
    ndk.extend(["--platform".to_owned(), OLDEST_API.to_string()]);
    ndk.extend(["--output-dir".to_owned(), format!("{MADE}/libraries")]);
    ndk.extend(["build", "--release", "--package", PACKAGE].map(String::from));
    let (_, target) = ARCHITECTURES[0];
    let mut maven: Vec<String> = ["mvn", "--batch-mode", "--no-transfer-progress", "--file", POM, "package"]
        .map(String::from)
        .to_vec();
    maven.push("-Dmaven.test.skip=true".into());
    maven.push(format!("-Dgridwalk.generated={ROOT}/{MADE}/kotlin"));
    maven.push(format!("-Dgridwalk.build={ROOT}/{MADE}/maven"));
    vec![
        Step::run(ndk),
        // From the library as it was linked, which holds what the bindings are generated from.
        generate("kotlin", &format!("{MADE}/kotlin"), &format!("target/{target}/release/lib{LIBRARY}.so")),
        Step::run(maven),
    ]
}

/// What any machine with a JDK can do: the AAR's folder, the AAR, and its POM.
fn laying_out(sources: &Sources) -> Vec<Step> {
    let aar = format!("{MADE}/aar");
    let mut steps = vec![
        Step::empty(&aar),
        Step::write(format!("{aar}/AndroidManifest.xml"), manifest()),
        Step::copy(format!("{MADE}/maven/gridwalk-bindings-{VERSION}.jar"), format!("{aar}/classes.jar")),
        // There are no resources, and the file that lists them has to be there.
        Step::write(format!("{aar}/R.txt"), ""),
        Step::write(format!("{aar}/proguard.txt"), KEPT),
        Step::write(format!("{aar}/META-INF/com/android/build/gradle/aar-metadata.properties"), METADATA),
    ];
    for (name, _) in ARCHITECTURES {
        let file = format!("lib{LIBRARY}.so");
        steps.push(Step::copy(format!("{MADE}/libraries/{name}/{file}"), format!("{aar}/jni/{name}/{file}")));
    }
    let file = format!("{MADE}/gridwalk-{VERSION}.aar");
    steps.push(Step::run(["jar", "--create", "--no-manifest", "--file", &file, "-C", &aar, "."]));
    steps.push(Step::write(format!("{MADE}/gridwalk-{VERSION}.pom"), pom(&sources.versions)));
    steps
}

fn manifest() -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="gridwalk.bindings">
    <uses-sdk android:minSdkVersion="{OLDEST_API}" />
    <uses-permission android:name="android.permission.INTERNET" />
</manifest>
"#
    )
}

/// Rules for whoever shrinks an app: JNA and the generated code find each other by name.
const KEPT: &str = "\
-keep class com.sun.jna.** { *; }
-keep class * implements com.sun.jna.** { *; }
-keep class gridwalk.ffi.** { *; }
-dontwarn java.awt.**
";

const METADATA: &str = "\
aarFormatVersion=1.0
aarMetadataVersion=1.0
minCompileSdk=1
minAndroidGradlePluginVersion=1.0.0
";

/// The POM by which a Maven repository serves the AAR.
fn pom(versions: &[String]) -> String {
    let mut dependencies = String::new();
    for ((group, name, packaging), version) in DEPENDENCIES.into_iter().zip(versions) {
        dependencies.push_str(&format!(
            "    <dependency>\n      <groupId>{group}</groupId>\n      <artifactId>{name}</artifactId>\n      \
             <version>{version}</version>\n      <type>{packaging}</type>\n      <scope>compile</scope>\n    \
             </dependency>\n"
        ));
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>gridwalk</groupId>
  <artifactId>gridwalk</artifactId>
  <version>{VERSION}</version>
  <packaging>aar</packaging>
  <dependencies>
{dependencies}  </dependencies>
</project>
"#
    )
}

/// The version that a POM names for a dependency, taken from a property where it says so.
fn version_of(pom: &str, artifact: &str) -> Option<String> {
    let after = pom.split_once(&format!("<artifactId>{artifact}</artifactId>"))?.1;
    let said = element(after.split_once("</dependency>")?.0, "version")?;
    match said.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(property) => element(pom, property).map(String::from),
        None => Some(said.to_owned()),
    }
}

fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let after = text.split_once(&format!("<{name}>"))?.1;
    Some(after.split_once(&format!("</{name}>"))?.0.trim())
}

#[cfg(test)]
#[path = "android_tests.rs"]
mod tests;
