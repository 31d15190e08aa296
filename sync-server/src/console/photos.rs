//! An event's photos: which there are, and their bytes.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use gridwalk_model::event::LogEntry;
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource, Reuse, shown_photos};
use gridwalk_model::photo_chain::ChainState;
use gridwalk_model::{ContentHash, Fields, RecordId, Timestamp};

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::medium;
use super::reach::note_view;
use super::visitor::Visitor;
use super::wording;
use crate::storage::ReadTx;
use crate::sync::chain_state;

/// Largest photo that is shown, in bytes. Phones send at most a few hundred KB.
const PHOTO_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Of a photo that is opened by itself. Browsers fit it to the screen with a style of their own, which the policy of
/// our pages would forbid; the photo itself cannot bring any.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// A photo on an event's page.
pub(super) struct Photo {
    pub(super) full: String,
    pub(super) preview: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) alt: String,
    pub(super) taken: String,
    pub(super) size: String,
    /// Whether its bytes are here.
    pub(super) stored: bool,
    /// What can be said of its signature, and whether all is well with it.
    pub(super) chain: &'static str,
    pub(super) chain_whole: bool,
    /// What makes it worth a second look.
    pub(super) remarks: Vec<&'static str>,
}

/// Photos that show the same.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) photos: Vec<Photo>,
}

/// Lists an event's photos.
pub(super) fn list(
    tx: &dyn ReadTx,
    id: RecordId,
    fields: &Fields,
    entries: &[LogEntry],
    (lang, now): (Lang, Timestamp),
) -> Result<Vec<Group>, Failure> {
    let named_after: BTreeSet<RecordId> =
        entries.iter().flat_map(|entry| &entry.after_photos).copied().collect();
    let titles = [("处置前", "Before"), ("处置后", "After"), ("现场", "Scene")];
    let mut groups = titles.map(|(zh, en)| Group { title: lang.t(zh, en), photos: Vec::new() });
    let [before, after, scene] = &mut groups;
    for (element, photo) in shown_photos(fields) {
        let group = if photo.role == PhotoRole::After || named_after.contains(&element) {
            &mut *after
        } else if photo.role == PhotoRole::Before {
            &mut *before
        } else {
            &mut *scene
        };
        let full = format!("/events/{id}/photos/{}", element.to_hex());
        let count = group.photos.len() + 1;
        let chain = chain_state(tx, id, element, &photo)?;
        group.photos.push(Photo {
            chain: lang.t(chain.zh(), chain.en()),
            chain_whole: chain == ChainState::Whole,
            preview: format!("{full}/preview"),
            full,
            width: photo.width,
            height: photo.height,
            alt: format!("{} {count}", group.title),
            taken: photo.taken_at.map(|at| wording::time(lang, at, now)).unwrap_or_default(),
            size: wording::size(photo.bytes),
            stored: tx.media(&photo.hash)?.is_some(),
            remarks: remarks(&photo, lang),
        });
    }
    Ok(groups.into_iter().filter(|group| !group.photos.is_empty()).collect())
}

/// What makes a photo worth a second look.
fn remarks(photo: &PhotoRef, lang: Lang) -> Vec<&'static str> {
    let mut out = Vec::new();
    if photo.source == PhotoSource::Gallery {
        out.push(lang.t("从相册选取", "Chosen from the gallery"));
    }
    if photo.mock_location == Some(true) {
        out.push(lang.t("位置为模拟", "Simulated location"));
    }
    match photo.reuse {
        Some(Reuse::Same) => out.push(lang.t("与已用照片相同", "The same file was used before")),
        Some(Reuse::Near) => out.push(lang.t("与已用照片相似", "Looks like one used before")),
        _ => {}
    }
    if photo.blurred.is_some() {
        out.push(lang.t("部分区域已遮挡", "Parts made unrecognisable"));
    }
    out
}

fn find(console: &Console, visitor: &Visitor, id: &str, element: &str) -> Result<PhotoRef, Failure> {
    medium::named(shown_photos(&medium::fields_of_event(console, visitor, id)?), element)
}

/// A photo in full. Written down.
pub(super) async fn full(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, element)): Path<(String, String)>,
) -> Result<Response, Failure> {
    console
        .blocking(move |console| {
            let photo = find(console, &visitor, &id, &element)?;
            note_view(console, &visitor, "photo.viewed", &format!("{id}/{element}"))?;
            send(console, &photo.hash)
        })
        .await
}

/// Its preview, which the event's page shows; that view is written down with the page.
pub(super) async fn preview(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, element)): Path<(String, String)>,
) -> Result<Response, Failure> {
    console
        .blocking(move |console| {
            let photo = find(console, &visitor, &id, &element)?;
            match photo.preview_hash {
                Some(hash) => send(console, &hash).or_else(|_| send(console, &photo.hash)),
                None => send(console, &photo.hash),
            }
        })
        .await
}

fn send(console: &Console, hash: &ContentHash) -> Result<Response, Failure> {
    image(medium::bytes(console, hash, PHOTO_MAX_BYTES)?)
}

/// An image as an answer.
pub(super) fn image(bytes: Vec<u8>) -> Result<Response, Failure> {
    let kind = image_type(&bytes).ok_or(Failure::NotFound)?;
    Ok(([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY)], bytes).into_response())
}

/// The type of an image by its first bytes. Anything else is not sent to a browser.
fn image_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_are_sent_to_a_browser() {
        assert_eq!(image_type(b"\xff\xd8\xff\xe0rest"), Some("image/jpeg"));
        assert_eq!(image_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        for other in [&b"<svg xmlns='...'>"[..], b"<html>", b"%PDF-1.7", b"\xff\xd8", b""] {
            assert_eq!(image_type(other), None);
        }
    }
}
