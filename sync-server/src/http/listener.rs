//! The socket, with bounds: how many connections at once, how many of one address, how long one may say nothing.
//!
//! Whoever opens connections and does not speak holds a place each; these bounds keep places for others.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Connections at once.
const CONNECTIONS: usize = 2_048;
/// Connections of one address. A machine's own address and a proxy's are not counted.
const OF_ONE_ADDRESS: u32 = 128;
/// How long a connection may say nothing. Longer than any request takes to answer.
const SILENCE: Duration = Duration::from_secs(90);

type Counts = Arc<Mutex<BTreeMap<IpAddr, u32>>>;

/// A socket that listens within bounds.
pub struct Bounded {
    socket: TcpListener,
    places: Arc<Semaphore>,
    counts: Counts,
    behind_proxy: bool,
}

impl Bounded {
    /// Takes a socket.
    pub fn new(socket: TcpListener, behind_proxy: bool) -> Self {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        Self { socket, places, counts: Counts::default(), behind_proxy }
    }

    fn counted(&self, address: IpAddr) -> Option<Counted> {
        if self.behind_proxy || address.is_loopback() {
            return Some(Counted { address, counts: None });
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= OF_ONE_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Counted { address, counts: Some(Arc::clone(&self.counts)) })
    }
}

/// One connection in its address's count, until dropped.
struct Counted {
    address: IpAddr,
    counts: Option<Counts>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(counts) = &self.counts else { return };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            let (stream, address) = Listener::accept(&mut self.socket).await;
            // Dropping the stream closes it.
            let Some(counted) = self.counted(address.ip()) else { continue };
            // Answers are small and written at once; waiting for more to send would cost 40 ms each.
            let _ = stream.set_nodelay(true);
            let silence = Box::pin(tokio::time::sleep(SILENCE));
            return (Connection { stream, silence, _place: place, _counted: counted }, address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

/// The address at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// A connection that ends when it says nothing for too long.
pub struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
    _counted: Counted,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                self.silence.as_mut().reset(Instant::now() + SILENCE);
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(self.silence.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            // A large answer on a thin line is not silence.
            self.silence.as_mut().reset(Instant::now() + SILENCE);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        if written.is_ready() {
            self.silence.as_mut().reset(Instant::now() + SILENCE);
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
