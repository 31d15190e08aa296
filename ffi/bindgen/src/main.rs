#![forbid(unsafe_code)]
//! The `uniffi-bindgen` of exactly the version that [`gridwalk-ffi`](../../src/lib.rs) was built with.
//!
//! Run it inside the workspace, on the built library:
//!
//! ```text
//! cargo run -p gridwalk-bindgen -- generate --language kotlin --no-format --out-dir target/bindings/kotlin \
//!     target/debug/libgridwalk_ffi.so
//! ```

fn main() {
    uniffi::uniffi_bindgen_main();
}
