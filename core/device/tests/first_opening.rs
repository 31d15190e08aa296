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
    let (folder, at_once) = (&folder, &at_once);
    let open = |n: u8| {
        let config = StoreConfig {
            location: StoreLocation::Folder(folder.path().join(n.to_string())),
            encryption: Encryption::Key(DataKey::from_slice(&[n; 32]).unwrap()),
            faults: Faults::none(),
        };
        at_once.wait();
        Store::open(config, Box::new(SeededEntropy::new(u64::from(n)))).map(drop)
    };
    thread::scope(|scope| {
        let opening: Vec<_> = (0..STORES).map(|n| scope.spawn(move || open(n))).collect();
        // One by one: the scope alone waits for what they do, not for their end, by which OpenSSL lets go of them.
        opening.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
    });
}
