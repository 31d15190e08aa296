//! Real material that tests run on where it is there. Included by path wherever it is used: the product's crates depend
//! on no crate of the tests.
//!
//! It is no part of the repository. It is looked for in the folder that `GRIDWALK_DATA` names, else in `../shared/data`
//! beside the checkout. A test that does not find it proves nothing, so it says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file or folder of the shared data, or `None` after saying that it is not there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = || {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|at| at.join("Cargo.lock").is_file());
        root.map(|root| root.join("../shared/data"))
    };
    let folder = std::env::var_os("GRIDWALK_DATA").map(PathBuf::from).or_else(beside);
    let found = folder.map(|folder| folder.join(path)).filter(|found| found.exists());
    if found.is_none() {
        // Not by `eprintln!`, which the test harness hides when the test passes.
        let _ = writeln!(std::io::stderr(), "shared data absent: not tested ({path})");
    }
    found
}
