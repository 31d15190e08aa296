//! The signed chain of photos and voice notes: checked when a reference lands, judged when somebody looks at it.

use gridwalk_evidence::sha256;
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::photo_chain::{ChainState, Chained, KeptLink, judge};
use gridwalk_model::voice::VoiceRef;
use gridwalk_model::{ContentHash, DeviceId, Kind, RecordId, Value};
use gridwalk_replica::FlatChange;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use crate::storage::{ReadTx, Stored, WriteTx};

/// Checks the signatures of the photos and voice notes that accepted changes bring, and keeps their links. A signature
/// that does not fit refuses nothing: the evidence is kept, and the console says so.
pub(super) fn note_links<'r>(
    tx: &mut dyn WriteTx,
    record: RecordId,
    kind: Kind,
    accepted: impl Iterator<Item = &'r [u8]>,
) -> Stored<()> {
    if !kind.schema().fields.iter().any(|field| field.set && matches!(field.name, "photos" | "voices")) {
        return Ok(());
    }
    for change in accepted.filter_map(|raw| FlatChange::read(raw).ok()) {
        for write in &change.writes {
            let Some(Value::Bytes(bytes)) = &write.value else { continue };
            let by = change.actor.device();
            match write.key.split_once('/') {
                Some(("photos", element)) => {
                    note_link(tx, (record, element), PhotoRef::from_bytes(bytes).ok(), by)?;
                }
                Some(("voices", element)) => {
                    note_link(tx, (record, element), VoiceRef::from_bytes(bytes).ok(), by)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn note_link(
    tx: &mut dyn WriteTx,
    (record, element): (RecordId, &str),
    evidence: Option<impl Chained>,
    by: DeviceId,
) -> Stored<()> {
    let (Some(evidence), Ok(element)) = (evidence, element.parse::<RecordId>()) else { return Ok(()) };
    let Some(link) = evidence.link() else { return Ok(()) };
    // The server's own changes carry no links; the author's key counts, whoever brings the change.
    let Some(device) = tx.device(by)? else { return Ok(()) };
    let message = evidence.signed_message(record, element);
    let fits = fits(&device.public_key, evidence.signature(), &message);
    let kept = KeptLink { link, hash: ContentHash::from_bytes(sha256(&message)), fits };
    tx.insert_photo_link(record, element, device.no, &kept)
}

fn fits(public_key: &[u8], signature: Option<&[u8]>, message: &[u8]) -> bool {
    let key = VerifyingKey::from_sec1_bytes(public_key).ok();
    let signature = signature.and_then(|bytes| Signature::from_slice(bytes).ok());
    key.zip(signature).is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
}

/// What can be said of the signature of a photo or voice note, and of its place in its phone's chain now. A reference
/// that was altered in the store after it landed is seen as well.
///
/// # Errors
/// Failures of the store.
pub fn chain_state(
    tx: &dyn ReadTx,
    record: RecordId,
    element: RecordId,
    evidence: &impl Chained,
) -> Stored<ChainState> {
    if evidence.link().is_none() {
        return Ok(ChainState::Unsigned);
    }
    let Some((device, kept)) = tx.photo_link(record, element)? else { return Ok(ChainState::Unchecked) };
    if kept.hash != ContentHash::from_bytes(sha256(&evidence.signed_message(record, element))) {
        return Ok(ChainState::Altered);
    }
    let same = tx.photo_links(device, kept.link.number)?;
    let before = match kept.link.number.checked_sub(1) {
        Some(number) => tx.photo_links(device, number)?,
        None => Vec::new(),
    };
    Ok(judge(&kept, &same, &before))
}
