use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, Kind, Timestamp, Value};
use gridwalk_replica::protocol::{
    EnrolRequest, Enrolled, NonceRequest, ProtocolError, Token, TokenRequest, token_message,
};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};

use super::account::{
    SESSION_IDLE_MS, SESSION_LIFE_MS, begin_session, check_password, create_signin_link, end_session,
    hash_password, note_failure, redeem_link, session, set_account, touch,
};
use super::enrolment::{CODE_LIFE_MS, Redeemed, create_code, redeem};
use super::token::{TOKEN_SECONDS, Tokens};
use super::{AccessError, staff};
use crate::edit;
use crate::sync::SyncError;
use crate::testing::World;

fn key(byte: u8) -> SigningKey {
    SigningKey::from_slice(&[byte; 32]).unwrap()
}

fn enrol(world: &World, code: &str, key: &SigningKey) -> Result<Redeemed, AccessError> {
    let public = key.verifying_key().to_sec1_point(false);
    let request = EnrolRequest {
        code: code.to_owned(),
        public_key: public.as_bytes().to_vec().into(),
        label: "测试\u{7}手机".to_owned(),
    };
    world.store().update(|tx| redeem(tx, &request, world.now(), &*world.entropy))
}

fn code(world: &World, person: gridwalk_model::RecordId) -> String {
    world
        .store()
        .update(|tx| create_code(tx, "test", person, CODE_LIFE_MS, world.now(), &*world.entropy))
        .unwrap()
}

fn enrolled(world: &World) -> (Enrolled, SigningKey) {
    let person = world.person("甲", &[Role::Gridworker]);
    let key = key(1);
    match enrol(world, &code(world, person), &key).unwrap() {
        Redeemed::Yes(enrolled) => (enrolled, key),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_answers_alike_for_one_key_and_alarms_for_another() {
    let world = World::new();
    let person = world.person("甲", &[Role::Gridworker]);
    let code = code(&world, person);
    let Redeemed::Yes(first) = enrol(&world, &code, &key(1)).unwrap() else { panic!() };
    assert_eq!((*first.user, first.user_name.as_str()), (*person.as_bytes(), "甲"));
    assert_eq!(enrol(&world, &code, &key(1)).unwrap(), Redeemed::Yes(first.clone()));
    assert_eq!(enrol(&world, &code, &key(2)).unwrap(), Redeemed::OtherKey);
    let alarms = world.store().view(|tx| tx.alarms(10)).unwrap();
    assert_eq!(alarms[0].action, "enrolment.other_key");
    let devices = world.store().view(|tx| tx.devices()).unwrap();
    assert_eq!((devices.len(), devices[0].label.as_str()), (1, "测试手机"));
    world.clock.advance(CODE_LIFE_MS);
    assert_eq!(enrol(&world, &code, &key(1)).unwrap(), Redeemed::Invalid, "its life is over");
    assert_eq!(enrol(&world, "made up", &key(1)).unwrap(), Redeemed::Invalid);
}

#[test]
fn enrolment_is_listed_in_the_staff_directory() {
    let world = World::new();
    let (enrolled, _) = enrolled(&world);
    let device = DeviceId::from_slice(&enrolled.device).unwrap();
    let person = gridwalk_model::RecordId::from_bytes(*enrolled.user);
    let (head, document) =
        world.store().view(|tx| edit::read(tx, person)).unwrap().expect("the directory lacks the person");
    assert_eq!(head.kind, Kind::Worker.tag());
    assert_eq!(document.get("name"), Some(Value::from("甲")));
    assert_eq!(document.get(&format!("devices/{device}")), Some(Value::Flag(true)));
    let mut colleague = world.worker("乙", &[]);
    colleague.sync(&world);
    assert!(colleague.records.contains_key(&person), "the directory is in the common stream");
}

#[test]
fn a_key_that_is_none_is_refused() {
    let world = World::new();
    let person = world.person("甲", &[]);
    let code = code(&world, person);
    for public_key in [vec![], vec![4; 65], vec![0; 33]] {
        let request =
            EnrolRequest { code: code.clone(), public_key: public_key.into(), label: String::new() };
        let refused = world.store().update(|tx| redeem(tx, &request, world.now(), &*world.entropy));
        assert!(matches!(refused, Err(AccessError::BadKey)));
    }
}

fn sign(tokens: &Tokens, world: &World, device: &[u8], key: &SigningKey) -> TokenRequest {
    let request = NonceRequest { device: device.to_vec().into() };
    let nonce = tokens.nonce(&request, world.now(), &*world.entropy).unwrap().nonce;
    let signature: Signature = key.sign(&token_message(device, &nonce));
    TokenRequest { device: device.to_vec().into(), nonce, signature: signature.to_bytes().to_vec().into() }
}

fn ask(tokens: &Tokens, world: &World, request: &TokenRequest) -> Result<Token, ProtocolError> {
    let answered: Result<Token, SyncError> = world.store().view(|tx| tokens.token(tx, request, world.now()));
    answered.map_err(ProtocolError::from)
}

#[test]
fn a_signed_nonce_buys_one_token_for_a_while() {
    let world = World::new();
    let tokens = Tokens::new(&*world.entropy).unwrap();
    let (enrolled, key) = enrolled(&world);
    let request = sign(&tokens, &world, &enrolled.device, &key);
    let token = ask(&tokens, &world, &request).unwrap();
    assert_eq!(token.seconds, TOKEN_SECONDS);
    let device = DeviceId::from_slice(&enrolled.device).unwrap();
    assert_eq!(tokens.check(&token.token, world.now()), Ok(device));
    assert_eq!(ask(&tokens, &world, &request), Err(ProtocolError::Unauthorized), "a nonce is good once");
    let late = world.now().plus_millis(i64::from(TOKEN_SECONDS) * 1_000);
    assert_eq!(tokens.check(&token.token, late), Err(ProtocolError::Unauthorized));
    let other = Tokens::new(&*world.entropy).unwrap();
    assert_eq!(other.check(&token.token, world.now()), Err(ProtocolError::Unauthorized), "another process");
    for bad in ["", "x", &token.token[1..], &format!("{}A", token.token)] {
        assert_eq!(tokens.check(bad, world.now()), Err(ProtocolError::Unauthorized));
    }
}

#[test]
fn whatever_is_wrong_with_a_proof_answers_alike() {
    let world = World::new();
    let tokens = Tokens::new(&*world.entropy).unwrap();
    let (enrolled, right) = enrolled(&world);
    let wrong_key = sign(&tokens, &world, &enrolled.device, &key(2));
    let unknown = sign(&tokens, &world, &[9; 12], &right);
    let mut moved = sign(&tokens, &world, &enrolled.device, &right);
    moved.device = vec![9; 12].into();
    let mut made_up = sign(&tokens, &world, &enrolled.device, &right);
    made_up.nonce = vec![0; 32].into();
    let mut short = sign(&tokens, &world, &enrolled.device, &right);
    short.nonce = vec![0; 5].into();
    let late = sign(&tokens, &world, &enrolled.device, &right);
    for request in [wrong_key, unknown, moved, made_up, short] {
        assert_eq!(ask(&tokens, &world, &request), Err(ProtocolError::Unauthorized));
    }
    world.clock.advance(60_001);
    assert_eq!(ask(&tokens, &world, &late), Err(ProtocolError::Unauthorized));
}

#[test]
fn a_device_that_is_to_wipe_itself_is_told_so() {
    let world = World::new();
    let tokens = Tokens::new(&*world.entropy).unwrap();
    let (enrolled, key) = enrolled(&world);
    let device = DeviceId::from_slice(&enrolled.device).unwrap();
    let lock = |wipe| {
        world.store().update(|tx| staff::revoke_device(tx, "test", device, wipe, world.now())).unwrap();
    };
    lock(false);
    let request = sign(&tokens, &world, &enrolled.device, &key);
    assert!(ask(&tokens, &world, &request).is_ok(), "it may still hand in its work");
    lock(true);
    let request = sign(&tokens, &world, &enrolled.device, &key);
    assert_eq!(ask(&tokens, &world, &request), Err(ProtocolError::Revoked { wipe: true }));
}

#[test]
fn a_link_opens_one_session_once() {
    let world = World::new();
    let person = world.person("管理员", &[Role::Administrator]);
    let link = world
        .store()
        .update(|tx| create_signin_link(tx, "test", person, world.now(), &*world.entropy))
        .unwrap();
    let redeem = |link: &str| world.store().update(|tx| redeem_link(tx, link, world.now(), &*world.entropy));
    let begun = redeem(&link).unwrap();
    assert!(matches!(redeem(&link), Err(AccessError::NotFound)));
    let found = |now: Timestamp| world.store().view(|tx| session(tx, &begun.cookie, now)).unwrap();
    let (row, _, stale) = found(world.now()).unwrap();
    assert_eq!((row.id, stale), (person, false));
    assert!(found(world.now().plus_millis(61_000)).unwrap().2);
    assert!(found(world.now().plus_millis(SESSION_IDLE_MS + 1)).is_none());
    let mut now = world.now();
    while now.millis() - world.now().millis() <= SESSION_LIFE_MS {
        world.store().update(|tx| touch(tx, &begun.cookie, now)).unwrap();
        now = now.plus_millis(SESSION_IDLE_MS);
    }
    assert!(found(now).is_none(), "a session in use ends as well");
    world.store().update(|tx| end_session(tx, &begun.cookie)).unwrap();
    assert!(found(world.now()).is_none());
}

#[test]
fn wrong_passwords_make_the_account_wait_longer_each_time() {
    let world = World::new();
    let person = world.person("甲", &[Role::Dispatcher]);
    let hash = hash_password("一个很长很长的密码句子", &*world.entropy).unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    world.store().update(|tx| set_account(tx, person, "jia", &hash, world.now())).unwrap();
    let row = || world.store().view(|tx| tx.person_by_login("jia")).unwrap();
    assert!(check_password(row().as_ref(), "一个很长很长的密码句子", world.now()).is_ok());
    assert!(matches!(check_password(row().as_ref(), "错", world.now()), Err(AccessError::NotFound)));
    assert!(matches!(check_password(None, "错", world.now()), Err(AccessError::NotFound)));
    let mut waits = Vec::new();
    for _ in 0..8 {
        world.store().update(|tx| note_failure(tx, "jia", world.now())).unwrap();
        waits.push((row().unwrap().locked_until.millis() - world.now().millis()) / 1_000);
    }
    assert_eq!(waits, [0, 0, 0, 0, 2, 4, 8, 16]);
    let locked = check_password(row().as_ref(), "一个很长很长的密码句子", world.now());
    assert!(matches!(locked, Err(AccessError::Locked { seconds: 17 })));
    let person = row().unwrap();
    world.store().update(|tx| begin_session(tx, &person, world.now(), &*world.entropy)).unwrap();
    assert_eq!(row().unwrap().failures, 0);
}

#[test]
fn accounts_are_distinct_and_passwords_long() {
    let world = World::new();
    let (a, b) = (world.person("甲", &[]), world.person("乙", &[]));
    assert!(matches!(hash_password("短", &*world.entropy), Err(AccessError::BadAccount(_))));
    let set =
        |person, login: &str| world.store().update(|tx| set_account(tx, person, login, "hash", world.now()));
    set(a, "jia").unwrap();
    assert!(matches!(set(b, "jia"), Err(AccessError::BadAccount(_))));
    assert!(matches!(set(b, ""), Err(AccessError::BadAccount(_))));
    set(a, "jia").unwrap();
}

#[test]
fn every_device_gets_a_code_of_its_own_for_event_numbers() {
    use std::collections::BTreeSet;

    use gridwalk_model::event::number::EventNumber;
    let world = World::new();
    let person = world.person("甲", &[Role::Gridworker]);
    let mut codes = BTreeSet::new();
    for n in 1..40u8 {
        let code = code(&world, person);
        let mut answers = Vec::new();
        for _ in 0..2 {
            let Redeemed::Yes(enrolled) = enrol(&world, &code, &key(n)).unwrap() else {
                panic!("not enrolled")
            };
            answers.push(enrolled.device_code.unwrap());
        }
        assert_eq!(answers[0], answers[1], "a lost answer");
        assert!(EventNumber::new(&answers[0], jiff::civil::date(2026, 1, 1), 1).is_ok());
        assert!(codes.insert(answers.remove(0)));
    }
}
