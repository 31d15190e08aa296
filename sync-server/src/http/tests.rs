use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, Kind};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::protocol::{
    EnrolRequest, Enrolled, MissingRequest, Nonce, NonceRequest, ProtocolError, Token, TokenRequest, path,
    token_message,
};
use gridwalk_replica::wire::{SyncRequest, SyncResponse};
use gridwalk_replica::{frame, limits};
use minicbor::{Decode, Encode};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use tower::ServiceExt as _;

use super::router;
use crate::access::enrolment::{CODE_LIFE_MS, create_code};
use crate::config::{Config, Rate};
use crate::state::AppState;
use crate::testing::{Phone, World};

/// The routes over a store in memory.
struct Site {
    world: World,
    state: AppState,
    router: Router,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Site {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let world = World::new();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path());
        change(&mut config);
        let storage = Arc::clone(&world.storage);
        let state =
            AppState::new(config, storage, Arc::clone(&world.clock) as _, Arc::clone(&world.entropy) as _)
                .unwrap();
        Self { world, router: router(state.clone()), state, _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn post(&self, path: &str, token: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::post(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn call<Q: Encode<()>, A: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        token: &str,
        request: &Q,
    ) -> Result<A, ProtocolError> {
        let answer = self.post(path, token, frame::encode(request).unwrap()).await;
        if answer.status.is_success() {
            Ok(frame::decode(&answer.body).unwrap())
        } else {
            Err(answer.error())
        }
    }

    fn token(&self, device: DeviceId) -> String {
        self.state.tokens.issue(device, self.world.now())
    }

    async fn sync(&self, phone: &mut Phone) -> SyncResponse {
        let request = phone.build(phone.home());
        let token = self.token(phone.device);
        let response = self.call(path::SYNC, &token, &request).await.unwrap();
        phone.apply(&response);
        response
    }
}

impl Answer {
    fn error(&self) -> ProtocolError {
        let error: ProtocolError = frame::decode(&self.body).unwrap();
        let limited = self.status == StatusCode::TOO_MANY_REQUESTS;
        assert!(limited || error.status() == self.status.as_u16(), "{error}");
        error
    }
}

#[tokio::test]
async fn a_device_enrols_proves_itself_and_syncs() {
    let site = Site::new();
    let (world, area) = (&site.world, site.world.area("g1"));
    let person = world.person("甲", &[Role::Gridworker]);
    world.grant(person, area, gridwalk_model::AccessClass::Base);
    let code = world
        .store()
        .update(|tx| create_code(tx, "test", person, CODE_LIFE_MS, world.now(), &*world.entropy))
        .unwrap();
    let key = SigningKey::from_slice(&[1; 32]).unwrap();
    let request = EnrolRequest {
        code,
        public_key: key.verifying_key().to_sec1_point(false).as_bytes().to_vec().into(),
        label: "phone".to_owned(),
    };
    let enrolled: Enrolled = site.call(path::ENROL, "", &request).await.unwrap();
    let again: Enrolled = site.call(path::ENROL, "", &request).await.unwrap();
    assert_eq!(enrolled, again);
    let device = enrolled.device.clone();
    let nonce: Nonce = site.call(path::NONCE, "", &NonceRequest { device: device.clone() }).await.unwrap();
    let signature: Signature = key.sign(&token_message(&device, &nonce.nonce));
    let proof = TokenRequest { device, nonce: nonce.nonce, signature: signature.to_bytes().to_vec().into() };
    let token: Token = site.call(path::TOKEN, "", &proof).await.unwrap();
    let request = SyncRequest {
        protocol_min: 1,
        protocol_max: 1,
        schema: 1,
        epoch: None,
        cursors: Vec::new(),
        max_bytes: 1 << 20,
        pushes: Vec::new(),
        compare: None,
        seen: None,
        notes: None,
    };
    let response: SyncResponse = site.call(path::SYNC, &token.token, &request).await.unwrap();
    assert_eq!(response.grants.unwrap().len(), 3);
    let asked = MissingRequest { hashes: vec![vec![1; 32].into()] };
    let missing: gridwalk_replica::protocol::Missing =
        site.call(path::MISSING, &token.token, &asked).await.unwrap();
    assert_eq!((missing.missing.len(), missing.stored.len()), (1, 0));
}

#[tokio::test]
async fn two_phones_agree_over_http() {
    let site = Site::new();
    let area = site.world.area("g1");
    let mut a = site.world.worker("甲", &[area]);
    let mut b = site.world.worker("乙", &[area]);
    site.sync(&mut a).await;
    site.sync(&mut b).await;
    for room in 0..50 {
        let fields = [("area", area.into()), ("room", format!("{room}").into())];
        a.create(&site.world, Kind::Dwelling, &fields);
    }
    let response = site.sync(&mut a).await;
    assert!(response.verdicts.concat().iter().all(|verdict| *verdict == Verdict::Accepted));
    site.sync(&mut b).await;
    assert_eq!(a.records.len(), b.records.len());
    let text = site.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let text = String::from_utf8(text.body).unwrap();
    assert!(text.contains("gridwalk_changes_total{verdict=\"accepted\"} 50"), "{text}");
    assert!(!text.contains('甲'));
}

#[tokio::test]
async fn strangers_are_refused_before_their_body_is_read() {
    let site = Site::new();
    for path in [path::SYNC, path::MISSING] {
        for token in ["", "made-up", "a.b.c"] {
            let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
            let request = Request::post(path)
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::from_stream(endless))
                .unwrap();
            let answer = site.send(request).await;
            assert_eq!(answer.error(), ProtocolError::Unauthorized);
        }
    }
}

#[tokio::test]
async fn hostile_bodies_get_a_clear_refusal() {
    let site = Site::new();
    let area = site.world.area("g1");
    let mut a = site.world.worker("甲", &[area]);
    site.sync(&mut a).await;
    let token = site.token(a.device);
    let good = frame::encode(&a.build(None)).unwrap();
    let bomb = {
        let zeros = vec![0u8; limits::INFLATED_MAX_BYTES + 1];
        let mut request = a.build(None);
        request.cursors[0].stream = zeros.into();
        frame::encode(&request).unwrap()
    };
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x40;
    let malformed = |answer: &Answer| matches!(answer.error(), ProtocolError::Malformed { .. });
    for body in
        [Vec::new(), b"plain".to_vec(), good[..good.len() - 3].to_vec(), [&good[..], &good[..]].concat()]
    {
        assert!(malformed(&site.post(path::SYNC, &token, body).await));
    }
    assert!(!site.post(path::SYNC, &token, flipped).await.status.is_server_error());
    assert_eq!(site.post(path::SYNC, &token, bomb).await.error(), ProtocolError::TooLarge);
    let long = vec![0; limits::BODY_MAX_BYTES + 1];
    assert_eq!(site.post(path::SYNC, &token, long.clone()).await.error(), ProtocolError::TooLarge);
    // Without a length, it is cut off at the limit.
    let pieces = futures_util::stream::iter((0..3).map(move |_| Ok::<_, std::io::Error>(long.clone())));
    let request = Request::post(path::SYNC)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from_stream(pieces))
        .unwrap();
    assert_eq!(site.send(request).await.error(), ProtocolError::TooLarge);
    // Others are not affected.
    a.create(&site.world, Kind::Dwelling, &[("area", area.into())]);
    assert_eq!(site.sync(&mut a).await.verdicts, [[Verdict::Accepted]]);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_again() {
    let site = Site::with(|config| {
        config.limits.device = Rate { burst: 2, per_second: 1 };
        config.limits.address = Rate { burst: 2, per_second: 1 };
    });
    let area = site.world.area("g1");
    let (a, b) = (site.world.worker("甲", &[area]), site.world.worker("乙", &[area]));
    let body = frame::encode(&a.build(None)).unwrap();
    let token = site.token(a.device);
    for _ in 0..2 {
        assert_eq!(site.post(path::SYNC, &token, body.clone()).await.status, StatusCode::OK);
    }
    let answer = site.post(path::SYNC, &token, body.clone()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    assert_eq!(site.post(path::SYNC, &site.token(b.device), body.clone()).await.status, StatusCode::OK);
    site.world.clock.advance(1_000);
    assert_eq!(site.post(path::SYNC, &token, body).await.status, StatusCode::OK);
    let nonce = frame::encode(&NonceRequest { device: vec![1; 12].into() }).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(site.post(path::NONCE, "", nonce.clone()).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn a_full_disk_is_named_and_work_goes_on_after() {
    let site = Site::new();
    let area = site.world.area("g1");
    let mut a = site.world.worker("甲", &[area]);
    site.sync(&mut a).await;
    let remarks = "满".repeat(1_000);
    for _ in 0..100 {
        a.create(&site.world, Kind::Dwelling, &[("area", area.into()), ("remarks", remarks.as_str().into())]);
    }
    site.world.storage.set_max_pages(Some(1)).unwrap();
    let token = site.token(a.device);
    let body = frame::encode(&a.build(a.home())).unwrap();
    let answer = site.post(path::SYNC, &token, body).await;
    assert_eq!((answer.status.as_u16(), answer.error()), (507, ProtocolError::StorageFull));
    site.world.storage.set_max_pages(None).unwrap();
    let response = site.sync(&mut a).await;
    assert!(response.verdicts.concat().iter().all(|verdict| *verdict == Verdict::Accepted));
}

#[tokio::test]
async fn too_much_at_once_is_busy_not_broken() {
    let site = Site::with(|config| config.limits.waiting_bytes = 2_048);
    let area = site.world.area("g1");
    let mut a = site.world.worker("甲", &[area]);
    site.sync(&mut a).await;
    let remarks = "长".repeat(1_000);
    a.create(&site.world, Kind::Dwelling, &[("area", area.into()), ("remarks", remarks.into())]);
    let body = frame::encode(&a.build(a.home())).unwrap();
    let answer = site.post(path::SYNC, &site.token(a.device), body).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn it_says_that_it_is_well() {
    let site = Site::new();
    let answer = site.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"ok\n"[..]));
    let answer = site.send(Request::get("/v1/nothing").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_first_administrator_gets_one_link_until_there_is_an_account() {
    use crate::access::account::set_account;
    use crate::serve::first_link;
    let site = Site::new();
    let first = first_link(&site.state).await.unwrap().unwrap();
    let second = first_link(&site.state).await.unwrap().unwrap();
    assert_ne!(first, second);
    let people = site.world.store().view(|tx| tx.people()).unwrap();
    assert_eq!(people.len(), 1);
    site.world.store().update(|tx| set_account(tx, people[0].id, "admin", "hash", site.world.now())).unwrap();
    assert_eq!(first_link(&site.state).await.unwrap(), None);
}

#[tokio::test]
async fn last_sync_times_are_written_by_the_jobs() {
    let site = Site::new();
    let area = site.world.area("g1");
    let mut a = site.world.worker("甲", &[area]);
    site.sync(&mut a).await;
    site.world.clock.advance(5_000);
    site.sync(&mut a).await;
    assert_eq!(site.state.seen_at(a.device), Some(site.world.now()));
    crate::serve::run_jobs(&site.state).await.unwrap();
    let row = site.world.store().view(|tx| tx.device(a.device)).unwrap().unwrap();
    assert_eq!(row.seen_at, site.world.now());
}
