//! The whole way of a made-up photo.

use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage};

use crate::jpeg_segments::{SOS, Segments};
use crate::test_support::{chinese_font, encoded, facts, jpeg, jpeg_with, latin_font, picture, pixels};
use crate::*;

fn prepared(bytes: &[u8], font: Option<&StampFont<'_>>) -> Photo {
    prepare(bytes, &facts(), font, &Limits::default()).unwrap()
}

/// How many pixels of the lowest `share` of the picture are almost white.
fn bright_below(picture: &RgbImage, share: f64) -> usize {
    let from = (f64::from(picture.height()) * (1.0 - share)) as u32;
    picture.enumerate_pixels().filter(|(_, y, p)| *y >= from && p.0.iter().all(|c| *c > 200)).count()
}

#[test]
fn a_photo_becomes_stored_picture_and_preview() {
    let original = jpeg(&picture(2400, 1350));
    let photo = prepared(&original, None);
    assert_eq!((photo.original.format, photo.original.width), (PhotoFormat::Jpeg, 2400));
    assert_eq!(photo.original.bytes, original.len() as u64);
    assert_eq!(photo.original_sha256, sha256(&original));
    assert_eq!((photo.stored.width, photo.stored.height), (1920, 1080));
    assert_eq!((photo.preview.width, photo.preview.height), (320, 180));
    assert_eq!(pixels(&photo.stored.bytes).dimensions(), (1920, 1080));
    assert_eq!(pixels(&photo.preview.bytes).dimensions(), (320, 180));
    assert_eq!(photo.stored.sha256, sha256(&photo.stored.bytes));
    assert_eq!(photo.short_id, "7F3A9C21");
    assert_eq!(prepared(&original, None), photo, "the same arguments give the same bytes");
}

#[test]
fn a_small_photo_is_not_enlarged_and_names_itself() {
    let original = jpeg(&picture(200, 150));
    let photo =
        prepare(&original, &StampFacts { photo_id: None, ..facts() }, None, &Limits::default()).unwrap();
    assert_eq!((photo.stored.width, photo.preview.width), (200, 200));
    assert_eq!(photo.short_id, short_id(&sha256(&original)));
    assert_eq!(photo.short_id.len(), 8);
}

#[test]
fn other_formats_and_colours_are_taken() {
    let rgb = picture(120, 90);
    let dynamic = DynamicImage::ImageRgb8(rgb.clone());
    let grey = GrayImage::from_fn(120, 90, |x, y| image::Luma([(x + y) as u8]));
    let mut grey_jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut grey_jpeg, 90);
    encoder.encode(&grey, 120, 90, jpeg_encoder::ColorType::Luma).unwrap();
    let given = [
        encoded(&dynamic, ImageFormat::Png),
        encoded(&dynamic, ImageFormat::WebP),
        encoded(&DynamicImage::ImageRgb16(dynamic.to_rgb16()), ImageFormat::Png),
        encoded(&DynamicImage::ImageLuma8(grey), ImageFormat::Png),
        jpeg_with(&rgb, |e| e.set_progressive(true)),
        grey_jpeg,
    ];
    for (number, original) in given.iter().enumerate() {
        let photo = prepared(original, None);
        assert_eq!((photo.stored.width, photo.stored.height), (120, 90), "{number}");
        is_stored_photo(&photo.stored.bytes, &Limits::default()).unwrap();
    }
}

#[test]
fn colours_survive() {
    let sent = RgbImage::from_pixel(300, 200, Rgb([180, 90, 30]));
    let got = pixels(&prepared(&jpeg(&sent), None).stored.bytes);
    let [r, g, b] = got.get_pixel(150, 100).0;
    assert!(r.abs_diff(180) < 4 && g.abs_diff(90) < 4 && b.abs_diff(30) < 4, "{r} {g} {b}");
}

#[test]
fn stored_files_are_plain_baseline_in_one_scan() {
    let photo = prepared(&jpeg(&picture(400, 300)), None);
    for bytes in [&photo.stored.bytes, &photo.preview.bytes] {
        let scans = Segments::new(bytes).filter(|s| s.marker == SOS);
        assert_eq!(scans.map(|s| s.payload.first().copied()).collect::<Vec<_>>(), [Some(3)]);
    }
}

#[test]
fn a_preview_of_pure_noise_still_fits() {
    let mut state = 1u64;
    let noise = RgbImage::from_fn(320, 320, |_, _| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Rgb([(state >> 33) as u8, (state >> 41) as u8, (state >> 49) as u8])
    });
    let original = encoded(&DynamicImage::ImageRgb8(noise), ImageFormat::Png);
    let photo = prepared(&original, None);
    assert!(photo.preview.bytes.len() <= 24 << 10, "{}", photo.preview.bytes.len());
    let tight = Limits { preview_max_bytes: 6 << 10, ..Limits::default() };
    let photo = prepare(&original, &facts(), None, &tight).unwrap();
    assert!(photo.preview.bytes.len() <= 6 << 10 && photo.preview.width < 320);
    let impossible = Limits { preview_max_bytes: 10, ..Limits::default() };
    let refused = prepare(&original, &facts(), None, &impossible).unwrap_err();
    assert_eq!(refused, EvidenceError::PreviewTooLarge { limit: 10 });
}

#[test]
fn without_a_font_nothing_is_stamped() {
    let photo = prepared(&jpeg(&RgbImage::from_pixel(640, 480, Rgb([90; 3]))), None);
    assert_eq!((photo.stamp, photo.stamp_missing.as_str()), (StampOutcome::None, ""));
    assert_eq!(bright_below(&pixels(&photo.stored.bytes), 1.0), 0);
}

#[test]
fn the_stamp_is_drawn_in_chinese_on_photo_and_preview() {
    let Some(bytes) = chinese_font() else { return };
    let font = StampFont::parse(&bytes).unwrap();
    let original = jpeg(&RgbImage::from_pixel(1280, 960, Rgb([120; 3])));
    let photo = prepared(&original, Some(&font));
    assert_eq!((photo.stamp, photo.stamp_missing.as_str()), (StampOutcome::Chinese, ""));
    for drawn in [pixels(&photo.stored.bytes), pixels(&photo.preview.bytes)] {
        let bright = bright_below(&drawn, 0.35) as f64 / f64::from(drawn.width() * drawn.height());
        assert!((0.003..0.1).contains(&bright), "share of white pixels {bright}");
        assert_eq!(bright_below(&drawn, 1.0), bright_below(&drawn, 0.35), "nothing above the band");
    }
    // One character of the grid's name is visible in both.
    let renamed =
        StampFacts { grid_name: Some("崂山区中韩街道东城社区第四网格".into()), ..facts() };
    let other = prepare(&original, &renamed, Some(&font), &Limits::default()).unwrap();
    assert_ne!(other.stored.sha256, photo.stored.sha256);
    assert_ne!(other.preview.sha256, photo.preview.sha256);
    assert_eq!(other.perceptual, photo.perceptual, "the stamp is not part of the perceptual hash");
}

#[test]
fn without_chinese_glyphs_the_stamp_is_latin_and_says_so() {
    let Some(bytes) = latin_font() else { return };
    let font = StampFont::parse(&bytes).unwrap();
    let photo = prepared(&jpeg(&RgbImage::from_pixel(1280, 960, Rgb([120; 3]))), Some(&font));
    assert_eq!(photo.stamp, StampOutcome::Latin);
    assert!(bright_below(&pixels(&photo.stored.bytes), 0.3) > 1000);
}

#[test]
fn odd_shapes_are_stamped_without_harm() {
    let Some(bytes) = chinese_font().or_else(latin_font) else { return };
    let font = StampFont::parse(&bytes).unwrap();
    let long = "很长的网格名称".repeat(20);
    let wordy = StampFacts { grid_name: Some(long.clone()), worker_code: long, ..facts() };
    for (width, height) in [(64, 64), (64, 900), (2000, 64), (425, 120), (4000, 70)] {
        for facts in [&facts(), &wordy] {
            let photo =
                prepare(&jpeg(&picture(width, height)), facts, Some(&font), &Limits::default()).unwrap();
            is_stored_photo(&photo.stored.bytes, &Limits::default()).unwrap();
            is_preview(&photo.preview.bytes, &Limits::default()).unwrap();
        }
    }
}

#[test]
fn on_receipt_only_a_clean_stored_photo_passes() {
    let limits = Limits::default();
    let check = |bytes: &[u8]| is_stored_photo(bytes, &limits);
    let good = prepared(&jpeg(&picture(400, 300)), None).stored.bytes;
    assert!(check(&good).is_ok());

    let png = encoded(&DynamicImage::ImageRgb8(picture(90, 90)), ImageFormat::Png);
    assert_eq!(check(&png).unwrap_err(), EvidenceError::NotJpeg { found: PhotoFormat::Png });
    let wide = jpeg(&picture(1921, 100));
    assert!(matches!(check(&wide).unwrap_err(), EvidenceError::NotDownscaled { width: 1921, .. }));
    let exif = jpeg_with(&picture(90, 90), |e| e.add_exif_metadata(b"II*\0\x08\0\0\0\0\0\0\0\0\0").unwrap());
    assert_eq!(check(&exif).unwrap_err(), EvidenceError::CarriesMetadata { marker: 0xE1 });
    let longer = [good.as_slice(), b"more"].concat();
    assert_eq!(check(&longer).unwrap_err(), EvidenceError::TrailingBytes { bytes: 4 });
    assert!(matches!(check(&good[..good.len() / 2]).unwrap_err(), EvidenceError::Damaged { .. }));
    let tight = Limits { stored_max_bytes: 100, ..limits };
    assert!(matches!(is_stored_photo(&good, &tight).unwrap_err(), EvidenceError::TooManyBytes { .. }));
    assert!(is_preview(&good, &limits).is_err(), "a photo of 400 pixels is no preview");
}
