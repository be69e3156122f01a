//! `tcp:`: a connection, and what the server says first.

use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_model::answer::Outcome;

use super::{Ask, Row, Scene};

pub(super) static PROBE: Row = Row {
    id: "tcp",
    help: "tcp:PORT, a connection; good when it is made",
    parse,
};

/// How long a server may take to greet; most wait for the client to speak.
const GREETING: Duration = Duration::from_millis(300);
/// Bytes of a greeting that are kept.
const GREETING_LIMIT: usize = 4096;

struct Tcp {
    port: u16,
}

fn parse(rest: &str) -> Result<Arc<dyn Ask>, String> {
    Ok(Arc::new(Tcp {
        port: super::port(rest)?,
    }))
}

impl Ask for Tcp {
    fn port(&self) -> Option<u16> {
        Some(self.port)
    }

    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> Outcome {
        let port = self.port;
        let mut stream = match scene.network.connect(port, super::left(deadline)) {
            Ok(stream) => stream,
            Err(error) => return Outcome::None(format!("port {port}: {error}")),
        };
        let mut greeting = vec![0; GREETING_LIMIT];
        let wait = GREETING.min(super::left(deadline));
        // A server that says nothing, or hangs up, was connected to all the same.
        let read = stream
            .set_read_timeout(Some(wait))
            .and_then(|()| stream.read(&mut greeting));
        greeting.truncate(read.unwrap_or(0));
        Outcome::Tcp { greeting }
    }
}
