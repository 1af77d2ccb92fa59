//! A proxy that clients choose by `http_proxy` and similar variables: `CONNECT`, requests in absolute form, and SOCKS 5.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running proxy. It resolves every host to one address. It stops when the test process ends.
#[derive(Debug)]
pub struct ForwardProxy {
    /// Where clients connect to.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

/// What the proxy does with a request.
#[derive(Clone, Debug)]
struct Rules {
    target: SocketAddr,
    /// The value that `Proxy-Authorization` must have.
    authorization: Option<String>,
    /// The status of its responses instead of a connection.
    refuses: Option<u16>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ForwardProxy {
    /// A proxy that connects to `target`, whatever the host.
    pub fn start(target: SocketAddr) -> Self {
        Self::with(target, None, None)
    }

    /// Requires this value of `Proxy-Authorization`.
    pub fn requiring(target: SocketAddr, authorization: &str) -> Self {
        Self::with(target, Some(authorization.to_owned()), None)
    }

    /// Refuses every request with this status.
    pub fn refusing(target: SocketAddr, status: u16) -> Self {
        Self::with(target, None, Some(status))
    }

    fn with(target: SocketAddr, authorization: Option<String>, refuses: Option<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let rules = Rules { target, authorization, refuses, requests: Arc::clone(&requests) };
        thread::spawn(move || {
            for client in listener.incoming() {
                let (rules, client) = (rules.clone(), client.unwrap());
                thread::spawn(move || serve(&rules, client));
            }
        });
        Self { address, requests }
    }

    /// The first lines of the requests so far, and `SOCKS host:port`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(rules: &Rules, client: TcpStream) {
    let _ = try_serve(rules, client);
}

fn try_serve(rules: &Rules, mut client: TcpStream) -> io::Result<()> {
    let mut first = [0];
    client.peek(&mut first)?;
    if first == [5] {
        let host = socks(&mut client)?;
        rules.requests.lock().unwrap().push(format!("SOCKS {host}"));
        return tunnel(client, TcpStream::connect(rules.target)?);
    }
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let line = head.lines().next().unwrap_or_default().to_owned();
    rules.requests.lock().unwrap().push(line.clone());
    let authorization = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
    let may_pass = rules.authorization.is_none() || rules.authorization.as_deref() == authorization;
    let status = if may_pass { rules.refuses } else { Some(407) };
    if let Some(status) = status {
        let head = format!("HTTP/1.1 {status} Refused\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>");
        return client.write_all(head.as_bytes());
    }
    let mut target = TcpStream::connect(rules.target)?;
    if line.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")?;
    } else {
        let (method, rest) = line.split_once(" http://").expect("a request in absolute form");
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let headers = head.split_once("\r\n").unwrap_or_default().1;
        target.write_all(format!("{method} /{path}\r\n{headers}").as_bytes())?;
        target.write_all(reader.buffer())?;
    }
    tunnel(client, target)
}

/// Reads a SOCKS 5 handshake, with or without a password, and returns `host:port`.
fn socks(client: &mut TcpStream) -> io::Result<String> {
    let mut head = [0; 2];
    client.read_exact(&mut head)?;
    let mut methods = vec![0; head[1].into()];
    client.read_exact(&mut methods)?;
    if methods.contains(&2) {
        client.write_all(&[5, 2])?;
        let mut length = [0; 2];
        client.read_exact(&mut length)?;
        let mut user = vec![0; usize::from(length[1]) + 1];
        client.read_exact(&mut user)?;
        let mut password = vec![0; usize::from(*user.last().unwrap())];
        client.read_exact(&mut password)?;
        client.write_all(&[1, 0])?;
    } else {
        client.write_all(&[5, 0])?;
    }
    let mut request = [0; 4];
    client.read_exact(&mut request)?;
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            client.read_exact(&mut address)?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        _ => {
            let mut length = [0];
            client.read_exact(&mut length)?;
            let mut name = vec![0; length[0].into()];
            client.read_exact(&mut name)?;
            String::from_utf8(name).unwrap()
        }
    };
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    Ok(format!("{host}:{}", u16::from_be_bytes(port)))
}

fn tunnel(client: TcpStream, target: TcpStream) -> io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, target.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (target, client);
    let _ = io::copy(&mut from, &mut to);
    to.shutdown(Shutdown::Both)
}
