//! The plan for Apple's systems, read and carried out.

use super::*;
use crate::pack::testing::MadeUp;
use crate::pack::{missing, plan};
use crate::scratch::Scratch;

fn sources() -> Sources {
    Sources { layer: vec!["Exports.swift".into(), "Opening.swift".into()] }
}

fn complete() -> MadeUp {
    let mut machine = MadeUp { mac: true, ..MadeUp::default() };
    machine.targets.extend(["aarch64-apple-ios", "aarch64-apple-ios-sim"]);
    machine
        .good
        .extend(["xcrun --sdk iphoneos --show-sdk-path", "xcrun --sdk iphonesimulator --show-sdk-path"]);
    machine
}

#[test]
fn a_machine_that_is_no_mac_is_told_each_thing_with_what_to_do() {
    let text = missing(&needed(&MadeUp::default())).unwrap();
    let starts: Vec<&str> = text.lines().skip(1).filter_map(|line| line.trim().split(": ").next()).collect();
    let expected = [
        "a Mac",
        "Xcode's SDK for iOS",
        "Xcode's SDK for the simulator",
        "Rust's standard library for aarch64-apple-ios",
        "Rust's standard library for aarch64-apple-ios-sim",
    ];
    assert_eq!(starts, expected);
    assert!(text.contains(
        "\n  Rust's standard library for aarch64-apple-ios: `rustup target add aarch64-apple-ios`\n"
    ));
}

#[test]
fn a_complete_mac_misses_nothing_and_each_lack_is_seen_alone() {
    assert_eq!(missing(&needed(&complete())), None);
    let mut machine = complete();
    machine.good.truncate(1);
    let text = missing(&needed(&machine)).unwrap();
    assert!(
        text.starts_with("missing:\n  Xcode's SDK for the simulator: ") && text.lines().count() == 2,
        "{text}"
    );
    // An `xcrun` on another system is somebody else's program.
    let elsewhere = MadeUp { mac: false, ..complete() };
    assert_eq!(missing(&needed(&elsewhere)).unwrap().lines().count(), 4);
}

#[test]
fn the_plan_builds_for_phone_and_simulator_and_generates() {
    let text: String = plan(&sources()).iter().map(|step| format!("{step}\n")).collect();
    for line in [
        "run   IPHONEOS_DEPLOYMENT_TARGET=16.0 cargo build --release --lib --package gridwalk-ffi --target \
         aarch64-apple-ios",
        "run   IPHONEOS_DEPLOYMENT_TARGET=16.0 cargo build --release --lib --package gridwalk-ffi --target \
         aarch64-apple-ios-sim",
        "run   cargo run --quiet --package gridwalk-bindgen -- generate --no-format --language swift --out-dir \
         target/apple/generated target/aarch64-apple-ios/release/libgridwalk_ffi.a",
        "write target/apple/Gridwalk/Package.swift",
        "write target/apple/Gridwalk/gridwalkFFI.xcframework/Info.plist",
        "   to target/apple/Gridwalk/Sources/Gridwalk/Opening.swift",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
}

/// Lays out made-up libraries and holds what Info.plist says against the files that are there.
#[test]
fn the_xcframework_holds_what_its_list_names() {
    let scratch = Scratch::new("xcframework");
    for target in ["aarch64-apple-ios", "aarch64-apple-ios-sim"] {
        scratch.write(&format!("target/{target}/release/libgridwalk_ffi.a"), target.as_bytes());
    }
    scratch.write("target/apple/generated/GridwalkCore.swift", b"import gridwalkFFI");
    scratch.write("target/apple/generated/gridwalkFFI.h", b"#pragma once");
    for name in sources().layer {
        scratch.write(&format!("ios/Sources/Gridwalk/{name}"), b"import GridwalkCore");
    }
    plan::carry_out(&laying_out(&sources()), scratch.path()).unwrap();
    let package = "target/apple/Gridwalk/";
    let made: Vec<String> =
        scratch.files().iter().filter_map(|file| Some(file.strip_prefix(package)?.to_owned())).collect();
    let expected = [
        "Package.swift",
        "Sources/Gridwalk/Exports.swift",
        "Sources/Gridwalk/Opening.swift",
        "Sources/GridwalkCore/GridwalkCore.swift",
        "gridwalkFFI.xcframework/Info.plist",
        "gridwalkFFI.xcframework/ios-arm64-simulator/Headers/gridwalkFFI/gridwalkFFI.h",
        "gridwalkFFI.xcframework/ios-arm64-simulator/Headers/gridwalkFFI/module.modulemap",
        "gridwalkFFI.xcframework/ios-arm64-simulator/libgridwalk_ffi.a",
        "gridwalkFFI.xcframework/ios-arm64/Headers/gridwalkFFI/gridwalkFFI.h",
        "gridwalkFFI.xcframework/ios-arm64/Headers/gridwalkFFI/module.modulemap",
        "gridwalkFFI.xcframework/ios-arm64/libgridwalk_ffi.a",
    ];
    assert_eq!(made, expected);
    let list = scratch.text(&format!("{package}gridwalkFFI.xcframework/Info.plist"));
    let named = |key: &str| strings_after(&list, key);
    assert_eq!(named("LibraryIdentifier"), ["ios-arm64", "ios-arm64-simulator"]);
    assert_eq!(named("SupportedPlatformVariant"), ["simulator"]);
    for (identifier, (library, headers)) in
        named("LibraryIdentifier").iter().zip(named("LibraryPath").iter().zip(named("HeadersPath")))
    {
        let folder = scratch.path().join(package).join("gridwalkFFI.xcframework").join(identifier);
        assert!(folder.join(library).is_file() && folder.join(headers).is_dir(), "{identifier}");
    }
    let simulator = format!("{package}gridwalkFFI.xcframework/ios-arm64-simulator/libgridwalk_ffi.a");
    assert_eq!(scratch.text(&simulator), "aarch64-apple-ios-sim");
}

fn strings_after(list: &str, key: &str) -> Vec<String> {
    let key = format!("<key>{key}</key>");
    let values =
        list.split(&key).skip(1).filter_map(|after| after.split_once("<string>")?.1.split_once("</string>"));
    values.map(|(value, _)| value.to_owned()).collect()
}

#[test]
fn the_package_names_the_framework_and_the_modules_that_are_laid_out() {
    let text = manifest();
    for part in [
        ".iOS(.v16)",
        "path: \"gridwalkFFI.xcframework\"",
        "name: \"GridwalkCore\"",
        ".swiftLanguageMode(.v5)",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(module_map().starts_with("module gridwalkFFI {\n    header \"gridwalkFFI.h\"\n"));
}
