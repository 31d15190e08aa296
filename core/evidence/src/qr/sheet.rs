//! Labels on A4 to print and cut, as SVG.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

use super::QrError;
use crate::svg::{self, PAGE, escaped};

/// What printers leave white at the edges, in millimetres.
const MARGIN: f64 = 10.0;
/// Blank between the cut and what is printed, in millimetres.
const PADDING: f64 = 2.0;
/// Length of a cut mark, in millimetres.
const MARK: f64 = 3.0;
/// Height of the caption and of the line beneath, in millimetres.
const CAPTION: f64 = 4.2;
const NOTE: f64 = 2.8;
/// White modules around a code (ISO/IEC 18004, 9.1).
const QUIET: i32 = 4;
/// Smallest module that a phone reads at arm's length, in millimetres.
const SMALLEST_MODULE: f64 = 0.45;

/// One label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetLabel {
    /// What its code says.
    pub text: String,
    /// The door or place, for the person who hangs it up.
    pub caption: String,
    /// A line in small print: the token, for people whose camera fails.
    pub note: String,
}

/// How labels are laid out on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelSheet {
    /// Labels side by side.
    pub columns: u32,
    /// Labels one below the other.
    pub rows: u32,
}

impl Default for LabelSheet {
    /// Eighteen labels of 63 × 46 mm.
    fn default() -> Self {
        Self { columns: 3, rows: 6 }
    }
}

/// Where a label stands on its page, in millimetres.
#[derive(Clone, Copy)]
struct Cell {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl LabelSheet {
    /// Draws labels, as many to a page as fit: one SVG document a page, in the order in which they are named. Codes
    /// have error correction Q, a quarter of a label may be dirty or torn.
    ///
    /// # Errors
    /// [`QrError::TooLong`], [`QrError::NoRoom`].
    pub fn pages(&self, labels: &[SheetLabel]) -> Result<Vec<String>, QrError> {
        let no_room = QrError::NoRoom { columns: self.columns, rows: self.rows };
        let on_a_page =
            usize::try_from(u64::from(self.columns) * u64::from(self.rows)).map_err(|_| no_room)?;
        if on_a_page == 0 {
            return Err(no_room);
        }
        let mut pages = Vec::new();
        for (page, labels) in labels.chunks(on_a_page).enumerate() {
            let mut out = svg::begin();
            for (n, label) in labels.iter().enumerate() {
                let code = QrCode::encode_text(&label.text, QrCodeEcc::Quartile)
                    .map_err(|_| QrError::TooLong { label: page * on_a_page + n })?;
                draw(&mut out, self.cell(n), label, &code).ok_or(no_room)?;
            }
            pages.push(svg::end(out));
        }
        Ok(pages)
    }

    fn cell(&self, n: usize) -> Cell {
        let (columns, rows) = (f64::from(self.columns), f64::from(self.rows));
        let (width, height) = ((PAGE.0 - 2.0 * MARGIN) / columns, (PAGE.1 - 2.0 * MARGIN) / rows);
        let (column, row) = ((n as f64) % columns, (n as f64 / columns).floor());
        Cell { left: MARGIN + column * width, top: MARGIN + row * height, width, height }
    }
}

/// Draws a label; `None` if its code would be too small.
fn draw(out: &mut String, cell: Cell, label: &SheetLabel, code: &QrCode) -> Option<()> {
    let room = (cell.width - 2.0 * PADDING).min(cell.height - 2.0 * PADDING - CAPTION - NOTE);
    let modules = f64::from(code.size() + 2 * QUIET);
    let module = room / modules;
    if module < SMALLEST_MODULE {
        return None;
    }
    let middle = cell.left + cell.width / 2.0;
    let side = module * modules;
    let top = cell.top + PADDING;
    out.push_str("<g>\n");
    cut_marks(out, cell);
    let _ = writeln!(
        out,
        r#"<path transform="translate({:.3} {top:.3}) scale({module:.4})" d="{}" fill="black"/>"#,
        middle - side / 2.0,
        path(code),
    );
    let caption =
        Line { middle, base: top + side + CAPTION * 0.8, size: CAPTION, room: cell.width - 2.0 * PADDING };
    caption.write(out, &label.caption);
    let note = Line { base: top + side + CAPTION + NOTE * 0.8, size: NOTE, ..caption };
    note.write(out, &label.note);
    out.push_str("</g>\n");
    Some(())
}

/// A line of text, centred, in millimetres.
#[derive(Clone, Copy)]
struct Line {
    middle: f64,
    base: f64,
    size: f64,
    room: f64,
}

impl Line {
    /// Text that would be wider than its label is pressed together; Chinese characters are as wide as high.
    fn write(&self, out: &mut String, text: &str) {
        let Self { middle, base, size, room } = self;
        let wide: f64 = text.chars().map(|c| if c.is_ascii() { 0.62 } else { 1.0 }).sum::<f64>() * size;
        let squeeze = match wide > *room {
            true => format!(r#" textLength="{room:.2}" lengthAdjust="spacingAndGlyphs""#),
            false => String::new(),
        };
        let _ = writeln!(
            out,
            r#"<text x="{middle:.3}" y="{base:.3}" font-family="sans-serif" font-size="{size}" text-anchor="middle"{squeeze}>{}</text>"#,
            escaped(text),
        );
    }
}

/// Short lines at the four corners.
fn cut_marks(out: &mut String, cell: Cell) {
    let (right, bottom) = (cell.left + cell.width, cell.top + cell.height);
    let mut d = String::new();
    for (x, inward) in [(cell.left, MARK), (right, -MARK)] {
        for (y, down) in [(cell.top, MARK), (bottom, -MARK)] {
            let _ = write!(d, "M{x:.2} {y:.2}h{inward}M{x:.2} {y:.2}v{down}");
        }
    }
    let _ = writeln!(out, r#"<path d="{d}" stroke="gray" stroke-width="0.1" fill="none"/>"#);
}

/// The dark modules, one bar for each run in a row.
fn path(code: &QrCode) -> String {
    let mut d = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|at| code.get_module(*at, y)).count() as i32;
            if run > 0 {
                let _ = write!(d, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run + 1;
        }
    }
    d
}
