//! Every asynchronous call of the FFI face names the runtime that it runs on. Without one, UniFFI polls it on whatever
//! thread the other side happens to wait on, and the first timer or socket in it panics there.

use super::scrub::{end_of_item, without_comments_and_strings};
use super::texts::Text;

/// Where exports are.
const FACE: &str = "ffi/src/";
const EXPORT: &str = "#[uniffi::export";
const RUNTIME: &str = "async_runtime = \"tokio\"";
/// Traits that the other side implements run on its own threads.
const FOREIGN: &str = "(foreign)";

/// One sentence for each export with an asynchronous call and no runtime.
pub fn breaches(files: &[Text]) -> Vec<String> {
    let sources = files.iter().filter(|file| file.path.starts_with(FACE) && file.path.ends_with(".rs"));
    sources.flat_map(of_file).collect()
}

fn of_file(file: &Text) -> Vec<String> {
    let code = without_comments_and_strings(&file.content);
    let mut problems = Vec::new();
    let mut start = 0;
    for (at, (line, raw)) in code.split_inclusive('\n').zip(file.content.lines()).enumerate() {
        if line.trim_start().starts_with(EXPORT) {
            let rest = code.get(start..).unwrap_or_default();
            let item = rest.get(..end_of_item(rest)).unwrap_or(rest);
            if item.contains("async fn") && !raw.contains(RUNTIME) && !raw.contains(FOREIGN) {
                problems.push(format!("{}:{} exports `async fn` without {RUNTIME}", file.path, at + 1));
            }
        }
        start += line.len();
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: &str) -> Vec<String> {
        breaches(&[Text { path: "ffi/src/a.rs".into(), content: content.into() }])
    }

    #[test]
    fn an_asynchronous_export_without_a_runtime_is_named() {
        let wrong = "/// 说明 async fn\n#[uniffi::export]\nimpl Device {\n    pub async fn x(&self) {}\n}\n";
        assert_eq!(found(wrong), ["ffi/src/a.rs:2 exports `async fn` without async_runtime = \"tokio\""]);
        let function = "fn a() {}\n#[uniffi::export(name = \"y\")]\npub async fn x() {}\n";
        assert_eq!(found(function).len(), 1);
        let in_a_macro = "macro_rules! m {\n    () => {\n        #[uniffi::export]\n        impl D { async fn $x() {} }\n    };\n}\n";
        assert_eq!(found(in_a_macro).len(), 1);
    }

    #[test]
    fn exports_with_one_and_those_that_need_none_pass() {
        let right = "#[uniffi::export(async_runtime = \"tokio\")]\nimpl Device { async fn x() {} }\n";
        assert_eq!(found(right), Vec::<String>::new());
        let plain = "#[uniffi::export]\nimpl Device { fn now() {} }\nimpl Device { async fn inner() {} }\n";
        assert_eq!(found(plain), Vec::<String>::new());
        let foreign = "#[uniffi::export(foreign)]\npub trait KeyStore { async fn wrap(&self); }\n";
        assert_eq!(found(foreign), Vec::<String>::new());
    }
}
