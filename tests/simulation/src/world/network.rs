//! The network: bodies on their way, and what becomes of them.

use gridwalk_device::{Event, NetError};
use gridwalk_model::{RecordId, StreamId};
use gridwalk_replica::frame;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{SyncRequest, SyncResponse};

use super::{Plant, World};

/// A body on its way.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// To the server.
    Request {
        /// Which phone sent it.
        phone: usize,
        /// In which life of the phone's process: a connection dies with the process that opened it.
        life: u32,
        /// Number of the phone's request.
        n: u64,
        /// The frame.
        body: Vec<u8>,
    },
    /// To a phone.
    Response {
        /// Which phone it is for.
        phone: usize,
        /// In which life of the phone's process: a connection dies with the process that opened it.
        life: u32,
        /// Number of the phone's request.
        n: u64,
        /// The frame, or the server's refusal.
        body: Result<Vec<u8>, NetError>,
    },
}

/// Everything that is on its way.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) waiting: Vec<Message>,
}

impl World {
    /// Puts a phone's request on its way.
    pub(crate) fn send(&mut self, phone: usize, request: Option<(u64, SyncRequest)>) {
        let Some((n, request)) = request else { return };
        let body = frame::encode(&request).expect("a request can be encoded");
        self.note(format!(
            "phone {phone} sends request {n}, {} pushes{}, {} B",
            request.pushes.len(),
            if request.compare.is_some() { ", a comparison" } else { "" },
            body.len()
        ));
        let life = self.phones[phone].life;
        self.network.waiting.push(Message::Request { phone, life, n, body });
    }

    /// Something happens to one of the messages. With `faults`, it may be lost, doubled, cut or late.
    pub(crate) fn deliver(&mut self, faults: bool) {
        if self.network.waiting.is_empty() {
            return;
        }
        let index = if faults { self.random.below(self.network.waiting.len()) } else { 0 };
        let message = self.network.waiting.remove(index);
        let fate = if faults { self.random.below(20) } else { usize::MAX };
        match fate {
            0 => self.lose(message),
            1 => {
                self.network.waiting.push(message.clone());
                self.arrive(message);
            }
            2 => {
                let cut = self.cut(message);
                self.arrive(cut);
            }
            _ => self.arrive(message),
        }
    }

    fn lose(&mut self, message: Message) {
        let (Message::Request { phone, life, n, .. } | Message::Response { phone, life, n, .. }) = message;
        self.note(format!("message {n} of phone {phone} is lost"));
        let error = if self.random.chance(0.5) { NetError::Offline } else { NetError::Stalled };
        self.answer(phone, life, n, Err(error));
    }

    fn cut(&mut self, message: Message) -> Message {
        let at = |len: usize, world: &mut Self| world.random.below(len.max(1));
        match message {
            Message::Request { phone, life, n, mut body } => {
                body.truncate(at(body.len(), self));
                Message::Request { phone, life, n, body }
            }
            Message::Response { phone, life, n, body } => {
                let body = body.map(|mut body| {
                    body.truncate(at(body.len(), self));
                    body
                });
                Message::Response { phone, life, n, body }
            }
        }
    }

    fn arrive(&mut self, message: Message) {
        match message {
            Message::Request { phone, life, n, body } => {
                let body = self.at_server(phone, &body).map_err(NetError::from);
                self.network.waiting.push(Message::Response { phone, life, n, body });
            }
            Message::Response { phone, life, n, body } => {
                let result = body.and_then(|body| {
                    frame::decode_within(&body, 8 << 20).map(Box::new).map_err(|_| NetError::Unreadable)
                });
                self.answer(phone, life, n, result);
            }
        }
    }

    fn answer(&mut self, phone: usize, life: u32, n: u64, result: Result<Box<SyncResponse>, NetError>) {
        if self.phones[phone].life != life {
            return;
        }
        let now = self.now;
        let next = self.phones[phone].tell(Event::Response { n, result }, now);
        self.send(phone, next);
    }

    fn at_server(&mut self, phone: usize, body: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        let request: SyncRequest =
            frame::decode(body).map_err(|error| ProtocolError::Malformed { reason: error.to_string() })?;
        let cursors = request.cursors.clone();
        let identity = self.phones[phone].identity;
        let mut response = self.office.serve(&identity, request, self.now)?;
        self.note(format!(
            "server answers phone {phone}: {:?}, {} pulls, {} removals, more {}, commit {}, backed up {}, epoch {:02x}",
            response.verdicts,
            response.pulls.len(),
            response.removals.len(),
            response.more,
            response.commit,
            response.backed_up_through,
            response.epoch[0]
        ));
        let streams: Vec<Option<StreamId>> =
            cursors.iter().map(|cursor| StreamId::from_bytes(&cursor.stream)).collect();
        self.check_scope(phone, &streams, &response);
        if self.plan.plant == Some(Plant::SkippedCommitThatDigestsTell) && !self.settling {
            response.pulls.pop();
        }
        if self.plan.plant == Some(Plant::SkippedCommit) {
            response.pulls.pop();
            response.streams.iter_mut().for_each(|state| state.digest = None);
        }
        Ok(frame::encode(&response).expect("a response can be encoded"))
    }

    /// No byte of a record that the device may not see.
    fn check_scope(&mut self, phone: usize, streams: &[Option<StreamId>], response: &SyncResponse) {
        let granted = self.office.granted(self.phones[phone].identity.device);
        for pull in &response.pulls {
            let record = RecordId::from_bytes(*pull.record);
            let stream = streams.get(pull.stream as usize).copied().flatten();
            let entitled = stream.is_some_and(|stream| {
                granted.contains(&stream) && self.office.members(&stream).contains_key(&record)
            });
            if !entitled {
                self.breach(format!("phone {phone} was sent {record} of {stream:?} without a right to it"));
            }
        }
    }
}
