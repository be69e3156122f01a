//! `tcp:`: a connection, what the server says, and what it answers.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_model::answer::Outcome;
use plimsoll_model::text::printable;

use super::{Ask, Row, Scene, words};

pub(super) static PROBE: Row = Row {
    id: "tcp",
    help: "tcp:PORT, a connection; good when it is made; behind it send=BYTES and expect=BYTES",
    page: PAGE,
    parse,
};

const PAGE: &str = "\
A connection to a port of the running image; good when it is made and says what is expected.

    tcp:5432                    what the server says first is compared
    tcp:6379 send=\"PING\\r\\n\" expect=+PONG
                                send= is sent; expect= must be in what the server says

Both may be given several times, and are done in their order. Words are quoted as in a shell; inside
double quotes `\\r \\n \\t \\0 \\\\ \\\" \\xHH` are what they are in C. Of an answer with expect= only
what comes up to it is compared. In a plimsoll.toml:

    [[probe]]
    tcp = 6379
    send = \"PING\\r\\n\"
    expect = \"+PONG\"
";

/// How long a server may take to greet; most wait for the client to speak.
const GREETING: Duration = Duration::from_millis(300);
/// Bytes of a greeting that are kept, and of the answer to one `expect=`.
const GREETING_LIMIT: usize = 4096;
const ANSWER_LIMIT: usize = 1 << 20;

struct Tcp {
    port: u16,
    steps: Vec<Step>,
}

/// One thing that is done in the conversation.
enum Step {
    Send(Vec<u8>),
    Expect(Vec<u8>),
}

fn parse(rest: &str) -> Result<Arc<dyn Ask>, String> {
    let (port, options) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let port = super::port(port)?;
    let mut steps = Vec::new();
    for word in words::split(options)? {
        let (name, value) = words::option(&word)?;
        if value.is_empty() {
            return Err(format!("{name} is empty"));
        }
        steps.push(match name {
            "send" => Step::Send(value.to_vec()),
            "expect" => Step::Expect(value.to_vec()),
            other => return Err(format!("`{other}` is no option of it")),
        });
    }
    Ok(Arc::new(Tcp { port, steps }))
}

impl Ask for Tcp {
    fn port(&self) -> Option<u16> {
        Some(self.port)
    }

    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> Outcome {
        let port = self.port;
        let stream = match scene.network.connect(port, super::left(deadline)) {
            Ok(stream) => stream,
            Err(error) => return Outcome::None(format!("port {port}: {error}")),
        };
        match self.talk(stream, deadline) {
            Ok(greeting) => Outcome::Tcp { greeting },
            Err(why) => Outcome::None(format!("port {port}: {why}")),
        }
    }
}

impl Tcp {
    /// All the server said, up to the last thing that was expected.
    fn talk(&self, mut stream: TcpStream, deadline: Instant) -> Result<Vec<u8>, String> {
        let (mut said, mut unread) = (Vec::new(), Vec::new());
        for step in &self.steps {
            match step {
                Step::Send(bytes) => stream
                    .set_write_timeout(Some(super::left(deadline)))
                    .and_then(|()| stream.write_all(bytes))
                    .map_err(|error| format!("it does not take what it is sent: {error}"))?,
                Step::Expect(bytes) => {
                    hear(&mut stream, bytes, &mut unread, deadline)?;
                    let end = position(&unread, bytes).map_or(0, |at| at + bytes.len());
                    said.extend(unread.drain(..end));
                }
            }
        }
        if !self
            .steps
            .iter()
            .any(|step| matches!(step, Step::Expect(_)))
        {
            let mut greeting = vec![0; GREETING_LIMIT];
            let wait = GREETING.min(super::left(deadline));
            // A server that says nothing, or hangs up, was connected to all the same.
            let read = stream
                .set_read_timeout(Some(wait))
                .and_then(|()| stream.read(&mut greeting));
            greeting.truncate(read.unwrap_or(0));
            said = greeting;
        }
        Ok(said)
    }
}

/// Reads until `wanted` is in what was read.
fn hear(
    stream: &mut TcpStream,
    wanted: &[u8],
    unread: &mut Vec<u8>,
    deadline: Instant,
) -> Result<(), String> {
    let mut buffer = [0; 4096];
    loop {
        if position(unread, wanted).is_some() {
            return Ok(());
        }
        let without = |why: &str| {
            let shown = &unread[..unread.len().min(200)];
            let (wanted, shown) = (printable(wanted), printable(shown));
            format!("{why} without `{wanted}`, it said `{shown}`")
        };
        if unread.len() > ANSWER_LIMIT {
            return Err(without(&format!("more than {ANSWER_LIMIT} bytes came")));
        }
        // A server that never stops talking would not run into the timeout below.
        if Instant::now() >= deadline {
            return Err(without("its time was over"));
        }
        let read = stream
            .set_read_timeout(Some(super::left(deadline)))
            .and_then(|()| stream.read(&mut buffer));
        match read {
            Ok(0) => return Err(without("the connection was closed")),
            Ok(got) => unread.extend_from_slice(&buffer[..got]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(without("its time was over"));
            }
            Err(error) => return Err(without(&error.to_string())),
        }
    }
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
