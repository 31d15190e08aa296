//! A folder of a test's own, removed in the end.

use std::path::{Path, PathBuf};

/// The folder.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one; names of tests that run at once must differ.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gridwalk-xtask-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The text of a file in it.
    pub fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Writes a file with the folders above it.
    pub fn write(&self, file: &str, content: &[u8]) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// All files in it, as sorted relative paths.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        visit(&self.0, "", &mut files);
        files.sort();
        files
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn visit(root: &Path, folder: &str, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(folder)).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.path().is_dir() { visit(root, &path, files) } else { files.push(path) }
    }
}
