//! The signed chain of photos: checked when a reference lands, judged when somebody looks at it.

use gridwalk_evidence::sha256;
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::photo_chain::{ChainState, KeptLink, judge};
use gridwalk_model::{ContentHash, Kind, RecordId, Value};
use gridwalk_replica::FlatChange;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use crate::storage::{ReadTx, Stored, WriteTx};

/// Checks the signatures of the photos that accepted changes bring, and keeps their links. A signature that does not
/// fit refuses nothing: the photo is kept, and the console says so.
pub(super) fn note_links<'r>(
    tx: &mut dyn WriteTx,
    record: RecordId,
    kind: Kind,
    accepted: impl Iterator<Item = &'r [u8]>,
) -> Stored<()> {
    if !kind.schema().fields.iter().any(|field| field.set && field.name == "photos") {
        return Ok(());
    }
    for change in accepted.filter_map(|raw| FlatChange::read(raw).ok()) {
        for write in &change.writes {
            let Some((element, photo)) = signed_photo(&write.key, write.value.as_ref()) else { continue };
            let Some(link) = photo.link else { continue };
            // The server's own changes carry no links; the author's key counts, whoever brings the change.
            let Some(device) = tx.device(change.actor.device())? else { continue };
            let message = photo.signed_message(record, element);
            let fits = fits(&device.public_key, photo.signature.as_deref(), &message);
            let kept = KeptLink { link, hash: ContentHash::from_bytes(sha256(&message)), fits };
            tx.insert_photo_link(record, element, device.no, &kept)?;
        }
    }
    Ok(())
}

fn signed_photo(key: &str, value: Option<&Value>) -> Option<(RecordId, PhotoRef)> {
    let element = key.strip_prefix("photos/")?.parse().ok()?;
    let Some(Value::Bytes(bytes)) = value else { return None };
    Some((element, PhotoRef::from_bytes(bytes).ok()?))
}

fn fits(public_key: &[u8], signature: Option<&[u8]>, message: &[u8]) -> bool {
    let key = VerifyingKey::from_sec1_bytes(public_key).ok();
    let signature = signature.and_then(|bytes| Signature::from_slice(bytes).ok());
    key.zip(signature).is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
}

/// What can be said of a photo's signature and place in its phone's chain now. A reference that was altered in the
/// store after it landed is seen as well.
///
/// # Errors
/// Failures of the store.
pub fn chain_state(tx: &dyn ReadTx, record: RecordId, element: &str, photo: &PhotoRef) -> Stored<ChainState> {
    if photo.link.is_none() {
        return Ok(ChainState::Unsigned);
    }
    let Ok(element) = element.parse::<RecordId>() else { return Ok(ChainState::Unchecked) };
    let Some((device, kept)) = tx.photo_link(record, element)? else { return Ok(ChainState::Unchecked) };
    if kept.hash != ContentHash::from_bytes(sha256(&photo.signed_message(record, element))) {
        return Ok(ChainState::Altered);
    }
    let same = tx.photo_links(device, kept.link.number)?;
    let before = match kept.link.number.checked_sub(1) {
        Some(number) => tx.photo_links(device, number)?,
        None => Vec::new(),
    };
    Ok(judge(&kept, &same, &before))
}
