//! The cadence of visits that a deployment has set for itself.

record! {
    /// 走访频次: how often whom. The latest record counts; without one, the starter of
    /// [`crate::visits::cadence::STARTER_CADENCE`].
    VisitCadence, "visit_cadence", "走访频次", "Visit cadence";
    class Base;
    placement Org;
    followers [];
    devices false;
    /// Lines as [`crate::visits::Cadence::parse`] reads them.
    required rules: String = Text { max: 4_000 }, Free, "频次规则", "Rules";
}
