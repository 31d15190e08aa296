//! Any bytes as a request. What can be read can be written and reads the same.
#![no_main]

use gridwalk_replica::frame;
use gridwalk_replica::wire::SyncRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = frame::decode::<SyncRequest>(bytes) {
        let again = frame::encode(&request).and_then(|frame| frame::decode_within(&frame, usize::MAX));
        assert_eq!(again, Ok(request));
    }
});
