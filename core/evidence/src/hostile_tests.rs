//! Bombs, cut files and changed bytes: an error, never a panic and never much memory.

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use proptest::prelude::*;

use crate::test_support::{encoded, facts, jpeg, jpeg_with, picture};
use crate::*;

fn prepared(bytes: &[u8]) -> Result<Photo, EvidenceError> {
    prepare(bytes, &facts(), None, &Limits::default())
}

fn rgb(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(picture(width, height))
}

/// A PNG whose header states other sizes than its data hold; the header's checksum is not looked at before the limits.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(&rgb(80, 80), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let small = picture(160, 120);
    let see_through = RgbaImage::from_fn(90, 70, |x, y| Rgba([x as u8, y as u8, 90, (x * 2) as u8]));
    vec![
        ("jpeg", jpeg(&small)),
        ("jpeg with restarts", jpeg_with(&small, |e| e.set_restart_interval(3))),
        ("progressive jpeg", jpeg_with(&small, |e| e.set_progressive(true))),
        ("png", encoded(&DynamicImage::ImageRgb8(small.clone()), ImageFormat::Png)),
        ("png with alpha", encoded(&DynamicImage::ImageRgba8(see_through.clone()), ImageFormat::Png)),
        ("webp", encoded(&DynamicImage::ImageRgb8(small), ImageFormat::WebP)),
        ("webp with alpha", encoded(&DynamicImage::ImageRgba8(see_through), ImageFormat::WebP)),
    ]
}

#[test]
fn a_png_bomb_is_refused_by_its_header() {
    for (width, height) in [(60_000, 60_000), (u32::MAX, u32::MAX), (19_999, 19_999), (64, 30_000)] {
        let refused = prepared(&png_of_size(width, height)).unwrap_err();
        assert!(matches!(refused, EvidenceError::TooLarge { .. }), "{refused}");
    }
}

#[test]
fn a_jpeg_bomb_is_refused_by_its_header() {
    let mut bytes = jpeg(&picture(80, 80));
    let frame = bytes.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    let refused = prepared(&bytes).unwrap_err();
    assert!(matches!(refused, EvidenceError::TooLarge { width: 65_535, height: 65_535, .. }), "{refused}");
}

#[test]
fn memory_is_estimated_before_it_is_taken() {
    let limits = Limits { max_memory: 1 << 20, ..Limits::default() };
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let refused = prepare(&encoded(&rgb(700, 700), format), &facts(), None, &limits).unwrap_err();
        assert!(matches!(refused, EvidenceError::TooMuchMemory { .. }), "{refused}");
    }
    let baseline = jpeg(&picture(560, 560));
    assert!(prepare(&baseline, &facts(), None, &limits).is_ok());
    let progressive = jpeg_with(&picture(560, 560), |e| e.set_progressive(true));
    let refused = prepare(&progressive, &facts(), None, &limits).unwrap_err();
    assert!(matches!(refused, EvidenceError::TooMuchMemory { .. }), "{refused}");
}

#[test]
fn small_large_and_empty_files_are_refused() {
    assert_eq!(prepared(b"").unwrap_err(), EvidenceError::Empty);
    let refused = prepared(&jpeg(&picture(63, 200))).unwrap_err();
    assert_eq!(refused, EvidenceError::TooSmall { width: 63, height: 200, min_edge: 64 });
    let limits = Limits { max_input_bytes: 100, ..Limits::default() };
    let refused = prepare(&[0xFF; 101], &facts(), None, &limits).unwrap_err();
    assert_eq!(refused, EvidenceError::TooManyBytes { bytes: 101, limit: 100 });
}

#[test]
fn a_file_cut_anywhere_is_refused_as_damaged() {
    for (name, bytes) in samples() {
        assert!(prepared(&bytes).is_ok(), "{name}");
        for fiftieth in 1..50 {
            let cut = &bytes[..bytes.len() * fiftieth / 50];
            let refused = prepared(cut).expect_err(&format!("{name} cut at {fiftieth}/50"));
            let understood =
                matches!(refused, EvidenceError::Damaged { .. } | EvidenceError::Unsupported { .. });
            assert!(understood, "{name} cut at {fiftieth}/50: {refused}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_bytes_never_panic(
        which in 0usize..7,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        near_the_start in any::<bool>(),
    ) {
        let (_, mut bytes) = samples().swap_remove(which);
        let reach = if near_the_start { bytes.len().min(700) } else { bytes.len() };
        for (at, byte) in changes {
            bytes[at.index(reach)] = byte;
        }
        let limits = Limits::default();
        if let Ok(photo) = prepared(&bytes) {
            prop_assert!(photo.preview.bytes.len() <= 24 << 10);
            prop_assert!(is_stored_photo(&photo.stored.bytes, &limits).is_ok());
        }
        let _ = inspect(&bytes);
        let _ = is_stored_photo(&bytes, &limits);
    }

    #[test]
    fn any_bytes_never_panic(start in 0usize..4, rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let starts: [&[u8]; 4] = [b"", &[0xFF, 0xD8, 0xFF], b"\x89PNG\r\n\x1a\n", b"RIFF\x80\0\0\0WEBPVP8X"];
        let bytes = [starts[start], &rest].concat();
        prop_assert!(prepared(&bytes).is_err());
        let _ = StampFont::parse(&bytes);
        let _ = is_stored_photo(&bytes, &Limits::default());
    }
}
