//! Files that builds look at.

use std::path::Path;

/// Writes a file, with the folders above it, unless it is there and the same: what is built from it is built again
/// whenever it is newer.
pub fn write_unless_same(file: &Path, content: &[u8]) -> Result<(), String> {
    if std::fs::read(file).is_ok_and(|found| found == content) {
        return Ok(());
    }
    let folder = file.parent().ok_or_else(|| format!("{} lies in no folder", file.display()))?;
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, content))
        .map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_is_the_same_is_not_written_again() {
        let scratch = Scratch::new("unless-same");
        let file = scratch.path().join("in/a");
        let written = || std::fs::metadata(&file).unwrap().modified().unwrap();
        write_unless_same(&file, b"one").unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        std::fs::File::open(&file).unwrap().set_modified(long_ago).unwrap();
        write_unless_same(&file, b"one").unwrap();
        assert_eq!(written(), long_ago);
        write_unless_same(&file, b"two").unwrap();
        assert_ne!(written(), long_ago);
        assert_eq!(scratch.text("in/a"), "two");
    }
}
