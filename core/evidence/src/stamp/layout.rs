//! Breaks the items of a stamp into lines that fit the picture's width.

use super::font::StampFont;
use super::words::Item;

/// One character at its place in a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    pub(super) character: char,
    /// Pixels from the left edge of the picture.
    pub(super) x: f32,
    pub(super) dim: bool,
}

/// Lines at one size, with the height of the band behind them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    /// Size of the text: the height of a Chinese character, in pixels.
    pub(super) em: f32,
    pub(super) lines: Vec<Vec<Placed>>,
    /// Distance from line to line.
    pub(super) line_height: f32,
    /// Above the first and below the last line, and left and right.
    pub(super) padding: f32,
}

/// Distance between two items in a line, in em.
const ITEM_GAP: f32 = 1.4;
/// Distance between a label and its value, in em.
const LABEL_GAP: f32 = 0.4;

impl Block {
    /// Lays out the rows at `em` pixels or, if the band would be higher than `share` of the picture, at smaller sizes down to
    /// `smallest`. `None` if it is too high even then.
    pub(super) fn fit(
        rows: &[Vec<Item>],
        font: &StampFont<'_>,
        (width, height): (u32, u32),
        em: f32,
        smallest: f32,
        share: f32,
    ) -> Option<Self> {
        let mut em = em;
        loop {
            let block = Self::new(rows, font, width as f32, em);
            if block.height() <= height as f32 * share {
                return Some(block);
            }
            em -= 1.0;
            if em < smallest {
                return None;
            }
        }
    }

    /// As many lines as the picture is high, at the smallest readable size.
    pub(super) fn squeeze(rows: &[Vec<Item>], font: &StampFont<'_>, (width, height): (u32, u32)) -> Self {
        let mut block = Self::new(rows, font, width as f32, 10.0);
        while block.lines.len() > 1 && block.height() > height as f32 * 0.7 {
            block.lines.pop();
        }
        block
    }

    pub(super) fn height(&self) -> f32 {
        (self.lines.len() as f32 * self.line_height + 2.0 * self.padding).ceil()
    }

    fn new(rows: &[Vec<Item>], font: &StampFont<'_>, width: f32, em: f32) -> Self {
        let padding = (em * 0.55).round();
        let mut setter =
            Setter { font, em, left: padding, right: width - padding, x: padding, lines: Vec::new() };
        for row in rows {
            setter.new_line();
            for item in row {
                setter.item(item);
            }
        }
        let lines = setter.lines.into_iter().filter(|line| !line.is_empty()).collect();
        Self { em, lines, line_height: (em * 1.36).round(), padding }
    }
}

struct Setter<'a> {
    font: &'a StampFont<'a>,
    em: f32,
    left: f32,
    right: f32,
    x: f32,
    lines: Vec<Vec<Placed>>,
}

impl Setter<'_> {
    fn new_line(&mut self) {
        self.lines.push(Vec::new());
        self.x = self.left;
    }

    fn width(&self, text: &str) -> f32 {
        text.chars().map(|c| self.font.advance(c, self.em)).sum()
    }

    /// An item stays in one line if it can.
    fn item(&mut self, item: &Item) {
        let label_gap = if item.label.is_empty() { 0.0 } else { LABEL_GAP * self.em };
        let width = self.width(item.label) + label_gap + self.width(&item.value);
        let begun = self.lines.last().is_some_and(|line| !line.is_empty());
        if begun {
            self.x += ITEM_GAP * self.em;
            if self.x + width > self.right {
                self.new_line();
            }
        }
        self.text(item.label, true);
        self.x += label_gap;
        self.text(&item.value, false);
    }

    fn text(&mut self, text: &str, dim: bool) {
        for character in text.chars() {
            let advance = self.font.advance(character, self.em);
            if self.x + advance > self.right && self.x > self.left {
                self.new_line();
            }
            if let Some(line) = self.lines.last_mut() {
                line.push(Placed { character, x: self.x, dim });
            }
            self.x += advance;
        }
    }
}
