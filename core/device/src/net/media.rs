//! Reading media that others uploaded: always through a record that this device holds.

use gridwalk_model::{ContentHash, RecordId};
use gridwalk_replica::protocol::ProtocolError;
use reqwest::Method;
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};

use super::{NetError, Session};

impl Session {
    /// The bytes of a medium that a record refers to; `None` if the server does not have it, or not for us.
    ///
    /// # Errors
    /// Any [`NetError`]; [`NetError::Unreadable`] if the bytes are not those of the hash.
    pub async fn download(&self, record: RecordId, hash: ContentHash) -> Result<Option<Vec<u8>>, NetError> {
        let path = format!("/v1/media/{record}/{hash}");
        let answer = self
            .authorised(|token| {
                let path = &path;
                async move {
                    let answer = self
                        .http()
                        .send(Method::GET, path, Some(&token), HeaderMap::new(), Vec::new())
                        .await?;
                    if answer.status == 401 { Err(ProtocolError::Unauthorized.into()) } else { Ok(answer) }
                }
            })
            .await?;
        match answer.status {
            200 if Sha256::digest(&answer.body)[..] == hash.as_bytes()[..] => Ok(Some(answer.body)),
            200 => Err(NetError::Unreadable),
            404 => Ok(None),
            _ => Err(answer.into_error()),
        }
    }
}
