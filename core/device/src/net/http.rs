//! The protocol over HTTP.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use gridwalk_replica::frame;
use gridwalk_replica::protocol::{
    EnrolRequest, Enrolled, HandIn, HandedIn, Missing, MissingRequest, Nonce, NonceRequest, Protocol,
    ProtocolError, Token, TokenRequest, path,
};
use gridwalk_replica::wire::{SyncRequest, SyncResponse};
use minicbor::{Decode, Encode};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Body, Method, RequestBuilder, Response, Url};

use super::watch::{Activity, Cancel, guarded};
use super::{NetError, tls};

/// Content type of framed CBOR.
const FRAMED: &str = "application/vnd.gridwalk.v1+zstd";
/// Largest answer that is read, in bytes.
const ANSWER_MAX: usize = 4 * 1024 * 1024;
/// In what parts a body is handed to the network, so that progress is seen.
const PART: usize = 16 * 1024;

/// How the server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Address, such as `https://grid.example`.
    pub url: String,
    /// Whether plain HTTP is allowed to hosts other than this machine.
    pub allow_plain: bool,
    /// SHA-256 of the one certificate to be taken; `None` leaves the check to the platform.
    pub pin: Option<[u8; 32]>,
    /// How long a transfer may stand still.
    pub stall: Duration,
    /// How long a connection may take to be made.
    pub connect: Duration,
}

impl HttpConfig {
    /// The usual settings for an address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            allow_plain: false,
            pin: None,
            stall: Duration::from_secs(20),
            connect: Duration::from_secs(15),
        }
    }
}

/// A connection pool to one server. Clones share it. All calls need a tokio runtime.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    base: Arc<Url>,
    stall: Duration,
    cancel: Cancel,
}

impl HttpClient {
    /// Checks the address and makes the pool. Nothing is sent.
    ///
    /// # Errors
    /// [`NetError::Address`], [`NetError::Insecure`].
    pub fn new(config: &HttpConfig) -> Result<Self, NetError> {
        let base = Url::parse(&config.url).map_err(|_| NetError::Address)?;
        let loopback = is_loopback(&base);
        match base.scheme() {
            "https" => {}
            "http" if loopback || config.allow_plain => {}
            "http" => return Err(NetError::Insecure),
            _ => return Err(NetError::Address),
        }
        if base.host_str().is_none_or(str::is_empty) {
            return Err(NetError::Address);
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(config.pin)?)
            .connect_timeout(config.connect)
            // A redirect is a captive portal or a mistake: the token goes to nobody else.
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true);
        if loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| NetError::Offline)?;
        Ok(Self { client, base: Arc::new(base), stall: config.stall, cancel: Cancel::default() })
    }

    /// The same pool with another switch to take requests back.
    #[must_use]
    pub fn with_cancel(&self, cancel: Cancel) -> Self {
        Self { cancel, ..self.clone() }
    }

    /// The address of a path, or of the address that the server gave for an upload; `None` if that leads elsewhere.
    pub(super) fn url(&self, path: &str) -> Option<Url> {
        let url = self.base.join(path).ok()?;
        (url.origin() == self.base.origin()).then_some(url)
    }

    async fn call<Q, A>(&self, path: &str, token: Option<&str>, request: &Q) -> Result<A, NetError>
    where
        Q: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        let body = frame::encode(request).map_err(|_| ProtocolError::TooLarge)?;
        if body.len() > gridwalk_replica::limits::BODY_MAX_BYTES {
            return Err(ProtocolError::TooLarge.into());
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, reqwest::header::HeaderValue::from_static(FRAMED));
        let answer = self.send(Method::POST, path, token, headers, body).await?;
        if answer.status != 200 {
            return Err(answer.into_error());
        }
        frame::decode_within(&answer.body, ANSWER_MAX).map_err(|_| NetError::Unreadable)
    }

    /// Sends one request and reads the whole answer, whatever its status.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, NetError> {
        let url = self.url(path).ok_or(NetError::Address)?;
        let activity = Activity::new();
        if let Some(token) = token {
            let mut value = reqwest::header::HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| ProtocolError::Unauthorized)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut request = self.client.request(method, url).headers(headers);
        if !body.is_empty() {
            request = request.header(CONTENT_LENGTH, body.len()).body(in_parts(body, activity.clone()));
        }
        guarded(exchange(request, &activity), &activity, self.stall, &self.cancel).await
    }
}

/// Whether an address is of this machine: only there is plain HTTP harmless.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn in_parts(body: Vec<u8>, activity: Activity) -> Body {
    let parts = stream::unfold((body, 0usize), move |(body, at)| {
        activity.touch();
        let part = body.get(at..body.len().min(at + PART)).unwrap_or_default().to_vec();
        let next = at + part.len();
        std::future::ready((!part.is_empty()).then_some((Ok::<_, std::io::Error>(part), (body, next))))
    });
    Body::wrap_stream(parts)
}

async fn exchange(request: RequestBuilder, activity: &Activity) -> Result<Answer, NetError> {
    let mut response = request.send().await.map_err(|error| failure(&error))?;
    activity.touch();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        activity.touch();
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(NetError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer::new(&response, body))
}

fn failure(error: &reqwest::Error) -> NetError {
    if error.is_body() || error.is_decode() { NetError::Unreadable } else { NetError::Offline }
}

/// An answer with its whole body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn new(response: &Response, body: Vec<u8>) -> Self {
        Self { status: response.status().as_u16(), headers: response.headers().clone(), body }
    }

    /// What the answer says went wrong; by the status alone where the body is not ours (a proxy answered).
    pub(super) fn into_error(self) -> NetError {
        if let Ok(error) = frame::decode::<ProtocolError>(&self.body) {
            return error.into();
        }
        let retry = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let error = match self.status {
            401 => ProtocolError::Unauthorized,
            413 => ProtocolError::TooLarge,
            429 | 503 => ProtocolError::Busy { retry_after_s: retry.unwrap_or(5) },
            507 => ProtocolError::StorageFull,
            500..=599 => ProtocolError::Internal,
            _ => return NetError::Unreadable,
        };
        error.into()
    }
}

impl Protocol for HttpClient {
    type Error = NetError;

    async fn enrol(&self, request: EnrolRequest) -> Result<Enrolled, NetError> {
        self.call(path::ENROL, None, &request).await
    }

    async fn nonce(&self, request: NonceRequest) -> Result<Nonce, NetError> {
        self.call(path::NONCE, None, &request).await
    }

    async fn token(&self, request: TokenRequest) -> Result<Token, NetError> {
        self.call(path::TOKEN, None, &request).await
    }

    async fn sync(&self, token: &str, request: SyncRequest) -> Result<SyncResponse, NetError> {
        self.call(path::SYNC, Some(token), &request).await
    }

    async fn missing(&self, token: &str, request: MissingRequest) -> Result<Missing, NetError> {
        self.call(path::MISSING, Some(token), &request).await
    }

    async fn hand_in(&self, token: &str, request: HandIn) -> Result<HandedIn, NetError> {
        self.call(path::SEALED, Some(token), &request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        let config = |url: &str| HttpClient::new(&HttpConfig::new(url)).map(|_| ());
        for url in ["https://grid.example", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"] {
            assert_eq!(config(url), Ok(()), "{url}");
        }
        for url in ["http://grid.example", "http://10.0.0.1", "http://127.0.0.1.example"] {
            assert_eq!(config(url), Err(NetError::Insecure), "{url}");
        }
        for url in ["", "grid.example", "ftp://grid.example"] {
            assert_eq!(config(url), Err(NetError::Address), "{url}");
        }
        let allowed = HttpConfig { allow_plain: true, ..HttpConfig::new("http://10.0.0.1") };
        assert!(HttpClient::new(&allowed).is_ok());
    }

    #[test]
    fn an_upload_address_of_another_host_is_not_followed() {
        let client = HttpClient::new(&HttpConfig::new("https://grid.example")).unwrap();
        assert!(client.url("/v1/media/uploads/1").is_some());
        assert!(client.url("https://grid.example/v1/media/uploads/1").is_some());
        assert!(client.url("https://other.example/v1/media/uploads/1").is_none());
        assert!(client.url("//other.example/x").is_none());
    }
}
