//! Actors: who wrote a change.

use gridwalk_model::DeviceId;

/// The author of changes: the device that the server enrolled, and one of its incarnations.
///
/// A device takes a new incarnation after a reinstall, a restored backup, a refused change, or when it learns that
/// a copy of it exists. An actor's changes to one document are numbered without gaps, so an incarnation that may
/// have forgotten some must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor([u8; 16]);

impl Actor {
    /// Puts an actor together.
    pub fn new(device: DeviceId, incarnation: [u8; 4]) -> Self {
        let mut bytes = [0u8; 16];
        let (prefix, suffix) = bytes.split_at_mut(12);
        prefix.copy_from_slice(device.as_bytes());
        suffix.copy_from_slice(&incarnation);
        Self(bytes)
    }

    /// Takes a slice; `None` unless it has 16 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The raw bytes, as they stand in a change.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The device that this actor belongs to.
    pub fn device(&self) -> DeviceId {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = self.0;
        DeviceId::from_bytes([a, b, c, d, e, f, g, h, i, j, k, l])
    }
}

impl From<Actor> for automerge::ActorId {
    fn from(actor: Actor) -> Self {
        Self::from(&actor.0[..])
    }
}
