//! Codes are printed, photographed badly, and read.

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

const TEXT: &str = "https://grid.example.cn/r/0123456789ABCDEFGHJKMNPQRSTVW";

fn label(n: usize) -> SheetLabel {
    SheetLabel { text: format!("{TEXT}{n}"), caption: format!("3栋2单元{n}"), note: "01234-56789".into() }
}

/// A bar of dark modules on a page, in millimetres.
#[derive(Clone, Copy)]
struct Bar {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// What an SVG page says: its dark bars and its texts. Reads only what this crate writes.
fn page(svg: &str) -> (Vec<Bar>, Vec<String>) {
    let (mut bars, mut texts) = (Vec::new(), Vec::new());
    let mut reader = Reader::from_str(svg);
    let mut in_text = None;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => break,
            Event::Empty(element) if element.name().as_ref() == "path" => {
                let get = |name: &str| {
                    let found = element
                        .attributes()
                        .map(|a| a.expect("an attribute"))
                        .find(|a| a.key.as_ref() == name);
                    found.map(|a| a.value.into_owned())
                };
                if let Some(transform) = get("transform") {
                    bars.extend(bars_of(&transform, &get("d").unwrap()));
                }
            }
            Event::Start(element) if element.name().as_ref() == "text" => in_text = Some(String::new()),
            Event::Text(text) => {
                if let Some(out) = &mut in_text {
                    out.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                if let Some(out) = &mut in_text {
                    out.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap());
                }
            }
            Event::End(element) if element.name().as_ref() == "text" => texts.extend(in_text.take()),
            _ => {}
        }
    }
    (bars, texts)
}

fn bars_of(transform: &str, d: &str) -> Vec<Bar> {
    let numbers = |text: &str| -> Vec<f64> {
        let parts = text.split(|c: char| !c.is_ascii_digit() && c != '.');
        parts.filter(|part| !part.is_empty()).map(|part| part.parse().unwrap()).collect()
    };
    let [x0, y0, scale] = numbers(transform)[..] else { panic!("{transform}") };
    d.split('M')
        .filter(|bar| !bar.is_empty())
        .map(|bar| {
            let [x, y, run, height, back] = numbers(bar)[..] else { panic!("{bar}") };
            assert_eq!(run, back);
            Bar { left: x0 + x * scale, top: y0 + y * scale, width: run * scale, height: height * scale }
        })
        .collect()
}

/// A camera that looks at a page.
struct Camera {
    /// What it points at, in millimetres.
    at: (f64, f64),
    /// Pixels a millimetre.
    zoom: f64,
    /// Radians by which it is held askew.
    turn: f64,
    /// How much the light falls off to the right, 0 to 1.
    shade: f64,
    /// How far a pixel is off at most.
    noise: i32,
}

impl Camera {
    fn shoot(&self, bars: &[Bar], width: u32, height: u32) -> Vec<u8> {
        let (sin, cos) = self.turn.sin_cos();
        let mut seed = 0x2545_f491_4f6c_dd1du64;
        let mut out = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let mut light = 0;
                // Four rays a pixel.
                for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                    let u = (f64::from(x) + dx - f64::from(width) / 2.0) / self.zoom;
                    let v = (f64::from(y) + dy - f64::from(height) / 2.0) / self.zoom;
                    let (px, py) = (self.at.0 + u * cos - v * sin, self.at.1 + u * sin + v * cos);
                    let dark = |bar: &&Bar| {
                        (bar.left..bar.left + bar.width).contains(&px)
                            && (bar.top..bar.top + bar.height).contains(&py)
                    };
                    light += if bars.iter().find(dark).is_some() { 40 } else { 225 };
                }
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let noise = (seed % (2 * self.noise as u64 + 1)) as i32 - self.noise;
                let shade = 1.0 - self.shade * f64::from(x) / f64::from(width);
                out.push((f64::from(light / 4) * shade).clamp(0.0, 255.0) as i32 + noise);
            }
        }
        out.into_iter().map(|value| value.clamp(0, 255) as u8).collect()
    }
}

fn near(bars: &[Bar], at: (f64, f64)) -> Vec<Bar> {
    bars.iter()
        .copied()
        .filter(|bar| (bar.left - at.0).abs() < 40.0 && (bar.top - at.1).abs() < 30.0)
        .collect()
}

#[test]
fn every_label_of_a_printed_sheet_is_read_back() {
    let labels: Vec<SheetLabel> = (0..20).map(label).collect();
    let pages = LabelSheet::default().pages(&labels).unwrap();
    assert_eq!(pages.len(), 2);
    let mut found = Vec::new();
    let mut captions = Vec::new();
    for svg in &pages {
        let (bars, texts) = page(svg);
        captions.extend(texts.into_iter().step_by(2));
        let camera = Camera { at: (105.0, 148.5), zoom: 6.0, turn: 0.0, shade: 0.0, noise: 0 };
        // A flat picture of the whole page, bar by bar.
        let (width, height) = (1_260u32, 1_782u32);
        let mut luma = vec![255u8; (width * height) as usize];
        for bar in &bars {
            let px = |mm: f64| (mm * camera.zoom).round() as usize;
            for y in px(bar.top)..px(bar.top + bar.height) {
                let from = y * width as usize;
                luma[from + px(bar.left)..from + px(bar.left + bar.width)].fill(0);
            }
        }
        // Column by column, as a person would.
        for third in 0..3 {
            let (left, wide) = (third * 420, 420);
            for sixth in 0..6 {
                let top = 40 + sixth * 277;
                let start = top * width as usize + left;
                let frame =
                    LumaFrame { width: wide, height: 300, stride: width as usize, luma: &luma[start..] };
                found.extend(read_codes(&frame).unwrap());
            }
        }
    }
    found.sort();
    let mut wanted: Vec<String> = labels.iter().map(|label| label.text.clone()).collect();
    wanted.sort();
    assert_eq!(found, wanted);
    assert_eq!(captions, labels.iter().map(|label| label.caption.clone()).collect::<Vec<_>>());
}

#[test]
fn a_label_is_read_askew_small_large_shaded_and_noisy() {
    let pages = LabelSheet::default().pages(&[label(501)]).unwrap();
    let (bars, _) = page(&pages[0]);
    let middle = (41.7, 28.0);
    let bars = near(&bars, middle);
    for (zoom, shade, noise) in
        [(5.0, 0.0, 0), (5.0, 0.4, 8), (7.0, 0.5, 12), (9.0, 0.0, 15), (12.0, 0.2, 18)]
    {
        let read = |turn: &u32| {
            let camera = Camera { at: middle, zoom, turn: f64::from(*turn) * 0.53, shade, noise };
            let luma = camera.shoot(&bars, 640, 480);
            let frame = LumaFrame { width: 640, height: 480, stride: 640, luma: &luma };
            read_codes(&frame).unwrap() == [label(501).text]
        };
        // A camera delivers many frames: one may fail, not two of twelve.
        let good = (0..12).filter(read).count();
        assert!(good >= 11, "zoom {zoom}, shade {shade}, noise {noise}: {good} of 12");
    }
}

#[test]
fn a_code_survives_dirt() {
    let (bars, _) = page(&LabelSheet::default().pages(&[label(7)]).unwrap()[0]);
    let camera = Camera { at: (41.7, 28.0), zoom: 8.0, turn: 0.1, shade: 0.0, noise: 4 };
    let mut luma = camera.shoot(&near(&bars, camera.at), 480, 480);
    // A smear over the middle, 4 mm high and 12 mm wide.
    for y in 224..256 {
        luma[y * 480 + 190..y * 480 + 286].fill(200);
    }
    let frame = LumaFrame { width: 480, height: 480, stride: 480, luma: &luma };
    assert_eq!(read_codes(&frame).unwrap(), [label(7).text]);
}

#[test]
fn texts_are_escaped_and_what_does_not_fit_is_told() {
    let hostile = SheetLabel {
        text: "x".into(),
        caption: "</text><script>alert('1&2')</script>\u{1}".into(),
        note: "a \"note\" that is far too long for a label of this width, and goes on and on".into(),
    };
    let svg = &LabelSheet::default().pages(std::slice::from_ref(&hostile)).unwrap()[0];
    assert!(!svg.contains("<script"));
    let (_, texts) = page(svg);
    assert_eq!(texts, ["</text><script>alert('1&2')</script> ".to_owned(), hostile.note.clone()]);
    assert!(svg.contains("textLength"));
    let long = SheetLabel { text: "长".repeat(2_000), ..hostile.clone() };
    assert_eq!(LabelSheet::default().pages(&[hostile.clone(), long]), Err(QrError::TooLong { label: 1 }));
    for (columns, rows) in [(0, 3), (40, 40), (3, 20), (u32::MAX, u32::MAX)] {
        let sheet = LabelSheet { columns, rows };
        assert_eq!(sheet.pages(&[label(1)]), Err(QrError::NoRoom { columns, rows }));
    }
    assert_eq!(LabelSheet::default().pages(&[]), Ok(Vec::new()));
}

/// A wall of corner patterns, which makes the reader try every pair of them.
#[test]
fn a_wall_of_corner_patterns_does_not_hold_it_up() {
    const RING: [&[u8; 8]; 8] = [
        b"#######.",
        b"#.....#.",
        b"#.###.#.",
        b"#.###.#.",
        b"#.###.#.",
        b"#.....#.",
        b"#######.",
        b"........",
    ];
    let (width, height) = (1_280usize, 720usize);
    let dark = |x: usize, y: usize| RING[y / 2 % 8][x / 2 % 8] == b'#';
    let luma: Vec<u8> =
        (0..width * height).map(|n| if dark(n % width, n / width) { 20 } else { 230 }).collect();
    let frame = LumaFrame { width: 1_280, height: 720, stride: width, luma: &luma };
    assert_eq!(read_codes(&frame), Err(QrError::Confused));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Frames of noise, of blocks, and of a code with blocks thrown over it.
    #[test]
    fn no_frame_makes_it_panic(
        seed in any::<u64>(),
        (width, height) in (1u32..160, 1u32..160),
        blocks in prop::collection::vec((0u32..160, 0u32..160, 1u32..40, 1u32..40, any::<u8>()), 0..40),
        coded in any::<bool>(),
    ) {
        let mut luma = vec![230u8; (width * height) as usize];
        let mut state = seed | 1;
        if coded {
            let code = qrcodegen::QrCode::encode_text("damaged", qrcodegen::QrCodeEcc::Low).unwrap();
            for y in 0..height {
                for x in 0..width {
                    if code.get_module(x as i32 / 4 - 2, y as i32 / 4 - 2) {
                        luma[(y * width + x) as usize] = 15;
                    }
                }
            }
        } else if seed % 3 == 0 {
            for pixel in &mut luma {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *pixel = (state >> 32) as u8;
            }
        }
        for (x0, y0, w, h, value) in blocks {
            for y in y0..(y0 + h).min(height) {
                for x in x0..(x0 + w).min(width) {
                    luma[(y * width + x) as usize] = value;
                }
            }
        }
        let frame = LumaFrame { width, height, stride: width as usize, luma: &luma };
        let _ = read_codes(&frame);
    }
}
