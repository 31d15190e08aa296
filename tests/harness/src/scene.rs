//! Drawn scenes that stand for what a camera sees: a street with a building and one thing that is wrong.

use crate::seeded::Seeded;

/// What is wrong in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// A manhole without its cover.
    OpenManhole,
    /// Things piled up in front of a door.
    BlockedDoor,
    /// A charging lead that hangs out of a window.
    FlyingLead,
    /// A rubbish heap.
    Rubbish,
    /// A hydrant, with nothing wrong: the picture afterwards.
    Hydrant,
}

impl Hazard {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OpenManhole, Self::BlockedDoor, Self::FlyingLead, Self::Rubbish, Self::Hydrant];
}

type Colour = [u8; 3];

/// Three bytes a pixel, row by row.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Red, green, blue.
    pub rgb: Vec<u8>,
}

/// Draws a scene with the grain of a cheap sensor.
pub fn draw(seeded: &mut Seeded, width: u16, height: u16, hazard: Hazard) -> Picture {
    let mut picture = Picture { width, height, rgb: vec![0; usize::from(width) * usize::from(height) * 3] };
    let (sky, ground) = (seeded.pick(&[[150, 190, 225], [190, 195, 200], [120, 160, 210]]), [112, 110, 106]);
    picture.rectangle((0.0, 0.0, 1.0, 0.55), sky);
    picture.rectangle((0.0, 0.55, 1.0, 1.0), ground);
    building(seeded, &mut picture);
    match hazard {
        Hazard::OpenManhole => {
            picture.ellipse((0.55, 0.80), (0.13, 0.07), [70, 70, 72]);
            picture.ellipse((0.55, 0.81), (0.10, 0.05), [12, 12, 14]);
        }
        Hazard::BlockedDoor => {
            for step in 0..5 {
                let left = 0.30 + 0.05 * f64::from(step);
                let top = 0.62 - 0.03 * f64::from(step % 3);
                let brown = 120 + 15 * step as u8;
                picture.rectangle((left, top, left + 0.09, 0.72), [brown, 96, 60]);
            }
        }
        Hazard::FlyingLead => {
            for step in 0..60 {
                let along = f64::from(step) / 60.0;
                let sag = 0.20 + 0.45 * along + 0.05 * (along * 9.0).sin();
                picture.ellipse((0.35 + 0.3 * along, sag), (0.006, 0.008), [25, 25, 30]);
            }
            picture.rectangle((0.62, 0.62, 0.72, 0.74), [30, 90, 180]);
        }
        Hazard::Rubbish => {
            for _ in 0..24 {
                let at = (seeded.between(0.55, 0.85), seeded.between(0.66, 0.80));
                let colour = seeded.pick(&[[40, 44, 40], [170, 40, 38], [200, 196, 180], [36, 90, 52]]);
                picture.ellipse(at, (seeded.between(0.02, 0.05), 0.03), colour);
            }
        }
        Hazard::Hydrant => {
            picture.rectangle((0.60, 0.58, 0.66, 0.78), [196, 30, 28]);
            picture.ellipse((0.63, 0.58), (0.035, 0.03), [210, 40, 36]);
        }
    }
    picture.grain(seeded);
    picture
}

fn building(seeded: &mut Seeded, picture: &mut Picture) {
    let wall = seeded.pick(&[[188, 150, 128], [205, 200, 188], [156, 164, 168]]);
    picture.rectangle((0.10, 0.08, 0.62, 0.66), wall);
    for floor in 0..5 {
        for window in 0..5 {
            let (left, top) = (0.14 + 0.095 * f64::from(window), 0.12 + 0.095 * f64::from(floor));
            let lit = if seeded.chance(0.2) { [236, 214, 150] } else { [62, 78, 96] };
            picture.rectangle((left, top, left + 0.055, top + 0.06), lit);
        }
    }
    picture.rectangle((0.32, 0.56, 0.42, 0.66), [92, 58, 40]);
}

impl Picture {
    /// Fills left, top, right, bottom, all parts of the whole.
    fn rectangle(&mut self, (left, top, right, bottom): (f64, f64, f64, f64), colour: Colour) {
        self.fill((left, top, right, bottom), colour, |_, _| true);
    }

    /// Fills an ellipse around a centre, both as parts of the whole.
    fn ellipse(&mut self, (x, y): (f64, f64), (wide, high): (f64, f64), colour: Colour) {
        self.fill((x - wide, y - high, x + wide, y + high), colour, |px, py| {
            ((px - x) / wide).powi(2) + ((py - y) / high).powi(2) <= 1.0
        });
    }

    fn fill(
        &mut self,
        (left, top, right, bottom): (f64, f64, f64, f64),
        colour: Colour,
        covers: impl Fn(f64, f64) -> bool,
    ) {
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        let pixel = |part: f64, size: f64| (part.clamp(0.0, 1.0) * size) as usize;
        let (from, to) = (pixel(left, width), pixel(right, width));
        let rows = self.rgb.chunks_exact_mut(usize::from(self.width).max(1) * 3).enumerate();
        for (y, row) in rows.skip(pixel(top, height)).take(pixel(bottom, height) - pixel(top, height)) {
            for (x, dot) in row.chunks_exact_mut(3).enumerate().skip(from).take(to - from) {
                if covers((x as f64 + 0.5) / width, (y as f64 + 0.5) / height) {
                    dot.copy_from_slice(&colour);
                }
            }
        }
    }

    /// A little noise on every pixel, so that the picture compresses as a photo does.
    fn grain(&mut self, seeded: &mut Seeded) {
        let mut noise = [0u8; 4096];
        seeded.fill(&mut noise);
        let turn = seeded.below(noise.len());
        for (row, dots) in self.rgb.chunks_exact_mut(usize::from(self.width).max(1) * 3).enumerate() {
            let start = (turn + row * 1_471) % noise.len();
            for (dot, noise) in dots.chunks_exact_mut(3).zip(noise.iter().cycle().skip(start)) {
                let shift = i16::from(noise % 15) - 7;
                for channel in dot {
                    *channel = (i16::from(*channel) + shift).clamp(0, 255) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_differ_by_hazard_and_repeat_by_seed() {
        let scene = |seed, hazard| draw(&mut Seeded::new(seed), 64, 48, hazard).rgb;
        assert_eq!(scene(1, Hazard::Rubbish), scene(1, Hazard::Rubbish));
        assert_ne!(scene(1, Hazard::Rubbish), scene(2, Hazard::Rubbish));
        for hazard in Hazard::ALL {
            assert_eq!(scene(1, hazard).len(), 64 * 48 * 3);
        }
        assert_ne!(scene(1, Hazard::OpenManhole), scene(1, Hazard::Hydrant));
    }
}
