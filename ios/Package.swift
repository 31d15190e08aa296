// swift-tools-version: 6.0
import PackageDescription

// The phone core for Swift. `cargo xtask test bindings` writes the generated half under Generated and runs the tests.
let package = Package(
    name: "Gridwalk",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "Gridwalk", targets: ["Gridwalk"])
    ],
    targets: [
        // The C face of the library that the core is built to.
        .systemLibrary(name: "gridwalkFFI", path: "Sources/gridwalkFFI"),
        // What UniFFI generates. In Swift 5's mode, as code generated for async protocols is not yet up to Swift 6's.
        .target(
            name: "GridwalkCore",
            dependencies: ["gridwalkFFI"],
            path: "Generated/GridwalkCore",
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        // The thin layer that the app uses: it brings all of GridwalkCore with it.
        .target(name: "Gridwalk", dependencies: ["GridwalkCore"]),
        // A process that a test kills in the middle of its work.
        .executableTarget(name: "Shift", dependencies: ["Gridwalk"], path: "Tests/Shift"),
        .testTarget(name: "GridwalkTests", dependencies: ["Gridwalk", "Shift"]),
    ]
)
