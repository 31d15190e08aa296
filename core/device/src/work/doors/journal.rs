//! What an operation wrote and what had stood there, encoded for the journal.

use gridwalk_model::{Fields, RecordId, codec};
use minicbor::{Decode, Encode};

use crate::error::DeviceError;
use crate::store::{decode_fields, encode_fields};

/// One write of an operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) record: RecordId,
    /// The fields that had stood there, absent ones as null; `None` for a record that the operation made.
    pub(super) before: Option<Fields>,
    /// The fields that were written.
    pub(super) after: Fields,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Coded {
    #[n(0)]
    record: RecordId,
    #[cbor(n(1), with = "minicbor::bytes")]
    before: Option<Vec<u8>>,
    #[cbor(n(2), with = "minicbor::bytes")]
    after: Vec<u8>,
}

pub(super) fn encode(steps: &[Step]) -> Vec<u8> {
    let coded: Vec<Coded> = steps
        .iter()
        .map(|step| Coded {
            record: step.record,
            before: step.before.as_ref().map(encode_fields),
            after: encode_fields(&step.after),
        })
        .collect();
    codec::to_bytes(&coded)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Step>, DeviceError> {
    let coded: Vec<Coded> = codec::from_bytes(bytes).map_err(|_| DeviceError::Damaged)?;
    let step = |coded: Coded| {
        Ok(Step {
            record: coded.record,
            before: coded.before.as_deref().map(decode_fields).transpose()?,
            after: decode_fields(&coded.after)?,
        })
    };
    coded.into_iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use gridwalk_model::Value;

    use super::*;

    #[test]
    fn steps_read_back() {
        let fields = Fields::from([("to".to_owned(), Value::Null), ("name".to_owned(), Value::from("张三"))]);
        let made = Step { record: RecordId::from_bytes([1; 16]), before: None, after: fields.clone() };
        let edited = Step { record: RecordId::from_bytes([2; 16]), before: Some(fields), after: Fields::new() };
        let steps = [made, edited];
        assert_eq!(decode(&encode(&steps)).unwrap(), steps);
        assert!(decode(b"strange").is_err());
    }
}
