//! All text files of the checkout that are, or would be, committed.

use std::path::Path;

/// What holds nothing of ours, wherever it is. In a linked worktree `.git` is a file.
const FOREIGN: [&str; 4] = ["target", ".git", "node_modules", "__pycache__"];

/// Further folders that are ignored by git.
const IGNORED: [&str; 4] = ["ios/.build", "ios/Generated", "tests/fuzz/corpus", "tests/fuzz/artifacts"];

/// A text file.
pub struct Text {
    /// Path relative to the checkout, with `/`.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// Reads all text files below the root, in order of their paths. Files that are not UTF-8 are left out.
pub fn read(root: &Path) -> Result<Vec<Text>, String> {
    let mut files = Vec::new();
    visit(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn visit(root: &Path, folder: &str, files: &mut Vec<Text>) -> Result<(), String> {
    let entries = std::fs::read_dir(root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{folder}: {error}"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if FOREIGN.contains(&name.as_str()) {
            continue;
        }
        let kind = entry.file_type().map_err(|error| format!("{path}: {error}"))?;
        if kind.is_dir() {
            if !IGNORED.contains(&path.as_str()) {
                visit(root, &path, files)?;
            }
        } else if kind.is_file()
            && let Ok(content) = std::fs::read_to_string(entry.path())
        {
            files.push(Text { path, content });
        }
    }
    Ok(())
}
