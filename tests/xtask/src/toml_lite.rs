//! The little TOML this program needs: `key = value` and arrays of strings inside a named table.
//!
//! A real TOML library would be most of this program's compile time. Whatever this reader does not understand
//! it does not find, and its callers treat "not found" as a failure.

/// The strings of `key = ["…", …]` in table `[table]`, over one or several lines; `None` if there is none.
pub fn string_array(text: &str, table: &str, key: &str) -> Option<Vec<String>> {
    let value = raw_value(text, table, key)?;
    let inner = value.strip_prefix('[')?;
    let mut strings = Vec::new();
    let mut rest = inner;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.starts_with(']') {
            return Some(strings);
        }
        let (string, after) = rest.strip_prefix('"')?.split_once('"')?;
        strings.push(string.to_string());
        rest = after;
    }
}

/// Whether table `[table]` says `key = expected`, with `expected` written as in the file.
pub fn says(text: &str, table: &str, key: &str, expected: &str) -> bool {
    raw_value(text, table, key).is_some_and(|value| value.lines().next().map(str::trim) == Some(expected))
}

/// Everything after `key =` in the table, comments removed, up to the table's end.
fn raw_value(text: &str, table: &str, key: &str) -> Option<String> {
    let header = format!("[{table}]");
    let mut lines = text.lines().map(without_comment).skip_while(|line| line.trim() != header).skip(1);
    let first = lines.by_ref().take_while(|line| !is_header(line)).find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().to_string())
    })?;
    let rest: Vec<&str> = lines.take_while(|line| !is_header(line)).collect();
    Some(format!("{first}\n{}", rest.join("\n")))
}

fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('[') && line.ends_with(']') && !line.contains('"')
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
[graph]
targets = ["a", "b"] # two
[licenses]
version = 2
allow = [
    "MIT", # "not this"
    "Apache-2.0 WITH LLVM-exception",
]
confidence-threshold = 0.9
[lints]
workspace = true
"#;

    #[test]
    fn arrays_are_read_over_lines_and_without_comments() {
        assert_eq!(string_array(SAMPLE, "graph", "targets"), Some(vec!["a".into(), "b".into()]));
        let allow = vec!["MIT".to_string(), "Apache-2.0 WITH LLVM-exception".to_string()];
        assert_eq!(string_array(SAMPLE, "licenses", "allow"), Some(allow));
    }

    #[test]
    fn a_key_of_another_table_is_not_found() {
        assert_eq!(string_array(SAMPLE, "graph", "allow"), None);
        assert_eq!(string_array(SAMPLE, "nothing", "allow"), None);
        assert_eq!(string_array(SAMPLE, "licenses", "version"), None);
        assert!(says(SAMPLE, "lints", "workspace", "true"));
        assert!(!says(SAMPLE, "graph", "workspace", "true"));
    }
}
