//! The page of the audit log: in words, by kind, by person, page by page. Everything is made up.

use axum::http::StatusCode;
use gridwalk_model::{Kind, Timestamp};

use super::fixture::{Street, record};
use crate::audit::{self, Entry};

fn append(street: &Street, (actor, action): (&str, &str), target: &str, detail: &str) {
    let entry = Entry { actor, action, target, detail, alarm: false };
    street.world.store().update(|tx| audit::append(tx, street.now(), &entry)).unwrap();
}

/// The rows of a page.
fn rows(page: &str) -> Vec<&str> {
    page.split("class=\"row entry\"").skip(1).map(|row| row.split("</div>").next().unwrap()).collect()
}

#[tokio::test]
async fn a_read_on_a_phone_says_who_what_when_and_where() {
    let street = Street::empty();
    let resident = record(
        &street.world,
        Kind::Resident,
        &[("name", "冯安然".into()), ("resident_kind", "registered".into())],
    );
    let phone = street.world.phone(street.worker);
    let made = Timestamp::from_millis(street.now().millis() - 3 * 3_600_000);
    let detail = format!("resident read at {made} on device {}", phone.device);
    let worker = street.worker.to_string();
    append(&street, (&worker, "sensitive.read"), &resident.to_string(), &detail);
    let mut browser = street.signed_in(street.auditor);
    let page = browser.get("/audit?kind=sensitive").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let [row] = rows(&page.body)[..] else { panic!("{}", page.body) };
    for part in ["在手机上查看敏感信息", "实有人口 · 冯**", "周**"] {
        assert!(row.contains(part), "{part}: {row}");
    }
    let at = super::super::wording::time(super::super::language::Lang::Zh, made, street.now());
    assert!(row.contains(&at), "by the phone's clock: {row}");
    assert!(!page.body.contains("周小燕") && !page.body.contains("冯安然"), "masked");
    for of in [resident, street.worker] {
        let page = browser.get(&format!("/audit?of={of}")).await.body;
        assert!(rows(&page).iter().any(|row| row.contains("在手机上查看敏感信息")), "{page}");
        assert!(page.contains("只看有关的记录"));
    }
    let csrf = page.hidden("csrf");
    browser
        .post("/names", &[("csrf", &csrf), ("back", "/audit"), ("purpose", "核查，电话19900007832")])
        .await;
    let page = browser.get("/audit").await.body;
    assert!(page.contains("冯安然") && page.contains("周小燕"), "named for a purpose");
    assert!(page.contains("用途：核查，电话199****7832"), "{page}");
}

#[tokio::test]
async fn rows_are_filtered_by_kind_and_by_person() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    let csrf = browser.get("/people").await.hidden("csrf");
    let place = format!("/people/{}", street.leader);
    browser.post(&format!("{place}/change/close"), &[("csrf", &csrf)]).await;
    street.signed_in(street.auditor).get("/phones").await;
    let page = browser.get("/audit?kind=people").await.body;
    assert!(rows(&page)[0].contains("停用人员") && rows(&page)[0].contains("孙**"), "{page}");
    assert!(rows(&page).iter().all(|row| !row.contains("查看手机列表")));
    assert!(rows(&page).iter().any(|row| row.contains("青石社区 · 第一网格")), "what was given is named");
    let page = browser.get("/audit?name=%E9%83%91").await.body;
    let found = rows(&page);
    assert!(found.iter().any(|row| row.contains("查看手机列表")), "{page}");
    assert!(found.iter().all(|row| row.contains("郑**")), "done by them or to them");
    let none = browser.get("/audit?name=%E9%BE%99").await.body;
    assert!(rows(&none).is_empty() && none.contains("没有这样的记录"));
    assert!(browser.get("/alarms").await.body.contains("href=\"/audit\""));
    assert!(browser.get(&place).await.body.contains(&format!("/audit?of={}", street.leader)));
}

#[tokio::test]
async fn page_by_page_every_row_stands_once() {
    let street = Street::empty();
    for number in 0..1_200u32 {
        append(&street, ("operator", "backup.made"), "server", &format!("{number}"));
    }
    append(&street, ("moon", "moon.landed"), "sea", "facts of it");
    let mut browser = street.signed_in(street.administrator);
    let newest = browser.get("/audit").await.body;
    assert!(rows(&newest)[0].contains("查看操作记录"), "this very look is the newest: {newest}");
    let unknown = rows(&newest).into_iter().find(|row| row.contains("moon.landed"));
    assert!(unknown.is_some_and(|row| !row.contains("facts of it")), "shown as it is written: {newest}");
    let mut next = Some("/audit?kind=system".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = next {
        let page = browser.get(&path).await.body;
        seen.extend(rows(&page).iter().map(|row| {
            let no = row.split("id=\"no-").nth(1).unwrap();
            no.split('"').next().unwrap().parse::<u64>().unwrap()
        }));
        let link = page.rsplit_once("\">更早的记录").map(|(before, _)| before);
        next = link.map(|before| before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&"));
    }
    assert_eq!(seen.len(), 1_201);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first, and none twice");
}

#[tokio::test]
async fn a_long_search_goes_on_on_the_next_page() {
    let street = Street::empty();
    append(&street, ("operator", "backup.made"), "server", "");
    let administrator = street.administrator.to_string();
    let entry =
        Entry { actor: &administrator, action: "events.listed", target: "all", detail: "", alarm: false };
    let many = |tx: &mut dyn crate::storage::WriteTx| {
        (0..20_100).try_for_each(|_| audit::append(tx, street.now(), &entry))
    };
    street.world.store().update(many).unwrap();
    let mut browser = street.signed_in(street.administrator);
    let page = browser.get("/audit?kind=system").await.body;
    assert!(rows(&page).is_empty() && page.contains("最近的记录里没有") && page.contains("更早的记录"));
    let link = page.rsplit_once("\">更早的记录").unwrap().0.rsplit_once("href=\"").unwrap().1.to_owned();
    let page = browser.get(&link.replace("&#38;", "&")).await.body;
    assert!(rows(&page)[0].contains("备份"), "{page}");
}
