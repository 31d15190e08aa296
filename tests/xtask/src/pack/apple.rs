//! The plan for Apple's systems: static libraries by cargo, an XCFramework of them, and a Swift package around it.

use super::machine::{Machine, Prerequisite, standard_library};
use super::plan::Step;
use super::{LIBRARY, PACKAGE, generate};
use crate::workspace::Workspace;

/// The folder that everything is made in.
pub const MADE: &str = "target/apple";

/// The Swift package that is made.
const SWIFT_PACKAGE: &str = "target/apple/Gridwalk";

/// The hand-written layer, taken as it is.
const LAYER: &str = "ios/Sources/Gridwalk";

/// The module of the generated C header.
const HEADER: &str = "gridwalkFFI";

/// The module of the generated Swift.
const CORE: &str = "GridwalkCore";

/// The oldest iOS that the package is for; `ios/Package.swift` says the same.
const OLDEST_IOS: &str = "16.0";

/// One library of the XCFramework.
struct Slice {
    /// Rust's name of the target.
    target: &'static str,
    /// The folder in the XCFramework.
    identifier: &'static str,
    /// Whether it is for the simulator.
    simulator: bool,
}

const SLICES: [Slice; 2] = [
    Slice { target: "aarch64-apple-ios", identifier: "ios-arm64", simulator: false },
    Slice { target: "aarch64-apple-ios-sim", identifier: "ios-arm64-simulator", simulator: true },
];

/// What of the checkout the plan is drawn from.
pub struct Sources {
    /// The names of the files of [`LAYER`].
    layer: Vec<String>,
}

impl Sources {
    /// Reads them.
    ///
    /// # Errors
    /// What could not be read.
    pub fn read(workspace: &Workspace) -> Result<Self, String> {
        let entries =
            std::fs::read_dir(workspace.path(LAYER)).map_err(|error| format!("{LAYER}: {error}"))?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut layer: Vec<String> = names.filter(|name| name.ends_with(".swift")).collect();
        layer.sort();
        if layer.is_empty() { Err(format!("{LAYER} holds no Swift")) } else { Ok(Self { layer }) }
    }
}

/// Everything that must be there before the first step.
pub fn needed(machine: &dyn Machine) -> Vec<Prerequisite> {
    let sdk = |name| machine.is_mac() && machine.succeeds(&["xcrun", "--sdk", name, "--show-sdk-path"]);
    let xcode = "install Xcode from the App Store, then `sudo xcode-select --switch \
                 /Applications/Xcode.app/Contents/Developer`";
    let mut needed = vec![
        Prerequisite::new(
            "a Mac",
            "run this on macOS; Apple's SDKs exist for nothing else",
            machine.is_mac(),
        ),
        Prerequisite::new("Xcode's SDK for iOS", xcode, sdk("iphoneos")),
        Prerequisite::new("Xcode's SDK for the simulator", xcode, sdk("iphonesimulator")),
    ];
    needed.extend(SLICES.iter().map(|slice| standard_library(machine, slice.target)));
    needed
}

/// All steps.
pub fn plan(sources: &Sources) -> Vec<Step> {
    let mut steps = vec![Step::empty(MADE)];
    steps.extend(building());
    steps.extend(laying_out(sources));
    steps
}

/// What needs Xcode: the libraries, and the bindings that are generated from one of them.
fn building() -> Vec<Step> {
    let mut steps: Vec<Step> = SLICES
        .iter()
        .map(|slice| {
            let words =
                ["cargo", "build", "--release", "--lib", "--package", PACKAGE, "--target", slice.target];
            Step::run_with("IPHONEOS_DEPLOYMENT_TARGET", OLDEST_IOS, words)
        })
        .collect();
    steps.extend(SLICES.first().map(|slice| generate("swift", &format!("{MADE}/generated"), &built(slice))));
    steps
}

/// What any machine can do: the XCFramework and the package.
fn laying_out(sources: &Sources) -> Vec<Step> {
    let mut steps = vec![Step::empty(SWIFT_PACKAGE)];
    steps.extend(framework());
    steps.push(Step::write(format!("{SWIFT_PACKAGE}/Package.swift"), manifest()));
    steps.push(Step::copy(
        format!("{MADE}/generated/{CORE}.swift"),
        format!("{SWIFT_PACKAGE}/Sources/{CORE}/{CORE}.swift"),
    ));
    steps.extend(sources.layer.iter().map(|name| {
        Step::copy(format!("{LAYER}/{name}"), format!("{SWIFT_PACKAGE}/Sources/Gridwalk/{name}"))
    }));
    steps
}

fn built(slice: &Slice) -> String {
    format!("target/{}/release/lib{LIBRARY}.a", slice.target)
}

fn framework() -> Vec<Step> {
    let folder = format!("{SWIFT_PACKAGE}/{HEADER}.xcframework");
    let mut steps = vec![Step::write(format!("{folder}/Info.plist"), property_list())];
    for slice in &SLICES {
        let part = format!("{folder}/{}", slice.identifier);
        // In a folder of its own: Xcode puts the headers of all libraries of an app into one place, where two module
        // maps would overwrite each other.
        let headers = format!("{part}/Headers/{HEADER}");
        steps.push(Step::copy(built(slice), format!("{part}/lib{LIBRARY}.a")));
        steps.push(Step::copy(format!("{MADE}/generated/{HEADER}.h"), format!("{headers}/{HEADER}.h")));
        steps.push(Step::write(format!("{headers}/module.modulemap"), module_map()));
    }
    steps
}

fn module_map() -> String {
    format!("module {HEADER} {{\n    header \"{HEADER}.h\"\n    export *\n}}\n")
}

fn property_list() -> String {
    let libraries: String = SLICES.iter().map(library_entry).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>AvailableLibraries</key>
    <array>
{libraries}    </array>
    <key>CFBundlePackageType</key>
    <string>XFWK</string>
    <key>XCFrameworkFormatVersion</key>
    <string>1.0</string>
</dict>
</plist>
"#
    )
}

fn library_entry(slice: &Slice) -> String {
    let file = format!("lib{LIBRARY}.a");
    let mut pairs = vec![
        ("BinaryPath", format!("<string>{file}</string>")),
        ("HeadersPath", "<string>Headers</string>".into()),
        ("LibraryIdentifier", format!("<string>{}</string>", slice.identifier)),
        ("LibraryPath", format!("<string>{file}</string>")),
        ("SupportedArchitectures", "<array><string>arm64</string></array>".into()),
        ("SupportedPlatform", "<string>ios</string>".into()),
    ];
    if slice.simulator {
        pairs.push(("SupportedPlatformVariant", "<string>simulator</string>".into()));
    }
    let pairs: String = pairs
        .iter()
        .map(|(key, value)| format!("            <key>{key}</key>\n            {value}\n"))
        .collect();
    format!("        <dict>\n{pairs}        </dict>\n")
}

/// The package for apps. That of `ios/` is for tests: it links a library of this machine instead.
fn manifest() -> String {
    let major = OLDEST_IOS.split('.').next().unwrap_or(OLDEST_IOS);
    format!(
        r#"// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Gridwalk",
    platforms: [.iOS(.v{major})],
    products: [
        .library(name: "Gridwalk", targets: ["Gridwalk"])
    ],
    targets: [
        .binaryTarget(name: "{HEADER}", path: "{HEADER}.xcframework"),
        // In Swift 5's mode, as code generated for async protocols is not yet up to Swift 6's.
        .target(
            name: "{CORE}",
            dependencies: ["{HEADER}"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [.linkedFramework("Security"), .linkedFramework("CoreFoundation")]
        ),
        .target(name: "Gridwalk", dependencies: ["{CORE}"]),
    ]
)
"#
    )
}

#[cfg(test)]
#[path = "apple_tests.rs"]
mod tests;
