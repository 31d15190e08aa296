//! Files that have grown past reading in one sitting.

use super::texts::Text;

/// Lines a source file may have.
const LIMIT: usize = 600;

/// What counts as source.
const SOURCES: [&str; 11] =
    [".rs", ".mjs", ".js", ".css", ".html", ".kt", ".swift", ".py", ".sh", ".sql", ".cddl"];

/// Files that may be longer, each with the reason.
const LONGER: [(&str, &str); 0] = [];

/// One sentence for each file that is too long, and for each exception that is no longer needed.
pub fn breaches(files: &[Text]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| is_source(&file.path)) {
        let lines = file.content.lines().count();
        if lines > LIMIT && !LONGER.iter().any(|(path, _)| *path == file.path) {
            problems.push(format!("{} has {lines} lines; past {LIMIT} a file wants splitting", file.path));
        }
    }
    for (path, _) in LONGER {
        let still = files.iter().any(|file| file.path == path && file.content.lines().count() > LIMIT);
        if !still {
            problems.push(format!("{path} needs no exception for its length any more"));
        }
    }
    problems
}

fn is_source(path: &str) -> bool {
    // Files under schemas/ are generated or data.
    !path.starts_with("schemas/") && SOURCES.iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str, lines: usize) -> Text {
        Text { path: path.into(), content: "x\n".repeat(lines) }
    }

    #[test]
    fn long_sources_are_named_and_data_is_not() {
        let files = [text("a.rs", 601), text("b.rs", 600), text("c.json", 9000), text("schemas/d.sql", 900)];
        assert_eq!(breaches(&files), ["a.rs has 601 lines; past 600 a file wants splitting"]);
    }
}
