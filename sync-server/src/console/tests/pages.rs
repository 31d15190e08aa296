//! Phones, refused changes, alarms; and, on request, all screens as files to look at.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use gridwalk_model::event::Action;
use gridwalk_model::photo::{PhotoRole, PhotoSource};
use gridwalk_model::{DeviceId, Kind, RecordId, Value};
use gridwalk_replica::admission::{Reason, Verdict};
use gridwalk_replica::{Actor, Document};

use super::fixture::{Browser, HOUR, Street};
use crate::access::staff::revoke_device;
use crate::audit::{self, Entry};
use crate::storage::access::NewDevice;
use crate::storage::ledger::NewQuarantine;

fn phone(street: &Street, person: RecordId, label: &str, seen_hours: Option<i64>) -> DeviceId {
    let entropy: &dyn crate::clock::Entropy = &*street.world.entropy;
    let id = DeviceId::from_bytes(entropy.array().unwrap());
    let at = |hours: i64| street.now().plus_millis(-hours * HOUR);
    street
        .world
        .store()
        .update(|tx| {
            let person = tx.person(person)?.unwrap().no;
            let new = NewDevice { id, person, public_key: &[4; 65], label, enrolled_at: at(24 * 40) };
            let no = tx.insert_device(&new)?;
            if let Some(hours) = seen_hours {
                tx.touch_device(no, at(hours), at(hours + 2))?;
            }
            Ok::<_, crate::storage::StorageError>(())
        })
        .unwrap();
    id
}

/// A change of an event as a phone would send it, refused.
fn refuse(street: &Street, device: DeviceId, record: RecordId, verdict: Verdict) {
    let fields = [("address".to_owned(), Value::from("近处路 2 号")), ("removed".to_owned(), true.into())];
    let actor = Actor::new(device, [1; 4]);
    let fields = fields.into_iter().collect();
    let (_, change) = Document::create(record, Kind::Event, &fields, actor, street.now()).unwrap();
    let encoded = minicbor::to_vec(verdict).unwrap();
    street
        .world
        .store()
        .update(|tx| {
            let device = tx.device(device)?.unwrap().no;
            tx.insert_quarantine(&NewQuarantine {
                device,
                record,
                kind: "event",
                hash: change.hash.0,
                change: &change.raw,
                verdict: &encoded,
                received_at: street.now().plus_millis(-3 * HOUR),
            })
        })
        .unwrap();
}

fn alarm(street: &Street, device: DeviceId, action: &str) {
    let device = device.to_string();
    let entry = Entry { actor: &device, action, target: &device, detail: "", alarm: true };
    let at = street.now().plus_millis(-5 * HOUR);
    street.world.store().update(|tx| audit::append(tx, at, &entry)).unwrap();
}

#[tokio::test]
async fn silent_and_locked_phones_are_told_apart() {
    let street = Street::empty();
    phone(&street, street.worker, "华为 畅享", Some(1));
    phone(&street, street.worker, "旧手机", Some(80));
    let lost = phone(&street, street.worker, "丢失的手机", Some(30));
    street.world.store().update(|tx| revoke_device(tx, "test", lost, true, street.now())).unwrap();
    phone(&street, street.handler, "别处的手机", Some(1));
    let page = street.signed_in(street.leader).get("/phones").await.body;
    assert!(page.contains("失联") && page.contains("正常") && page.contains("已停用并清除"));
    assert!(page.contains("周**") && page.contains("3 天前"), "{page}");
    assert!(!page.contains("别处的手机"), "not of the leader's area or unit");
    let start = street.signed_in(street.leader).get("/").await.body;
    assert!(start.contains("失联手机"));
    assert!(street.signed_in(street.administrator).get("/phones").await.body.contains("别处的手机"));
}

#[tokio::test]
async fn refused_changes_say_why_and_are_ticked_off() {
    let street = Street::empty();
    let event = street.event(street.near, "noise", "近处路 1 号", 3).save();
    let device = phone(&street, street.worker, "华为 畅享", Some(1));
    refuse(&street, device, event, Verdict::Invalid(Reason::FieldPolicy));
    refuse(&street, device, RecordId::from_bytes([7; 16]), Verdict::Forbidden);
    let foreign = phone(&street, street.handler, "别处的手机", Some(1));
    refuse(&street, foreign, event, Verdict::ActorForked);

    let mut leader = street.signed_in(street.leader);
    let page = leader.get("/refused").await;
    assert!(page.body.contains("该项不允许修改") && page.body.contains("不在此人的负责范围内"));
    assert!(page.body.contains("地址") && !page.body.contains("近处路 2 号"), "labels, never values");
    assert!(page.body.contains(&format!("/events/{event}")) && !page.body.contains("两份数据"));
    let csrf = page.hidden("csrf");
    let settled = leader.post("/refused/1/settle", &[("csrf", &csrf)]).await;
    assert_eq!(settled.status, StatusCode::SEE_OTHER);
    assert!(leader.get("/refused").await.body.contains("已查看"));
    for (no, status) in [("3", StatusCode::NOT_FOUND), ("99", StatusCode::NOT_FOUND)] {
        let answer = leader.post(&format!("/refused/{no}/settle"), &[("csrf", &csrf)]).await;
        assert_eq!(answer.status, status, "{no}");
    }
    let mut auditor = street.signed_in(street.auditor);
    let page = auditor.get("/refused").await;
    assert!(page.body.contains("两份数据") && !page.body.contains("/settle"));
    let csrf = page.hidden("csrf");
    assert_eq!(auditor.post("/refused/2/settle", &[("csrf", &csrf)]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn alarms_say_what_to_do() {
    let street = Street::empty();
    let device = phone(&street, street.worker, "华为 畅享", Some(1));
    for action in
        ["server.rolled_back", "sync.diverged", "quarantine.full", "enrolment.other_key", "new.thing"]
    {
        alarm(&street, device, action);
    }
    let page = street.signed_in(street.administrator).get("/alarms").await.body;
    for words in ["退回到以前", "内容不一致", "被拒修改太多", "另一部手机再次使用", "new.thing"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("周** · 华为 畅享"));
}

/// A full day of made-up work.
fn fill(street: &Street) -> Vec<RecordId> {
    let mut out = Vec::new();
    let mut blocked = street.event(street.near, "fire_exit_blocked", "青石路 18 号 3 号楼 2 单元", 2);
    blocked.put("description", "二单元出口被电动车和旧家具堵住，住户电话19900007832，请尽快处理。".into());
    blocked.put("number", "K7Q2-20260302-003".into());
    blocked.photo(PhotoRole::Before, true, PhotoSource::Camera);
    blocked.photo(PhotoRole::Before, false, PhotoSource::Camera);
    out.push(blocked.save());
    let mut wire = street.event(street.near, "power_line", "青石路 22 号门前", 60);
    wire.put("number", "K7Q2-20260227-001".into());
    wire.accept(58).handle(57);
    out.push(wire.save());
    let mut cover = street.event(street.far, "manhole_cover", "海风一路与青石路口西南角", 30);
    cover.put("description", "井盖缺失，已用锥桶临时围挡。".into());
    cover.put("number", "M3XA-20260301-007".into());
    cover.photo(PhotoRole::Before, true, PhotoSource::Camera);
    cover.photo(PhotoRole::After, true, PhotoSource::Gallery);
    cover.accept(29).handle(28).rectify(5);
    out.push(cover.save());
    let mut noise = street.event(street.near, "noise", "静安里 8 号", 80);
    noise.put("number", "K7Q2-20260226-002".into());
    noise.accept(79).handle(78).rectify(70).close(50);
    noise.log_late(72, street.handler, Action::Rectify, street.team);
    out.push(noise.save());
    for (category, address, hours) in [
        ("litter", "菜市场北门", 1),
        ("street_light", "海风二路 5 号对面，路灯连续三盏不亮", 26),
        ("water_power_heat", "青石路 40 号", 7),
        ("neighbour_dispute", "静安里 3 号楼", 120),
        ("ebike_charging", "青石路 18 号 1 号楼楼道", 4),
    ] {
        let mut story = street.event(street.near, category, address, hours);
        if hours > 20 {
            story.accept(hours - 1);
        }
        out.push(story.save());
    }
    let phones = [
        phone(street, street.worker, "华为 畅享 20", Some(1)),
        phone(street, street.leader, "红米 Note 9", Some(5)),
        phone(street, street.handler, "荣耀 Play 4T", Some(75)),
    ];
    let lost = phone(street, street.worker, "旧手机", Some(400));
    street.world.store().update(|tx| revoke_device(tx, "test", lost, false, street.now())).unwrap();
    refuse(street, phones[0], out[0], Verdict::Invalid(Reason::FieldPolicy));
    refuse(street, phones[1], RecordId::from_bytes([7; 16]), Verdict::Forbidden);
    refuse(street, phones[2], RecordId::from_bytes([8; 16]), Verdict::ActorForked);
    alarm(street, phones[2], "sync.diverged");
    alarm(street, phones[0], "server.rolled_back");
    out
}

/// With `GRIDWALK_CONSOLE_PAGES` set, writes every screen into that folder, to be looked at in a browser.
#[tokio::test]
async fn all_screens_can_be_made_with_and_without_data() {
    let folder = std::env::var_os("GRIDWALK_CONSOLE_PAGES").map(PathBuf::from);
    for lang in ["zh", "en"] {
        let street = Street::empty();
        let mut nobody = Browser::new(&street.router);
        nobody.get(&format!("/language/{lang}")).await;
        let link = street.link(street.leader);
        keep(&mut nobody, folder.as_deref(), &format!("{lang}-signin"), "/").await;
        keep(&mut nobody, folder.as_deref(), &format!("{lang}-link"), &link).await;
        keep(&mut nobody, folder.as_deref(), &format!("{lang}-link-gone"), "/signin/none").await;
        let screens = ["", "events", "phones", "refused", "alarms", "events/none"];
        for full in [false, true] {
            let events = if full { fill(&street) } else { Vec::new() };
            let prefix = format!("{lang}-{}", if full { "full" } else { "empty" });
            for (who, person) in [("admin", street.administrator), ("leader", street.leader)] {
                let mut browser = street.signed_in(person);
                browser.get(&format!("/language/{lang}")).await;
                for screen in screens.iter().filter(|_| who == "admin") {
                    let name = format!("{prefix}-{}", screen.replace('/', "-"));
                    keep(&mut browser, folder.as_deref(), &name, &format!("/{screen}")).await;
                }
                if let (Some(event), "leader") = (events.first(), who) {
                    let done = accept(&mut browser, *event).await;
                    keep(&mut browser, folder.as_deref(), &format!("{prefix}-accepted"), &done).await;
                }
                for (index, event) in events.iter().take(4).enumerate() {
                    let name = format!("{prefix}-event{index}-{who}");
                    keep(&mut browser, folder.as_deref(), &name, &format!("/events/{event}")).await;
                }
            }
        }
    }
}

/// Accepts an event and returns where the confirmation stands.
async fn accept(browser: &mut Browser, event: RecordId) -> String {
    let page = browser.get(&format!("/events/{event}")).await;
    let (csrf, seen) = (page.hidden("csrf"), page.hidden("seen"));
    let form = [("csrf", csrf.as_str()), ("seen", &seen), ("action", "accept")];
    browser.post(&format!("/events/{event}/acts"), &form).await.location().to_owned()
}

async fn keep(browser: &mut Browser, folder: Option<&Path>, name: &str, path: &str) {
    let answer = browser.get(path).await;
    assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
    assert!(answer.body.contains("</html>"), "{path}");
    if let Some(folder) = folder {
        std::fs::write(folder.join(format!("{name}.html")), &answer.body).unwrap();
    }
}

#[tokio::test]
async fn voice_notes_of_an_event_can_be_played_and_each_play_is_written_down() {
    use gridwalk_model::voice::{VoiceFormat, VoiceRef};
    use gridwalk_model::{ContentHash, Value};

    use crate::storage::ledger::MediaRow;
    let street = Street::empty();
    let mut story = street.event(street.near, "fire", "第一街1号", 2);
    let element = street.world.id().to_hex();
    let voice = VoiceRef {
        hash: ContentHash::from_bytes([7; 32]),
        bytes: 9,
        millis: 4_200,
        format: VoiceFormat::Opus,
        recorded_at: street.now(),
        transcript: Some("楼道堆放杂物，电话19900007832（虚构）".into()),
        signature: None,
        link: None,
    };
    story.put(&format!("voices/{element}"), Value::Bytes(voice.to_bytes()));
    let id = story.save();
    let mut browser = street.signed_in(street.dispatcher);
    let page = browser.get(&format!("/events/{id}")).await;
    assert!(page.body.contains("语音还在手机上") && page.body.contains("楼道堆放杂物"), "{}", page.body);
    assert!(!page.body.contains("19900007832") && !page.body.contains("<audio"), "{}", page.body);
    let row = MediaRow { bytes: 9, stored_at: street.now() };
    street.world.store().update(|tx| tx.insert_media(&voice.hash, &row)).unwrap();
    let path = format!("/events/{id}/voices/{element}");
    let page = browser.get(&format!("/events/{id}")).await;
    assert!(page.body.contains(&format!("<audio controls preload=\"none\" src=\"{path}\"></audio>")));
    let policy = page.headers.get("content-security-policy").unwrap().to_str().unwrap();
    assert!(policy.contains("media-src 'self'"), "{policy}");
    // The fixture's media are pictures, whatever their name: those are not sent as sound.
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    let log = street.world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
    assert!(log.iter().any(|row| row.action == "voice.played" && row.target == format!("{id}/{element}")));
    let other = street.event(street.far, "fire", "第二街1号", 2).save();
    assert_eq!(
        street.signed_in(street.leader).get(&format!("/events/{other}/voices/{element}")).await.status,
        StatusCode::NOT_FOUND
    );
}
