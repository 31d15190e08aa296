//! What all printed pages have in common: A4 as SVG, in millimetres.

use std::fmt::Write as _;

/// A4, in millimetres.
pub(crate) const PAGE: (f64, f64) = (210.0, 297.0);

/// The beginning of a white page.
pub(crate) fn begin() -> String {
    let mut out = String::new();
    let (width, height) = PAGE;
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">"#,
    );
    let _ = writeln!(out, r#"<rect width="{width}" height="{height}" fill="white"/>"#);
    out
}

/// The whole page.
pub(crate) fn end(mut page: String) -> String {
    page.push_str("</svg>\n");
    page
}

/// Text that an XML parser gives back as it was, without what XML cannot hold.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
