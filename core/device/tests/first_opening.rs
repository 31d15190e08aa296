//! Several stores that are the first of their process, at the same moment. The only test here: a process has one first
//! moment.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Barrier;
use std::thread;

use gridwalk_device::{DataKey, Encryption, Faults, SeededEntropy, Store, StoreConfig, StoreLocation};

#[test]
fn the_first_stores_of_a_process_open_at_the_same_moment() {
    const STORES: u8 = 16;
    let folder = tempfile::tempdir().unwrap();
    let at_once = Barrier::new(usize::from(STORES));
    thread::scope(|scope| {
        for n in 0..STORES {
            let (folder, at_once) = (folder.path().join(n.to_string()), &at_once);
            scope.spawn(move || {
                let config = StoreConfig {
                    location: StoreLocation::Folder(folder),
                    encryption: Encryption::Key(DataKey::from_slice(&[n; 32]).unwrap()),
                    faults: Faults::none(),
                };
                at_once.wait();
                Store::open(config, Box::new(SeededEntropy::new(u64::from(n)))).unwrap();
            });
        }
    });
}
