//! Real camera files: orientation, GPS, damage. They are not in the repository; see `test_support::real_photos`.

use image::imageops;

use crate::test_support::{chinese_font, facts, jpeg_with, pixels, real_photos};
use crate::*;

fn read(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(real_photos()?.join(name)).unwrap())
}

fn made(name: &str) -> Option<Photo> {
    let original = read(name)?;
    Some(prepare(&original, &facts(), None, &Limits::default()).unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Mean difference per channel of two pictures of the same size, seen from so far that compression does not count.
fn difference(a: &image::RgbImage, b: &image::RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let (a, b) = (imageops::thumbnail(a, 60, 45), imageops::thumbnail(b, 60, 45));
    let sum: u64 = a.iter().zip(b.iter()).map(|(x, y)| u64::from(x.abs_diff(*y))).sum();
    sum as f64 / a.len() as f64
}

#[test]
fn all_eight_orientations_give_the_same_upright_picture() {
    let Some(first) = made("landscape_1.jpg") else { return };
    let first_pixels = pixels(&first.stored.bytes);
    let second_pixels = pixels(&made("landscape_2.jpg").unwrap().stored.bytes);
    for number in 2..=8 {
        let photo = made(&format!("landscape_{number}.jpg")).unwrap();
        assert_eq!(photo.original.exif.orientation, number);
        assert!(photo.perceptual.distance(first.perceptual) <= PerceptualHash::SAME_PICTURE, "{number}");
        // The first file, which needs no turning, is brighter than the others; these differ in the digit in their middle.
        let upright = pixels(&photo.stored.bytes);
        let (from_first, from_second) =
            (difference(&upright, &first_pixels), difference(&upright, &second_pixels));
        assert!(from_first < 16.0 && from_second < 4.0, "orientation {number}: {from_first} {from_second}");
    }
    for turned in [imageops::flip_horizontal(&first_pixels), imageops::rotate180(&first_pixels)] {
        let differs = difference(&turned, &first_pixels);
        assert!(differs > 30.0, "the test would not see a wrong turn: {differs}");
    }
}

#[test]
fn time_and_place_of_cameras_are_read() {
    let Some(nokia) = read("HMD_Nokia_8.3_5G.jpg") else { return };
    let nokia = inspect(&nokia).unwrap().exif;
    let captured = nokia.captured.unwrap();
    assert_eq!((captured.field, captured.utc_offset_minutes), (TimeField::Original, Some(180)));
    // 2022-08-14 14:12:31 +03:00, one second before the satellite's time.
    assert_eq!(captured.unix_ms(), Some(1_660_475_551_000));
    assert_eq!(nokia.gps_unix_ms, Some(1_660_475_552_000));

    let iphone = inspect(&read("iphone_hdr_YES.jpg").unwrap()).unwrap().exif;
    let captured = iphone.captured.unwrap();
    assert_eq!((captured.unix_ms(), captured.local_ms % 1000), (None, 550));
    assert_eq!(captured.unix_ms_at(120), 1_428_689_543_550);
    let position = iphone.position.unwrap();
    assert!((position.lat - 40.446_972).abs() < 1e-5 && (position.lon + 3.724_753).abs() < 1e-5);

    let places = [
        ("DSCN0010.jpg", 43.467_448, 11.885_127),
        ("DSCN0021.jpg", 43.467_082, 11.884_538),
        ("DSCN0029.jpg", 43.468_243, 11.880_172),
    ];
    for (name, lat, lon) in places {
        let position = inspect(&read(name).unwrap()).unwrap().exif.position.unwrap();
        assert!(
            (position.lat - lat).abs() < 1e-5 && (position.lon - lon).abs() < 1e-5,
            "{name} {position:?}"
        );
        assert_eq!(position.datum, ExifDatum::Wgs84);
    }
}

#[test]
fn damaged_files_get_a_reason_and_damaged_metadata_a_note() {
    let Some(corrupted) = read("corrupted.jpg") else { return };
    let refused = prepare(&corrupted, &facts(), None, &Limits::default()).unwrap_err();
    assert!(matches!(refused, EvidenceError::Damaged { format: PhotoFormat::Jpeg, .. }), "{refused}");
    assert!(refused.zh().contains("已损坏"));

    for name in ["30-type_error.jpg", "45-gps_ifd.jpg"] {
        let notes = made(name).unwrap().original.exif.notes;
        assert!(matches!(notes.as_slice(), [ExifNote::Damaged(_), ..]), "{name} {notes:?}");
    }
    for name in ["image00971.jpg", "image01088.jpg", "no_exif.jpg"] {
        assert_eq!(made(name).unwrap().original.exif.position, None, "{name}");
    }
}

#[test]
fn a_heif_file_is_refused_with_advice() {
    let Some(heif) = read("samplefilehub.heif") else { return };
    let refused = prepare(&heif, &facts(), None, &Limits::default()).unwrap_err();
    assert_eq!(refused, EvidenceError::Unsupported { found: ForeignFormat::Heif });
    assert_eq!(inspect(&heif).unwrap_err(), refused);
}

#[test]
fn every_accepted_file_passes_the_check_on_receipt() {
    let Some(folder) = real_photos() else { return };
    let (limits, font) = (Limits::default(), chinese_font());
    let font = font.as_deref().map(|bytes| StampFont::parse(bytes).unwrap());
    let mut accepted = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let original = std::fs::read(entry.unwrap().path()).unwrap();
        let Ok(photo) = prepare(&original, &facts(), font.as_ref(), &limits) else { continue };
        accepted += 1;
        let received = is_stored_photo(&photo.stored.bytes, &limits).unwrap();
        assert_eq!(received.sha256, photo.stored.sha256);
        assert_eq!((received.width, received.height), (photo.stored.width, photo.stored.height));
        let preview = is_preview(&photo.preview.bytes, &limits).unwrap();
        assert_eq!(preview.sha256, photo.preview.sha256);
        assert_eq!(photo.stamp, if font.is_some() { StampOutcome::Chinese } else { StampOutcome::None });
    }
    assert!(accepted >= 18, "{accepted}");
}

#[test]
fn the_perceptual_hash_tells_pictures_apart_but_not_copies() {
    let Some(iphone) = read("iphone_hdr_YES.jpg") else { return };
    let hash = |bytes: &[u8]| prepare(bytes, &facts(), None, &Limits::default()).unwrap().perceptual;
    let given = hash(&iphone);
    let small = imageops::thumbnail(&pixels(&iphone), 800, 600);
    let copy = jpeg_with(&small, |e| e.set_quality(55));
    assert!(given.distance(hash(&copy)) <= PerceptualHash::SAME_PICTURE);
    for other in ["DSCN0010.jpg", "DSCN0021.jpg", "DSCN0029.jpg", "landscape_1.jpg", "HMD_Nokia_8.3_5G.jpg"] {
        let distance = given.distance(hash(&read(other).unwrap()));
        assert!(distance > PerceptualHash::SAME_PICTURE, "{other} {distance}");
    }
}
