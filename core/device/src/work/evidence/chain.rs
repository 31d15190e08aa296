//! Every photo and voice note that this phone attaches is signed with the hash of the one before.

use std::sync::Arc;

use gridwalk_evidence::sha256;
use gridwalk_model::photo_chain::{ChainLink, Chained};
use gridwalk_model::{ContentHash, RecordId};

use crate::error::DeviceError;
use crate::keys::DeviceKey;
use crate::store::{Setting, Store, Tx, View};

/// Bytes of a chain's end: its number and the hash of its last message.
const END_BYTES: usize = 8 + 32;

/// The last link of this phone's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    number: u64,
    hash: ContentHash,
}

impl View<'_> {
    fn chain_end(&self) -> Result<Option<ChainEnd>, DeviceError> {
        let Some(bytes) = self.get(Setting::PhotoChain)? else { return Ok(None) };
        let bytes: [u8; END_BYTES] = bytes.try_into().map_err(|_| DeviceError::Damaged)?;
        let (number, hash) = bytes.split_first_chunk::<8>().ok_or(DeviceError::Damaged)?;
        let hash = ContentHash::from_slice(hash).ok_or(DeviceError::Damaged)?;
        Ok(Some(ChainEnd { number: u64::from_be_bytes(*number), hash }))
    }
}

/// Puts a reference behind the last link and signs it. Where the keystore fails, it stays unsigned and outside of the
/// chain: no evidence is ever lost to that.
fn link<E: Chained>(
    key: &dyn DeviceKey,
    last: Option<ChainEnd>,
    reference: E,
    record: RecordId,
    element: RecordId,
) -> (E, Option<ChainEnd>) {
    let link = ChainLink::after(last.map(|end| (end.number, end.hash)));
    let linked = reference.signed(Some(link), None);
    let message = linked.signed_message(record, element);
    match key.sign(&message) {
        Ok(signature) => {
            let end = ChainEnd { number: link.number, hash: ContentHash::from_bytes(sha256(&message)) };
            (linked.signed(Some(link), Some(signature.to_vec())), Some(end))
        }
        Err(_) => (reference, None),
    }
}

impl Tx<'_> {
    /// Puts a reference into the chain and signs it, and moves the end of the chain. Without a key it stays unsigned.
    pub(crate) fn chained<E: Chained>(
        &mut self,
        key: Option<&dyn DeviceKey>,
        reference: E,
        record: RecordId,
        element: RecordId,
    ) -> Result<E, DeviceError> {
        let Some(key) = key else { return Ok(reference) };
        let (reference, end) = link(key, self.chain_end()?, reference, record, element);
        if let Some(end) = &end {
            self.put_chain_end(end)?;
        }
        Ok(reference)
    }

    /// Moves the end of the chain, in the transaction that writes the reference.
    pub(crate) fn put_chain_end(&mut self, end: &ChainEnd) -> Result<(), DeviceError> {
        let bytes = [&end.number.to_be_bytes()[..], end.hash.as_bytes()].concat();
        self.put(Setting::PhotoChain, &bytes)
    }
}

impl Store {
    /// From now on photos and voice notes are signed with this key: the one with which the device was enrolled, since
    /// that is the one that the server knows.
    pub fn sign_evidence_with(&mut self, key: Arc<dyn DeviceKey>) {
        self.evidence_key = Some(key);
    }

    /// The same before the transaction, which then has to move the end of the chain.
    pub(crate) fn chained<E: Chained>(
        &self,
        reference: E,
        record: RecordId,
        element: RecordId,
    ) -> Result<(E, Option<ChainEnd>), DeviceError> {
        let Some(key) = &self.evidence_key else { return Ok((reference, None)) };
        Ok(link(key.as_ref(), self.view().chain_end()?, reference, record, element))
    }
}
