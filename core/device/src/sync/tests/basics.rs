//! The ordinary day: push, pull, receipts, pages, removals.

use gridwalk_model::records::{Dwelling, Resident};

use crate::sync::{Engine, EngineConfig};
use crate::testkit::{self, Script, at, dwelling, fields, resident, store, stream};

fn engine() -> Engine {
    Engine::new(EngineConfig::default())
}

#[test]
fn what_one_phone_writes_the_other_reads() {
    let mut server = Script::new();
    let (mut a, mut b) = (store(1), store(2));
    let (mut ea, mut eb) = (engine(), engine());
    server.sync(&mut ea, &mut a, at(0));
    server.sync(&mut eb, &mut b, at(0));
    let home = a.create(&dwelling("3号楼", "501"), at(10)).unwrap();
    let person = a.create(&resident("张三丰", "13800001234"), at(11)).unwrap();
    assert_eq!(a.totals().unwrap().changes.count, 2);
    server.sync(&mut ea, &mut a, at(20));
    assert_eq!(a.totals().unwrap().changes.count, 0);
    assert_eq!(a.totals().unwrap().kept, 2, "kept until a backup holds them");
    server.sync(&mut eb, &mut b, at(30));
    assert_eq!(b.get::<Dwelling>(home).unwrap().unwrap().record.room.as_deref(), Some("501"));
    assert_eq!(b.get::<Resident>(person).unwrap().unwrap().record.name, "张三丰");
    assert_eq!(a.fingerprints(&stream()).unwrap(), b.fingerprints(&stream()).unwrap());
    b.edit(home, &fields(&[("remarks", "门口有灭火器")]), at(40)).unwrap();
    server.sync(&mut eb, &mut b, at(41));
    server.sync(&mut ea, &mut a, at(50));
    let read = a.get::<Dwelling>(home).unwrap().unwrap();
    assert_eq!(read.record.remarks.as_deref(), Some("门口有灭火器"));
    assert!(!read.state.waiting && !read.state.conflict);
    testkit::check_digests(&a);
    testkit::check_digests(&b);
    server.backed_up_through = server.commit;
    server.sync(&mut ea, &mut a, at(60));
    assert_eq!(a.totals().unwrap().kept, 0);
}
