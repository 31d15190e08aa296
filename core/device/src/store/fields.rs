//! Fields as one blob: what lists read instead of loading a document.

use gridwalk_model::{Fields, Timestamp, Value};
use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};

use crate::error::DeviceError;

/// Marks a point in time in milliseconds. From the range that IANA leaves to first come, first served.
const TIME_TAG: u64 = 70_001;

/// Encodes fields. The same fields always give the same bytes.
pub(crate) fn encode_fields(fields: &Fields) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(64 + fields.len() * 24));
    let written = (|| {
        encoder.map(fields.len() as u64)?;
        for (key, value) in fields {
            encoder.str(key)?;
            put(&mut encoder, value)?;
        }
        Ok::<(), minicbor::encode::Error<std::convert::Infallible>>(())
    })();
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
    encoder.into_writer()
}

/// Encodes one value.
pub(crate) fn encode_value(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    let written = put(&mut encoder, value);
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
    encoder.into_writer()
}

fn put(
    encoder: &mut Encoder<Vec<u8>>,
    value: &Value,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    match value {
        Value::Null => encoder.null()?,
        Value::Flag(flag) => encoder.bool(*flag)?,
        Value::Int(number) => encoder.i64(*number)?,
        Value::Real(number) => encoder.f64(*number)?,
        Value::Text(text) => encoder.str(text)?,
        Value::Bytes(bytes) => encoder.bytes(bytes)?,
        Value::Time(at) => encoder.tag(Tag::new(TIME_TAG))?.i64(at.millis())?,
    };
    Ok(())
}

/// Reads [`encode_fields`].
///
/// # Errors
/// [`DeviceError::Damaged`]: nobody else writes these bytes.
pub(crate) fn decode_fields(bytes: &[u8]) -> Result<Fields, DeviceError> {
    let mut decoder = Decoder::new(bytes);
    let read = (|| {
        let len = decoder.map()?.unwrap_or(0);
        let mut fields = Fields::new();
        for _ in 0..len {
            let key = decoder.str()?.to_owned();
            fields.insert(key, take(&mut decoder)?);
        }
        Ok::<_, minicbor::decode::Error>(fields)
    })();
    read.map_err(|_| DeviceError::Damaged)
}

/// Reads [`encode_value`].
///
/// # Errors
/// [`DeviceError::Damaged`].
pub(crate) fn decode_value(bytes: &[u8]) -> Result<Value, DeviceError> {
    take(&mut Decoder::new(bytes)).map_err(|_| DeviceError::Damaged)
}

fn take(decoder: &mut Decoder<'_>) -> Result<Value, minicbor::decode::Error> {
    Ok(match decoder.datatype()? {
        Type::Null => {
            decoder.null()?;
            Value::Null
        }
        Type::Bool => Value::Flag(decoder.bool()?),
        Type::F64 => Value::Real(decoder.f64()?),
        Type::String => Value::Text(decoder.str()?.to_owned()),
        Type::Bytes => Value::Bytes(decoder.bytes()?.to_vec()),
        Type::Tag => {
            decoder.tag()?;
            Value::Time(Timestamp::from_millis(decoder.i64()?))
        }
        _ => Value::Int(decoder.i64()?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Flag),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter("NaN differs from itself", |n| !n.is_nan()).prop_map(Value::Real),
            ".{0,20}".prop_map(Value::Text),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            any::<i64>().prop_map(|at| Value::Time(Timestamp::from_millis(at))),
        ]
    }

    proptest! {
        #[test]
        fn fields_read_back(fields in prop::collection::btree_map(".{1,12}", value(), 0..12)) {
            prop_assert_eq!(decode_fields(&encode_fields(&fields)).unwrap(), fields);
        }

        #[test]
        fn strange_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode_fields(&bytes);
            let _ = decode_value(&bytes);
        }
    }
}
