//! The sealed work of a locked phone: what is in it, and the two things that can be done with it. Opened for
//! administrators only, and every look is written down.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::header::{LOCATION, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::sealed::SealedDraft;

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::people::MANAGERS;
use super::photos;
use super::reach::note_view;
use super::shell::{Section, Shell, render};
use super::ticking::Button;
use super::visitor::Visitor;
use super::voices;
use super::wording;
use crate::sealed::content::{self, Content};
use crate::sealed::{SealedError, settle};
use crate::storage::ReadTx;
use crate::storage::access::DeviceRow;
use crate::storage::sealed::PackageRow;

/// Longest text of a draft that a page shows, in characters.
const TEXT_CHARS: usize = 2_000;

struct Draft {
    title: &'static str,
    at: String,
    text: String,
    photos: usize,
    voices: Vec<Sound>,
}

struct Sound {
    path: String,
    at: String,
}

struct Original {
    path: String,
    at: String,
    size: String,
}

#[derive(Template)]
#[template(path = "sealed.html")]
struct SealedPage {
    shell: Shell,
    no: i64,
    owner: String,
    label: String,
    whole: Option<String>,
    progress: String,
    state: &'static str,
    settled: Option<(String, String)>,
    decided: bool,
    readable: bool,
    changes: usize,
    media: usize,
    drafts: Vec<Draft>,
    originals: Vec<Original>,
}

/// What the list of phones says of a phone's latest package: its path, and how it stands.
pub(super) fn line(packages: &[PackageRow], device: &DeviceRow, l: Lang) -> Option<(String, &'static str)> {
    let package = packages.iter().find(|package| package.device == device.no)?;
    Some((format!("/sealed/{}", package.no), state(package, l)))
}

fn state(package: &PackageRow, l: Lang) -> &'static str {
    match (package.whole_at, package.settled) {
        (_, Some(settled)) if settled.accepted => l.t("已收下", "Accepted"),
        (_, Some(_)) => l.t("已丢弃", "Thrown away"),
        (Some(_), None) => l.t("等待处理", "Waits for a decision"),
        (None, None) => l.t("正在交来", "Still coming"),
    }
}

/// One package.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Path(no): Path<i64>,
) -> Result<Response, Failure> {
    visitor.must_be(MANAGERS)?;
    console.blocking(move |console| page(console, &visitor, no)).await
}

fn page(console: &Console, visitor: &Visitor, no: i64) -> Result<Response, Failure> {
    console.storage.view(|tx| tx.package(no)?.map(drop).ok_or(Failure::NotFound))?;
    note_view(console, visitor, "sealed.viewed", &format!("package {no}"))?;
    let (now, l) = (console.now(), visitor.lang);
    console.storage.view(|tx| {
        let package = tx.package(no)?.ok_or(Failure::NotFound)?;
        let device = owner_of(tx, &package)?;
        let lookup = console.directory.on(tx, visitor);
        let owner = tx.person_by_no(device.person)?;
        // The parts of what was thrown away are gone.
        let opened = match package.whole_at {
            Some(_) => content::open(tx, &package).ok(),
            None => None,
        };
        let readable = opened.is_some();
        let opened = opened.unwrap_or_default();
        let settled = match package.settled {
            Some(settled) => Some((lookup.person(settled.by)?, wording::time(l, settled.at, now))),
            None => None,
        };
        Ok(render(&SealedPage {
            shell: Shell::new(console, visitor, Section::Phones, l.t("封存的工作", "Sealed work")),
            no,
            owner: owner.map(|person| lookup.shown(&person)).unwrap_or_default(),
            label: device.label,
            whole: package.whole_at.map(|at| wording::time(l, at, now)),
            progress: wording::size(package.bytes),
            state: state(&package, l),
            settled,
            decided: package.settled.is_some(),
            readable,
            changes: opened.changes.len(),
            media: opened.media.len(),
            drafts: opened.drafts.iter().map(|draft| shown(no, draft, &opened, l, now)).collect(),
            originals: originals(no, &opened, l, now),
        }))
    })
}

fn owner_of(tx: &dyn ReadTx, package: &PackageRow) -> Result<DeviceRow, Failure> {
    tx.devices()?.into_iter().find(|device| device.no == package.device).ok_or(Failure::NotFound)
}

fn shown(no: i64, draft: &SealedDraft, opened: &Content, l: Lang, now: Timestamp) -> Draft {
    let report = draft.what == "report";
    let of_draft = |file: &&content::File<RecordId>| match draft.what.as_str() {
        "report" => file.draft == Some(draft.n),
        "visit" => file.visit == Some(draft.n),
        _ => false,
    };
    let sound = |file: &content::File<RecordId>| Sound {
        path: format!("/sealed/{no}/voices/{}", file.name),
        at: wording::time(l, file.at, now),
    };
    Draft {
        title: match draft.what.as_str() {
            "report" => l.t("没有上报的事件", "A report that was not sent"),
            "visit" => l.t("没有记完的走访", "A visit that was not finished"),
            "patrol" => l.t("没有结束的巡查", "A patrol that was not ended"),
            _ => l.t("草稿", "A draft"),
        },
        at: wording::time(l, Timestamp::from_millis(draft.at), now),
        text: draft.text.chars().take(TEXT_CHARS).collect(),
        photos: opened.originals.iter().filter(|file| report && file.draft == Some(draft.n)).count(),
        voices: opened.sounds.iter().filter(of_draft).map(sound).collect(),
    }
}

fn originals(no: i64, opened: &Content, l: Lang, now: Timestamp) -> Vec<Original> {
    let line = |file: &content::File<i64>| Original {
        path: format!("/sealed/{no}/photos/{}", file.name),
        at: wording::time(l, file.at, now),
        size: wording::size(file.bytes),
    };
    opened.originals.iter().map(line).collect()
}

/// A camera's file that was not sorted.
pub(super) async fn photo(
    State(console): State<Console>,
    visitor: Visitor,
    Path((no, name)): Path<(i64, i64)>,
) -> Result<Response, Failure> {
    visitor.must_be(MANAGERS)?;
    console
        .blocking(move |console| {
            let bytes = console.storage.view(|tx| {
                let package = tx.package(no)?.ok_or(Failure::NotFound)?;
                let opened = content::open(tx, &package)?;
                let file = opened.originals.iter().find(|file| file.name == name).ok_or(Failure::NotFound)?;
                content::whole(tx, &package, file)?.ok_or(Failure::NotFound)
            })?;
            note_view(console, &visitor, "sealed.photo_viewed", &format!("package {no}/{name}"))?;
            photos::image(bytes)
        })
        .await
}

/// What was said into a draft, or the part of it that a player asks for. Written down.
pub(super) async fn play(
    State(console): State<Console>,
    visitor: Visitor,
    Path((no, name)): Path<(i64, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    visitor.must_be(MANAGERS)?;
    let name: RecordId = name.parse().map_err(|_| Failure::NotFound)?;
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned);
    console
        .blocking(move |console| {
            let sound = console.storage.view(|tx| {
                let package = tx.package(no)?.ok_or(Failure::NotFound)?;
                let opened = content::open(tx, &package)?;
                let file = opened.sounds.iter().find(|file| file.name == name).ok_or(Failure::NotFound)?;
                content::whole(tx, &package, file)?.ok_or(Failure::NotFound)
            })?;
            note_view(console, &visitor, "sealed.voice_played", &format!("package {no}/{name}"))?;
            voices::answer(&sound, range.as_deref())
        })
        .await
}

/// Has the changes of a package offered to the records.
pub(super) async fn accept(
    State(console): State<Console>,
    visitor: Visitor,
    Path(no): Path<i64>,
    Form(Button { csrf }): Form<Button>,
) -> Result<Response, Failure> {
    decide(console, visitor, no, &csrf, |console, by, no| {
        let keep = |principal: &_, hash, bytes: &[u8]| (console.keep_medium)(principal, hash, bytes);
        settle::accept(&*console.storage, &keep, no, by, console.now(), &*console.entropy).map(drop)
    })
    .await
}

/// Throws a package away, or what an accepted one still holds.
pub(super) async fn discard(
    State(console): State<Console>,
    visitor: Visitor,
    Path(no): Path<i64>,
    Form(Button { csrf }): Form<Button>,
) -> Result<Response, Failure> {
    decide(console, visitor, no, &csrf, |console, by, no| {
        settle::discard(&*console.storage, no, by, console.now())
    })
    .await
}

async fn decide(
    console: Console,
    visitor: Visitor,
    no: i64,
    csrf: &str,
    act: impl FnOnce(&Console, RecordId, i64) -> Result<(), SealedError> + Send + 'static,
) -> Result<Response, Failure> {
    visitor.may(csrf, MANAGERS)?;
    console.blocking(move |console| Ok(act(console, visitor.person.id, no)?)).await?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, format!("/sealed/{no}"))]).into_response())
}

impl From<SealedError> for Failure {
    fn from(error: SealedError) -> Self {
        match error {
            SealedError::NotFound => Self::NotFound,
            // The page was older than the decision.
            SealedError::Settled => Self::BadForm,
            SealedError::Storage(error) => error.into(),
            other => {
                tracing::warn!(error = %other, "console: sealed work");
                Self::Internal
            }
        }
    }
}
