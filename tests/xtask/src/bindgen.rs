//! How bindings are generated from a built library.

/// The library that they are of, without `lib` and ending.
pub const LIBRARY: &str = "gridwalk_ffi";

/// The program, and the package, that generates them.
pub const PROGRAM: &str = "gridwalk-bindgen";

/// What the program is told: a language, the folder that the code goes into, and the library.
pub fn arguments(language: &str, folder: &str, library: &str) -> [String; 7] {
    ["generate", "--no-format", "--language", language, "--out-dir", folder, library].map(String::from)
}
