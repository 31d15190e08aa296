//! A damaged request or response: decoded or refused, quickly, and in bounded memory.

use crate::seeded::Seeded;
use gridwalk_replica::admission::{Reason, Verdict};
use gridwalk_replica::wire::{
    Bytes16, CommitMark, Compare, Cursor, Held, PhoneNotes, Pull, PullBody, Push, ServerNotes, StreamState,
    SyncRequest, SyncResponse,
};
use gridwalk_replica::{change, frame};
use minicbor::bytes::ByteVec;

use super::admission_case::LIMIT;
use super::column::number_near;
use super::history::History;
use super::panics::watch;
use super::quickest;
use super::report::Tally;

fn some_id(random: &mut Seeded) -> Bytes16 {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes.into()
}

fn some_cursor(random: &mut Seeded) -> Cursor {
    Cursor { stream: vec![b'a'; 18].into(), generation: 1, seq: random.bits() >> random.below(64) }
}

fn request(history: &History, random: &mut Seeded) -> SyncRequest {
    let changes: Vec<ByteVec> = history.pool().iter().map(|raw| raw.clone().into()).collect();
    let held = (0..random.below(5))
        .map(|_| Held { record: some_id(random), fingerprint: some_id(random) })
        .collect();
    SyncRequest {
        protocol_min: 1,
        protocol_max: 1,
        schema: 1,
        epoch: random.chance(0.5).then(|| some_id(random)),
        cursors: (0..random.below(4)).map(|_| some_cursor(random)).collect(),
        max_bytes: random.bits() as u32,
        pushes: vec![Push {
            record: some_id(random),
            kind: history.kind.tag().to_owned(),
            hint: Some(0),
            changes,
            history: random.chance(0.5),
        }],
        compare: Some(Compare { stream: 0, after: None, through: Some(some_id(random)), held }),
        seen: random.chance(0.5).then(|| CommitMark { commit: random.bits(), mark: random.bits() }),
        notes: random.chance(0.5).then(|| PhoneNotes {
            wants_key: random.chance(0.5).then_some(true),
            reads: None,
            rules: None,
        }),
    }
}

fn response(history: &History, random: &mut Seeded) -> SyncResponse {
    let hash =
        history.pool().first().and_then(|raw| change::hash_of(raw)).unwrap_or(change::ChangeHash([0; 32]));
    let body = match random.below(3) {
        0 => PullBody::Known,
        1 => PullBody::Snapshot(history.base.clone().unwrap_or_default().into()),
        _ => PullBody::Changes(history.pool().iter().map(|raw| raw.clone().into()).collect()),
    };
    SyncResponse {
        protocol: 1,
        epoch: some_id(random),
        received_at: 1_700_000_000_000,
        commit: 9,
        backed_up_through: 3,
        verdicts: vec![
            vec![Verdict::Accepted, Verdict::Invalid(Reason::Entry), Verdict::BlockedBy(hash)],
            Vec::new(),
        ],
        grants: None,
        pulls: vec![Pull {
            record: some_id(random),
            kind: history.kind.tag().to_owned(),
            stream: 0,
            fingerprint: some_id(random),
            body,
        }],
        removals: Vec::new(),
        streams: vec![StreamState { seq: random.bits(), digest: Some(some_id(random)) }],
        more: false,
        wants: vec![some_id(random)],
        mark: random.chance(0.5).then(|| random.bits()),
        notes: random.chance(0.5).then(|| ServerNotes {
            locked: random.chance(0.5).then_some(true),
            sealing_key: random.chance(0.5).then(|| vec![7; 32].into()),
            reads_through: random.chance(0.5).then_some(7),
            rules: None,
        }),
    }
}

/// Alters CBOR: single bytes, heads of items (where the lengths are), pieces.
fn mutate(cbor: &mut Vec<u8>, random: &mut Seeded) {
    let times = 1 + random.below(4);
    for _ in 0..times {
        let at = random.below(cbor.len());
        match random.below(7) {
            0 | 1 => {
                if let Some(byte) = cbor.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            2 => {
                if let Some(byte) = cbor.get_mut(at) {
                    *byte = random.pick(&[0x80, 0x9f, 0xa0, 0xbf, 0xff, 0x5f, 0x7f, 0xc0, 0xf6, 0x9b, 0x5b]);
                }
            }
            3 => cbor.truncate(at),
            4 => {
                let head = random.pick(&[0x1b, 0x3b, 0x5b, 0x7b, 0x9b]);
                let number = number_near(at as u64, random).to_be_bytes();
                let end = (at + 1).min(cbor.len());
                cbor.splice(at..end, std::iter::once(head).chain(number));
            }
            5 => {
                let end = (at + random.below(20)).min(cbor.len());
                let piece: Vec<u8> = cbor.get(at..end).unwrap_or_default().to_vec();
                cbor.splice(at..at, piece);
            }
            _ => {
                let filler = random.pick(&[0x00, 0x80, 0x81, 0x40, 0xf6, 0x60]);
                let most = random.pick(&[10, 10_000, 300_000]);
                let count = random.below(most);
                cbor.splice(at..at, std::iter::repeat_n(filler, count));
            }
        }
    }
}

/// Decodes one damaged body. `Err` names the property that does not hold.
pub fn run(history: &History, random: &mut Seeded, tally: &mut Tally) -> Result<(), String> {
    let honest = if random.chance(0.5) {
        minicbor::to_vec(request(history, random))
    } else {
        minicbor::to_vec(response(history, random))
    };
    let mut cbor = honest.map_err(|_| "an honest body cannot be encoded".to_owned())?;
    mutate(&mut cbor, random);
    // As it would be framed by our own encoder; then, sometimes, damaged as a frame.
    let mut body = compressed(&cbor).ok_or("a body cannot be framed")?;
    if random.chance(0.2) {
        let at = random.below(body.len());
        match (body.get_mut(at), random.below(3)) {
            (Some(byte), 0 | 1) => *byte ^= 1 << random.below(8),
            _ => body.truncate(at),
        }
    }
    let decode = || (frame::decode::<SyncRequest>(&body), frame::decode::<SyncResponse>(&body));
    let (watched, took) = quickest(LIMIT, || watch(decode));
    tally.slow_frame(took);
    let Some((request, response)) = watched.result else {
        return Err(format!("a panic escaped from decoding: {}", watched.panics.join("; ")));
    };
    if !watched.panics.is_empty() {
        return Err(format!("decoding panics inside: {}", watched.panics.join("; ")));
    }
    if took > LIMIT {
        return Err(format!("time bomb: a body of {} bytes took {took:?}", body.len()));
    }
    tally.frame(request.is_ok() || response.is_ok());
    if let Ok(request) = request {
        round_trip(&request)?;
    }
    if let Ok(response) = response {
        round_trip(&response)?;
    }
    Ok(())
}

/// What was understood can be said again and means the same.
fn round_trip<T>(body: &T) -> Result<(), String>
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> + PartialEq,
{
    let again = frame::encode(body).and_then(|bytes| frame::decode_within::<T>(&bytes, usize::MAX));
    match again {
        Ok(again) if again == *body => Ok(()),
        _ => Err("a decoded body does not survive a round trip".to_owned()),
    }
}

fn compressed(cbor: &[u8]) -> Option<Vec<u8>> {
    zstd::bulk::compress(cbor, 1).ok()
}
