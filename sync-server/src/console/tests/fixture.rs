//! A made-up street with events in every state, and a browser in few words. All people and places are invented.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use gridwalk_model::event::{Action, EventRules, LogEntry, Presence};
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource};
use gridwalk_model::policy::Role;
use gridwalk_model::{AccessClass, ContentHash, Fields, Kind, RecordId, StreamId, Timestamp, Value};
use tower::ServiceExt as _;

use crate::access::account;
use crate::access::staff::{NewWorker, add_person, grant};
use crate::clock::{Clock, Entropy};
use crate::console::{ConsoleState, router};
use crate::edit::Edits;
use crate::media::MediaError;
use crate::storage::Storage;
use crate::storage::ledger::MediaRow;
use crate::sync::Principal;
use crate::testing::World;

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const PASSWORD: &str = "correct horse battery";

/// The console's state on a [`World`].
#[derive(Clone)]
pub(super) struct Ground(pub(super) Arc<World>);

impl ConsoleState for Ground {
    fn storage(&self) -> Arc<dyn Storage> {
        self.0.storage.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        self.0.entropy.clone()
    }

    fn rules(&self) -> Arc<EventRules> {
        Arc::default()
    }

    fn https(&self) -> bool {
        false
    }

    fn keep_medium(&self, _: &Principal, _: ContentHash, _: &[u8]) -> Result<(), MediaError> {
        Ok(())
    }

    fn medium(&self, hash: &ContentHash) -> std::io::Result<Option<Vec<u8>>> {
        Ok(Some([&b"\xff\xd8\xff"[..], hash.as_bytes()].concat()))
    }
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of the first hidden field of this name.
    pub(super) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&mark).map(|(_, rest)| rest).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A browser that keeps cookies.
pub(super) struct Browser {
    router: Router,
    cookies: HashMap<String, String>,
}

impl Browser {
    pub(super) fn new(router: &Router) -> Self {
        Self { router: router.clone(), cookies: HashMap::new() }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    pub(super) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_from(path, form, "same-origin").await
    }

    pub(super) async fn post_from(&mut self, path: &str, form: &[(&str, &str)], site: &str) -> Answer {
        let pairs: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site);
        self.send(request, Body::from(pairs.join("&"))).await
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(HOST, "console.test").header(COOKIE, cookies.join("; "));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.split(';').next().unwrap().to_owned());
        }
        let body = to_bytes(body, 1 << 22).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The street.
pub(super) struct Street {
    pub(super) world: Arc<World>,
    pub(super) router: Router,
    pub(super) near: RecordId,
    pub(super) far: RecordId,
    pub(super) team: RecordId,
    pub(super) administrator: RecordId,
    pub(super) auditor: RecordId,
    pub(super) dispatcher: RecordId,
    pub(super) leader: RecordId,
    pub(super) handler: RecordId,
    pub(super) worker: RecordId,
    pub(super) community: RecordId,
}

impl Street {
    /// People, units and grids; no events.
    pub(super) fn empty() -> Self {
        let world = Arc::new(World::new());
        let parent = record(
            &world,
            Kind::Area,
            &[("code", "370212001".into()), ("name", "青石社区".into()), ("level", "community".into())],
        );
        let grid = |name: &str| {
            record(
                &world,
                Kind::Area,
                &[
                    ("code", name.into()),
                    ("name", name.into()),
                    ("level", "grid".into()),
                    ("parent", parent.into()),
                ],
            )
        };
        let unit = |name: &str| record(&world, Kind::Unit, &[("name", name.into())]);
        let (near, far) = (grid("第一网格"), grid("第二网格"));
        let (centre, community, team) =
            (unit("海风街道治理中心"), unit("青石社区居委会"), unit("城管执法中队"));
        unit("供电服务所");
        let person = |name: &str, roles: &[Role], unit: Option<RecordId>| {
            let worker = NewWorker { name, roles, unit };
            let by = &*world.entropy;
            world.store().update(|tx| add_person(tx, "test", &worker, world.now(), by)).unwrap()
        };
        let street = Self {
            router: router(Ground(Arc::clone(&world))),
            administrator: person("赵敏", &[Role::Administrator], None),
            auditor: person("郑审言", &[Role::Auditor], None),
            dispatcher: person("钱卫东", &[Role::Dispatcher], Some(centre)),
            leader: person("孙丽华", &[Role::GridLeader], Some(community)),
            handler: person("李建国", &[Role::Handler], Some(team)),
            worker: person("周小燕", &[Role::Gridworker], Some(community)),
            world: Arc::clone(&world),
            near,
            far,
            team,
            community,
        };
        for (who, area) in [
            (street.dispatcher, near),
            (street.dispatcher, far),
            (street.leader, near),
            (street.worker, near),
        ] {
            let stream = StreamId::Area { area, class: AccessClass::Base };
            world.store().update(|tx| grant(tx, "test", who, stream, world.now())).unwrap();
        }
        street
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// A browser in which a person is signed in.
    pub(super) fn signed_in(&self, person: RecordId) -> Browser {
        let entropy: &dyn Entropy = &*self.world.entropy;
        let session = self
            .world
            .store()
            .update(|tx| {
                let row = tx.person(person)?.unwrap();
                account::begin_session(tx, &row, self.now(), entropy)
            })
            .unwrap();
        let mut browser = Browser::new(&self.router);
        browser.cookies.insert(super::super::visitor::SESSION_COOKIE.to_owned(), session.cookie);
        browser
    }

    /// A one-time link for a person.
    pub(super) fn link(&self, person: RecordId) -> String {
        let entropy: &dyn Entropy = &*self.world.entropy;
        let made = self
            .world
            .store()
            .update(|tx| account::create_signin_link(tx, "test", person, self.now(), entropy));
        format!("/signin/{}", made.unwrap())
    }

    /// An event, reported by the gridworker `hours` ago.
    pub(super) fn event(&self, area: RecordId, category: &str, address: &str, hours: i64) -> Story<'_> {
        let mut story = Story { street: self, id: self.world.id(), fields: Fields::new(), last: None, hours };
        story.put("area", area.into());
        story.put("category", category.into());
        story.put("address", address.into());
        story.put("source", "gridworker".into());
        story.put("reporter", self.worker.into());
        let unit = self.community;
        story.log(hours, self.worker, Action::Report, |entry| {
            entry.unit = Some(unit);
            entry.category = Some(category.to_owned());
            entry.reason = Some("现场已无隐患可拍".to_owned());
        });
        story
    }
}

pub(super) fn record(world: &World, kind: Kind, fields: &[(&str, Value)]) -> RecordId {
    let id = world.id();
    let fields: Fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    create(world, id, kind, &fields);
    id
}

fn create(world: &World, id: RecordId, kind: Kind, fields: &Fields) {
    world
        .store()
        .update(|tx| {
            let mut edits = Edits::begin(tx, world.now())?;
            edits.create(id, kind, fields).unwrap();
            edits.finish()
        })
        .unwrap();
}

/// An event in the making.
pub(super) struct Story<'s> {
    street: &'s Street,
    pub(super) id: RecordId,
    pub(super) fields: Fields,
    last: Option<RecordId>,
    hours: i64,
}

impl Story<'_> {
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// Adds an entry made so many hours ago.
    pub(super) fn log(
        &mut self,
        hours: i64,
        by: RecordId,
        action: Action,
        fill: impl FnOnce(&mut LogEntry),
    ) -> RecordId {
        let at = self.street.now().plus_millis(-hours * HOUR);
        let mut entry = LogEntry::new(self.street.world.id(), self.last, at, by, action);
        entry.received_at = Some(at);
        fill(&mut entry);
        self.fields.insert(entry.key(), entry.to_value());
        self.last = Some(entry.id);
        entry.id
    }

    /// Adds an entry that somebody made long ago without having seen the rest; the server received it just now.
    pub(super) fn log_late(&mut self, hours: i64, by: RecordId, action: Action, unit: RecordId) {
        let seen = self.last;
        let at = self.street.now().plus_millis(-hours * HOUR);
        let mut late = LogEntry::new(self.street.world.id(), None, at, by, action);
        late.unit = Some(unit);
        late.public_reply = Some("已清理完毕".to_owned());
        late.reason = Some("手机没电，未能拍照".to_owned());
        let receipt = LogEntry::receipt(self.street.world.id(), seen, late.id, self.street.now());
        self.fields.insert(late.key(), late.to_value());
        self.fields.insert(receipt.key(), receipt.to_value());
        self.last = Some(receipt.id);
    }

    pub(super) fn accept(&mut self, hours: i64) -> &mut Self {
        let unit = self.street.community;
        self.log(hours, self.street.leader, Action::Accept, |entry| entry.unit = Some(unit));
        self
    }

    pub(super) fn handle(&mut self, hours: i64) -> &mut Self {
        let (unit, team) = (self.street.community, self.street.team);
        self.log(hours, self.street.leader, Action::Dispatch, |entry| {
            entry.unit = Some(unit);
            entry.to_unit = Some(team);
            entry.internal_note = Some("请今天内到场，联系人电话19900007832".to_owned());
        });
        self.log(hours - 1, self.street.handler, Action::SignFor, |entry| entry.unit = Some(team));
        self
    }

    pub(super) fn rectify(&mut self, hours: i64) -> &mut Self {
        let team = self.street.team;
        self.log(hours, self.street.handler, Action::Rectify, |entry| {
            entry.unit = Some(team);
            entry.public_reply = Some("通道已清空，并向住户说明了要求。".to_owned());
            entry.reason = Some("照片见上".to_owned());
        });
        self
    }

    pub(super) fn close(&mut self, hours: i64) -> &mut Self {
        let unit = self.street.community;
        self.log(hours + 1, self.street.worker, Action::Verify, |entry| {
            entry.unit = Some(unit);
            entry.presence = Some(Presence::Outdoors);
            entry.distance_m = Some(12);
        });
        self.log(hours, self.street.leader, Action::Close, |entry| entry.unit = Some(unit));
        self
    }

    /// Adds a photo; `stored` says whether its bytes have arrived. Returns its element.
    pub(super) fn photo(&mut self, role: PhotoRole, stored: bool, source: PhotoSource) -> String {
        let element = self.street.world.id();
        let mut hash = [0u8; 32];
        hash[..16].copy_from_slice(element.as_bytes());
        let photo = PhotoRef {
            hash: ContentHash::from_bytes(hash),
            preview_hash: None,
            original_hash: None,
            bytes: 348_221,
            taken_at: Some(self.street.now().plus_millis(-self.hours * HOUR)),
            position: None,
            role,
            source,
            width: 1920,
            height: 1440,
            perceptual: None,
            mock_location: None,
            signature: None,
            pair: None,
            link: None,
            reuse: None,
            blurred: None,
        };
        if stored {
            let row = MediaRow { bytes: photo.bytes, stored_at: self.street.now() };
            self.street.world.store().update(|tx| tx.insert_media(&photo.hash, &row)).unwrap();
        }
        self.put(&format!("photos/{}", element.to_hex()), Value::Bytes(photo.to_bytes()));
        element.to_hex()
    }

    pub(super) fn save(&self) -> RecordId {
        create(&self.street.world, self.id, Kind::Event, &self.fields);
        self.id
    }
}
