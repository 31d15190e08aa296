//! Event numbers, issued without asking anybody.

use gridwalk_model::Timestamp;
use gridwalk_model::event::number::EventNumber;
use sha2::{Digest, Sha256};

use crate::error::DeviceError;
use crate::store::{Commit, Setting, Store, Tx, View};

impl View<'_> {
    /// The device's code: the server's, or one drawn from the device's identifier. The latter has 40 bits, so that two
    /// of 20,000 phones share one with a probability of 0.02 %; records are told apart by their identifiers anyway.
    fn device_code(&self) -> Result<String, DeviceError> {
        if let Some(code) = self.get_text(Setting::DeviceCode)? {
            return Ok(code);
        }
        let device = self.identity()?.ok_or(DeviceError::NotEnrolled)?.device;
        let digest = Sha256::digest(device.as_bytes());
        Ok(data_encoding::BASE32_NOPAD.encode(digest.get(..5).unwrap_or_default()))
    }
}

impl Tx<'_> {
    /// Issues the next number of the local day of `now`. A clock that is put back goes on with the later day, so that
    /// no number is ever issued twice.
    pub(in crate::work) fn issue_event_number(&mut self, now: Timestamp) -> Result<EventNumber, DeviceError> {
        let code = self.device_code()?;
        let today = self.local_day(now)?;
        let last = self.get_text(Setting::EventNumber)?.and_then(|text| text.parse::<EventNumber>().ok());
        let (day, sequence) = match last {
            Some(last) if last.day() >= today => (last.day(), last.sequence().saturating_add(1)),
            _ => (today, 1),
        };
        let number = EventNumber::new(&code, day, sequence)
            .map_err(|_| DeviceError::Bug("a device code that is not one"))?;
        self.put(Setting::EventNumber, number.to_string().as_bytes())?;
        Ok(number)
    }
}

impl Store {
    /// Sets the device's code in event numbers, as the server gave it.
    ///
    /// # Errors
    /// [`DeviceError::Unfinished`] for a text that cannot stand in a number.
    pub fn set_device_code(&mut self, code: &str) -> Result<(), DeviceError> {
        if EventNumber::new(code, jiff::civil::Date::constant(2026, 1, 1), 1).is_err() {
            return Err(DeviceError::Unfinished { what: "number" });
        }
        self.write(Commit::Setting, |tx| tx.put(Setting::DeviceCode, code.as_bytes()))
    }
}
