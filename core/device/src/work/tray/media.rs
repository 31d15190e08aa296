//! Photos, voice notes and tracks that do not arrive: told with the reason, tried again, thrown away or taken note of.

use gridwalk_model::describe::Words;
use gridwalk_model::photo::shown_photos;
use gridwalk_model::voice::shown_voices;
use gridwalk_model::{ContentHash, Fields, RecordId, Timestamp, Value};

use super::undo::{Step, Undo};
use super::{TrayAct, TrayItem, TrayKey, TrayMedia};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, MediaForm, PhotoFault, Store, Trouble, TroubledUpload};

/// What the tray remembers that it was taken note of.
const NOTED: &str = "media";

/// The element of a record that refers to a medium.
enum Element {
    Photo(RecordId),
    /// The key of its flag.
    Voice(String),
    /// A track, or an element that is gone.
    None,
}

/// The name by which it is remembered that a medium was taken note of: the beginning of its hash.
fn noted_as(hash: &ContentHash) -> RecordId {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    RecordId::from_bytes(bytes)
}

fn element_of(fields: &Fields, hash: &ContentHash) -> Element {
    if let Some((element, _)) = shown_photos(fields).find(|(_, photo)| photo.hash == *hash) {
        return Element::Photo(element);
    }
    match shown_voices(fields).find(|(_, voice)| voice.hash == *hash) {
        Some((element, _)) => Element::Voice(format!("voices/{}/removed", element.to_hex())),
        None => Element::None,
    }
}

/// What has waited since before this is late.
fn late_since(now: Timestamp, days: u32) -> Timestamp {
    now.plus_days(-i64::from(days))
}

impl Store {
    /// Media that do not arrive, unless the worker has taken note.
    pub(super) fn media_items(&self, now: Timestamp, out: &mut Vec<TrayItem>) -> Result<(), DeviceError> {
        for fault in self.view().photo_faults()? {
            if self.view().is_seen(fault.element, NOTED, fault.at)? {
                continue;
            }
            let key = TrayKey::Media { media: TrayMedia::Original(fault.capture) };
            let item = self.media_item(key, fault.record, fault.at)?;
            let (what, explanation) = unprepared(&fault);
            out.push(TrayItem { what, explanation, ..item });
        }
        let late_days = self.field_rules()?.media_late_days;
        for found in self.view().troubled_uploads(late_since(now, late_days))? {
            if self.view().is_seen(noted_as(&found.hash), NOTED, found.since)? {
                continue;
            }
            let key = TrayKey::Media { media: TrayMedia::Upload(found.hash) };
            let item = self.media_item(key, found.record, found.since)?;
            let (what, explanation) = words(&found, late_days);
            let mut acts = item.acts.clone();
            if self.media_len(&found.hash)?.is_none() {
                acts.retain(|act| *act != TrayAct::Retry);
            }
            out.push(TrayItem { what, explanation, acts, ..item });
        }
        Ok(())
    }

    fn media_item(&self, key: TrayKey, record: RecordId, since: Timestamp) -> Result<TrayItem, DeviceError> {
        let kind = self.fields(record)?.map(|(kind, _)| kind).unwrap_or_default();
        self.item(key, record, &kind, since)
    }

    fn fault(&self, capture: i64) -> Result<PhotoFault, DeviceError> {
        let mut faults = self.view().photo_faults()?.into_iter();
        faults.find(|fault| fault.capture == capture).ok_or(DeviceError::NotInTray)
    }

    fn troubled(&self, hash: &ContentHash, now: Timestamp) -> Result<TroubledUpload, DeviceError> {
        let late_days = self.field_rules()?.media_late_days;
        let mut all = self.view().troubled_uploads(late_since(now, late_days))?.into_iter();
        all.find(|found| found.hash == *hash).ok_or(DeviceError::NotInTray)
    }

    pub(super) fn retry_media(&mut self, media: TrayMedia, now: Timestamp) -> Result<Undo, DeviceError> {
        match media {
            TrayMedia::Original(capture) => {
                self.fault(capture)?;
                self.write(Commit::Setting, |tx| tx.set_photo_fault(capture, None))?;
            }
            TrayMedia::Upload(hash) => {
                self.troubled(&hash, now)?;
                if !self.retry_medium(&hash)? {
                    return Err(DeviceError::NotInTray);
                }
            }
        }
        Ok(Undo::default())
    }

    pub(super) fn note_media(&mut self, media: TrayMedia, now: Timestamp) -> Result<Undo, DeviceError> {
        let (of, since) = match media {
            TrayMedia::Original(capture) => {
                let fault = self.fault(capture)?;
                (fault.element, fault.at)
            }
            TrayMedia::Upload(hash) => (noted_as(&hash), self.troubled(&hash, now)?.since),
        };
        self.note_seen(of, NOTED, since)?;
        Ok(Undo::of(Step::Noted { of, what: NOTED }))
    }

    /// Throws a medium away. A photo or voice note is taken off its record, so that nobody waits for it.
    pub(super) fn throw_media_away(&mut self, media: TrayMedia, now: Timestamp) -> Result<Undo, DeviceError> {
        let hash = match media {
            TrayMedia::Original(capture) => {
                self.fault(capture)?;
                self.forget_capture(capture)?;
                return Ok(Undo::of(Step::Final));
            }
            TrayMedia::Upload(hash) => hash,
        };
        let record = self.troubled(&hash, now)?.record;
        let fields = self.fields(record)?.map(|(_, fields)| fields).unwrap_or_default();
        let key = match element_of(&fields, &hash) {
            Element::Photo(element) => {
                let removed = self.remove_photo(record, element, now)?;
                return Ok(Undo::of(Step::TakenOff { removed }));
            }
            Element::Voice(key) => Some(key),
            Element::None => None,
        };
        let here = self.media_len(&hash)?.is_some();
        self.write(Commit::Edit, |tx| {
            if let Some(key) = &key {
                let patch = Fields::from([(key.clone(), Value::Flag(true))]);
                Edits::over(tx, now).edit(record, &patch)?;
            }
            tx.drop_upload(&hash, record, now)
        })?;
        let mut steps = vec![Step::Dropped { hash, here }];
        steps.extend(key.map(|key| Step::Wrote {
            record,
            key,
            before: Value::Flag(false),
            after: Value::Flag(true),
        }));
        Ok(Undo { steps })
    }
}

fn unprepared(fault: &PhotoFault) -> (Words, Words) {
    let what = Words::new("照片无法处理", "A photo cannot be used");
    let explanation = Words::new(
        format!(
            "上报已提交，但这张照片无法处理：{}。原文件仍保存在手机上，可以重试，或丢弃后重新拍摄。",
            fault.zh
        ),
        format!(
            "The report was sent, but this photo cannot be used: {}. The file is still on this phone: try again, or \
             throw it away and take another.",
            fault.en
        ),
    );
    (what, explanation)
}

fn words(found: &TroubledUpload, late_days: u32) -> (Words, Words) {
    let (zh, en) = if found.is(MediaForm::Track) {
        ("巡查轨迹", "track")
    } else if found.is(MediaForm::Voice) {
        ("录音", "recording")
    } else {
        ("照片", "photo")
    };
    let days = if late_days == 1 { "a day".to_owned() } else { format!("{late_days} days") };
    match found.trouble {
        Trouble::Lost => (
            Words::new(format!("{zh}已丢失"), format!("A {en} was lost")),
            Words::new(
                format!(
                    "手机上的文件损坏，这份{zh}在送达服务器之前丢失了。记录本身没有受影响，请尽可能重新采集。"
                ),
                format!(
                    "A file on this phone was damaged, and this {en} was lost before the server had it. The record itself is \
                     whole: make another {en} if you can."
                ),
            ),
        ),
        Trouble::Refused => (
            Words::new(format!("{zh}未被接受"), format!("A {en} was not accepted")),
            Words::new(
                format!("服务器没有接收这份{zh}。文件仍保存在手机上，可以重试，或丢弃。"),
                format!(
                    "The server does not take this {en}. It is still on this phone: try again, or throw it away."
                ),
            ),
        ),
        Trouble::Late => (
            Words::new(format!("{zh}长时间未送达"), format!("A {en} has waited for long")),
            Words::new(
                format!(
                    "这份{zh}已等待超过 {late_days} 天，仍保存在手机上。请连接网络（必要时使用无线网络并充电）后重试。"
                ),
                format!(
                    "This {en} has waited for more than {days} and is still on this phone. Connect to a network \
                     (Wi-Fi and a charger, if that is set) and try again."
                ),
            ),
        ),
    }
}
