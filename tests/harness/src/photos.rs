//! Made-up photos as files: drawn scenes as JPEG, some with a position in their EXIF, and some files that are
//! damaged or of a foreign kind on purpose, so that refusals are always seen.

use std::fs;
use std::path::{Path, PathBuf};

use gridwalk_model::geo::LatLon;
use jpeg_encoder::{ColorType, Encoder, EncodingError};

use crate::error::HarnessError;
use crate::exif_segment::{self, Claims};
use crate::scene::{self, Hazard};
use crate::seeded::Seeded;

/// How a made-up file is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A JPEG that ends in the middle.
    Truncated,
    /// A text that is called `.jpg`.
    WrongType,
    /// The header of an HEIC file, which the platform's shell has to convert first.
    Heic,
    /// A PNG header that claims far more pixels than fit into memory.
    Bomb,
    /// Nothing at all.
    Empty,
}

impl Damage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Truncated, Self::WrongType, Self::Heic, Self::Bomb, Self::Empty];
}

/// A sound made-up JPEG.
///
/// # Errors
/// [`HarnessError::Photo`] if the encoder refuses, which it does for an edge of 0 only.
pub fn jpeg(
    seeded: &mut Seeded,
    (width, height): (u16, u16),
    hazard: Hazard,
    claims: Option<&Claims>,
) -> Result<Vec<u8>, HarnessError> {
    let picture = scene::draw(seeded, width, height, hazard);
    let mut out = Vec::new();
    encode(&mut out, &picture, claims)
        .map_err(|error| HarnessError::Photo { name: format!("{hazard:?}"), reason: error.to_string() })?;
    Ok(out)
}

fn encode(out: &mut Vec<u8>, picture: &scene::Picture, claims: Option<&Claims>) -> Result<(), EncodingError> {
    let mut encoder = Encoder::new(out, 88);
    if let Some(claims) = claims {
        encoder.add_exif_metadata(&exif_segment::tiff(claims))?;
    }
    encoder.encode(&picture.rgb, picture.width, picture.height, ColorType::Rgb)
}

/// The bytes of a file that no phone should take.
///
/// # Errors
/// As [`jpeg`].
pub fn damaged(seeded: &mut Seeded, damage: Damage) -> Result<Vec<u8>, HarnessError> {
    Ok(match damage {
        Damage::Truncated => {
            let mut whole = jpeg(seeded, (800, 600), Hazard::Rubbish, None)?;
            whole.truncate(whole.len() * 2 / 5);
            whole
        }
        Damage::WrongType => "这不是照片，只是一段文字。\nThis is no photo, only text.\n".into(),
        Damage::Heic => {
            let mut bytes = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1".to_vec();
            bytes.resize(4_096, 0);
            bytes
        }
        Damage::Bomb => {
            let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            bytes.extend([60_000u32.to_be_bytes(), 60_000u32.to_be_bytes()].concat());
            // Eight bits, red-green-blue, and the checksum of just this header.
            bytes.extend([8, 2, 0, 0, 0, 0x0f, 0xb0, 0xe2, 0x15]);
            bytes
        }
        Damage::Empty => Vec::new(),
    })
}

/// A made-up file in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoFile {
    /// Where it is.
    pub path: PathBuf,
    /// Why it is not to be taken; `None` for a sound one.
    pub damage: Option<Damage>,
}

/// Fills a folder with `sound` photos near `around` and one damaged file of every sort.
///
/// Every other sound photo has a position and a time in its EXIF, one is turned by its orientation tag, and the
/// first has twelve megapixels.
///
/// # Errors
/// [`HarnessError::File`] or [`HarnessError::Photo`].
pub fn write_folder(
    folder: &Path,
    seed: u64,
    sound: usize,
    around: &[LatLon],
) -> Result<Vec<PhotoFile>, HarnessError> {
    fs::create_dir_all(folder).map_err(HarnessError::file(folder))?;
    let mut files = Vec::with_capacity(sound + Damage::ALL.len());
    for index in 0..sound {
        let mut seeded = Seeded::for_subject(seed, &format!("photo {index}"));
        let size = if index == 0 { (4_000, 3_000) } else { (1_600, 1_200) };
        let hazard = Hazard::ALL.get(index % Hazard::ALL.len()).copied().unwrap_or(Hazard::Rubbish);
        let claims = Claims {
            orientation: if index % 5 == 3 { 6 } else { 1 },
            taken: format!("2026:03:16 {:02}:{:02}:00", 9 + index % 8, seeded.below(60)),
            position: around.get(index % around.len().max(1)).copied(),
        };
        let bytes = jpeg(&mut seeded, size, hazard, (index % 2 == 0).then_some(&claims))?;
        files.push(write_file(folder, &format!("虚构照片{:02}.jpg", index + 1), &bytes, None)?);
    }
    let mut seeded = Seeded::for_subject(seed, "damaged photos");
    for damage in Damage::ALL {
        let name = match damage {
            Damage::Truncated => "截断.jpg",
            Damage::WrongType => "文字.jpg",
            Damage::Heic => "苹果格式.heic",
            Damage::Bomb => "过大.png",
            Damage::Empty => "空文件.jpg",
        };
        let bytes = damaged(&mut seeded, damage)?;
        files.push(write_file(folder, name, &bytes, Some(damage))?);
    }
    Ok(files)
}

fn write_file(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    damage: Option<Damage>,
) -> Result<PhotoFile, HarnessError> {
    let path = folder.join(name);
    fs::write(&path, bytes).map_err(HarnessError::file(&path))?;
    Ok(PhotoFile { path, damage })
}

#[cfg(test)]
mod tests {
    use gridwalk_evidence::{EvidenceError, Limits, PhotoSource, StampFacts, StampTime, inspect, prepare};

    use super::*;

    fn facts() -> StampFacts {
        StampFacts {
            time: StampTime { unix_ms: 1_773_622_800_000, utc_offset_minutes: 480 },
            place: None,
            grid_name: None,
            grid_code: Some("990100001001001".into()),
            worker_code: "W001".into(),
            event_number: None,
            photo_id: None,
            source: PhotoSource::Camera,
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_files() {
        let make = |seed| jpeg(&mut Seeded::new(seed), (160, 120), Hazard::OpenManhole, None).unwrap();
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        for damage in Damage::ALL {
            let bytes = || damaged(&mut Seeded::new(1), damage).unwrap();
            assert_eq!(bytes(), bytes());
        }
    }

    #[test]
    fn every_sound_file_is_taken_and_every_damaged_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let around = [LatLon { lat: 35.201, lon: 122.402 }];
        let files = write_folder(folder.path(), 3, 4, &around).unwrap();
        assert_eq!(files.iter().filter(|file| file.damage.is_none()).count(), 4);
        for file in files {
            let taken = prepare(&fs::read(&file.path).unwrap(), &facts(), None, &Limits::default());
            let expected = match file.damage {
                None => taken.is_ok(),
                Some(Damage::Truncated) => matches!(taken, Err(EvidenceError::Damaged { .. })),
                Some(Damage::WrongType | Damage::Heic) => {
                    matches!(taken, Err(EvidenceError::Unsupported { .. }))
                }
                Some(Damage::Bomb) => matches!(taken, Err(EvidenceError::TooLarge { .. })),
                Some(Damage::Empty) => matches!(taken, Err(EvidenceError::Empty)),
            };
            assert!(expected, "{}: {:?}", file.path.display(), taken.map(|photo| photo.original));
        }
    }

    #[test]
    fn what_the_camera_claims_is_read_back() {
        for position in [LatLon { lat: 35.201_234, lon: 122.402_345 }, LatLon { lat: -12.5, lon: -77.05 }] {
            let claims =
                Claims { orientation: 6, taken: "2026:03:16 09:41:07".into(), position: Some(position) };
            let bytes = jpeg(&mut Seeded::new(1), (64, 48), Hazard::Hydrant, Some(&claims)).unwrap();
            let exif = inspect(&bytes).unwrap().exif;
            assert_eq!((exif.orientation, exif.notes.as_slice()), (6, [].as_slice()));
            // 2026-03-16 09:41:07 on the camera's clock.
            assert_eq!(exif.captured.unwrap().local_ms, 1_773_654_067_000);
            let read = exif.position.unwrap();
            assert!((read.lat - position.lat).abs() < 1e-6 && (read.lon - position.lon).abs() < 1e-6);
        }
    }
}
