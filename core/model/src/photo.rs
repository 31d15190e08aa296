//! References to photographs: what a record keeps of a photo, whose pixels are a blob of their own.

use minicbor::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::geo;
use crate::id::{ContentHash, RecordId};
use crate::photo_chain::ChainLink;
use crate::records::elements;
use crate::time::Timestamp;
use crate::value::{Fields, Value};

words! {
    /// What a photo shows.
    PhotoRole {
        /// The problem, before anything was done.
        Before = "before", "处置前", "Before";
        /// The same spot after it was done.
        After = "after", "处置后", "After";
        /// The surroundings, or anything else.
        Scene = "scene", "现场", "Scene";
        /// A drawn signature.
        Signature = "signature", "签名", "Signature";
    }
}

words! {
    /// How a photo came into the phone's hands.
    PhotoSource {
        /// Taken in the app.
        Camera = "camera", "现场拍摄", "Camera";
        /// Chosen from the phone's gallery.
        Gallery = "gallery", "相册选取", "Gallery";
        /// Drawn on the screen.
        Drawn = "drawn", "屏幕手写", "Drawn";
    }
}

words! {
    /// Whether a photo resembles one that was used on the same phone before. A hint, never a verdict.
    Reuse {
        /// The same file.
        Same = "same", "与已用照片相同", "The same file was used before";
        /// A picture that looks the same.
        Near = "near", "与已用照片相似", "Looks like one that was used before";
    }
}

/// A rectangle that the worker marked on the upright picture to be made unrecognisable, in ten-thousandths of its
/// width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlurRegion {
    /// Left edge.
    #[n(0)]
    pub left: u16,
    /// Upper edge.
    #[n(1)]
    pub top: u16,
    /// Width.
    #[n(2)]
    pub width: u16,
    /// Height.
    #[n(3)]
    pub height: u16,
}

/// One element of a record's `photos`: written once, never altered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PhotoRef {
    /// SHA-256 of the stored image.
    #[n(0)]
    pub hash: ContentHash,
    /// SHA-256 of the preview.
    #[n(1)]
    pub preview_hash: Option<ContentHash>,
    /// SHA-256 of the file as the camera wrote it.
    #[n(2)]
    pub original_hash: Option<ContentHash>,
    /// Size of the stored image in bytes.
    #[n(3)]
    pub bytes: u64,
    /// When it was taken, by the camera's word.
    #[n(4)]
    pub taken_at: Option<Timestamp>,
    /// Where it was taken.
    #[n(5)]
    pub position: Option<geo::Position>,
    /// What it shows.
    #[n(6)]
    pub role: PhotoRole,
    /// Where it came from.
    #[n(7)]
    pub source: PhotoSource,
    /// Width of the stored image in pixels.
    #[n(8)]
    pub width: u32,
    /// Height of the stored image in pixels.
    #[n(9)]
    pub height: u32,
    /// Perceptual hash, for finding a photo that was used before.
    #[n(10)]
    pub perceptual: Option<u64>,
    /// Whether the platform said that its location was simulated.
    #[n(11)]
    pub mock_location: Option<bool>,
    /// The device's signature, `r ‖ s`; see [`crate::photo_chain::Chained`].
    #[cbor(n(12), with = "minicbor::bytes")]
    pub signature: Option<Vec<u8>>,
    /// The element of the photo that shows the same spot before.
    #[n(13)]
    pub pair: Option<RecordId>,
    /// Its place in the chain of the phone's photos.
    #[n(14)]
    pub link: Option<ChainLink>,
    /// Whether the phone has used it, or one like it, before.
    #[n(15)]
    pub reuse: Option<Reuse>,
    /// How many regions the worker has made unrecognisable.
    #[n(16)]
    pub blurred: Option<u8>,
}

impl PhotoRef {
    /// The encoded form.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Reads the encoded form; keys of a newer version are skipped.
    ///
    /// # Errors
    /// Where the bytes stop being a reference.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }
}

/// The photos that a record shows, with the elements of `photos` that name them, in the order of their names, which is
/// that of their making. One that cannot be read is left out.
pub fn shown_photos(fields: &Fields) -> impl Iterator<Item = (RecordId, PhotoRef)> + use<'_> {
    elements(fields, "photos").filter_map(|(element, value)| {
        let Value::Bytes(bytes) = value else { return None };
        Some((element.parse().ok()?, PhotoRef::from_bytes(bytes).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo_chain::Chained as _;

    fn photo() -> PhotoRef {
        PhotoRef {
            hash: ContentHash::from_bytes([1; 32]),
            preview_hash: Some(ContentHash::from_bytes([2; 32])),
            original_hash: None,
            bytes: 345_678,
            taken_at: Some(Timestamp::from_millis(1_700_000_000_000)),
            position: geo::Position::wgs84(36.1, 120.47, Some(5.0), geo::PositionSource::Gps).ok(),
            role: PhotoRole::After,
            source: PhotoSource::Other("drone".into()),
            width: 1920,
            height: 1440,
            perceptual: Some(u64::MAX),
            mock_location: Some(false),
            signature: Some(vec![3; 64]),
            pair: Some(RecordId::from_bytes([4; 16])),
            link: Some(ChainLink { version: 1, number: 7, previous: Some(ContentHash::from_bytes([5; 32])) }),
            reuse: Some(Reuse::Near),
            blurred: Some(2),
        }
    }

    #[test]
    fn a_reference_reads_back_with_unknown_words() {
        let photo = photo();
        assert_eq!(PhotoRef::from_bytes(&photo.to_bytes()), Ok(photo));
    }

    #[test]
    fn the_signed_message_covers_every_fact_and_the_place_but_not_the_signature() {
        let (record, element) = (RecordId::from_bytes([8; 16]), RecordId::from_bytes([9; 16]));
        let message = |photo: &PhotoRef| photo.signed_message(record, element);
        let signed = message(&photo());
        assert_eq!(message(&PhotoRef { signature: None, ..photo() }), signed);
        assert_ne!(message(&PhotoRef { taken_at: None, ..photo() }), signed);
        assert_ne!(message(&PhotoRef { reuse: None, ..photo() }), signed);
        assert_ne!(message(&PhotoRef { link: Some(ChainLink::after(None)), ..photo() }), signed);
        assert_ne!(photo().signed_message(element, record), signed, "moved to another record");
    }

    #[test]
    fn absent_facts_take_no_room_and_damage_is_refused() {
        let bare = PhotoRef {
            preview_hash: None,
            taken_at: None,
            position: None,
            perceptual: None,
            mock_location: None,
            signature: None,
            pair: None,
            link: None,
            reuse: None,
            blurred: None,
            ..photo()
        };
        let bytes = bare.to_bytes();
        assert!(bytes.len() < 80, "{}", bytes.len());
        assert_eq!(PhotoRef::from_bytes(&bytes), Ok(bare));
        for end in 0..bytes.len() {
            assert!(PhotoRef::from_bytes(&bytes[..end]).is_err());
        }
        let mut long = bytes.clone();
        long.push(0);
        assert_eq!(PhotoRef::from_bytes(&long), Err(CodecError { at: bytes.len() }));
    }
}
