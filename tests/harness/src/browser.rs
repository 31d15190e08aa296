//! An officer's browser in few words: plain HTTP/1.1 on the loopback interface, one cookie, forms. It knows just
//! enough to use the console as a person does, without a script and without a real browser.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::error::HarnessError;

/// A browser with its session.
#[derive(Clone, Debug)]
pub struct Browser {
    server: SocketAddr,
    cookie: Option<String>,
}

/// A page, or where to go instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The page.
    pub body: String,
}

impl Page {
    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> Option<&str> {
        let after = self.body.split_once(&format!("name=\"{name}\" value=\""))?.1;
        after.split_once('"').map(|(value, _)| value)
    }
}

impl Browser {
    /// A browser that nobody has signed in with.
    pub const fn new(server: SocketAddr) -> Self {
        Self { server, cookie: None }
    }

    /// Opens a page; redirects are not followed.
    ///
    /// # Errors
    /// [`HarnessError::Network`].
    pub fn get(&mut self, path: &str) -> Result<Page, HarnessError> {
        self.ask("GET", path, None)
    }

    /// Sends a form; redirects are not followed.
    ///
    /// # Errors
    /// [`HarnessError::Network`].
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Page, HarnessError> {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        self.ask("POST", path, Some(&pairs.join("&")))
    }

    /// Signs in with a one-time link, as a person who chooses a name and a password.
    ///
    /// # Errors
    /// [`HarnessError::Server`] if the link is not taken.
    pub fn sign_in(&mut self, link: &str, login: &str) -> Result<(), HarnessError> {
        let password = "虚构的密码-一二三四五六";
        let fields = [("login", login), ("password", password), ("again", password)];
        let page = self.post(link, &fields)?;
        if page.status == 303 && self.cookie.is_some() {
            return Ok(());
        }
        Err(HarnessError::Server { what: "sign in", reason: format!("status {}", page.status) })
    }

    fn ask(&mut self, method: &str, path: &str, form: Option<&str>) -> Result<Page, HarnessError> {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.server);
        if let Some(cookie) = &self.cookie {
            request.push_str(&format!("Cookie: {cookie}\r\n"));
        }
        if let Some(form) = form {
            request.push_str(&format!("Origin: http://{}\r\n", self.server));
            request.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
            request.push_str(&format!("Content-Length: {}\r\n", form.len()));
        }
        request.push_str("\r\n");
        request.push_str(form.unwrap_or_default());
        let answer = self.exchange(&request).map_err(HarnessError::network("ask the console"))?;
        let (page, cookie) = read_page(&answer)
            .ok_or(io::ErrorKind::InvalidData.into())
            .map_err(HarnessError::network("read the console's answer"))?;
        self.cookie = cookie.or(self.cookie.take());
        Ok(page)
    }

    fn exchange(&self, request: &str) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.server)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// A form's text in `application/x-www-form-urlencoded`.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Reads an answer that ends with its connection; returns the session's cookie beside the page, if one is set.
fn read_page(answer: &[u8]) -> Option<(Page, Option<String>)> {
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..split)?).ok()?;
    let body = answer.get(split + 4..)?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    let header = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| *value);
    let body = match header("transfer-encoding") {
        Some("chunked") => unchunked(body)?,
        _ => body.to_vec(),
    };
    let cookie = header("set-cookie").and_then(|value| value.split(';').next()).map(str::to_owned);
    let location = header("location").map(str::to_owned);
    Some((Page { status, location, body: String::from_utf8_lossy(&body).into_owned() }, cookie))
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..end)?).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(out);
        }
        out.extend(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_with_cookie_and_redirect() {
        let answer = b"HTTP/1.1 303 See Other\r\nLocation: /\r\nSet-Cookie: s=abc; HttpOnly\r\n\r\n";
        let (page, cookie) = read_page(answer).unwrap();
        assert_eq!((page.status, page.location.as_deref()), (303, Some("/")));
        assert_eq!(cookie.as_deref(), Some("s=abc"));
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
        assert_eq!(read_page(chunked).unwrap().0.body, "abcde");
        assert_eq!(read_page(b"HTTP/1.1 200 OK\r\n"), None);
    }

    #[test]
    fn forms_and_hidden_fields() {
        assert_eq!(encoded("a b&网"), "a%20b%26%E7%BD%91");
        let body = "<input type=\"hidden\" name=\"csrf\" value=\"t0\">".to_owned();
        let page = Page { status: 200, location: None, body };
        assert_eq!((page.hidden("csrf"), page.hidden("seen")), (Some("t0"), None));
    }
}
