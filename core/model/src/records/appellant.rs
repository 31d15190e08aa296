//! Appellants: the people whose problem an event is.

use crate::id::RecordId;
use crate::records::Kind;

record! {
    /// 诉求人: whose problem it is; may differ from the reporter (代报). Handlers see no phone number.
    Appellant, "appellant", "诉求人", "Appellant";
    class Sensitive;
    placement Inherit("event");
    followers [];
    devices true;
    /// The event.
    required event: RecordId = Link(&[Kind::Event]), CreateOnly, "事件", "Event";
    /// Name, as they gave it.
    optional name: String = Text { max: 100 }, Free, "姓名", "Name";
    /// Telephone for the callback.
    optional phone: String = Text { max: 32 }, Free, "联系电话", "Phone";
    /// The resident, where known.
    optional resident: RecordId = Link(&[Kind::Resident]), Free, "关联人员", "Resident";
    /// Whether they want to be told and asked.
    optional wants_reply: bool = Flag, Free, "需要回复", "Wants a reply";
}
