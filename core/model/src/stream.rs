//! Streams: the units in which a device is granted records and pulls them.

use crate::id::RecordId;

/// How sensitive a record is. A grant covers one class of one area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessClass {
    /// What every gridworker of the area needs for the daily round.
    Base,
    /// ID numbers, care notes, appellants: only for roles that need them.
    Sensitive,
}

/// A stream. Cursors, digests and grants are kept for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// Templates, code tables, areas and units: for everybody in the deployment.
    Org,
    /// The records of one area and class.
    Area {
        /// The area's record, never its code: grids are re-cut and renumbered.
        area: RecordId,
        /// Which class of the area's records.
        class: AccessClass,
    },
    /// The inbox of a department, office or team.
    Unit(RecordId),
    /// What is one person's own: their tasks, their reports.
    User(RecordId),
}

impl StreamId {
    /// The encoded form: a letter, then 16 bytes of the record where there is one, then the class.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (letter, id, class) = match self {
            Self::Org => (b'o', None, None),
            Self::Area { area, class: AccessClass::Base } => (b'a', Some(area), Some(0u8)),
            Self::Area { area, class: AccessClass::Sensitive } => (b'a', Some(area), Some(1u8)),
            Self::Unit(unit) => (b'u', Some(unit), None),
            Self::User(user) => (b'm', Some(user), None),
        };
        let mut out = vec![letter];
        out.extend(id.iter().flat_map(|id| id.as_bytes()));
        out.extend(class);
        out
    }

    /// Reads the encoded form; `None` for anything that [`Self::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (b'o', []) => Some(Self::Org),
            (b'u', id) => Some(Self::Unit(RecordId::from_slice(id)?)),
            (b'm', id) => Some(Self::User(RecordId::from_slice(id)?)),
            (b'a', rest) => {
                let (class, id) = rest.split_last()?;
                let class = match class {
                    0 => AccessClass::Base,
                    1 => AccessClass::Sensitive,
                    _ => return None,
                };
                Some(Self::Area { area: RecordId::from_slice(id)?, class })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_streams_read_back_and_strangers_do_not() {
        let id = RecordId::from_bytes([9; 16]);
        for stream in [
            StreamId::Org,
            StreamId::Area { area: id, class: AccessClass::Base },
            StreamId::Area { area: id, class: AccessClass::Sensitive },
            StreamId::Unit(id),
            StreamId::User(id),
        ] {
            assert_eq!(StreamId::from_bytes(&stream.to_bytes()), Some(stream));
        }
        for bytes in [&b""[..], b"o1", b"a", b"u123", b"z", &[b'a'; 18]] {
            assert_eq!(StreamId::from_bytes(bytes), None);
        }
    }
}
