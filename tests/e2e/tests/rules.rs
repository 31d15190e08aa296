//! The deployment's categories and deadlines: files of the operator's reach phones through the real server, and the
//! console tells the same.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::path::Path;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::events::{MyReport, Sending, SnapContext};
use gridwalk_e2e::town::settle;
use gridwalk_e2e::{Fate, Passing, Tap, Town};
use gridwalk_harness::browser::Browser;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::calendar::Span;
use gridwalk_model::event::{EventRules, SlaClass};
use gridwalk_model::policy::Role;
use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::frame;
use gridwalk_replica::protocol::path;
use gridwalk_replica::wire::SyncResponse;

const NEW: &str = "balcony_plants";

/// The starter rules with one category more, and `minutes` to accept an ordinary case.
fn own(minutes: u32) -> EventRules {
    let mut rules = EventRules::default();
    let mut plants = rules.categories[1].clone();
    (plants.code, plants.zh, plants.en) = (NEW.into(), "阳台花盆".into(), "Plants on a balcony".into());
    rules.categories.push(plants);
    rules.sla.get_mut(&SlaClass::Ordinary).unwrap().respond = Span::Minutes(minutes);
    rules
}

fn write(data: &Path, rules: &EventRules) {
    let folder = data.join("rules");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("events.json"), rules.to_json()).unwrap();
}

/// Reports in three calls, and synchronises until the server has it.
async fn report(phone: &Phone, area: RecordId) -> MyReport {
    let original = photos::jpeg(&mut Seeded::new(1), (640, 480), Hazard::Rubbish, None).unwrap();
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    let context = SnapContext { area: Some(area), ..SnapContext::default() };
    let draft = phone.device().snap(original, facts, context, None).await.unwrap().draft;
    let here = gridwalk_model::geo::Position::wgs84(
        36.1,
        120.47,
        Some(6.0),
        gridwalk_model::geo::PositionSource::Gps,
    );
    let mut drafted = phone.device().draft_tray().await.unwrap().drafts.remove(0).report;
    drafted.position = here.ok();
    phone.device().save_draft(draft, drafted).await.unwrap();
    phone.device().choose_category(draft, NEW).await.unwrap();
    phone.device().send_report(draft).await.unwrap();
    settle(phone).await;
    phone.device().my_reports(1).await.unwrap().remove(0)
}

/// The time within its day as the console writes it.
fn clock(at: Timestamp) -> String {
    at.plus_millis(8 * 3_600_000).to_string()[11..16].to_owned()
}

fn received(report: &MyReport) -> Timestamp {
    match report.sending {
        Sending::Received(at) => at,
        ref other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_category_and_another_deadline_reach_phone_and_console() {
    let mut town = Town::start_with(|data| write(data, &own(47)));
    let folder = town.phone_folder("新");
    let unsynced = Phone::open("新", &folder).await.unwrap();
    assert_eq!(unsynced.device().event_rules().await.unwrap(), EventRules::default());
    unsynced.close().await.unwrap();
    let phone = town.phone("手机", &[0]).await;
    assert_eq!(phone.device().event_rules().await.unwrap(), own(47));
    let told = report(&phone, town.grid(0)).await;
    assert_eq!(told.category.zh, "阳台花盆");
    let due = received(&told).plus_millis(47 * 60_000);
    assert_eq!(told.due, Some(due));

    let centre = town.person("调度员（虚构）", &[Role::Dispatcher], &[0]);
    let mut browser = Browser::new(town.address());
    browser.sign_in(&town.office().signin_link(centre).unwrap(), "centre").unwrap();
    for page in ["/events".to_owned(), format!("/events/{}", told.event)] {
        let body = browser.get(&page).unwrap().body;
        assert!(body.contains("阳台花盆") && !body.contains(NEW), "{page}: {body}");
        assert!(body.contains(&clock(due)), "{page} tells {}: {body}", clock(due));
    }

    // The operator decides otherwise: all go by the new deadline, from the next start on.
    town.stop();
    write(&town.data(), &own(13));
    town.restart();
    settle(&phone).await;
    let told = phone.device().my_reports(1).await.unwrap().remove(0);
    let due = received(&told).plus_millis(13 * 60_000);
    assert_eq!(told.due, Some(due));
    let page = browser.get("/events").unwrap();
    assert_eq!(page.status, 200, "the session outlives the server");
    assert!(page.body.contains(&clock(due)), "{}", page.body);
    phone.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_the_rules_shows_a_new_category_by_its_code_and_works_on() {
    let town = Town::start_with(|data| write(data, &own(47)));
    let tap = Tap::start(town.address());
    // An older phone: it does not read the part of the answer that has the rules.
    tap.set_rule(|passing| {
        if let Passing::Answer(request, answer) = passing
            && request.target() == ("POST", path::SYNC)
            && answer.status() == 200
        {
            let mut response: SyncResponse = frame::decode_within(&answer.body, 4 << 20).unwrap();
            response.notes = None;
            answer.body = frame::encode(&response).unwrap();
        }
        Fate::Pass
    });
    let older = town.phone_through(&tap.url(), "旧版", &[0]).await;
    let newer = town.phone("新版", &[0]).await;
    let event = report(&newer, town.grid(0)).await.event;
    settle(&older).await;
    let story = older.device().event_story(event).await.unwrap();
    assert!(!story.lines.is_empty());
    let text = NEW.to_owned();
    let found = older.device().search(&text, &[], None, 9).await.unwrap();
    assert_eq!(found.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [event]);
    assert_eq!(older.device().event_rules().await.unwrap(), EventRules::default());
    town.assert_agrees(&older).await;
    town.assert_agrees(&newer).await;
}
