//! A proxy that understands HTTP as far as phones and server speak it: it writes down every message, lets a rule
//! alter one, and cuts the connection after a given byte.
//!
//! Each request goes to the server on a connection of its own, so that a server that was started again is found.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::raw::{self, header};

/// A request or an answer.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// First line.
    pub first: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Message {
    /// Method and path of a request.
    pub fn target(&self) -> (&str, &str) {
        let mut words = self.first.split(' ');
        (words.next().unwrap_or(""), words.next().unwrap_or(""))
    }

    /// Status of an answer; 0 for a request.
    pub fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The message as it goes on the wire. A body of another length than before is announced as such.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            let length = self.body.len().to_string();
            let altered = name == "content-length" && !self.body.is_empty();
            out.push_str(&format!("{name}: {}\r\n", if altered { &length } else { value }));
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        out.extend_from_slice(&self.body);
        out
    }
}

/// What is passing through.
#[derive(Debug)]
pub enum Passing<'m> {
    /// A request.
    Request(&'m mut Message),
    /// An answer, with what it answers.
    Answer(&'m Message, &'m mut Message),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Pass,
    /// So many of its bytes go on, headers counted, then both connections end.
    CutAfter(usize),
}

/// A request and its answer, as they were passed on.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub request: Message,
    /// The answer; `None` if there was none or it was cut.
    pub answer: Option<Message>,
    /// Bytes of the request's body that the server was sent.
    pub passed: usize,
}

type Rule = Box<dyn FnMut(Passing<'_>) -> Fate + Send>;
type AfterCut = Box<dyn FnMut() + Send>;

struct State {
    upstream: SocketAddr,
    rule: Option<Rule>,
    after_cut: Option<AfterCut>,
    log: Vec<Exchange>,
    stopped: bool,
}

/// The proxy. It stops when it is dropped.
pub struct Tap {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    listener: Option<JoinHandle<()>>,
}

impl Tap {
    /// Starts it before a server. Everything passes.
    pub fn start(upstream: SocketAddr) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = socket.local_addr().expect("an address");
        let state = State { upstream, rule: None, after_cut: None, log: Vec::new(), stopped: false };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let listener = thread::spawn(move || listen(&socket, &shared));
        Self { address, state, listener: Some(listener) }
    }

    /// Its address for a phone.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its address.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks `rule` about every message from now on, one at a time.
    pub fn set_rule(&self, rule: impl FnMut(Passing<'_>) -> Fate + Send + 'static) {
        lock(&self.state).rule = Some(Box::new(rule));
    }

    /// Everything passes again.
    pub fn clear_rule(&self) {
        let mut state = lock(&self.state);
        state.rule = None;
        state.after_cut = None;
    }

    /// Calls `then` after every cut, when the bytes that went on are with the server's kernel and before the other
    /// side learns of the cut.
    pub fn after_cut(&self, then: impl FnMut() + Send + 'static) {
        lock(&self.state).after_cut = Some(Box::new(then));
    }

    /// What has passed so far.
    pub fn log(&self) -> Vec<Exchange> {
        lock(&self.state).log.clone()
    }

    /// Forgets what has passed, and returns it.
    pub fn take_log(&self) -> Vec<Exchange> {
        std::mem::take(&mut lock(&self.state).log)
    }

    /// The server is elsewhere now.
    pub fn set_upstream(&self, upstream: SocketAddr) {
        lock(&self.state).upstream = upstream;
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        lock(&self.state).stopped = true;
        // Wakes the listener, which then sees that it is to stop.
        let woken = TcpStream::connect(self.address);
        if let (Ok(_), Some(listener)) = (woken, self.listener.take()) {
            let _ = listener.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(socket: &TcpListener, state: &Arc<Mutex<State>>) {
    for client in socket.incoming() {
        if lock(state).stopped {
            return;
        }
        let Ok(client) = client else { continue };
        let state = Arc::clone(state);
        thread::spawn(move || {
            let mut client = client;
            // A client that goes away, or a server that is down, ends the conversation.
            while matches!(serve(&mut client, &state), Ok(true)) {}
            let _ = client.shutdown(Shutdown::Both);
        });
    }
}

/// Passes one request and its answer on; whether the connection goes on.
fn serve(client: &mut TcpStream, state: &Mutex<State>) -> io::Result<bool> {
    client.set_nodelay(true)?;
    let mut request = read_message(client, true, false)?;
    let (fate, upstream) = {
        let mut state = lock(state);
        let fate = state.rule.as_mut().map_or(Fate::Pass, |rule| rule(Passing::Request(&mut request)));
        (fate, state.upstream)
    };
    let mut server = TcpStream::connect(upstream)?;
    server.set_nodelay(true)?;
    let bytes = request.to_bytes();
    if let Fate::CutAfter(count) = fate
        && count < bytes.len()
    {
        let passed = count.saturating_sub(bytes.len() - request.body.len());
        let _ = server.write_all(&bytes[..count]);
        let _ = server.shutdown(Shutdown::Write);
        if let Some(then) = lock(state).after_cut.as_mut() {
            then();
        }
        // The server has dealt with what it got when it ends the connection.
        let _ = server.read_to_end(&mut Vec::new());
        lock(state).log.push(Exchange { request, answer: None, passed });
        return Ok(false);
    }
    let passed = request.body.len();
    let head_only = request.target().0 == "HEAD";
    let answered = server.write_all(&bytes).and_then(|()| read_message(&mut server, false, head_only));
    let mut answer = match answered {
        Ok(answer) => answer,
        Err(error) => {
            lock(state).log.push(Exchange { request, answer: None, passed });
            return Err(error);
        }
    };
    let mut held = lock(state);
    let fate = held.rule.as_mut().map_or(Fate::Pass, |rule| rule(Passing::Answer(&request, &mut answer)));
    let bytes = answer.to_bytes();
    if let Fate::CutAfter(count) = fate
        && count < bytes.len()
    {
        if let Some(then) = held.after_cut.as_mut() {
            then();
        }
        held.log.push(Exchange { request, answer: None, passed });
        drop(held);
        client.write_all(&bytes[..count])?;
        return Ok(false);
    }
    held.log.push(Exchange { request, answer: Some(answer), passed });
    drop(held);
    client.write_all(&bytes)?;
    Ok(true)
}

fn read_message(socket: &mut TcpStream, is_request: bool, head_only: bool) -> io::Result<Message> {
    let (first, headers, mut body) = raw::read_head(socket)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse::<u16>().ok()).unwrap_or(0);
    let announced = header(&headers, "content-length").is_some();
    let none = if is_request { !announced } else { head_only || matches!(status, 100..200 | 204 | 304) };
    if none {
        body.clear();
    } else {
        raw::read_body(socket, &headers, &mut body)?;
    }
    Ok(Message { first, headers, body })
}
