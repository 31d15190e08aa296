//! Any bytes as the body of a change to an existing record: whatever is accepted can be loaded again.
#![no_main]

use std::sync::LazyLock;

use gridwalk_model::policy::{Role, Sender};
use gridwalk_model::{DeviceId, Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::admission::{Origin, admit};
use gridwalk_replica::change::seal;
use gridwalk_replica::{Actor, Document};
use libfuzzer_sys::fuzz_target;

const RECORD: RecordId = RecordId::from_bytes([7; 16]);
const DEVICE: DeviceId = DeviceId::from_bytes([1; 12]);

static BASE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let fields = Fields::from([("dwelling".to_owned(), Value::from(RecordId::from_bytes([8; 16])))]);
    let author = Actor::new(DEVICE, [0, 0, 0, 1]);
    let (document, _) =
        Document::create(RECORD, Kind::Household, &fields, author, Timestamp::from_millis(1)).expect("made");
    document.save()
});

fuzz_target!(|body: &[u8]| {
    let sender = Sender::Person { user: RecordId::from_bytes([2; 16]), roles: &[Role::Gridworker] };
    let raw = seal(body);
    for origin in [Origin::Device { device: DEVICE, sender }, Origin::Server] {
        let admission = admit(RECORD, Kind::Household.tag(), Some(&BASE), &[&raw], &origin);
        if let Some(admitted) = admission.admitted {
            assert_eq!(Document::load(&admitted.snapshot).expect("loadable").heads(), admitted.heads);
        }
    }
});
