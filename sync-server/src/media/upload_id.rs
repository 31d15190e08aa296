//! The name of an upload.
//!
//! It says what is uploaded and by whom: there is one upload for each device and hash. So a creation whose answer
//! was lost leaves nothing behind when it is repeated, and the name of a finished upload still says what to look
//! for. It is no secret: every request is authenticated, and a name of another device finds nothing.

use std::fmt;
use std::str::FromStr;

use gridwalk_model::{ContentHash, DeviceId};

/// The name of an upload: `<hash>-<device>`, both in lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UploadId {
    /// SHA-256 that the whole is to have.
    pub hash: ContentHash,
    /// Whose it is.
    pub device: DeviceId,
}

/// Not the name of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an upload")]
pub struct NotAnUploadId;

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.hash, self.device)
    }
}

impl FromStr for UploadId {
    type Err = NotAnUploadId;

    fn from_str(text: &str) -> Result<Self, NotAnUploadId> {
        let (hash, device) = text.split_once('-').ok_or(NotAnUploadId)?;
        let id = Self {
            hash: hash.parse().map_err(|_| NotAnUploadId)?,
            device: device.parse().map_err(|_| NotAnUploadId)?,
        };
        // One upload has one name, which is also a file's: upper-case digits are not it.
        if id.to_string() == text { Ok(id) } else { Err(NotAnUploadId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_nothing_else_is_one() {
        let id =
            UploadId { hash: ContentHash::from_bytes([0xab; 32]), device: DeviceId::from_bytes([0xcd; 12]) };
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        let upper = text.to_uppercase();
        for bad in
            ["", "-", "..", "../../etc/passwd", &upper, &format!("{text}.chunk"), &format!("{text}/"), "网"]
        {
            assert_eq!(bad.parse::<UploadId>(), Err(NotAnUploadId), "{bad}");
        }
    }
}
