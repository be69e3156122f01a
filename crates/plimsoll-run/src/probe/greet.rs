//! What a port is asked where nobody has said what to ask: who it is, by what it answers.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use plimsoll_model::answer::Outcome;

use super::{Ask, Probe, Scene, quote};

/// How long a server may take to speak first.
const FIRST_WORDS: Duration = Duration::from_millis(300);
/// How long it may take to answer a greeting it may not understand.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long is tried to reach a port that may never be listened on, of an image that is ready.
const UNANSWERED: Duration = Duration::from_secs(5);
/// Bytes of a greeting that are looked at.
const GREETING_LIMIT: usize = 1024;

/// Asks a port who it is; once something has answered, its probe is what is written down.
pub(super) struct Greet {
    pub(super) port: u16,
}

/// What servers say that speak first, and what is expected of them then. SSH: RFC 4253, 4.2; SMTP and
/// FTP: RFC 5321, 4.2 and RFC 959; POP3: RFC 1939; IMAP: RFC 3501, 7.1.1.
const SPEAKERS: [(&[u8], &str); 4] = [
    (b"SSH-", "expect=SSH-"),
    (b"220", "expect=220 send=\"QUIT\\r\\n\" expect=221"),
    (b"+OK", "expect=+OK"),
    (b"* OK", "expect=\"* OK\""),
];

/// What is said to servers that wait, and what they answer. Redis: its protocol's PING, and the
/// refusal of one that wants a password; memcached: `version`; PostgreSQL: SSLRequest, which is
/// answered with one letter (the protocol's message formats).
const LISTENERS: [(&[u8], &[&[u8]]); 3] = [
    (b"PING\r\n", &[b"+PONG", b"-NOAUTH"]),
    (b"version\r\n", &[b"VERSION "]),
    (&[0, 0, 0, 8, 4, 210, 22, 47], &[b"S", b"N"]),
];

impl Ask for Greet {
    fn port(&self) -> Option<u16> {
        Some(self.port)
    }

    fn patience(&self) -> Option<Duration> {
        Some(UNANSWERED)
    }

    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> Outcome {
        self.answer(scene, deadline).1
    }

    fn answer(&self, scene: &Scene<'_>, deadline: Instant) -> (Option<String>, Outcome) {
        let plain = format!("tcp:{}", self.port);
        let greeting = match self.hear(scene, &[], FIRST_WORDS, deadline) {
            Ok(greeting) => greeting,
            Err(error) => {
                let why = format!("port {}: {error}", self.port);
                return (Some(plain), Outcome::None(why));
            }
        };
        let found = if greeting.is_empty() {
            self.speak(scene, deadline)
        } else {
            self.spoken(&greeting)
        };
        // Asked once more as it will be asked from now on.
        let text = found.unwrap_or(plain);
        match Probe::parse(&text) {
            Ok(probe) => {
                let until = deadline.min(Instant::now() + PATIENCE);
                (Some(text), probe.ask.ask(scene, until))
            }
            Err(error) => (Some(text), Outcome::None(error.to_string())),
        }
    }
}

impl Greet {
    /// The probe of a server that spoke first.
    fn spoken(&self, greeting: &[u8]) -> Option<String> {
        let port = self.port;
        let known = SPEAKERS.iter().find(|(mark, _)| greeting.starts_with(mark));
        if let Some((_, rest)) = known {
            return Some(format!("tcp:{port} {rest}"));
        }
        // MySQL: a packet of protocol 10 with the server's version; the rest differs every time.
        let version = greeting.get(4..)?.strip_prefix(&[10])?;
        let end = version.iter().position(|&byte| byte == 0)?;
        let version = version.get(..end).filter(|version| {
            version.first().is_some_and(u8::is_ascii_digit)
                && version.iter().all(u8::is_ascii_graphic)
        })?;
        let expect = [b"expect=", version].concat();
        Some(format!("tcp:{port} {}", quote(&expect)))
    }

    /// The probe of a server that waits to be spoken to.
    fn speak(&self, scene: &Scene<'_>, deadline: Instant) -> Option<String> {
        let port = self.port;
        let web = |scheme: &str| {
            let text = format!("{scheme}://:{port}/");
            let probe = Probe::parse(&text).ok()?;
            let until = deadline.min(Instant::now() + PATIENCE);
            match probe.ask.ask(scene, until) {
                Outcome::Http { status, .. } => Some((text, status)),
                _ => None,
            }
        };
        match web("http") {
            // That is what many servers tell those who speak plainly to a TLS port.
            Some((text, 400)) => return Some(web("https").map_or(text, |(text, _)| text)),
            Some((text, _)) => return Some(text),
            None => {}
        }
        if let Some((text, _)) = web("https") {
            return Some(text);
        }
        for (said, answers) in LISTENERS {
            let Ok(heard) = self.hear(scene, said, FIRST_WORDS * 3, deadline) else {
                continue;
            };
            if let Some(answer) = answers.iter().find(|answer| heard.starts_with(answer)) {
                let send = quote(&[b"send=", said].concat());
                let expect = quote(&[b"expect=", *answer].concat());
                return Some(format!("tcp:{port} {send} {expect}"));
            }
        }
        None
    }

    /// What comes after these words; nothing where nothing comes in time.
    fn hear(
        &self,
        scene: &Scene<'_>,
        words: &[u8],
        wait: Duration,
        deadline: Instant,
    ) -> std::io::Result<Vec<u8>> {
        let left = super::left(deadline);
        let mut stream = scene.network.connect(self.port, left)?;
        stream.set_write_timeout(Some(left))?;
        stream.write_all(words)?;
        stream.set_read_timeout(Some(wait.min(super::left(deadline))))?;
        let mut heard = vec![0; GREETING_LIMIT];
        let got = stream.read(&mut heard).unwrap_or(0);
        heard.truncate(got);
        Ok(heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_first_is_known_by_it() {
        let greet = Greet { port: 7 };
        for (greeting, text) in [
            (&b"SSH-2.0-x\r\n"[..], Some("tcp:7 expect=SSH-")),
            (
                b"220 mail\r\n",
                Some("tcp:7 expect=220 send=\"QUIT\\r\\n\" expect=221"),
            ),
            (b"J\0\0\0\x0a8.0.36\0salt", Some("tcp:7 expect=8.0.36")),
            (b"J\0\0\0\x0a", None),
            (b"hello", None),
            (b"", None),
        ] {
            let found = greet.spoken(greeting);
            assert_eq!(found.as_deref(), text);
            if let Some(text) = found {
                Probe::parse(&text).unwrap();
            }
        }
    }
}
