//! A bad network on the loopback interface: a TCP proxy in front of a server whose faults follow from a seed.
//!
//! It knows nothing of HTTP. It drops connections, cuts them after some bytes in either direction, passes them on in
//! crumbs, or swallows them until told otherwise. It never sleeps: slowness is made of many small pieces.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::HarnessError;
use crate::seeded::Seeded;

/// How the network behaves. A change of weather ends every open connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weather {
    /// Everything passes.
    Clear,
    /// Some connections fail.
    Bad {
        /// Probability that a connection is dropped at once.
        drop: f64,
        /// Probability that a connection is cut.
        cut: f64,
        /// It is cut after at most this many bytes, both directions counted.
        cut_within: usize,
        /// Largest piece that is passed on at once, in bytes.
        crumb: usize,
    },
    /// Connections are taken and never answered, until the weather changes.
    BlackHole,
    /// Connections are closed at once.
    Offline,
}

/// What the proxy did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// Connections taken.
    pub connections: u64,
    /// Of these, dropped at once.
    pub dropped: u64,
    /// Of these, cut after some bytes.
    pub cut: u64,
    /// Of these, swallowed.
    pub swallowed: u64,
    /// Bytes passed on, both directions.
    pub bytes: u64,
}

impl Toll {
    /// What happened after `earlier`.
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            connections: self.connections - earlier.connections,
            dropped: self.dropped - earlier.dropped,
            cut: self.cut - earlier.cut,
            swallowed: self.swallowed - earlier.swallowed,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

/// The proxy. It stops when it is dropped.
#[derive(Debug)]
pub struct FlakyProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    upstream: SocketAddr,
    weather: Weather,
    /// Counts changes of weather, so that a swallowed connection notices one.
    season: u64,
    seeded: Seeded,
    open: BTreeMap<u64, Connection>,
    toll: Toll,
    stopped: bool,
}

/// A connection that is open in at least one direction.
#[derive(Debug)]
struct Connection {
    ends: [TcpStream; 2],
    /// Bytes that may still pass, both directions counted.
    fuse: usize,
    cut: bool,
    /// Directions that have not ended.
    directions: usize,
}

/// What is to become of one connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Pass { crumb: usize, fuse: usize },
    Drop,
    Swallow,
}

impl FlakyProxy {
    /// Starts a proxy before `upstream` on a free port; the weather is clear.
    ///
    /// # Errors
    /// [`HarnessError::Network`] if no port can be had.
    pub fn start(upstream: SocketAddr, seed: u64) -> Result<Self, HarnessError> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(HarnessError::network("listen"))?;
        let address = socket.local_addr().map_err(HarnessError::network("listen"))?;
        let state = State {
            upstream,
            weather: Weather::Clear,
            season: 0,
            seeded: Seeded::for_subject(seed, "network"),
            open: BTreeMap::new(),
            toll: Toll::default(),
            stopped: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let listener = thread::spawn(move || listen(&socket, &theirs));
        Ok(Self { address, shared, listener: Some(listener) })
    }

    /// Where phones connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather and ends every open connection.
    pub fn set(&self, weather: Weather) {
        let mut state = self.shared.lock();
        state.weather = weather;
        state.season += 1;
        state.end_all();
        self.shared.changed.notify_all();
    }

    /// The server has moved to another port, after a restart.
    pub fn set_upstream(&self, upstream: SocketAddr) {
        let mut state = self.shared.lock();
        state.upstream = upstream;
        state.end_all();
    }

    /// What happened so far.
    pub fn toll(&self) -> Toll {
        self.shared.lock().toll
    }
}

impl Drop for FlakyProxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.stopped = true;
            state.season += 1;
            state.end_all();
            self.shared.changed.notify_all();
        }
        // Wakes the listener, which then sees that it is to stop.
        let woken = TcpStream::connect(self.address);
        if let (Ok(_), Some(listener)) = (woken, self.listener.take()) {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end_all(&mut self) {
        for end in std::mem::take(&mut self.open).into_values().flat_map(|connection| connection.ends) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Takes bytes off a connection's fuse. Returns how many of them may pass.
    fn burn(&mut self, number: u64, bytes: usize) -> usize {
        let Some(connection) = self.open.get_mut(&number) else { return 0 };
        let allowed = bytes.min(connection.fuse);
        if allowed < bytes && !connection.cut {
            connection.cut = true;
            self.toll.cut += 1;
        }
        connection.fuse -= allowed;
        self.toll.bytes += allowed as u64;
        allowed
    }

    fn finish_direction(&mut self, number: u64) {
        if let Some(connection) = self.open.get_mut(&number) {
            connection.directions -= 1;
            if connection.directions == 0 {
                self.open.remove(&number);
            }
        }
    }

    fn fate(&mut self) -> Fate {
        self.toll.connections += 1;
        match self.weather {
            Weather::Clear => Fate::Pass { crumb: 64 * 1024, fuse: usize::MAX },
            Weather::Offline => {
                self.toll.dropped += 1;
                Fate::Drop
            }
            Weather::BlackHole => {
                self.toll.swallowed += 1;
                Fate::Swallow
            }
            Weather::Bad { drop, cut, cut_within, crumb } => {
                if self.seeded.chance(drop) {
                    self.toll.dropped += 1;
                    return Fate::Drop;
                }
                let fuse =
                    if self.seeded.chance(cut) { self.seeded.below(cut_within) + 1 } else { usize::MAX };
                Fate::Pass { crumb: crumb.max(1), fuse }
            }
        }
    }
}

fn listen(socket: &TcpListener, shared: &Arc<Shared>) {
    let mut number = 0;
    for connection in socket.incoming() {
        let (fate, upstream, season) = {
            let mut state = shared.lock();
            if state.stopped {
                return;
            }
            let Ok(_) = connection else { continue };
            (state.fate(), state.upstream, state.season)
        };
        let Ok(client) = connection else { continue };
        number += 1;
        match fate {
            Fate::Drop => drop(client),
            Fate::Swallow => {
                let shared = Arc::clone(shared);
                thread::spawn(move || swallow(client, &shared, season));
            }
            Fate::Pass { crumb, fuse } => {
                // An upstream that is down shows as a connection that closes.
                let _ = pass(client, upstream, shared, (number, season), crumb, fuse);
            }
        }
    }
}

/// Holds a connection open and reads nothing until the weather changes.
fn swallow(client: TcpStream, shared: &Shared, season: u64) {
    let mut state = shared.lock();
    while state.season == season {
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    drop(state);
    drop(client);
}

fn pass(
    client: TcpStream,
    upstream: SocketAddr,
    shared: &Arc<Shared>,
    (number, season): (u64, u64),
    crumb: usize,
    fuse: usize,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ends = [client.try_clone()?, server.try_clone()?];
    let directions = [(client.try_clone()?, server.try_clone()?), (server, client)];
    {
        let mut state = shared.lock();
        if state.season != season {
            return Ok(());
        }
        state.open.insert(number, Connection { ends, fuse, cut: false, directions: directions.len() });
    }
    for (from, to) in directions {
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            pump(from, to, &shared, number, crumb);
            shared.lock().finish_direction(number);
        });
    }
    Ok(())
}

/// Passes bytes on until the sender ends, or the fuse is burnt and both ends are shut.
fn pump(mut from: TcpStream, mut to: TcpStream, shared: &Shared, number: u64, crumb: usize) {
    let mut buffer = vec![0; crumb.min(64 * 1024)];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) | Err(_) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(read) => read,
        };
        let allowed = shared.lock().burn(number, read);
        let sent = buffer.get(..allowed).is_some_and(|bytes| to.write_all(bytes).is_ok());
        if allowed < read || !sent {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets, connection by connection.
    fn echo() -> SocketAddr {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            for connection in socket.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let mut back = connection.try_clone().unwrap();
                    let _ = io::copy(&mut { connection }, &mut back);
                    let _ = back.shutdown(Shutdown::Write);
                });
            }
        });
        address
    }

    /// Sends bytes and reads until the other side ends.
    fn talk(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
        let mut client = TcpStream::connect(address).unwrap();
        let _ = client.write_all(bytes);
        let _ = client.shutdown(Shutdown::Write);
        let mut back = Vec::new();
        let _ = client.read_to_end(&mut back);
        back
    }

    #[test]
    fn clear_weather_passes_everything() {
        let proxy = FlakyProxy::start(echo(), 1).unwrap();
        let bytes = vec![7; 200_000];
        assert_eq!(talk(proxy.address(), &bytes), bytes);
        let toll = proxy.toll();
        assert_eq!((toll.connections, toll.cut, toll.dropped, toll.bytes), (1, 0, 0, 400_000));
    }

    #[test]
    fn crumbs_arrive_whole() {
        let proxy = FlakyProxy::start(echo(), 1).unwrap();
        proxy.set(Weather::Bad { drop: 0.0, cut: 0.0, cut_within: 0, crumb: 7 });
        assert_eq!(talk(proxy.address(), &[9; 5_000]), [9; 5_000]);
    }

    #[test]
    fn cuts_come_where_the_seed_says() {
        let lengths = |seed| {
            let proxy = FlakyProxy::start(echo(), seed).unwrap();
            proxy.set(Weather::Bad { drop: 0.0, cut: 1.0, cut_within: 900, crumb: 64 });
            let bytes: Vec<u64> = (0..6)
                .map(|_| {
                    let before = proxy.toll().bytes;
                    assert!(talk(proxy.address(), &[3; 4_000]).len() < 4_000);
                    proxy.toll().bytes - before
                })
                .collect();
            assert_eq!(proxy.toll().cut, 6);
            bytes
        };
        assert_eq!(lengths(5), lengths(5));
        assert!(lengths(5).iter().all(|bytes| (1..=900).contains(bytes)));
    }

    #[test]
    fn without_a_network_connections_close_and_come_back() {
        let proxy = FlakyProxy::start(echo(), 1).unwrap();
        proxy.set(Weather::Offline);
        assert_eq!(talk(proxy.address(), b"hello"), b"");
        proxy.set(Weather::Clear);
        assert_eq!(talk(proxy.address(), b"hello"), b"hello");
    }

    #[test]
    fn a_black_hole_answers_nothing_until_the_weather_changes() {
        let proxy = FlakyProxy::start(echo(), 1).unwrap();
        proxy.set(Weather::BlackHole);
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        client.write_all(b"hello").unwrap();
        while proxy.toll().swallowed == 0 {
            thread::yield_now();
        }
        let reader = thread::spawn(move || client.read_to_end(&mut Vec::new()));
        proxy.set(Weather::Clear);
        let _ = reader.join().unwrap();
        assert_eq!(talk(proxy.address(), b"hello"), b"hello");
    }
}
