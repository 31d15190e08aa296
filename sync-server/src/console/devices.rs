//! Phones and how their sync fares.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use gridwalk_model::Timestamp;
use serde::Deserialize;

use super::Console;
use super::directory::Lookup;
use super::failure::Failure;
use super::language::Lang;
use super::reach::{Reach, note_view};
use super::sealed;
use super::shell::{Section, Shell, WATCHERS, render};
use super::visitor::Visitor;
use super::wording;
use crate::storage::ReadTx;
use crate::storage::access::DeviceRow;
use crate::storage::sealed::PackageRow;

/// A phone that was not heard from for this long is silent: a day, since every worker walks every day.
const SILENT_MS: i64 = 24 * 60 * 60 * 1_000;
/// Phones on a page.
const PAGE: usize = 100;

/// When a phone was heard from last.
fn heard(device: &DeviceRow) -> Timestamp {
    device.seen_at.max(device.pushed_at).max(device.enrolled_at)
}

/// Whether a phone that should be in use was not heard from for too long.
pub(super) fn is_silent(device: &DeviceRow, now: Timestamp) -> bool {
    device.revoked_at.is_none() && now.millis().saturating_sub(heard(device).millis()) > SILENT_MS
}

struct Row {
    owner: String,
    label: String,
    code: String,
    status: &'static str,
    tone: &'static str,
    contact: String,
    contact_at: String,
    pushed: String,
    uploads: Option<String>,
    refused: Option<String>,
    /// Path of its sealed work, and how that stands.
    sealed: Option<(String, &'static str)>,
    diverged: bool,
}

#[derive(Template)]
#[template(path = "phones.html")]
struct PhonesPage {
    shell: Shell,
    rows: Vec<Row>,
    total: usize,
    silent: usize,
    locked: usize,
    next: Option<usize>,
    first: bool,
}

/// From where on.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    from: usize,
}

/// The list of phones, those that need attention first.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    axum::extract::Query(ask): axum::extract::Query<Ask>,
) -> Result<Response, Failure> {
    visitor.must_be(WATCHERS)?;
    console.blocking(move |console| page(console, &visitor, ask.from)).await
}

fn page(console: &Console, visitor: &Visitor, from: usize) -> Result<Response, Failure> {
    note_view(console, visitor, "phones.listed", "devices")?;
    let now = console.now();
    console.storage.view(|tx| {
        let mut devices = Reach::of(tx, visitor)?.devices(tx, visitor)?;
        devices.sort_by_key(|device| (device.revoked_at.is_some(), heard(device)));
        let lookup = console.directory.on(tx, visitor);
        let packages = tx.packages()?;
        let shown = devices.iter().skip(from).take(PAGE);
        let rows: Result<Vec<Row>, Failure> =
            shown.map(|device| row(tx, device, &packages, lookup, visitor.lang, now)).collect();
        Ok(render(&PhonesPage {
            shell: Shell::new(console, visitor, Section::Phones, visitor.lang.t("手机", "Phones")),
            rows: rows?,
            total: devices.len(),
            silent: devices.iter().filter(|device| is_silent(device, now)).count(),
            locked: devices.iter().filter(|device| device.revoked_at.is_some()).count(),
            next: (devices.len() > from.saturating_add(PAGE)).then_some(from.saturating_add(PAGE)),
            first: from == 0,
        }))
    })
}

fn row(
    tx: &dyn ReadTx,
    device: &DeviceRow,
    packages: &[PackageRow],
    lookup: Lookup<'_>,
    l: Lang,
    now: Timestamp,
) -> Result<Row, Failure> {
    let person = tx.person_by_no(device.person)?;
    let (status, tone) = if device.wipe && device.revoked_at.is_some() {
        (l.t("已停用并清除", "Locked and wiped"), "quiet")
    } else if device.revoked_at.is_some() {
        (l.t("已停用", "Locked"), "quiet")
    } else if is_silent(device, now) {
        (l.t("失联", "Silent"), "bad")
    } else {
        (l.t("正常", "Fine"), "good")
    };
    let never = l.t("还没有", "Not yet").to_owned();
    let (uploads, bytes) = tx.open_uploads(device.no)?;
    let quarantined = tx.quarantine_bytes(device.no)?;
    let seen = device.seen_at.max(device.pushed_at);
    let has_seen = seen > Timestamp::default();
    Ok(Row {
        owner: person.map(|person| lookup.shown(&person)).unwrap_or_default(),
        label: device.label.clone(),
        code: device.id.to_string().chars().take(8).collect(),
        status,
        tone,
        contact: if has_seen { wording::ago(l, seen, now) } else { never.clone() },
        contact_at: if has_seen { wording::time(l, seen, now) } else { String::new() },
        pushed: if device.pushed_at > Timestamp::default() {
            wording::ago(l, device.pushed_at, now)
        } else {
            never
        },
        uploads: (uploads > 0).then(|| match l {
            Lang::Zh => format!("{uploads} 个文件没传完（{}）", wording::size(bytes)),
            Lang::En if uploads == 1 => format!("1 file still coming ({})", wording::size(bytes)),
            Lang::En => format!("{uploads} files still coming ({})", wording::size(bytes)),
        }),
        refused: (quarantined > 0).then(|| wording::size(quarantined)),
        sealed: sealed::line(packages, device, l),
        diverged: diverged(tx, device)?,
    })
}

/// Whether its last comparison with the server did not agree.
fn diverged(tx: &dyn ReadTx, device: &DeviceRow) -> Result<bool, Failure> {
    for grant in tx.device_grants(device.no, device.person)? {
        if tx.divergence(device.no, grant.stream_no, None)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
