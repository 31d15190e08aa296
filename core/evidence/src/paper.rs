//! Documents of text on A4 to print and sign, as SVG: a title, facts, numbered entries, room for signatures. Lines are
//! broken here, because SVG does not; what does not fit goes on to the next page.

use std::fmt::Write as _;

use crate::svg::{self, PAGE, escaped};

/// White at the edges, in millimetres.
const MARGIN: f64 = 20.0;
/// Where the last line of a page may stand.
const BOTTOM: f64 = PAGE.1 - 24.0;
/// From line to line, in font sizes.
const LEADING: f64 = 1.45;
/// Sizes of type, in millimetres.
const TITLE: f64 = 7.0;
const SUBTITLE: f64 = 4.2;
const BODY: f64 = 4.0;
const SMALL: f64 = 3.3;
/// Where the text of a fact begins at most, from the left margin, and how far from what it is called.
const LABELS: (f64, f64) = (62.0, 5.0);
/// Where the text of an entry begins, from the left margin.
const NUMBERS: f64 = 9.0;
/// Between two blocks.
const GAP: f64 = 2.2;
/// A line to sign on: its height and its length.
const SIGN: (f64, f64) = (15.0, 62.0);
/// Punctuation that no line may begin with.
const CLOSING: &str = "，。；：、！？）》〉」』”’…,.;:!?)";

/// A piece of a document, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Large, in the middle.
    Title(String),
    /// Below a title, in the middle.
    Subtitle(String),
    /// What something is called, and what it is.
    Fact {
        /// What it is called.
        label: String,
        /// What it is, line by line.
        lines: Vec<String>,
    },
    /// A heading over what follows.
    Heading(String),
    /// One of several.
    Entry {
        /// Its number.
        number: usize,
        /// What it says.
        text: String,
        /// More about it, in small print, line by line.
        details: Vec<String>,
    },
    /// Plain text.
    Paragraph(String),
    /// Lines to sign on, each with what stands before it, and the word for the date beside it.
    Signatures {
        /// Who signs.
        who: Vec<String>,
        /// What stands before the date.
        date: String,
    },
}

/// A line of type.
struct Line {
    x: f64,
    size: f64,
    bold: bool,
    middle: bool,
    text: String,
}

/// What stays together: lines one below the other, and what is drawn beside them.
#[derive(Default)]
struct Row {
    height: f64,
    /// Each with the distance of its base from the top of the row.
    lines: Vec<(f64, Line)>,
    /// Rules: from, to, and the distance from the top.
    rules: Vec<(f64, f64, f64)>,
    /// It does not end a page.
    leads: bool,
}

impl Row {
    fn push(&mut self, line: Line) {
        let base = self.height + line.size;
        self.height += line.size * LEADING;
        self.lines.push((base, line));
    }

    fn draw(&self, out: &mut String, top: f64) {
        for (from, to, y) in &self.rules {
            let y = top + y;
            let _ =
                writeln!(out, r#"<path d="M{from:.2} {y:.2}H{to:.2}" stroke="black" stroke-width="0.2"/>"#);
        }
        for (base, line) in &self.lines {
            let Line { x, size, bold, middle, text } = line;
            let weight = if *bold { r#" font-weight="bold""# } else { "" };
            let anchor = if *middle { r#" text-anchor="middle""# } else { "" };
            let _ = writeln!(
                out,
                r#"<text x="{x:.2}" y="{:.2}" font-family="sans-serif" font-size="{size}"{weight}{anchor}>{}</text>"#,
                top + base,
                escaped(text),
            );
        }
    }
}

/// Draws a document: one SVG document a page. `foot` stands at the bottom of each with its number.
pub fn document(blocks: &[Block], foot: &str) -> Vec<String> {
    let labels = blocks.iter().filter_map(|block| match block {
        Block::Fact { label, .. } => Some(width(label) * BODY + LABELS.1),
        _ => None,
    });
    let labels = labels.fold(0.0, f64::max).min(LABELS.0);
    let rows: Vec<Row> = blocks.iter().flat_map(|block| rows(block, labels)).collect();
    let mut pages: Vec<Vec<(f64, &Row)>> = vec![Vec::new()];
    let mut top = MARGIN;
    for (n, row) in rows.iter().enumerate() {
        let next = rows.get(n + 1).filter(|_| row.leads).map_or(0.0, |next| next.height);
        if top + row.height + next > BOTTOM && top > MARGIN {
            pages.push(Vec::new());
            top = MARGIN;
        }
        if let Some(page) = pages.last_mut() {
            page.push((top, row));
        }
        top += row.height;
    }
    let count = pages.len();
    let draw = |(n, rows): (usize, Vec<(f64, &Row)>)| {
        let mut out = svg::begin();
        rows.into_iter().for_each(|(top, row)| row.draw(&mut out, top));
        let mut footer = Row::default();
        footer.push(centred(format!("{foot}　{} / {count}", n + 1), SMALL, false));
        footer.draw(&mut out, BOTTOM + 6.0);
        svg::end(out)
    };
    pages.into_iter().enumerate().map(draw).collect()
}

fn centred(text: String, size: f64, bold: bool) -> Line {
    Line { x: PAGE.0 / 2.0, size, bold, middle: true, text }
}

/// The rows of a block; `labels` is where the texts of facts begin.
fn rows(block: &Block, labels: f64) -> Vec<Row> {
    let right = PAGE.0 - MARGIN;
    let mut row = Row::default();
    match block {
        Block::Title(text) | Block::Subtitle(text) => {
            let title = matches!(block, Block::Title(_));
            let size = if title { TITLE } else { SUBTITLE };
            for text in broken(text, (right - MARGIN) / size) {
                row.push(centred(text, size, title));
            }
            row.leads = true;
        }
        Block::Heading(text) => {
            row.height = GAP;
            row.push(Line { x: MARGIN, size: BODY, bold: true, middle: false, text: text.clone() });
            row.leads = true;
        }
        Block::Fact { label, lines } => {
            column(&mut row, label, MARGIN, labels - LABELS.1 / 2.0, BODY, false);
            let beside = std::mem::take(&mut row.height);
            for line in lines {
                column(&mut row, line, MARGIN + labels, right - MARGIN - labels, BODY, false);
            }
            row.height = row.height.max(beside);
        }
        Block::Entry { number, text, details } => return entry(*number, text, details),
        Block::Paragraph(text) => column(&mut row, text, MARGIN, right - MARGIN, BODY, false),
        Block::Signatures { who, date } => {
            let beside = who.iter().map(|who| width(who) * BODY + 2.0).fold(0.0, f64::max);
            return who.iter().map(|who| signature(who, beside, date)).collect();
        }
    }
    row.height += GAP / 2.0;
    vec![row]
}

/// A text in lines of at most `room` millimetres.
fn column(row: &mut Row, text: &str, x: f64, room: f64, size: f64, bold: bool) {
    for text in broken(text, room / size) {
        row.push(Line { x, size, bold, middle: false, text });
    }
}

/// An entry: its number and text stay together, each detail may stand on the next page.
fn entry(number: usize, text: &str, details: &[String]) -> Vec<Row> {
    let (left, right) = (MARGIN + NUMBERS, PAGE.0 - MARGIN);
    let mut head = Row { height: GAP, leads: !details.is_empty(), ..Row::default() };
    head.rules.push((MARGIN, right, 0.0));
    let base = head.height + BODY;
    let numeral = Line { x: MARGIN, size: BODY, bold: true, middle: false, text: format!("{number}.") };
    head.lines.push((base, numeral));
    column(&mut head, text, left, right - left, BODY, true);
    let mut out = vec![head];
    for detail in details {
        let mut row = Row::default();
        column(&mut row, detail, left, right - left, SMALL, false);
        out.push(row);
    }
    if let Some(last) = out.last_mut() {
        last.height += GAP;
    }
    out
}

fn signature(who: &str, beside: f64, date: &str) -> Row {
    let right = PAGE.0 - MARGIN;
    let (height, length) = SIGN;
    let mut row = Row { height, ..Row::default() };
    let base = height - 2.0;
    let dated = right - 36.0;
    let text = |x: f64, text: &str| {
        (base, Line { x, size: BODY, bold: false, middle: false, text: text.to_owned() })
    };
    row.lines = vec![text(MARGIN, who), text(dated - width(date) * BODY - 2.0, date)];
    let from = MARGIN + beside;
    row.rules = vec![
        (from, (from + length).min(dated - width(date) * BODY - 5.0), base + 1.0),
        (dated, right, base + 1.0),
    ];
    row
}

/// How wide a text is, in font sizes: Chinese characters are as wide as high, capitals wider than small letters.
fn width(text: &str) -> f64 {
    text.chars().map(glyph).sum()
}

fn glyph(c: char) -> f64 {
    match c {
        ' ' | '.' | ',' | ':' | ';' | '\'' | 'i' | 'l' | 'j' | '|' | '!' => 0.34,
        'A'..='Z' | 'm' | 'w' | '@' | '%' | '&' => 0.78,
        c if c.is_ascii() => 0.6,
        c if (c as u32) < 0x2000 => 0.65,
        _ => 1.0,
    }
}

/// A text in lines that are at most so wide. Chinese breaks between any two characters but before closing punctuation,
/// words of letters between words; a word that is longer than a line breaks where the line ends.
fn broken(text: &str, room: f64) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    let mut wide = 0.0;
    for piece in pieces(text) {
        let size = width(&piece);
        if wide + size > room && !line.trim().is_empty() {
            out.push(std::mem::take(&mut line).trim_end().to_owned());
            wide = 0.0;
        }
        if line.is_empty() && piece.trim().is_empty() {
            continue;
        }
        if size <= room {
            line.push_str(&piece);
            wide += size;
            continue;
        }
        for c in piece.chars() {
            if wide + glyph(c) > room && !line.is_empty() && !CLOSING.contains(c) {
                out.push(std::mem::take(&mut line));
                wide = 0.0;
            }
            line.push(c);
            wide += glyph(c);
        }
    }
    if !line.trim().is_empty() || out.is_empty() {
        out.push(line.trim_end().to_owned());
    }
    out
}

/// What may not be broken: a word of letters, a space, any other character with the closing punctuation after it.
fn pieces(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let word = |c: char| (c as u32) < 0x2000 && !c.is_whitespace() && !c.is_control();
    for c in text.chars() {
        let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
        let last = out.last_mut().filter(|last| {
            let before = last.chars().next_back().unwrap_or(' ');
            c != ' ' && before != ' ' && (CLOSING.contains(c) || word(c) && word(before))
        });
        match last {
            Some(last) => last.push(c),
            None => out.push(c.to_string()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_where_readers_expect_it() {
        assert_eq!(broken("疏散通道堵塞，请立即整改。", 6.0), ["疏散通道堵", "塞，请立即整", "改。"]);
        assert_eq!(
            broken("Exits are neither blocked nor locked", 10.0),
            ["Exits are neither", "blocked nor locked"]
        );
        assert_eq!(broken("", 5.0), [""]);
        assert_eq!(broken("aaaaaaaaaaaaaaaa", 3.0).concat(), "aaaaaaaaaaaaaaaa");
        for text in
            ["灭火器 4kg 数量（每 50 ㎡ 不少于 1 具，每层不少于 2 具）：只有 1 具", "GB 55037-2022，第 X 条"]
        {
            for room in [4.0, 9.0, 20.0] {
                let lines = broken(text, room);
                assert!(lines.iter().all(|line| width(line) <= room + 2.0), "{lines:?}");
                assert!(lines.iter().all(|line| !line.starts_with(|c| CLOSING.contains(c))), "{lines:?}");
                let plain = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
                assert_eq!(plain(&lines.concat()), plain(text), "nothing is lost");
            }
        }
    }

    #[test]
    fn what_does_not_fit_goes_on_to_the_next_page() {
        let entry = |number| Block::Entry {
            number,
            text: "疏散通道、安全出口未堵塞、未锁闭：后门上锁 <&>".into(),
            details: vec![
                "Exits are neither blocked nor locked".into(),
                "依据：《中华人民共和国消防法》".into(),
            ],
        };
        let mut blocks =
            vec![Block::Title("整改通知书".into()), Block::Subtitle("Rectification order".into())];
        blocks.extend((1..=40).map(entry));
        blocks.push(Block::Signatures {
            who: vec!["检查人".into(), "负责人".into()], date: "日期".into()
        });
        let pages = document(&blocks, "No. 7");
        assert!(pages.len() > 2, "{}", pages.len());
        let all = pages.concat();
        for n in 1..=40 {
            assert_eq!(all.matches(&format!(">{n}.</text>")).count(), 1);
        }
        assert!(all.contains("&lt;&amp;&gt;") && !all.contains("<&>"));
        for (n, page) in pages.iter().enumerate() {
            assert!(page.contains(&format!("No. 7　{} / {}", n + 1, pages.len())));
            let heights =
                page.split(" y=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok());
            let lowest = heights.fold(0.0, f64::max);
            assert!(lowest <= BOTTOM + 12.0, "{lowest}");
        }
        assert_eq!(document(&[], "").len(), 1);
    }
}
