//! A device's session: tokens are obtained by signing a nonce, and renewed when the server asks for it.

use std::future::Future;
use std::sync::Arc;

use gridwalk_model::DeviceId;
use gridwalk_replica::protocol::{self, NonceRequest, Protocol, ProtocolError, TokenRequest};
use minicbor::bytes::ByteVec;
use tokio::sync::Mutex;

use super::{HttpClient, NetError};
use crate::keys::DeviceKey;

/// A device's session with its server. Clones share the token.
#[derive(Clone)]
pub struct Session {
    http: HttpClient,
    device: DeviceId,
    key: Arc<dyn DeviceKey>,
    token: Arc<Mutex<Option<String>>>,
}

impl Session {
    /// A session that has no token yet.
    pub fn new(http: HttpClient, device: DeviceId, key: Arc<dyn DeviceKey>) -> Self {
        Self { http, device, key, token: Arc::default() }
    }

    /// The same session over a client with another switch to take requests back.
    #[must_use]
    pub fn with_http(&self, http: HttpClient) -> Self {
        Self { http, ..self.clone() }
    }

    /// The client underneath.
    pub const fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Does something that needs a token; once again with a new one if the server does not take the old.
    ///
    /// # Errors
    /// What `work` fails with, or obtaining a token.
    pub async fn authorised<T, F>(&self, work: impl Fn(String) -> F) -> Result<T, NetError>
    where
        F: Future<Output = Result<T, NetError>>,
    {
        let token = self.token(None).await?;
        match work(token.clone()).await {
            Err(NetError::Server(ProtocolError::Unauthorized)) => work(self.token(Some(&token)).await?).await,
            outcome => outcome,
        }
    }

    /// The token, or a new one in place of `spent`. One caller asks the server, the others wait for it.
    async fn token(&self, spent: Option<&str>) -> Result<String, NetError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| spent != Some(token.as_str())) {
            return Ok(token.clone());
        }
        let device = ByteVec::from(self.device.as_bytes().to_vec());
        let nonce = self.http.nonce(NonceRequest { device: device.clone() }).await?.nonce;
        let message = protocol::token_message(self.device.as_bytes(), &nonce);
        // A keystore that does not sign (the phone is locked) is like a server that cannot be reached: try later.
        let signature = self.key.sign(&message).map_err(|_| NetError::Offline)?;
        let signature = ByteVec::from(signature.to_vec());
        let token = self.http.token(TokenRequest { device, nonce, signature }).await?.token;
        *held = Some(token.clone());
        Ok(token)
    }
}
