//! How a device becomes one of ours: with a one-time code that the console shows.

use gridwalk_model::{DeviceId, RecordId, Timestamp};
use gridwalk_replica::protocol::{EnrolRequest, Enrolled};
use p256::ecdsa::VerifyingKey;

use super::staff::{list_device, note, person_row};
use super::{AccessError, hash_secret, new_secret};
use crate::audit::{self, Entry};
use crate::clock::Entropy;
use crate::storage::access::{DeviceNo, NewDevice, PersonRow};
use crate::storage::{ReadTx, StorageError, WriteTx};

/// How long a code lives if nobody says otherwise: 15 minutes, in milliseconds.
pub const CODE_LIFE_MS: i64 = 15 * 60 * 1_000;
/// Longest name that a device may call itself, in characters.
const LABEL_MAX: usize = 60;

/// Makes a code for a person. It is returned once; the store keeps its hash.
///
/// # Errors
/// See [`AccessError`].
pub fn create_code(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    life_ms: i64,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<String, AccessError> {
    let row = person_row(tx, person)?;
    let code = new_secret(entropy)?;
    tx.insert_enrolment(&hash_secret(&code), row.no, now, now.plus_millis(life_ms))?;
    note(tx, now, by, "enrolment.offered", &person.to_string(), "")?;
    Ok(code)
}

/// What became of a redemption. A refusal is written down too, so it is not an error that undoes its transaction.
#[derive(Debug, PartialEq)]
pub enum Redeemed {
    /// The device is one of ours, now or since an earlier request of it.
    Yes(Enrolled),
    /// The code was redeemed with another key. An alarm was raised.
    OtherKey,
    /// The code is unknown or its life is over.
    Invalid,
}

/// Redeems a code. The same code with the same key answers alike during its life, since the first answer may have
/// been lost on the way.
///
/// # Errors
/// See [`AccessError`]; [`AccessError::BadKey`] if the key is none.
pub fn redeem(
    tx: &mut dyn WriteTx,
    request: &EnrolRequest,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Redeemed, AccessError> {
    let key = request.public_key.as_slice();
    if key.len() != 65 || VerifyingKey::from_sec1_bytes(key).is_err() {
        return Err(AccessError::BadKey);
    }
    let hash = hash_secret(&request.code);
    let Some(row) = tx.enrolment(&hash)?.filter(|row| row.expires_at > now) else {
        return Ok(Redeemed::Invalid);
    };
    let person = tx.person_by_no(row.person)?.filter(|person| person.active);
    let Some(person) = person else { return Ok(Redeemed::Invalid) };
    if let Some((_, earlier)) = &row.redeemed {
        if earlier != key {
            let target = person.id.to_string();
            let detail = "a redeemed code was offered again with another key";
            let entry = Entry {
                actor: "unknown",
                action: "enrolment.other_key",
                target: &target,
                detail,
                alarm: true,
            };
            audit::append(tx, now, &entry)?;
            return Ok(Redeemed::OtherKey);
        }
        let device = tx.devices()?.into_iter().find(|d| d.public_key == key && d.person == person.no);
        return match device {
            Some(device) => Ok(Redeemed::Yes(answer(&*tx, device.id, &person)?)),
            None => Ok(Redeemed::Invalid),
        };
    }
    let device = DeviceId::from_bytes(entropy.array()?);
    let label: String = request.label.chars().filter(|c| !c.is_control()).take(LABEL_MAX).collect();
    let new = NewDevice { id: device, person: person.no, public_key: key, label: &label, enrolled_at: now };
    let no = tx.insert_device(&new)?;
    give_code(tx, no, entropy)?;
    tx.redeem_enrolment(&hash, no, key)?;
    list_device(tx, &person, device, now)?;
    note(tx, now, &device.to_string(), "device.enrolled", &person.id.to_string(), "")?;
    Ok(Redeemed::Yes(answer(&*tx, device, &person)?))
}

/// Gives a device a code for its event numbers that no other has. A code has 25 bits, so that two devices do not share
/// one even where a restored store has forgotten the first; it is shorter than those that phones draw for themselves.
fn give_code(tx: &mut dyn WriteTx, no: DeviceNo, entropy: &dyn Entropy) -> Result<(), AccessError> {
    for _ in 0..100 {
        let random: [u8; 5] = entropy.array()?;
        let code: String = random.iter().map(|byte| char::from(digit(*byte))).collect();
        if tx.set_device_code(no, &code)? {
            return Ok(());
        }
    }
    Err(StorageError::Failed("no code is free".to_owned()).into())
}

/// One of 32 digits and letters that are not taken for each other.
fn digit(byte: u8) -> u8 {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    DIGITS.get(usize::from(byte % 32)).copied().unwrap_or(b'0')
}

fn answer(tx: &dyn ReadTx, device: DeviceId, person: &PersonRow) -> Result<Enrolled, StorageError> {
    let row = tx.device(device)?;
    Ok(Enrolled {
        device_code: row.map(|row| tx.device_code(row.no)).transpose()?.flatten(),
        device: device.as_bytes().to_vec().into(),
        user: (*person.id.as_bytes()).into(),
        user_name: person.name.clone(),
        server_name: tx.server()?.name,
        sealing_key: tx.sealing_keys()?.map(|keys| keys.public.to_vec().into()),
    })
}
