//! The account: every figure is measured on the server's store and on the phones, not remembered from the day.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_harness::HarnessError;
use gridwalk_harness::office::{HeldChange, changes_in};
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{ContentHash, DeviceId, Kind, Value};
use gridwalk_replica::Document;

use crate::error::Played;
use crate::kept;
use crate::narrate::said;
use crate::promises::Promise;
use crate::report::Report;
use crate::stage::Stage;

/// Counts, compares and tells.
///
/// # Errors
/// A store that cannot be read.
pub async fn settle(stage: &mut Stage, seconds: impl Fn() -> f64) -> Played<Report> {
    stage.narrator.chapter(&said("清点：逐条核对", "The account, record by record"));
    let held = server_side(stage)?;
    let lost = lost(stage)?;
    let diverged = diverged(stage).await?;
    let mut waiting = 0;
    for worker in &stage.team {
        let totals = worker.status().await?.totals;
        waiting += totals.changes.count + totals.previews.count + totals.photos.count;
        waiting += totals.tracks.count + totals.voice_notes.count + totals.held;
        waiting += totals.captures + totals.refused + totals.conflicts + totals.edited_while_removed;
        waiting += totals.unreadable + totals.alarms + totals.lost_photos + totals.lost_others;
    }
    let missing = missing_media(stage, &held)?;
    let counts = stage.office.counts()?;
    let report = Report {
        phones: stage.team.len(),
        records: counts.records,
        changes: held.changes,
        photos: held.photos.len() as u64,
        refused_files: stage.tally.refused_files,
        conflicts: stage.tally.conflicts.len() as u64,
        pending: waiting + missing + counts.quarantined,
        lost,
        diverged,
        doors: held.made(Kind::BaseVerification),
        inspections: held.finished,
        visits: held.made(Kind::Visit),
        patrols: held.made(Kind::Patrol),
        tracks: held.tracks.len() as u64,
        events: held.made(Kind::Event),
        seconds: seconds(),
    };
    tell(stage, &report);
    Ok(report)
}

/// Events by the team's phones that the server holds.
///
/// # Errors
/// A store that cannot be read.
pub fn events(stage: &Stage) -> Played<u64> {
    Ok(server_side(stage)?.made(Kind::Event))
}

/// What the server's own copies say.
#[derive(Debug, Default)]
struct Held {
    /// Changes by the team's phones.
    changes: u64,
    /// Photos that records refer to, with their previews.
    photos: BTreeMap<ContentHash, Option<ContentHash>>,
    /// Tracks of patrols.
    tracks: BTreeSet<ContentHash>,
    /// Records that the team's phones made and that were not taken back, by the word for their kind.
    made: BTreeMap<String, u64>,
    /// Inspections with an end.
    finished: u64,
}

impl Held {
    fn made(&self, kind: Kind) -> u64 {
        self.made.get(kind.tag()).copied().unwrap_or_default()
    }

    /// Takes in a record with the changes that the team's phones made.
    fn add(&mut self, document: &Document, changes: &[HeldChange]) {
        let text = |key| document.get(key).and_then(|value| value.as_text().map(str::to_owned));
        let by_phone = changes.iter().flat_map(|change| &change.writes).any(|(key, _)| key == "kind");
        let removed = document.get(REMOVED_KEY) == Some(Value::Flag(true));
        if let (Some(kind), true, false) = (text("kind"), by_phone, removed) {
            let ended = matches!(document.get("ended_at"), Some(Value::Time(_)));
            self.finished += u64::from(kind == Kind::Inspection.tag() && ended);
            *self.made.entry(kind).or_default() += 1;
        }
        self.changes += changes.len() as u64;
        for (key, value) in changes.iter().flat_map(|change| &change.writes) {
            let Some(value) = value else { continue };
            self.photos.extend(kept::photo_in(key, value).map(|photo| (photo.hash, photo.preview_hash)));
            self.tracks.extend(kept::track_in(key, value));
        }
    }
}

fn server_side(stage: &Stage) -> Played<Held> {
    let devices: BTreeSet<DeviceId> = stage.team.iter().map(|worker| worker.device).collect();
    let mut held = Held::default();
    let mut failed = None;
    stage.office.each_record(None, |_, document| match changes_in(document) {
        Ok(mut changes) => {
            changes.retain(|change| devices.contains(&change.device));
            held.add(document, &changes);
        }
        Err(error) => failed = Some(error),
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(held),
    }
}

/// Acknowledged edits that no change on the server holds.
fn lost(stage: &Stage) -> Played<u64> {
    let broken = stage.promises.broken(|record| {
        let changes = stage.office.changes_of(record)?;
        let promises = changes.into_iter().flat_map(|change| {
            let device = change.device;
            let kept = |(key, value): (String, Option<Value>)| Some((key, value?));
            change.writes.into_iter().filter_map(kept).map(move |(key, value)| Promise {
                device,
                record,
                key,
                value,
            })
        });
        Ok::<_, HarnessError>(promises.collect())
    })?;
    let mut by_kind: BTreeMap<&str, u64> = BTreeMap::new();
    for promise in &broken {
        *by_kind.entry(stage.promises.kind_of(promise.record).unwrap_or("?")).or_default() += 1;
    }
    for (kind, count) in by_kind {
        let schema = Kind::parse(kind).map(Kind::schema);
        let (zh, en) =
            schema.map_or(("已有记录", "a record that was there before"), |one| (one.zh, one.en));
        stage
            .narrator
            .say(&said(format!("丢失：{zh}，{count} 个字段"), format!("Lost: {en}, {count} fields")));
    }
    Ok(broken.len() as u64)
}

/// Streams of phones that are not the server's: other streams, another digest, or other records.
async fn diverged(stage: &Stage) -> Played<u64> {
    let mut diverged = 0;
    let mut compared = 0;
    for worker in &stage.team {
        let phone = worker.phone.streams().await?;
        let granted: BTreeSet<_> = stage.office.streams_of(worker.user)?.into_iter().collect();
        let held: BTreeSet<_> = phone.keys().copied().collect();
        diverged += granted.symmetric_difference(&held).count() as u64;
        for (stream, theirs) in phone {
            compared += 1;
            let ours = stage.office.stream(&stream)?;
            let agrees =
                ours.is_some_and(|ours| ours.digest == theirs.digest && ours.records == theirs.records);
            diverged += u64::from(!agrees);
        }
    }
    stage.narrator.say(&said(
        format!("比对了 {compared} 条数据流的摘要和每条记录的指纹：{diverged} 条不一致。"),
        format!(
            "Digests and every record's fingerprint of {compared} streams were compared: {diverged} differ."
        ),
    ));
    Ok(diverged)
}

/// Photos, previews and tracks that a phone took in or a record refers to, and that the server does not have.
fn missing_media(stage: &Stage, held: &Held) -> Played<u64> {
    let referred = held.photos.iter().flat_map(|(photo, preview)| [Some(*photo), *preview]).flatten();
    let referred = referred.chain(held.tracks.iter().copied());
    let wanted: BTreeSet<ContentHash> = referred.chain(stage.tally.media.iter().copied()).collect();
    let mut missing = 0;
    for hash in &wanted {
        missing += u64::from(!stage.office.has_media(hash)?);
    }
    // A photo that a phone took in is referred to by a record on the server, and so is a track.
    missing += stage.tally.photos.iter().filter(|hash| !held.photos.contains_key(hash)).count() as u64;
    missing += stage.tally.tracks.iter().filter(|hash| !held.tracks.contains(hash)).count() as u64;
    let count = wanted.len();
    stage.narrator.say(&said(
        format!("照片、预览和轨迹共 {count} 个，服务器缺 {missing} 个。"),
        format!("Of {count} photos, previews and tracks the server lacks {missing}."),
    ));
    Ok(missing)
}

fn tell(stage: &Stage, report: &Report) {
    let noted = stage.promises.len();
    let Report { records, changes, photos, refused_files, conflicts, pending, lost, seconds, .. } = report;
    stage.narrator.say(&said(
        format!("手机确认过的 {noted} 个字段修改逐一在服务器上查找：缺 {lost} 个。"),
        format!("Each of {noted} field edits that a phone acknowledged was looked for on the server: {lost} are missing."),
    ));
    let Report { doors, inspections, visits, patrols, events, .. } = report;
    stage.narrator.say(&said(
        format!("其中入户核查 {doors} 次，检查 {inspections} 次，走访 {visits} 次，巡查 {patrols} 次，事件 {events} 件。"),
        format!("Among them {doors} doors, {inspections} inspections, {visits} visits, {patrols} patrols, {events} events."),
    ));
    stage.narrator.say(&said(
        format!("服务器 {records} 条记录，其中手机修改 {changes} 次，照片 {photos} 张；拒绝文件 {refused_files} 个，冲突 {conflicts} 个，未完成 {pending} 项；用时 {seconds:.1} 秒。"),
        format!("{records} records on the server, {changes} changes by phones, {photos} photos; {refused_files} files refused, {conflicts} conflicts, {pending} things wait; {seconds:.1} s."),
    ));
}
