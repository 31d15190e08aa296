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

/// An operation as journaled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Journaled {
    /// What it wrote, in order.
    pub(super) steps: Vec<Step>,
    /// What did not go together before it, and may come back with it.
    pub(super) troubles: Vec<RecordId>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct CodedJournal {
    #[n(0)]
    steps: Vec<Coded>,
    #[n(1)]
    troubles: Vec<RecordId>,
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

pub(super) fn encode(journaled: &Journaled) -> Vec<u8> {
    let coded = |step: &Step| Coded {
        record: step.record,
        before: step.before.as_ref().map(encode_fields),
        after: encode_fields(&step.after),
    };
    let steps = journaled.steps.iter().map(coded).collect();
    codec::to_bytes(&CodedJournal { steps, troubles: journaled.troubles.clone() })
}

pub(super) fn decode(bytes: &[u8]) -> Result<Journaled, DeviceError> {
    let coded: CodedJournal = codec::from_bytes(bytes).map_err(|_| DeviceError::Damaged)?;
    let step = |coded: Coded| {
        Ok(Step {
            record: coded.record,
            before: coded.before.as_deref().map(decode_fields).transpose()?,
            after: decode_fields(&coded.after)?,
        })
    };
    let steps = coded.steps.into_iter().map(step).collect::<Result<_, DeviceError>>()?;
    Ok(Journaled { steps, troubles: coded.troubles })
}

#[cfg(test)]
mod tests {
    use gridwalk_model::Value;

    use super::*;

    #[test]
    fn steps_read_back() {
        let id = |n| RecordId::from_bytes([n; 16]);
        let fields = Fields::from([("to".to_owned(), Value::Null), ("name".to_owned(), Value::from("张三"))]);
        let made = Step { record: id(1), before: None, after: fields.clone() };
        let edited = Step { record: id(2), before: Some(fields), after: Fields::new() };
        let journaled = Journaled { steps: vec![made, edited], troubles: vec![id(3)] };
        assert_eq!(decode(&encode(&journaled)).unwrap(), journaled);
        assert!(decode(b"strange").is_err());
    }
}
