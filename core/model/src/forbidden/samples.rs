//! Everything that is committed and that a deployment starts with is looked through: code tables, templates, pages,
//! samples, the sources themselves. Nothing in it asks for what must not be kept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::categories::STARTER_CATEGORIES;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What a build or a test leaves in the folder, and what other projects wrote.
const NOT_OURS: &[&str] = &[
    ".git",
    "target",
    "tests/fuzz/target",
    "tests/fuzz/corpus",
    "tests/fuzz/artifacts",
    "tests/browser/node_modules",
    "android/target",
    "ios/.build",
];

/// Files that name the words in order to refuse them: the list, the tests that try each way in, and what tells users
/// that it is so. A file that only
/// happens to have such a word is worded anew instead.
const ALLOWED: &[&str] = &[
    "CHANGELOG.md",
    "README.md",
    "README.zh-CN.md",
    "core/model/src/forbidden.rs",
    "core/model/src/forbidden/samples.rs",
    "core/model/src/event/file.rs",
    "core/model/src/forms.rs",
    "core/model/src/checklist/tests.rs",
    "core/model/src/validate/tests.rs",
    "sync-server/src/import/tests.rs",
    "sync-server/src/sync/tests/care.rs",
];

/// Words that have an honest use in a text, and none in the name of a field of a record or in a word of a list.
const BARE: &[&str] = &["nation", "risk", "face", "风险"];

/// Place and text of every line below a path, with `/` between folders on every system.
fn lines(path: &Path, out: &mut Vec<(String, String)>) {
    let name: Vec<_> = path
        .strip_prefix(ROOT)
        .unwrap()
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let name = name.join("/");
    if NOT_OURS.contains(&name.as_str()) {
        return;
    }
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| lines(entry, out));
    } else if let Ok(text) = std::fs::read_to_string(path) {
        out.extend(text.lines().map(|line| (name.clone(), line.to_owned())));
    }
}

fn schema_texts() -> Vec<(String, &'static str)> {
    let mut out = Vec::new();
    for kind in Kind::ALL {
        let schema = kind.schema();
        out.extend([schema.tag, schema.zh, schema.en].map(|text| (schema.tag.to_owned(), text)));
        for field in schema.fields {
            let words = field.words.iter().flat_map(|word| [word.word, word.zh, word.en]);
            let all = [field.name, field.zh, field.en].into_iter().chain(words);
            out.extend(all.map(|text| (format!("{}.{}", schema.tag, field.name), text)));
        }
    }
    out
}

#[test]
fn no_record_and_no_starter_category_has_a_name_for_it() {
    let schema = schema_texts();
    assert!(schema.len() > 500, "the tables were looked through");
    for (place, text) in schema {
        assert_eq!(find(text), None, "{place}");
        let text = text.to_lowercase();
        assert!(!BARE.iter().any(|word| text.contains(word)), "{place}: {text}");
    }
    for category in STARTER_CATEGORIES {
        for text in [category.code, category.zh, category.en, category.group_zh, category.group_en] {
            assert_eq!(find(text), None, "{}", category.code);
        }
    }
    let asked = crate::visits::form::STARTER_FORMS.to_lowercase();
    assert!(!["nation", "risk", "风险"].iter().any(|word| asked.contains(word)), "forms of visits");
}

#[test]
fn nothing_that_is_committed_asks_for_it() {
    let mut all = Vec::new();
    lines(Path::new(ROOT), &mut all);
    assert!(all.iter().any(|(file, _)| file == "sync-server/src/import/columns.rs"));
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for (file, line) in &all {
        let Some(word) = find(line) else { continue };
        match ALLOWED.iter().find(|allowed| *allowed == file) {
            Some(allowed) => used.extend([allowed]),
            None => found.push(format!("{file} has `{word}`: {line}")),
        }
    }
    assert_eq!(found, Vec::<String>::new());
    // A file that needs no exception any more has none.
    assert_eq!(used, ALLOWED.iter().collect());
}

/// The check above can fail.
#[test]
fn a_sample_that_asks_for_it_is_found_wherever_it_stands() {
    for line in [
        r#"    may("tags", &["标签", "特殊人群"]),"#,
        r#"<label>Religion <input name="religion"></label>"#,
        r#"{"id": "ethnic_group", "zh": "民族"}"#,
        r#"{"word": "hui", "zh": "回族"}"#,
        r#"    ("是否党员", false),"#,
        "// a resident who petitions",
    ] {
        assert!(find(line).is_some(), "{line}");
    }
    for line in ["// repetitions between records", "fair competition between shops"] {
        assert_eq!(find(line), None, "{line}");
    }
}
