//! The account: every figure is measured on the server's store and on the phones, not remembered from the day.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_harness::HarnessError;
use gridwalk_harness::office::{HeldChange, changes_in};
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::{ContentHash, DeviceId, Value};

use crate::error::Played;
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
        waiting += totals.captures + totals.refused + totals.conflicts + totals.edited_while_removed;
        waiting += totals.unreadable + totals.alarms;
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
        seconds: seconds(),
    };
    tell(stage, &report);
    Ok(report)
}

/// What the server's own copies say.
#[derive(Debug, Default)]
struct Held {
    /// Changes by the team's phones.
    changes: u64,
    /// Photos that records refer to, with their previews.
    photos: BTreeMap<ContentHash, Option<ContentHash>>,
}

fn server_side(stage: &Stage) -> Played<Held> {
    let devices: BTreeSet<DeviceId> = stage.team.iter().map(|worker| worker.device).collect();
    let mut held = Held::default();
    let mut failed = None;
    stage.office.each_record(None, |_, document| match changes_in(document) {
        Ok(changes) => {
            for change in changes.iter().filter(|change| devices.contains(&change.device)) {
                held.changes += 1;
                held.photos.extend(photos_in(change));
            }
        }
        Err(error) => failed = Some(error),
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(held),
    }
}

fn photos_in(change: &HeldChange) -> impl Iterator<Item = (ContentHash, Option<ContentHash>)> {
    change.writes.iter().filter(|(key, _)| key.starts_with("photos/")).filter_map(|(_, value)| {
        let Some(Value::Bytes(bytes)) = value else { return None };
        let photo = PhotoRef::from_bytes(bytes).ok()?;
        Some((photo.hash, photo.preview_hash))
    })
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
    for promise in broken.iter().take(5) {
        let (record, key) = (promise.record, &promise.key);
        stage.narrator.say(&said(
            format!("丢失：记录 {record} 的字段 {key}"),
            format!("Lost: field {key} of record {record}"),
        ));
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

/// Photos and previews that a phone took in or a record refers to, and that the server does not have.
fn missing_media(stage: &Stage, held: &Held) -> Played<u64> {
    let referred = held.photos.iter().flat_map(|(photo, preview)| [Some(*photo), *preview]).flatten();
    let wanted: BTreeSet<ContentHash> = referred.chain(stage.tally.media.iter().copied()).collect();
    let mut missing = 0;
    for hash in &wanted {
        missing += u64::from(!stage.office.has_media(hash)?);
    }
    // A photo that a phone took in is referred to by a record on the server.
    missing += stage.tally.photos.iter().filter(|hash| !held.photos.contains_key(hash)).count() as u64;
    let count = wanted.len();
    stage.narrator.say(&said(
        format!("照片和预览共 {count} 个，服务器缺 {missing} 个。"),
        format!("Of {count} photos and previews the server lacks {missing}."),
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
    stage.narrator.say(&said(
        format!("服务器 {records} 条记录，其中手机修改 {changes} 次，照片 {photos} 张；拒绝文件 {refused_files} 个，冲突 {conflicts} 个，未完成 {pending} 项；用时 {seconds:.1} 秒。"),
        format!("{records} records on the server, {changes} changes by phones, {photos} photos; {refused_files} files refused, {conflicts} conflicts, {pending} things wait; {seconds:.1} s."),
    ));
}
