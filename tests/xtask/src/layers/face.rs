//! Every call of the phone core's facade can be reached through the FFI face, so that a shell lacks none. A call that is
//! left out on purpose stands here with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::scrub::without_comments_and_strings;
use super::texts::Text;

/// Where the facade is.
const FACADE: &str = "core/device/src/device/";
/// Its calls stand in these.
const BLOCK: &str = "impl Device {";
/// Where exports are.
const FACE: &str = "ffi/src/";
/// What a call is made on, there.
const CALLED_ON: [&str; 2] = ["core.", "CoreDevice::"];

const TYPED: &str = "typed; the face has it for fields by name";
/// Calls that no shell needs, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    ("create", TYPED),
    ("read_sensitive", TYPED),
    ("read_sensitive_linked", TYPED),
    ("read_sensitive_list", TYPED),
];

/// One sentence for each call that is missing, and for each exception that is none.
pub fn breaches(files: &[Text]) -> Vec<String> {
    let within = |folder: &str| {
        let sources = files.iter().filter(|file| file.path.starts_with(folder) && file.path.ends_with(".rs"));
        sources
            .map(|file| (file.path.clone(), without_comments_and_strings(&file.content)))
            .collect::<Vec<_>>()
    };
    let calls: BTreeMap<String, String> = within(FACADE)
        .iter()
        .flat_map(|(path, code)| offered(code).into_iter().map(|call| (call, path.clone())))
        .collect();
    let called: BTreeSet<String> = within(FACE).iter().flat_map(|(_, code)| used(code)).collect();
    compare(&calls, &called, &LEFT_OUT)
}

fn compare(
    calls: &BTreeMap<String, String>,
    called: &BTreeSet<String>,
    left_out: &[(&str, &str)],
) -> Vec<String> {
    let excepted = |call: &str| left_out.iter().any(|(name, _)| *name == call);
    let missing = calls.iter().filter(|(call, _)| !called.contains(*call) && !excepted(call));
    let mut problems: Vec<String> = missing
        .map(|(call, path)| format!("{path}: `Device::{call}` is not reachable through {FACE}"))
        .collect();
    let idle = left_out.iter().filter(|(call, _)| !calls.contains_key(*call) || called.contains(*call));
    problems.extend(idle.map(|(call, _)| format!("{FACE}: `{call}` need not be excepted any more")));
    problems
}

/// The public calls of the facade's blocks in one file.
fn offered(code: &str) -> Vec<String> {
    let mut inside = false;
    let mut calls = Vec::new();
    for line in code.lines() {
        match line {
            BLOCK => inside = true,
            "}" => inside = false,
            _ if inside => {
                let rest =
                    line.strip_prefix("    pub async fn ").or_else(|| line.strip_prefix("    pub fn "));
                calls.extend(rest.map(name_at_start));
            }
            _ => {}
        }
    }
    calls
}

/// The names that one file calls on the core's device.
fn used(code: &str) -> Vec<String> {
    let after = |on: &'static str| code.split(on).skip(1).map(name_at_start);
    CALLED_ON.into_iter().flat_map(after).collect()
}

fn name_at_start(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "impl Options {\n    pub fn host() {}\n}\nimpl Device {\n    /// pub fn told()\n    \
                        pub async fn save<T>(\n    ) {}\n    pub fn now(&self) {}\n    fn inner() {}\n    \
                        pub(crate) fn own() {}\n}\n";

    fn text(path: &str, content: &str) -> Text {
        Text { path: path.into(), content: content.into() }
    }

    #[test]
    fn the_public_calls_of_the_facade_are_found() {
        assert_eq!(offered(&without_comments_and_strings(CORE)), ["save", "now"]);
    }

    #[test]
    fn a_call_that_no_export_makes_is_named() {
        let core = text("core/device/src/device/a.rs", CORE);
        let face = text("ffi/src/a.rs", "// core.now()\nasync move |core| core.save::<X>(1).await\n");
        let missing = "core/device/src/device/a.rs: `Device::now` is not reachable through ffi/src/";
        assert!(breaches(&[core, face]).contains(&missing.to_owned()));
    }

    #[test]
    fn exceptions_hold_as_long_as_they_are_needed() {
        let calls = BTreeMap::from([("a".to_owned(), "p".to_owned()), ("b".to_owned(), "p".to_owned())]);
        let called = BTreeSet::from(["a".to_owned()]);
        assert_eq!(compare(&calls, &called, &[("b", "reason")]), Vec::<String>::new());
        assert_eq!(compare(&calls, &called, &[("b", ""), ("a", ""), ("c", "")]).len(), 2);
    }
}
