//! Any bytes, as a change chunk and as the body of one: an answer, never a panic.
#![no_main]

use gridwalk_replica::FlatChange;
use gridwalk_replica::change::seal;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = FlatChange::read(bytes);
    let _ = FlatChange::read(&seal(bytes));
});
