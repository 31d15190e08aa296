//! How the demo speaks: Chinese with English beneath, short lines, aligned columns.

use std::io::{self, IsTerminal, Write};

use crate::args::Lang;

/// A sentence in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Makes a sentence in both languages.
pub fn said(zh: impl Into<String>, en: impl Into<String>) -> Said {
    Said { zh: zh.into(), en: en.into() }
}

/// Writes the narration to standard output.
#[derive(Debug)]
pub struct Narrator {
    lang: Lang,
    colour: bool,
    chapter: usize,
}

/// How far lines below a chapter's heading stand in.
const INDENT: usize = 4;
/// Width of a chapter's rule.
const WIDTH: usize = 72;

impl Narrator {
    /// Speaks in `lang`; dims the English where the output is a terminal.
    pub fn new(lang: Lang) -> Self {
        Self { lang, colour: io::stdout().is_terminal(), chapter: 0 }
    }

    /// Begins a chapter.
    pub fn chapter(&mut self, heading: &Said) {
        self.chapter += 1;
        let (number, lang) = (self.chapter, self.lang);
        let title = match lang {
            Lang::En => heading.en.clone(),
            Lang::Zh | Lang::Both => heading.zh.clone(),
        };
        let head = format!("── {number:>2}  {title} ");
        let rule = "─".repeat(WIDTH.saturating_sub(width(&head)));
        let mut lines = vec![String::new(), self.strong(&format!("{head}{rule}"))];
        if lang == Lang::Both {
            lines.push(self.dim(&format!("       {}", heading.en)));
        }
        print_lines(&lines);
    }

    /// Says a sentence.
    pub fn say(&self, sentence: &Said) {
        let pad = " ".repeat(INDENT);
        let mut lines = Vec::new();
        if self.lang != Lang::En {
            lines.push(format!("{pad}{}", sentence.zh));
        }
        if self.lang == Lang::En {
            lines.push(format!("{pad}{}", sentence.en));
        }
        if self.lang == Lang::Both {
            lines.push(self.dim(&format!("{pad}{}", sentence.en)));
        }
        print_lines(&lines);
    }

    /// Shows rows under headings; columns are as wide as their widest cell.
    pub fn table(&self, headings: &[Said], rows: &[Vec<String>]) {
        let zh: Vec<String> = headings.iter().map(|heading| heading.zh.clone()).collect();
        let en: Vec<String> = headings.iter().map(|heading| heading.en.clone()).collect();
        let heads: Vec<&Vec<String>> = match self.lang {
            Lang::Both => vec![&zh, &en],
            Lang::Zh => vec![&zh],
            Lang::En => vec![&en],
        };
        let widths: Vec<usize> = (0..headings.len())
            .map(|column| {
                let cells = heads.iter().copied().chain(rows).filter_map(|row| row.get(column));
                cells.map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        let columns: Vec<Column> = widths
            .into_iter()
            .enumerate()
            .map(|(at, wide)| Column {
                wide,
                right: rows.iter().all(|row| row.get(at).is_some_and(|cell| is_number(cell))),
            })
            .collect();
        let mut lines: Vec<String> = heads.iter().map(|head| self.dim(&aligned(head, &columns))).collect();
        lines.extend(rows.iter().map(|row| aligned(row, &columns)));
        print_lines(&lines);
    }

    /// A line that stands for itself in every language: an address, a list of counts.
    pub fn line(&self, text: &str) {
        print_lines(&[format!("{}{text}", " ".repeat(INDENT))]);
    }

    /// A line that somebody else wrote, if it is in a language of this narration.
    pub fn either(&self, line: &str) {
        let chinese = line.chars().any(|c| width(c.encode_utf8(&mut [0; 4])) == 2);
        match (self.lang, chinese) {
            (Lang::Zh | Lang::Both, true) | (Lang::En, false) => self.line(line),
            (Lang::Both, false) => print_lines(&[self.dim(&format!("{}{line}", " ".repeat(INDENT)))]),
            _ => {}
        }
    }

    /// Words for a table's cell: the Chinese ones unless the narration is in English alone.
    pub fn cell(&self, sentence: &Said) -> String {
        if self.lang == Lang::En { sentence.en.clone() } else { sentence.zh.clone() }
    }

    fn dim(&self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn strong(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
struct Column {
    wide: usize,
    /// Numbers stand to the right.
    right: bool,
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '-' | '%' | ' '))
}

/// Cells padded to the columns' widths.
fn aligned(cells: &[String], columns: &[Column]) -> String {
    let mut line = " ".repeat(INDENT);
    for (cell, column) in cells.iter().zip(columns) {
        let pad = " ".repeat(column.wide.saturating_sub(width(cell)));
        let padded = if column.right { format!("{pad}{cell}") } else { format!("{cell}{pad}") };
        line.push_str(&padded);
        line.push_str("  ");
    }
    line.trim_end().to_owned()
}

/// Columns that a text takes in a terminal: two for Chinese characters and their punctuation.
pub fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
            0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}

/// A closed pipe is no reason to stop the day.
fn print_lines(lines: &[String]) {
    let mut out = io::stdout().lock();
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_the_script() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let column = |wide, right| Column { wide, right };
        let columns = [column(6, false), column(4, true), column(3, false)];
        let lines = [
            aligned(&row(&["虚构甲", "12", "是"]), &columns),
            aligned(&row(&["phone", "1,34", "no"]), &columns),
        ];
        assert_eq!(lines, ["    虚构甲    12  是", "    phone   1,34  no"]);
        assert!(is_number("75 %") && !is_number("W01"));
        assert_eq!(width("网格，grid"), 10);
    }
}
