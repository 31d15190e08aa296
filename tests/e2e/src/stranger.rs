//! A device that speaks the protocol by hand: for requests that our device crate would never make.

use std::net::SocketAddr;

use gridwalk_device::SystemEntropy;
use gridwalk_device::keys::{DeviceKey, SoftwareKey};
use gridwalk_model::{DeviceId, Fields, Kind, RecordId, StreamId, Timestamp};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::document::NewChange;
use gridwalk_replica::protocol::{
    EnrolRequest, Enrolled, Nonce, NonceRequest, ProtocolError, Token, TokenRequest, path, token_message,
};
use gridwalk_replica::wire::{Cursor, Push, SyncRequest, SyncResponse};
use gridwalk_replica::{Actor, Document, frame};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::raw;

/// Noon of a made-up day.
pub const NOON: Timestamp = Timestamp::from_millis(1_772_424_000_000);

/// What the server said instead of an answer.
pub type Refused = (u16, Option<ProtocolError>);

/// An enrolled device without a store.
pub struct Stranger {
    address: SocketAddr,
    key: SoftwareKey,
    /// Its identifier.
    pub device: DeviceId,
    /// Its person.
    pub user: RecordId,
    /// Its token.
    pub token: String,
    /// The author of its changes.
    pub actor: Actor,
    /// Its streams as it knows them.
    pub cursors: Vec<Cursor>,
    /// The epoch as it knows it.
    pub epoch: Option<[u8; 16]>,
}

impl Stranger {
    /// Redeems a code and obtains a token.
    pub fn enrol(address: SocketAddr, code: &str) -> Self {
        let key = SoftwareKey::generate(&mut SystemEntropy).expect("a key");
        let request = EnrolRequest {
            code: code.to_owned(),
            public_key: key.public_key().expect("a public key").to_vec().into(),
            label: "stranger".to_owned(),
        };
        let enrolled: Enrolled = post(address, path::ENROL, None, &request).expect("it enrols");
        let device = DeviceId::from_slice(&enrolled.device).expect("a device");
        let mut stranger = Self {
            address,
            key,
            device,
            user: RecordId::from_bytes(*enrolled.user),
            token: String::new(),
            actor: Actor::new(device, [1; 4]),
            cursors: Vec::new(),
            epoch: None,
        };
        stranger.renew_token();
        stranger.learn_grants();
        stranger
    }

    /// Obtains a token, as after a restart of the server.
    pub fn renew_token(&mut self) {
        let device = ByteVec::from(self.device.as_bytes().to_vec());
        let nonce: Nonce =
            post(self.address, path::NONCE, None, &NonceRequest { device: device.clone() }).expect("a nonce");
        let message = token_message(self.device.as_bytes(), &nonce.nonce);
        let signature = self.key.sign(&message).expect("a signature").to_vec().into();
        let request = TokenRequest { device, nonce: nonce.nonce, signature };
        let token: Token = post(self.address, path::TOKEN, None, &request).expect("a token");
        self.token = token.token;
    }

    /// Asks what it may pull; cursors begin at zero.
    pub fn learn_grants(&mut self) {
        let response = self.sync(&self.request(Vec::new())).expect("an answer");
        self.epoch = Some(*response.epoch);
        if let Some(grants) = response.grants {
            self.cursors = grants
                .into_iter()
                .map(|grant| Cursor { stream: grant.stream, generation: grant.generation, seq: 0 })
                .collect();
        }
    }

    /// A request with these pushes.
    pub fn request(&self, pushes: Vec<Push>) -> SyncRequest {
        SyncRequest {
            protocol_min: 1,
            protocol_max: 1,
            schema: 1,
            epoch: self.epoch.map(Into::into),
            cursors: self.cursors.clone(),
            max_bytes: 1 << 20,
            pushes,
            compare: None,
            seen: None,
            notes: None,
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// What the server said instead of an answer.
    pub fn sync(&self, request: &SyncRequest) -> Result<SyncResponse, Refused> {
        self.post(path::SYNC, request)
    }

    /// Sends anything anywhere.
    ///
    /// # Errors
    /// What the server said instead of an answer.
    pub fn post<T: for<'b> Decode<'b, ()>>(&self, path: &str, body: &impl Encode<()>) -> Result<T, Refused> {
        post(self.address, path, Some(&self.token), body)
    }

    /// Pushes changes of one record; the verdicts.
    ///
    /// # Errors
    /// What the server said instead of an answer.
    pub fn push(&self, record: RecordId, kind: &str, raws: &[Vec<u8>]) -> Result<Vec<Verdict>, Refused> {
        let push = push(record, kind, raws);
        Ok(self.sync(&self.request(vec![push]))?.verdicts.concat())
    }

    /// The first change of a record.
    pub fn create(&self, id: RecordId, kind: Kind, fields: &Fields) -> (Document, NewChange) {
        Document::create(id, kind, fields, self.actor, NOON).expect("a record")
    }

    /// The index of a stream among the cursors.
    pub fn place_of(&self, stream: &StreamId) -> Option<u32> {
        let bytes = stream.to_bytes();
        let place = self.cursors.iter().position(|cursor| cursor.stream.as_slice() == bytes.as_slice());
        place.and_then(|place| u32::try_from(place).ok())
    }

    /// Where the server is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A push of one record's changes.
pub fn push(record: RecordId, kind: &str, raws: &[Vec<u8>]) -> Push {
    Push {
        record: (*record.as_bytes()).into(),
        kind: kind.to_owned(),
        hint: None,
        changes: raws.iter().cloned().map(Into::into).collect(),
        history: false,
    }
}

/// Sends a framed body and reads a framed answer.
///
/// # Errors
/// What the server said instead of an answer.
pub fn post<T: for<'b> Decode<'b, ()>>(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
    body: &impl Encode<()>,
) -> Result<T, Refused> {
    let body = frame::encode(body).expect("it encodes");
    raw::post(address, path, token, &body).expect("an answer").framed()
}

/// An identifier that nobody else uses.
pub fn fresh_id(number: u8) -> RecordId {
    let mut bytes = [0x5a; 16];
    bytes[15] = number;
    RecordId::from_bytes(bytes)
}
