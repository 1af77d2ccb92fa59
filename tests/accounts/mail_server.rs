//! A mail server for tests: EHLO, STARTTLS, AUTH, DATA, and failures as the test says. It keeps what it receives.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rogerrat_testkit::{TIMEOUT, wait_until};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does with the next e-mail.
pub(crate) enum Behavior {
    /// Refuses it with this line.
    Refuse(&'static str),
    /// Closes the connection.
    Close,
    /// Answers no more, until the test ends.
    Hang,
}

/// How clients connect.
#[derive(Clone, Default)]
pub(crate) struct Access {
    /// Requires STARTTLS with this certificate.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Requires this mechanism, user and password.
    pub(crate) auth: Option<(&'static str, &'static str, &'static str)>,
}

/// An e-mail as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) to: String,
    pub(crate) head: String,
    /// The body, decoded.
    pub(crate) text: String,
}

impl Received {
    /// The code of six digits, on a line of its own.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
        self.text.lines().find(is_code).unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }

    /// What follows the marks of the links.
    pub(crate) fn secrets(&self, mark: &str) -> Vec<String> {
        self.text.lines().filter_map(|line| Some(line.split_once(mark)?.1.to_owned())).collect()
    }
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    behaviors: VecDeque<Behavior>,
    /// Every line that a client sent outside a message.
    commands: Vec<String>,
    connections: usize,
}

/// A running server. Its threads end with the test.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        Self::with(Access::default())
    }

    pub(crate) fn with(access: Access) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (access, state) = (access.clone(), shared.clone());
                state.lock().unwrap().connections += 1;
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
                    let _ = serve(stream, &access, &state);
                });
            }
        });
        Self { address, state }
    }

    /// What to do with the next e-mails; then all are accepted.
    pub(crate) fn next(&self, behaviors: impl IntoIterator<Item = Behavior>) {
        self.state.lock().unwrap().behaviors.extend(behaviors);
    }

    /// The `n`th e-mail, from 0; waits for it.
    #[track_caller]
    pub(crate) fn mail(&self, n: usize) -> Received {
        wait_until("an e-mail arrives", || self.count() > n);
        self.state.lock().unwrap().received[n].clone()
    }

    /// The newest e-mail, of `n` that have arrived; waits for it.
    #[track_caller]
    pub(crate) fn newest_of(&self, n: usize) -> Received {
        let mail = self.mail(n - 1);
        assert_eq!(self.count(), n);
        mail
    }

    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().received.len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub(crate) fn commands(&self) -> String {
        self.state.lock().unwrap().commands.join("\n")
    }
}

/// Serves one connection, in plain text until STARTTLS.
fn serve(stream: TcpStream, access: &Access, state: &Mutex<State>) -> std::io::Result<()> {
    let mut plain = BufReader::new(stream);
    plain.get_mut().write_all(b"220 mail.example.org ESMTP\r\n")?;
    if !session(&mut plain, access, access.tls.is_some(), state)? {
        return Ok(());
    }
    let Some(tls) = &access.tls else { return Ok(()) };
    let connection = ServerConnection::new(tls.clone()).unwrap();
    session(&mut BufReader::new(StreamOwned::new(connection, plain.into_inner())), access, false, state).map(|_| ())
}

/// Answers commands. Returns true when TLS begins.
fn session<S: Read + Write>(
    io: &mut BufReader<S>,
    access: &Access,
    must_start_tls: bool,
    state: &Mutex<State>,
) -> std::io::Result<bool> {
    let (mut to, mut is_known) = (String::new(), access.auth.is_none());
    loop {
        let Some(line) = read_line(io)? else { return Ok(false) };
        state.lock().unwrap().commands.push(line.clone());
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" if must_start_tls => "250-mail.example.org\r\n250 STARTTLS".to_owned(),
            "EHLO" => match access.auth {
                Some((mechanism, ..)) => format!("250-mail.example.org\r\n250 AUTH {mechanism}"),
                None => "250 mail.example.org".to_owned(),
            },
            "STARTTLS" if must_start_tls => {
                io.get_mut().write_all(b"220 ready\r\n")?;
                return Ok(true);
            }
            "QUIT" => {
                io.get_mut().write_all(b"221 bye\r\n")?;
                return Ok(false);
            }
            _ if must_start_tls => "530 STARTTLS first".to_owned(),
            "AUTH" => {
                is_known = authenticate(io, access, rest)?;
                if is_known { "235 welcome" } else { "535 5.7.8 wrong password for ann@example.org" }.to_owned()
            }
            _ if !is_known => "530 AUTH first".to_owned(),
            "MAIL" => match next(state) {
                None => "250 ok".to_owned(),
                Some(Behavior::Refuse(line)) => line.to_owned(),
                Some(Behavior::Close) => return Ok(false),
                Some(Behavior::Hang) => {
                    let mut rest = Vec::new();
                    io.read_to_end(&mut rest)?;
                    return Ok(false);
                }
            },
            "RCPT" => {
                rest.trim_start_matches("TO:<").trim_end_matches('>').clone_into(&mut to);
                "250 ok".to_owned()
            }
            "DATA" => {
                io.get_mut().write_all(b"354 go on\r\n")?;
                let mail = message(io, &to)?;
                state.lock().unwrap().received.push(mail);
                "250 taken".to_owned()
            }
            _ => "250 ok".to_owned(),
        };
        io.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
        io.get_mut().flush()?;
    }
}

/// The next behavior. The lock is released before it begins.
fn next(state: &Mutex<State>) -> Option<Behavior> {
    state.lock().unwrap().behaviors.pop_front()
}

fn authenticate<S: Read + Write>(io: &mut BufReader<S>, access: &Access, rest: &str) -> std::io::Result<bool> {
    let Some((mechanism, user, password)) = access.auth else { return Ok(false) };
    let decoded = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    let mut ask = |prompt: &str| -> std::io::Result<String> {
        io.get_mut().write_all(format!("334 {}\r\n", STANDARD.encode(prompt)).as_bytes())?;
        io.get_mut().flush()?;
        Ok(decoded(&read_line(io)?.unwrap_or_default()))
    };
    Ok(match (mechanism, rest.split_once(' ')) {
        ("PLAIN", Some(("PLAIN", given))) => decoded(given) == format!("\0{user}\0{password}"),
        ("LOGIN", None) if rest == "LOGIN" => ask("Username:")? == user && ask("Password:")? == password,
        _ => false,
    })
}

fn read_line(io: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = io.read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn message(io: &mut impl BufRead, to: &str) -> std::io::Result<Received> {
    let mut lines = Vec::new();
    while let Some(line) = read_line(io)?.filter(|line| line != ".") {
        lines.push(line.strip_prefix('.').unwrap_or(&line).to_owned());
    }
    let split = lines.iter().position(String::is_empty).unwrap_or(lines.len());
    let (head, body) = (lines[..split].join("\n"), lines[split..].join("\n"));
    let text = match head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ")) {
        Some("quoted-printable") => quoted_printable(&body),
        Some("base64") => String::from_utf8(STANDARD.decode(body.replace('\n', "")).unwrap()).unwrap(),
        _ => body,
    };
    Ok(Received { to: to.to_owned(), head, text: text.replace('\r', "") })
}

fn quoted_printable(body: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), body.replace("=\n", "").into_bytes().into_iter());
    while let Some(byte) = rest.next() {
        let hex = |digits: [Option<u8>; 2]| {
            u8::from_str_radix(&digits.into_iter().flatten().map(char::from).collect::<String>(), 16).unwrap()
        };
        bytes.push(if byte == b'=' { hex([rest.next(), rest.next()]) } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}
