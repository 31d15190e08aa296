//! Labels: QR codes on doors and places.

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

words! {
    /// What a label stands for.
    LabelScope {
        /// The door or place that it names.
        Door = "door", "房门或场所", "Door or place";
        /// The whole building of the dwelling that it names: it hangs at the entrance and opens the board.
        Building = "building", "楼栋", "Building";
    }
}

record! {
    /// 二维码标牌: a printed token that opens a record. Voiding it leaves the record, so that an old label is known
    /// as such; what it says never changes.
    Label, "label", "二维码标牌", "Label";
    class Base;
    placement Inherit("target");
    followers [];
    devices true;
    /// The text form of a [`LabelToken`](crate::label::LabelToken).
    required token: String = Text { max: 32 }, CreateOnly, "编码", "Token";
    /// What it opens.
    required target: RecordId = Link(&[Kind::Dwelling, Kind::Place]), CreateOnly, "对象", "Target";
    /// What it stands for; the door or place where it is not said.
    optional scope: LabelScope = Code(LabelScope::CODES), CreateOnly, "张贴范围", "Stands for";
    /// Who made it.
    required made_by: RecordId = Link(&[]), CreateOnly, "制作人", "Made by";
    /// When.
    required made_at: Timestamp = Time, CreateOnly, "制作时间", "Made at";
    /// Since when it opens nothing any more; empty while it does.
    optional voided_at: Timestamp = Time, Free, "作废时间", "Voided at";
}
