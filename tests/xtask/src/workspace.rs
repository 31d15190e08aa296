//! Where the checkout is, and where the data to test with may be.

use std::path::{Path, PathBuf};

/// The checkout this program works on.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the root: the folder two above the manifest that `cargo run` names, or the nearest folder
    /// upwards with a workspace manifest. Not compiled in, as checkouts may share a target folder.
    pub fn find() -> Result<Self, String> {
        if let Some(manifest) = std::env::var_os("CARGO_MANIFEST_DIR")
            && let Some(root) = Path::new(&manifest).ancestors().nth(2)
            && is_root(root)
        {
            return Ok(Self { root: root.to_path_buf() });
        }
        let current = std::env::current_dir().map_err(|error| format!("no current folder: {error}"))?;
        match current.ancestors().find(|folder| is_root(folder)) {
            Some(root) => Ok(Self { root: root.to_path_buf() }),
            None => Err("not inside a Gridwalk checkout".into()),
        }
    }

    /// The checkout's root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the checkout.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder of shared test data: `GRIDWALK_DATA`, else `shared/data` beside the checkout. It may be absent.
    pub fn shared_data(&self) -> PathBuf {
        match std::env::var_os("GRIDWALK_DATA") {
            Some(folder) => PathBuf::from(folder),
            None => self.root.join("../shared/data"),
        }
    }
}

fn is_root(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
}
