//! An event's voice notes: which there are, and their sound.

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gridwalk_model::photo_chain::ChainState;
use gridwalk_model::voice::{VoiceRef, shown_voices};
use gridwalk_model::{Fields, RecordId, Timestamp};

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::medium;
use super::reach::note_view;
use super::visitor::Visitor;
use super::wording;
use crate::media::{Form, VOICE_MAX_BYTES};
use crate::storage::{ReadTx, Stored};
use crate::sync::chain_state;

/// A voice note on an event's page.
pub(super) struct Voice {
    pub(super) path: String,
    pub(super) recorded: String,
    pub(super) seconds: u32,
    /// What was said, as the platform understood it or the worker typed it.
    pub(super) transcript: String,
    /// Whether its sound is here.
    pub(super) stored: bool,
    /// What can be said of its signature, and whether all is well with it.
    pub(super) chain: &'static str,
    pub(super) chain_whole: bool,
}

/// Lists an event's voice notes, the oldest first.
pub(super) fn list(
    tx: &dyn ReadTx,
    id: RecordId,
    fields: &Fields,
    (lang, now): (Lang, Timestamp),
) -> Stored<Vec<Voice>> {
    let mut found: Vec<(RecordId, VoiceRef)> = shown_voices(fields).collect();
    found.sort_by_key(|(_, voice)| voice.recorded_at);
    let shown = found.into_iter().map(|(element, voice)| {
        let chain = chain_state(tx, id, element, &voice)?;
        Ok(Voice {
            chain: lang.t(chain.zh(), chain.en()),
            chain_whole: chain == ChainState::Whole,
            path: format!("/events/{id}/voices/{}", element.to_hex()),
            recorded: wording::time(lang, voice.recorded_at, now),
            seconds: voice.millis.div_ceil(1_000),
            stored: tx.media(&voice.hash)?.is_some(),
            transcript: wording::without_numbers(&voice.transcript.unwrap_or_default()),
        })
    });
    shown.collect()
}

fn find(console: &Console, visitor: &Visitor, id: &str, element: &str) -> Result<VoiceRef, Failure> {
    medium::named(shown_voices(&medium::fields_of_event(console, visitor, id)?), element)
}

/// The sound of a voice note, or the part of it that a player asks for. Written down.
pub(super) async fn play(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, element)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned);
    console
        .blocking(move |console| {
            let voice = find(console, &visitor, &id, &element)?;
            note_view(console, &visitor, "voice.played", &format!("{id}/{element}"))?;
            answer(&medium::bytes(console, &voice.hash, VOICE_MAX_BYTES)?, range.as_deref())
        })
        .await
}

/// Sound as an answer. Anything else is not sent to a browser.
pub(super) fn answer(sound: &[u8], range: Option<&str>) -> Result<Response, Failure> {
    let form = Form::of_published(sound);
    if !matches!(form, Form::Opus | Form::Aac) {
        return Err(Failure::NotFound);
    }
    let kind = form.media_type();
    let Some((from, to)) = range.and_then(|range| asked(range, sound.len())) else {
        return Ok(([(CONTENT_TYPE, kind), (ACCEPT_RANGES, "bytes")], sound.to_vec()).into_response());
    };
    let place = format!("bytes {from}-{to}/{}", sound.len());
    let part = sound.get(from..=to).unwrap_or_default().to_vec();
    let headers =
        [(CONTENT_TYPE, kind.to_owned()), (ACCEPT_RANGES, "bytes".to_owned()), (CONTENT_RANGE, place)];
    Ok((StatusCode::PARTIAL_CONTENT, headers, part).into_response())
}

/// The first and last byte that are asked for; `None` for what is answered with the whole: no range, several, or one
/// that is not there.
fn asked(range: &str, len: usize) -> Option<(usize, usize)> {
    let last = len.checked_sub(1)?;
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.trim(), to.trim()) {
        ("", end) => (len.saturating_sub(end.parse().ok()?), last),
        (from, "") => (from.parse().ok()?, last),
        (from, to) => (from.parse().ok()?, to.parse::<usize>().ok()?.min(last)),
    };
    (from <= to && to <= last).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_get_the_part_that_they_ask_for() {
        assert_eq!(asked("bytes=0-", 10), Some((0, 9)));
        assert_eq!(asked("bytes=2-3", 10), Some((2, 3)));
        assert_eq!(asked("bytes=2-99", 10), Some((2, 9)));
        assert_eq!(asked("bytes=-4", 10), Some((6, 9)));
        for whole in ["", "bytes=10-", "bytes=3-2", "bytes=0-1,4-5", "bytes=x-", "items=0-1"] {
            assert_eq!(asked(whole, 10), None, "{whole}");
        }
        assert_eq!(asked("bytes=0-", 0), None);
    }

    #[test]
    fn only_sound_is_sent_to_a_browser() {
        assert_eq!(answer(b"OggS made up", None).unwrap().status(), StatusCode::OK);
        let part = answer(b"OggS made up", Some("bytes=0-3")).unwrap();
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.headers()[CONTENT_RANGE], "bytes 0-3/12");
        for other in [&b"\xff\xd8\xff"[..], b"<html>", b"", b"%PDF"] {
            assert!(matches!(answer(other, None), Err(Failure::NotFound)));
        }
    }
}
