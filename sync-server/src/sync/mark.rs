//! Commit marks: how a server finds out that its store was put back to an earlier state behind its back.
//!
//! Every commit is stored with a random mark ([`RecordReads::mark`]). A device names the last commit that it has seen
//! together with its mark. If that commit is not in the store, or has another mark, what the device has seen is not in
//! this store's past: the store went back in time, whether or not its numbers have overtaken the device since. Then
//! the whole deployment starts a new epoch; so no device may be able to claim a commit at will, and the lower half of
//! what it holds is a check that only this server can compute.
//!
//! [`RecordReads::mark`]: crate::storage::records::RecordReads::mark

use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::CommitMark;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::SyncError;
use crate::storage::records::ServerRow;
use crate::storage::{ReadTx, Stored};

const CHECK_BITS: u32 = 32;

/// The mark of the last commit as devices hold it; `None` before the first commit.
pub(super) fn give(tx: &dyn ReadTx, server: &ServerRow) -> Stored<Option<u64>> {
    let mark = tx.mark(server.commit_no)?;
    Ok(mark.map(|mark| seal(&server.mark_key, server.commit_no, mark)))
}

/// Whether a commit that a device has seen is missing from this store's past.
///
/// # Errors
/// [`ProtocolError::Malformed`] for a mark that this server never gave out in this epoch.
pub(super) fn is_missing(tx: &dyn ReadTx, server: &ServerRow, seen: &CommitMark) -> Result<bool, SyncError> {
    let Some(mark) = open(&server.mark_key, seen) else {
        return Err(ProtocolError::Malformed { reason: "commit mark was never given out".to_owned() }.into());
    };
    Ok(tx.mark(seen.commit)? != Some(mark))
}

fn seal(key: &[u8; 32], commit: u64, mark: u32) -> u64 {
    (u64::from(mark) << CHECK_BITS) | u64::from(check(key, commit, mark))
}

fn open(key: &[u8; 32], seen: &CommitMark) -> Option<u32> {
    let mark = u32::try_from(seen.mark >> CHECK_BITS).ok()?;
    (seal(key, seen.commit, mark) == seen.mark).then_some(mark)
}

fn check(key: &[u8; 32], commit: u64, mark: u32) -> u32 {
    // A key of any length is good for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return 0 };
    mac.update(&commit.to_be_bytes());
    mac.update(&mark.to_be_bytes());
    let full = mac.finalize().into_bytes();
    let [a, b, c, d, ..] = full.0;
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_good_for_its_commit_and_key_only() {
        let key = [7; 32];
        for commit in [1, 2, 1 << 40] {
            let sealed = seal(&key, commit, 0xfeed_0001);
            let read = |key: &[u8; 32], commit, mark| open(key, &CommitMark { commit, mark });
            assert_eq!(read(&key, commit, sealed), Some(0xfeed_0001));
            assert_eq!(read(&key, commit + 1, sealed), None);
            assert_eq!(read(&key, commit, sealed ^ 1), None);
            assert_eq!(read(&key, commit, sealed ^ (1 << 63)), None);
            assert_eq!(read(&[8; 32], commit, sealed), None);
        }
    }
}
