//! Plain HTTP/1.1 on a socket: one request, one answer, nothing hidden.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use gridwalk_replica::frame;
use gridwalk_replica::protocol::ProtocolError;
use minicbor::Decode;

/// How long a test waits for an answer that never comes, before it fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// Content type of framed CBOR.
pub const FRAMED: &str = "application/vnd.gridwalk.v1+zstd";

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers as they came.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The error of the protocol in the body; `None` if the body is none.
    pub fn error(&self) -> Option<ProtocolError> {
        frame::decode(&self.body).ok()
    }

    /// The body as framed CBOR.
    ///
    /// # Errors
    /// Status and error, where the status is not 200.
    pub fn framed<T: for<'b> Decode<'b, ()>>(&self) -> Result<T, (u16, Option<ProtocolError>)> {
        if self.status != 200 {
            return Err((self.status, self.error()));
        }
        frame::decode_within(&self.body, 4 << 20).map_err(|_| (self.status, None))
    }
}

/// Looks a header up, by its name in lower case.
pub fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The bytes of a request that announces its length and asks for the connection to be closed.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        out.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

/// Sends bytes and reads one answer. A server that answers before it has read everything is heard all the same.
///
/// # Errors
/// If no answer comes.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<Answer> {
    let mut socket = connect(address)?;
    // Refused bytes may not be taken any more; the answer says why.
    let _ = socket.write_all(bytes);
    read_answer(&mut socket, bytes.starts_with(b"HEAD "))
}

/// Opens a connection that does not wait for ever.
///
/// # Errors
/// If there is none.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Sends a framed body.
///
/// # Errors
/// If no answer comes.
pub fn post(address: SocketAddr, path: &str, token: Option<&str>, body: &[u8]) -> io::Result<Answer> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", FRAMED)];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    exchange(address, &request("POST", path, &headers, body))
}

/// Reads one answer.
///
/// # Errors
/// If what comes is no answer.
pub fn read_answer(socket: &mut TcpStream, head_only: bool) -> io::Result<Answer> {
    let (first, headers, mut body) = read_head(socket)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let none = head_only || matches!(status, 100..200 | 204 | 304);
    if none {
        body.clear();
    } else {
        read_body(socket, &headers, &mut body)?;
    }
    Ok(Answer { status, headers, body })
}

/// The first line of a message, its headers, and what came after them.
pub type Head = (String, Vec<(String, String)>, Vec<u8>);

/// Reads up to the end of a message's headers.
///
/// # Errors
/// `UnexpectedEof` if the connection ends before; `InvalidData`.
pub fn read_head(socket: &mut TcpStream) -> io::Result<Head> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        match socket.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    };
    let rest = bytes.split_off(end + 4);
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = text.split("\r\n");
    let first = lines.next().ok_or(io::ErrorKind::InvalidData)?.to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok((first, headers, rest))
}

/// Reads the rest of a body: as long as announced, else to the end of the connection.
///
/// # Errors
/// `UnexpectedEof` if it is shorter than announced; `Unsupported` for chunks.
pub fn read_body(socket: &mut TcpStream, headers: &[(String, String)], body: &mut Vec<u8>) -> io::Result<()> {
    let announced = header(headers, "content-length").and_then(|text| text.parse::<usize>().ok());
    let Some(announced) = announced else {
        return socket.read_to_end(body).map(drop);
    };
    let mut buffer = vec![0; 64 * 1024];
    while body.len() < announced {
        match socket.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => body.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(())
}
