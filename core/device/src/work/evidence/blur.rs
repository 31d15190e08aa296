//! Regions that the worker marks on a journaled photo.

use gridwalk_evidence::{MAX_REGIONS, Region};
use gridwalk_model::photo::BlurRegion;

use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::store::Store;

impl Store {
    /// Marks the regions of a journaled photo that are made unrecognisable when it is prepared; they replace those
    /// that were marked before. Rectangles on the upright picture. Only while the photo waits: once it is attached,
    /// its pixels are what they are.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], [`DeviceError::TooManyRegions`].
    pub fn blur_journaled(&mut self, n: i64, regions: &[BlurRegion]) -> Result<(), DeviceError> {
        if regions.len() > MAX_REGIONS {
            return Err(DeviceError::TooManyRegions { limit: MAX_REGIONS });
        }
        let facts = self.journaled_facts(n)?.ok_or(DeviceError::NoCapture)?;
        self.set_journaled_facts(n, &CaptureFacts { blur: regions.to_vec(), ..facts })
    }
}

/// The regions as the evidence crate takes them.
pub(crate) fn regions(facts: &CaptureFacts) -> Vec<Region> {
    let region = |region: &BlurRegion| Region {
        left: region.left,
        top: region.top,
        width: region.width,
        height: region.height,
    };
    facts.blur.iter().map(region).collect()
}
