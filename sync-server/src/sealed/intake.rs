//! Taking a package in, part by part.

use gridwalk_model::Timestamp;
use gridwalk_replica::protocol::{HandIn, HandedIn, ProtocolError};
use gridwalk_replica::sealed::{PART_MAX_BYTES, PARTS_MAX, Place};

use super::{DEVICE_MAX_BYTES, DEVICE_MAX_PACKAGES, SealedError};
use crate::audit::{self, Entry};
use crate::storage::sealed::PackageRow;
use crate::storage::{ReadTx, StorageError, WriteTx};
use crate::sync::Principal;

/// Looks at a part before anything is written: `Some` is the answer, and nothing is to be written.
///
/// # Errors
/// [`ProtocolError::TooLarge`], [`ProtocolError::Malformed`] for a part that does not open or belongs to another
/// package; a failure of the store.
pub fn check(
    tx: &dyn ReadTx,
    principal: &Principal,
    request: &HandIn,
) -> Result<Option<HandedIn>, SealedError> {
    if principal.revoked_at.is_none() {
        return Ok(Some(HandedIn { locked: false, next: None }));
    }
    let malformed = |reason: &str| ProtocolError::Malformed { reason: reason.to_owned() };
    if request.of > PARTS_MAX || request.body.len() > PART_MAX_BYTES {
        return Err(ProtocolError::TooLarge.into());
    }
    if request.part >= request.of {
        return Err(malformed("part is not of the package").into());
    }
    if let Some(package) = tx.package_named(principal.device_no, &request.package)? {
        if package.of != request.of {
            return Err(malformed("package has another number of parts").into());
        }
        if package.whole_at.is_some() {
            return Ok(Some(HandedIn { locked: true, next: None }));
        }
    }
    let own: Vec<PackageRow> =
        tx.packages()?.into_iter().filter(|package| package.device == principal.device_no).collect();
    let others = own.iter().filter(|package| package.name != *request.package).count();
    let bytes: u64 = own.iter().map(|package| package.bytes).sum();
    if others >= DEVICE_MAX_PACKAGES || bytes.saturating_add(request.body.len() as u64) > DEVICE_MAX_BYTES {
        return Err(ProtocolError::TooLarge.into());
    }
    let keys = tx.sealing_keys()?.ok_or(StorageError::Damaged { what: "sealing_key" })?;
    let place =
        Place { device: principal.device, package: *request.package, part: request.part, of: request.of };
    keys.open(&place, &request.body).map_err(|error| malformed(&error.to_string()))?;
    Ok(None)
}

/// Keeps a part that [`check`] let through, and says which one is missing.
///
/// # Errors
/// A failure of the store.
pub fn keep(
    tx: &mut dyn WriteTx,
    principal: &Principal,
    request: &HandIn,
    now: Timestamp,
) -> Result<HandedIn, SealedError> {
    let found = tx.package_named(principal.device_no, &request.package)?;
    let no = match found {
        // Two requests at once: the other one was the last.
        Some(package) if package.whole_at.is_some() => return Ok(HandedIn { locked: true, next: None }),
        Some(package) => package.no,
        None => tx.insert_package(principal.device_no, &request.package, request.of, now)?,
    };
    tx.put_part(no, request.part, &request.body)?;
    let missing = tx.missing_part(no)?;
    if missing < request.of {
        return Ok(HandedIn { locked: true, next: Some(missing) });
    }
    tx.close_package(no, now)?;
    let package = tx.package(no)?.ok_or(StorageError::Damaged { what: "sealed_package" })?;
    let device = principal.device.to_string();
    let detail = format!("package {no}: {} parts, {} bytes", package.of, package.bytes);
    let entry =
        Entry { actor: &device, action: "sealed.received", target: &device, detail: &detail, alarm: false };
    audit::append(tx, now, &entry)?;
    Ok(HandedIn { locked: true, next: None })
}
