//! What becomes of an offered change.

use minicbor::bytes::ByteArray;
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::change::{ChangeHash, Malformed};

/// The verdict on one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken, and durable when the response arrives.
    Accepted,
    /// Was here already.
    Duplicate,
    /// Depends on a change that neither side has shown: offer the record's whole history.
    MissingDeps,
    /// Of a newer schema than the server reads, or judged by a record that has not arrived: it stays with the sender
    /// and is offered again.
    Held,
    /// The sender may not write this. Says nothing about whether the record exists.
    Forbidden,
    /// The actor already made another change with this number: a copy of the device exists.
    ActorForked,
    /// Not taken, for this reason.
    Invalid(Reason),
    /// Depends on this change, which was refused.
    BlockedBy(ChangeHash),
}

impl Verdict {
    /// Whether the sender's outbox is done with the change: it is stored, here or in quarantine.
    pub const fn ends_outbox(self) -> bool {
        !matches!(self, Self::MissingDeps | Self::Held)
    }

    /// Whether the change is refused: quarantined here, to be replayed there.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Forbidden | Self::ActorForked | Self::Invalid(_) | Self::BlockedBy(_))
    }
}

/// Why a change is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The bytes are damaged or not a change as our editor writes it.
    Malformed = 1,
    /// The change or one of its values is too large.
    TooLarge = 2,
    /// The record exists already and was created a second time.
    SecondRoot = 3,
    /// The first change does not name the record that it was sent for.
    Identity = 4,
    /// Numbers of the author's changes are missing.
    SeqGap = 5,
    /// Operation counters do not follow from the dependencies.
    Counter = 6,
    /// The writes that it replaces are not those that its author saw.
    Predecessors = 7,
    /// A field is fixed, append-only, or the server's.
    FieldPolicy = 8,
    /// A log entry is unreadable, or names someone else.
    Entry = 9,
    /// With this change the record would be over its limit.
    DocumentFull = 10,
    /// With this change the record could not be loaded.
    Unloadable = 11,
    /// The receiver's own copy of the record is damaged.
    StoredDocumentDamaged = 12,
    /// The record is refused unless it is complete and within the rules of its kind.
    Incomplete = 13,
    /// It says what this product does not keep about people.
    NotKept = 14,
    /// A declined visit is complete: nothing follows from it.
    TriggersNothing = 15,
    /// The form was retired too long ago.
    FormRetired = 16,
    /// A reason of a newer peer.
    Other = 255,
}

impl Reason {
    const ALL: [Self; 16] = [
        Self::Malformed,
        Self::TooLarge,
        Self::SecondRoot,
        Self::Identity,
        Self::SeqGap,
        Self::Counter,
        Self::Predecessors,
        Self::FieldPolicy,
        Self::Entry,
        Self::DocumentFull,
        Self::Unloadable,
        Self::StoredDocumentDamaged,
        Self::Incomplete,
        Self::NotKept,
        Self::TriggersNothing,
        Self::FormRetired,
    ];

    /// The reason with this code; [`Reason::Other`] for unknown ones.
    pub fn from_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|reason| *reason as u8 == code).unwrap_or(Self::Other)
    }

    /// The reason for the worker, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Malformed => "数据损坏，无法读取",
            Self::TooLarge => "内容过大",
            Self::SecondRoot => "该记录已存在",
            Self::Identity => "记录编号不符",
            Self::SeqGap | Self::Counter | Self::Predecessors => "修改次序不完整，需要重新提交",
            Self::FieldPolicy => "该项不允许修改",
            Self::Entry => "办理记录不符合要求",
            Self::DocumentFull => "该记录内容已满",
            Self::Unloadable => "修改无法保存",
            Self::StoredDocumentDamaged => "服务器上的该记录损坏，已通知管理员",
            Self::Incomplete => "必填内容不全，或超出规定范围",
            Self::NotKept => "含有本系统不采集的内容",
            Self::TriggersNothing => "婉拒即为完整结果，不触发任何后续事项",
            Self::FormRetired => "表单停用已超过 90 天",
            Self::Other => "未被接受",
        }
    }

    /// The reason for the worker, in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Malformed => "The data is damaged and cannot be read",
            Self::TooLarge => "The content is too large",
            Self::SecondRoot => "This record already exists",
            Self::Identity => "The record's identifier does not fit",
            Self::SeqGap | Self::Counter | Self::Predecessors => {
                "The order of changes is incomplete; they must be submitted again"
            }
            Self::FieldPolicy => "This field may not be changed",
            Self::Entry => "This log entry is not allowed",
            Self::DocumentFull => "This record is full",
            Self::Unloadable => "The change cannot be stored",
            Self::StoredDocumentDamaged => {
                "The server's copy of this record is damaged; an administrator was told"
            }
            Self::Incomplete => "Something required is missing or outside of what is allowed",
            Self::NotKept => "It says what this product does not keep about people",
            Self::TriggersNothing => "A declined visit is complete and triggers nothing",
            Self::FormRetired => "The form was retired more than 90 days ago",
            Self::Other => "Not accepted",
        }
    }
}

impl From<Malformed> for Reason {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TooLarge | Malformed::OpCount | Malformed::Value => Self::TooLarge,
            _ => Self::Malformed,
        }
    }
}

/// On the wire: a number, or an array of the number and its detail.
impl<C> Encode<C> for Verdict {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Accepted => e.u8(0)?,
            Self::Duplicate => e.u8(1)?,
            Self::MissingDeps => e.u8(2)?,
            Self::Held => e.u8(3)?,
            Self::Forbidden => e.u8(4)?,
            Self::ActorForked => e.u8(5)?,
            Self::Invalid(reason) => e.array(2)?.u8(6)?.u8(*reason as u8)?,
            Self::BlockedBy(hash) => e.array(2)?.u8(7)?.bytes(&hash.0)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Verdict {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        if d.datatype()? != minicbor::data::Type::Array {
            return Ok(match d.u8()? {
                0 => Self::Accepted,
                1 => Self::Duplicate,
                2 => Self::MissingDeps,
                3 => Self::Held,
                4 => Self::Forbidden,
                5 => Self::ActorForked,
                // A verdict of a newer peer: the row is kept and offered again.
                _ => Self::Held,
            });
        }
        let len = d.array()?.ok_or_else(|| DecodeError::message("indefinite verdict"))?;
        let code = d.u8()?;
        let verdict = match (code, len) {
            (6, 2..) => Self::Invalid(Reason::from_code(d.u8()?)),
            (7, 2..) => {
                let hash: ByteArray<32> = Decode::decode(d, ctx)?;
                Self::BlockedBy(ChangeHash(*hash))
            }
            (_, 1..) => {
                skip(d, len - 1)?;
                return Ok(Self::Held);
            }
            _ => return Err(DecodeError::message("empty verdict")),
        };
        skip(d, len - 2)?;
        Ok(verdict)
    }
}

fn skip(d: &mut Decoder<'_>, count: u64) -> Result<(), DecodeError> {
    (0..count).try_for_each(|_| d.skip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_round_trip_and_newer_ones_keep_the_row() {
        let all = [
            Verdict::Accepted,
            Verdict::Duplicate,
            Verdict::MissingDeps,
            Verdict::Held,
            Verdict::Forbidden,
            Verdict::ActorForked,
            Verdict::Invalid(Reason::Entry),
            Verdict::BlockedBy(ChangeHash([3; 32])),
        ];
        let bytes = minicbor::to_vec(all.to_vec()).unwrap();
        assert_eq!(minicbor::decode::<Vec<Verdict>>(&bytes).unwrap(), all);
        let newer: Vec<Verdict> = minicbor::decode(&[0x82, 0x09, 0x82, 0x18, 0x20, 0x01]).unwrap();
        assert!(newer.iter().all(|verdict| !verdict.ends_outbox()));
    }
}
