//! Locked by the deployment: what was not sent is sealed for the server, handed in part by part, and with the server's
//! receipt everything goes.
//!
//! | step | durable with | killed before the next |
//! | --- | --- | --- |
//! | the order is noted | `Setting::Locked` = 1 | nothing is shown; the next start goes on |
//! | the package is made | its parts and `Setting::Sealed` in one commit | the same package is handed in |
//! | its parts are handed in | the server says which is missing | as above |
//! | the receipt is noted | `Setting::Locked` = 2 | the next start wipes |
//! | the store is wiped, its key first | | what is left is noise |
//!
//! What is in the package stays in the store until the receipt: a device that is reinstated before that goes on where
//! it stood. Originals and media are listed in the package and sealed when they are sent, since there may be no room
//! for them twice.

use gridwalk_model::RecordId;
use gridwalk_model::geo::TrackPoint;
use gridwalk_replica::protocol::HandIn;
use gridwalk_replica::sealed::{PARTS_MAX, Place, SealedChange, SealedDraft, SealedItem, SealedPiece, seal};
use minicbor::bytes::ByteVec;
use std::fmt::Write as _;

use crate::error::DeviceError;
use crate::store::{Commit, PartSource, Setting, Store, UnsentFile, VoicePlace};
use crate::work::events::ReportDraft;
use crate::work::evidence::DraftVoice;
use crate::work::visits::VisitInput;

/// [`Setting::Locked`]: nothing is shown, and what was not sent is handed in.
pub(crate) const LOCKED: i64 = 1;
/// [`Setting::Locked`]: everything is to be wiped.
pub(crate) const WIPE: i64 = 2;

/// Bytes of text in a part, about: with the largest change in it a part is well below what the server takes.
const TEXT_BYTES: usize = 192 * 1024;
/// Bytes of a file in a part: what one piece of the media file holds.
const PIECE_BYTES: u64 = 256 * 1024;
/// Points of a patrol in one item.
const POINTS: usize = 2_000;

/// A package: its name and how many parts it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: [u8; 16],
    pub(crate) of: u32,
}

impl Package {
    fn bytes(self) -> Vec<u8> {
        [self.name.as_slice(), &self.of.to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, DeviceError> {
        match (bytes.first_chunk(), bytes.last_chunk(), bytes.len()) {
            (Some(name), Some(of), 20) => Ok(Self { name: *name, of: u32::from_be_bytes(*of) }),
            _ => Err(DeviceError::Damaged),
        }
    }
}

impl Store {
    /// Keeps the server's sealing key, as enrolment told it.
    pub(crate) fn set_sealing_key(&mut self, key: &[u8]) -> Result<(), DeviceError> {
        self.write(Commit::Setting, |tx| tx.put(Setting::SealingKey, key))
    }

    /// Makes the package of everything that the server has no receipt for, once: it stays the same until it is handed
    /// in or the device is reinstated. `None` without the server's sealing key.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`], failures of SQLite. The package is whole or not there.
    pub(crate) fn seal_unsent(&mut self) -> Result<Option<Package>, DeviceError> {
        if let Some(bytes) = self.view().get(Setting::Sealed)? {
            return Package::read(&bytes).map(Some);
        }
        let (Some(identity), Some(key)) = (self.identity(), self.view().get(Setting::SealingKey)?) else {
            return Ok(None);
        };
        let texts = in_parts(self.unsent_text()?);
        let files = self.unsent_pieces()?;
        let of = u32::try_from(texts.len() + files.len()).unwrap_or(u32::MAX);
        if of > PARTS_MAX {
            return Err(DeviceError::Bug("more unsent work than a store may hold"));
        }
        let package = Package { name: self.random()?, of };
        self.write(Commit::Seal, |tx| {
            for (part, items) in (0..).zip(&texts) {
                let place = Place { device: identity.device, package: package.name, part, of };
                let random = tx.random()?;
                let body = seal(&key, &place, items, random).map_err(|_| DeviceError::Damaged)?;
                tx.put_sealed_part(part, &PartSource::Sealed(body))?;
            }
            let first = u32::try_from(texts.len()).unwrap_or(u32::MAX);
            for (part, source) in (first..).zip(&files) {
                tx.put_sealed_part(part, source)?;
            }
            tx.put(Setting::Sealed, &package.bytes())
        })?;
        Ok(Some(package))
    }

    /// One part of the package, as it is sent.
    ///
    /// # Errors
    /// [`DeviceError::Damaged`] for a part that the package does not have.
    pub(crate) fn sealed_part(&mut self, package: Package, part: u32) -> Result<HandIn, DeviceError> {
        let source = self.view().sealed_part(part)?.ok_or(DeviceError::Damaged)?;
        let body = match source {
            PartSource::Sealed(body) => body,
            source => {
                let identity = self.identity().ok_or(DeviceError::NotEnrolled)?;
                let key = self.view().get(Setting::SealingKey)?.ok_or(DeviceError::Damaged)?;
                let place = Place { device: identity.device, package: package.name, part, of: package.of };
                // A file that is gone all the same leaves an empty part: the others are not held up by it.
                let items: Vec<SealedItem> = self.piece_of(&source)?.into_iter().collect();
                seal(&key, &place, &items, self.random()?).map_err(|_| DeviceError::Damaged)?
            }
        };
        Ok(HandIn { package: package.name.into(), part, of: package.of, body: body.into() })
    }

    /// The device may work again: the package is forgotten, and everything is where it was.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub(crate) fn unlock(&mut self) -> Result<(), DeviceError> {
        self.write(Commit::Setting, |tx| {
            tx.drop_sealed_parts()?;
            tx.clear(Setting::Locked)
        })
    }

    fn unsent_text(&self) -> Result<Vec<SealedItem>, DeviceError> {
        let mut items = Vec::new();
        for (record, kind, raw, hint) in self.view().unsent_changes()? {
            items.push(SealedItem::Change(SealedChange {
                record: (*record.as_bytes()).into(),
                kind,
                raw: raw.into(),
                hint: hint.map(ByteVec::from),
            }));
        }
        for row in self.view().drafts()?.into_iter().filter(|row| row.discarded_at.is_none()) {
            let report: ReportDraft = minicbor::decode(&row.body).map_err(|_| DeviceError::Damaged)?;
            let target = report.dwelling.or(report.place).or(report.area);
            let text = with_said(&report_text(&report), &self.sealed_voices(VoicePlace::Report(row.n))?);
            items.push(draft("report", row.n, row.at.millis(), target, text, row.body));
        }
        for (target, at) in self.view().visit_drafts()? {
            let (Some(n), Some(body)) =
                (self.view().visit_draft_number(target)?, self.view().visit_draft(target)?)
            else {
                continue;
            };
            let text = minicbor::decode(&body).map(|visit| visit_text(&visit)).unwrap_or_default();
            let text = with_said(&text, &self.sealed_voices(VoicePlace::Visit(n))?);
            items.push(draft("visit", n, at.millis(), Some(target), text, body));
        }
        if let Some(patrol) = self.view().open_patrol()? {
            let points = self.view().patrol_points(patrol.id)?;
            for (n, points) in (1..).zip(points.chunks(POINTS)) {
                let text = track_text(points);
                let target = Some(patrol.area);
                items.push(draft("patrol", n, patrol.started_at.millis(), target, text, Vec::new()));
            }
        }
        Ok(items)
    }

    /// The voice notes of a draft that were not taken off.
    fn sealed_voices(&self, place: VoicePlace) -> Result<Vec<DraftVoice>, DeviceError> {
        let mut notes = self.view().draft_voices(place)?;
        notes.retain(|note| note.discarded_at.is_none());
        Ok(notes)
    }

    /// The voice notes of the drafts that are handed in.
    fn unsent_sounds(&self) -> Result<Vec<DraftVoice>, DeviceError> {
        let mut out = Vec::new();
        for row in self.view().drafts()?.into_iter().filter(|row| row.discarded_at.is_none()) {
            out.extend(self.sealed_voices(VoicePlace::Report(row.n))?);
        }
        for (target, _) in self.view().visit_drafts()? {
            if let Some(n) = self.view().visit_draft_number(target)? {
                out.extend(self.sealed_voices(VoicePlace::Visit(n))?);
            }
        }
        Ok(out)
    }

    /// Where the pieces of unsent files are found: media first, then sounds, originals last.
    fn unsent_pieces(&self) -> Result<Vec<PartSource>, DeviceError> {
        let mut out = Vec::new();
        let offsets = |bytes: u64| (0..bytes.div_ceil(PIECE_BYTES)).map(|n| n * PIECE_BYTES);
        for UnsentFile { name: hash, .. } in self.view().unsent_media()? {
            let Some(bytes) = self.media_len(&hash)? else { continue };
            out.extend(offsets(bytes).map(|offset| PartSource::Medium { hash, offset }));
        }
        for DraftVoice { element, voice, .. } in self.unsent_sounds()? {
            let Some(bytes) = self.media_len(&voice.hash)? else { continue };
            out.extend(offsets(bytes).map(|offset| PartSource::Sound { element, offset }));
        }
        for UnsentFile { name: capture, bytes, .. } in self.unsent_originals()? {
            out.extend(offsets(bytes).map(|offset| PartSource::Original { capture, offset }));
        }
        Ok(out)
    }

    fn piece_of(&self, source: &PartSource) -> Result<Option<SealedItem>, DeviceError> {
        Ok(match source {
            PartSource::Sealed(_) => None,
            PartSource::Medium { hash, offset } => {
                let (Some(body), Some(bytes)) = (self.media_piece(hash, *offset)?, self.media_len(hash)?)
                else {
                    return Ok(None);
                };
                Some(SealedItem::Medium(SealedPiece {
                    name: hash.as_bytes().to_vec().into(),
                    bytes,
                    offset: *offset,
                    body: body.into(),
                    at: 0,
                    draft: None,
                    visit: None,
                }))
            }
            PartSource::Sound { element, offset } => self.sound_piece(*element, *offset)?,
            PartSource::Original { capture, offset } => {
                let files = self.unsent_originals()?;
                let Some(file) = files.iter().find(|file| file.name == *capture) else { return Ok(None) };
                let size = usize::try_from(PIECE_BYTES).unwrap_or(usize::MAX);
                let Some(body) = self.original_piece(*capture, *offset, size)? else { return Ok(None) };
                let photos = self.view().draft_photos()?;
                Some(SealedItem::Original(SealedPiece {
                    name: capture.to_be_bytes().to_vec().into(),
                    bytes: file.bytes,
                    offset: *offset,
                    body: body.into(),
                    at: file.at.millis(),
                    draft: photos.iter().find(|photo| photo.capture == *capture).and_then(|p| p.draft),
                    visit: None,
                }))
            }
        })
    }

    fn sound_piece(&self, element: RecordId, offset: u64) -> Result<Option<SealedItem>, DeviceError> {
        let Some(note) = self.view().voice_note(element)? else { return Ok(None) };
        let (Some(body), Some(bytes)) = (self.media_piece(&note.hash, offset)?, self.media_len(&note.hash)?)
        else {
            return Ok(None);
        };
        let (draft, visit) = match note.place {
            VoicePlace::Report(n) => (Some(n), None),
            VoicePlace::Visit(n) => (None, Some(n)),
            VoicePlace::Record(_) => (None, None),
        };
        Ok(Some(SealedItem::Sound(SealedPiece {
            name: element.as_bytes().to_vec().into(),
            bytes,
            offset,
            body: body.into(),
            at: note.at.millis(),
            draft,
            visit,
        })))
    }
}

fn draft(what: &str, n: i64, at: i64, target: Option<RecordId>, text: String, body: Vec<u8>) -> SealedItem {
    let target = target.map(|target| (*target.as_bytes()).into());
    SealedItem::Draft(SealedDraft { what: what.to_owned(), n, at, target, text, body: body.into() })
}

/// What a worker had entered, a line each.
fn report_text(report: &ReportDraft) -> String {
    let parts = [&report.category, &report.description, &report.address, &report.no_photo_reason];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn visit_text(visit: &VisitInput) -> String {
    visit.note.clone().unwrap_or_default()
}

/// With what was said in voice notes, a line each.
fn with_said(text: &str, notes: &[DraftVoice]) -> String {
    let said = notes.iter().filter_map(|note| note.voice.transcript.as_deref());
    let lines = std::iter::once(text).filter(|text| !text.is_empty()).chain(said);
    lines.collect::<Vec<_>>().join("\n")
}

/// The points of a patrol: when, and where in WGS-84.
fn track_text(points: &[TrackPoint]) -> String {
    let mut out = String::new();
    for point in points {
        let at = point.fix.point;
        // Writing to a string does not fail.
        let _ = writeln!(out, "{} {:.6} {:.6}", point.fix.at, at.lat, at.lon);
    }
    out
}

/// Packs items into parts, at least one, in their order.
fn in_parts(items: Vec<SealedItem>) -> Vec<Vec<SealedItem>> {
    let mut parts = vec![Vec::new()];
    let mut used = 0;
    for item in items {
        let size = match &item {
            SealedItem::Change(change) => change.raw.len() + 128,
            SealedItem::Draft(draft) => draft.body.len() + draft.text.len() + 128,
            SealedItem::Medium(piece) | SealedItem::Original(piece) | SealedItem::Sound(piece) => {
                piece.body.len() + 128
            }
        };
        if used > 0 && used + size > TEXT_BYTES {
            parts.push(Vec::new());
            used = 0;
        }
        used += size;
        if let Some(last) = parts.last_mut() {
            last.push(item);
        }
    }
    parts
}
