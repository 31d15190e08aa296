//! Counts panics, the caught ones too: admission catches Automerge's, but should leave it no reason for one.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Once;

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Makes panics of every thread silent and counted. Done once, for the rest of the process.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let payload = info.payload();
            let text = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let short: String = text.chars().take(120).collect();
            SEEN.with(|seen| seen.borrow_mut().push(format!("{place}: {short}")));
        }));
    });
}

/// What came of a piece of work.
#[derive(Debug)]
pub struct Watched<T> {
    /// Its result; `None` if a panic left it.
    pub result: Option<T>,
    /// The panics on the way, caught inside or not.
    pub panics: Vec<String>,
}

/// Runs `work` and tells of every panic in it. Needs [`install`].
pub fn watch<T>(work: impl FnOnce() -> T) -> Watched<T> {
    SEEN.with(|seen| seen.borrow_mut().clear());
    let result = catch_unwind(AssertUnwindSafe(work)).ok();
    Watched { result, panics: SEEN.with(|seen| std::mem::take(&mut *seen.borrow_mut())) }
}

/// Runs `work` and returns the panic that left it. Needs [`install`].
pub fn escaping(work: impl FnOnce()) -> Option<String> {
    catch_unwind(AssertUnwindSafe(work)).err()?;
    Some(SEEN.with(|seen| seen.borrow().last().cloned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_panic_is_counted_and_an_escaped_one_has_no_result() {
        install();
        let caught = watch(|| catch_unwind(|| panic!("inside")).is_err());
        assert_eq!((caught.result, caught.panics.len()), (Some(true), 1));
        assert!(caught.panics[0].ends_with("inside"));
        let escaped = watch(|| panic!("outside"));
        assert!(escaped.result.is_none());
        assert!(watch(|| ()).panics.is_empty());
    }
}
