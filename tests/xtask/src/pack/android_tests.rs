//! The plan for Android, read and carried out.

use std::collections::BTreeMap;

use super::*;
use crate::pack::testing::MadeUp;
use crate::pack::{missing, plan};
use crate::process::Program;
use crate::scratch::Scratch;

fn sources() -> Sources {
    let pom = "<properties><kotlin.version>2.9.1</kotlin.version></properties>\
        <dependency><artifactId>kotlin-stdlib</artifactId><version>${kotlin.version}</version></dependency>\
        <dependency><artifactId>kotlinx-coroutines-core</artifactId> <version>1.9.9</version></dependency>\
        <dependency><artifactId>jna</artifactId><version>5.9.9</version></dependency>";
    Sources::of(pom).unwrap()
}

fn shown(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("{step}\n")).collect()
}

fn complete() -> MadeUp {
    let mut machine = MadeUp::default();
    machine.programs.extend(["cargo-ndk", "jar", "mvn", "perl", "make"]);
    machine.targets.extend(ARCHITECTURES.map(|(_, target)| target));
    machine.variables.insert("ANDROID_NDK_HOME", "/ndk".into());
    machine.texts.insert("/ndk/source.properties".into(), "Pkg.Revision = 28.2.13676358\n".into());
    machine
}

#[test]
fn an_empty_machine_is_told_each_thing_with_what_to_do() {
    let text = missing(&needed(&MadeUp::default())).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
    assert_eq!(lines.len(), 9, "{text}");
    for expected in [
        "cargo-ndk: `cargo install cargo-ndk`",
        "Rust's standard library for aarch64-linux-android: `rustup target add aarch64-linux-android`",
        "Rust's standard library for armv7-linux-androideabi: `rustup target add armv7-linux-androideabi`",
        "Rust's standard library for x86_64-linux-android: `rustup target add x86_64-linux-android`",
    ] {
        assert!(lines.contains(&expected), "{expected} in {text}");
    }
    for start in ["the Android NDK 28 or newer: ", "a JDK: ", "Maven: ", "perl: ", "make: "] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start} in {text}");
    }
}

#[test]
fn a_complete_machine_misses_nothing_and_each_lack_is_seen_alone() {
    assert_eq!(missing(&needed(&complete())), None);
    let without = |change: fn(&mut MadeUp)| {
        let mut machine = complete();
        change(&mut machine);
        missing(&needed(&machine)).unwrap().lines().skip(1).map(str::trim).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        without(|machine| machine.programs.retain(|name| *name != "mvn")).split(':').next(),
        Some("Maven")
    );
    assert!(
        without(|machine| machine.targets.truncate(2)).starts_with("Rust's standard library for x86_64-")
    );
    let old = without(|machine| {
        machine.texts.insert("/ndk/source.properties".into(), "Pkg.Revision = 26.1.1\n".into());
    });
    assert!(old.starts_with("the Android NDK 28 or newer (found 26): "), "{old}");
}

#[test]
fn the_newest_ndk_of_an_sdk_is_taken() {
    let mut machine = complete();
    machine.variables = BTreeMap::from([("ANDROID_HOME", "/sdk".into())]);
    machine.folders.insert("/sdk/ndk".into(), vec!["/sdk/ndk/29".into(), "/sdk/ndk/9".into()]);
    for (folder, revision) in [("29", "29.0.1"), ("9", "9.1")] {
        let file = format!("/sdk/ndk/{folder}/source.properties");
        machine.texts.insert(file.into(), format!("Pkg.Desc = NDK\nPkg.Revision = {revision}\n"));
    }
    assert_eq!(missing(&needed(&machine)), None);
}

#[test]
fn the_plan_builds_three_architectures_generates_compiles_and_packs() {
    let text = shown(&plan(&sources()));
    for line in [
        "run   cargo ndk --target arm64-v8a --target armeabi-v7a --target x86_64 --platform 26 --output-dir \
         target/android/libraries build --release --package gridwalk-ffi",
        "run   cargo run --quiet --package gridwalk-bindgen -- generate --no-format --language kotlin --out-dir \
         target/android/kotlin target/aarch64-linux-android/release/libgridwalk_ffi.so",
        "run   jar --create --no-manifest --file target/android/gridwalk-0.1.0.aar -C target/android/aar .",
        "write target/android/gridwalk-0.1.0.pom",
        "      |     <uses-sdk android:minSdkVersion=\"26\" />",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
    assert!(text.contains(" -Dgridwalk.generated={root}/target/android/kotlin "), "{text}");
    // Nothing is used before it was made: libraries, then generated code, then classes, then the AAR.
    let places = ["cargo ndk", "generate", "run   mvn", "classes.jar", "run   jar"]
        .map(|part| text.find(part).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

/// Lays out made-up libraries and classes and reads the AAR as an app's build would: as a zip with fixed names.
#[test]
fn the_aar_holds_what_android_looks_for() {
    let scratch = Scratch::new("aar");
    for (name, _) in ARCHITECTURES {
        scratch.write(&format!("target/android/libraries/{name}/libgridwalk_ffi.so"), name.as_bytes());
    }
    scratch.write("target/android/maven/gridwalk-bindings-0.1.0.jar", b"made-up classes");
    plan::carry_out(&laying_out(&sources()), scratch.path()).unwrap();
    let jar = |action| Program::new("jar", &scratch.path().join("target/android")).args([action, "--file"]);
    let listed = jar("--list").args(["gridwalk-0.1.0.aar"]).capture().unwrap();
    let mut entries: Vec<&str> = listed.lines().filter(|entry| !entry.ends_with('/')).collect();
    entries.sort_unstable();
    let expected = [
        "AndroidManifest.xml",
        "META-INF/com/android/build/gradle/aar-metadata.properties",
        "R.txt",
        "classes.jar",
        "jni/arm64-v8a/libgridwalk_ffi.so",
        "jni/armeabi-v7a/libgridwalk_ffi.so",
        "jni/x86_64/libgridwalk_ffi.so",
        "proguard.txt",
    ];
    assert_eq!(entries, expected);
    std::fs::create_dir(scratch.path().join("out")).unwrap();
    let aar = scratch.path().join("target/android/gridwalk-0.1.0.aar");
    Program::new("jar", &scratch.path().join("out")).args(["--extract", "--file"]).args([aar]).run().unwrap();
    assert_eq!(scratch.text("out/jni/armeabi-v7a/libgridwalk_ffi.so"), "armeabi-v7a");
    assert_eq!(scratch.text("out/classes.jar"), "made-up classes");
    assert_eq!(scratch.text("out/AndroidManifest.xml"), manifest());
}

#[test]
fn a_library_that_was_not_built_is_named() {
    let scratch = Scratch::new("aar-without");
    scratch.write("target/android/maven/gridwalk-bindings-0.1.0.jar", b"");
    let problem = plan::carry_out(&laying_out(&sources()), scratch.path()).unwrap_err();
    assert!(problem.starts_with("target/android/libraries/arm64-v8a/libgridwalk_ffi.so to "), "{problem}");
}

#[test]
fn the_pom_names_the_versions_that_were_tested() {
    let text = pom(&sources().versions);
    for (name, version, packaging) in [
        ("kotlin-stdlib", "2.9.1", "jar"),
        ("kotlinx-coroutines-core", "1.9.9", "jar"),
        ("jna", "5.9.9", "aar"),
    ] {
        let after = text.split_once(&format!("<artifactId>{name}</artifactId>")).unwrap().1;
        assert_eq!((element(after, "version"), element(after, "type")), (Some(version), Some(packaging)));
    }
    assert_eq!(element(&text, "packaging"), Some("aar"));
    let problem = Sources::of("<artifactId>jna</artifactId><version>1</version></dependency>").err();
    assert_eq!(problem, Some(format!("{POM} names no version of kotlin-stdlib")));
}

#[test]
fn this_checkout_names_every_version() {
    let sources = Sources::read(&Workspace::find().unwrap()).unwrap();
    assert!(sources.versions.iter().all(|version| version.starts_with(|c: char| c.is_ascii_digit())));
}
