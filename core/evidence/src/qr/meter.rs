//! A picture that counts how often it is looked at, and ends the work when it was often enough.
//!
//! The reader of codes tries every pair of corner patterns with a copy of the picture: a wall full of such patterns
//! would keep it busy for hours, and it offers no limit. What it does offer is to work on any picture; so this one
//! keeps the account, and leaves by unwinding, without a message, as the reader has no way of being told to stop.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

use image::{GenericImage, GenericImageView, GrayImage, Luma};

/// Looks at a pixel that a frame is worth. A frame with a label takes about 20.
const LOOKS_PER_PIXEL: u64 = 100;

/// The account is empty.
pub(super) struct Exhausted;

/// A picture with its account, which copies share.
pub(super) struct Metered {
    picture: GrayImage,
    left: Rc<Cell<u64>>,
}

impl Metered {
    pub(super) fn new(picture: GrayImage) -> Self {
        let pixels = u64::from(picture.width()) * u64::from(picture.height());
        Self { picture, left: Rc::new(Cell::new(pixels.saturating_mul(LOOKS_PER_PIXEL))) }
    }

    fn pay(&self, looks: u64) {
        match self.left.get().checked_sub(looks) {
            Some(left) => self.left.set(left),
            None => resume_unwind(Box::new(Exhausted)),
        }
    }
}

impl Clone for Metered {
    fn clone(&self) -> Self {
        // Copying a row is some sixteen times as fast as looking at its pixels.
        self.pay(self.picture.as_raw().len() as u64 / 16);
        Self { picture: self.picture.clone(), left: Rc::clone(&self.left) }
    }
}

impl GenericImageView for Metered {
    type Pixel = Luma<u8>;

    fn dimensions(&self) -> (u32, u32) {
        self.picture.dimensions()
    }

    fn get_pixel(&self, x: u32, y: u32) -> Luma<u8> {
        self.pay(1);
        *self.picture.get_pixel(x, y)
    }
}

impl GenericImage for Metered {
    fn get_pixel_mut(&mut self, x: u32, y: u32) -> &mut Luma<u8> {
        self.pay(1);
        self.picture.get_pixel_mut(x, y)
    }

    fn put_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
        self.pay(1);
        self.picture.put_pixel(x, y, pixel);
    }

    fn blend_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
        self.put_pixel(x, y, pixel);
    }
}
