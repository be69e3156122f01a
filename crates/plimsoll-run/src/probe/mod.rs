//! What a running image is asked: a table of kinds, one file each.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_model::{Answer, answer};

use crate::Ended;
use crate::network::Network;
use crate::sandbox::Door;

mod cmd;
mod exec;
mod greet;
mod http;
mod tcp;
mod words;

/// A question to a running image, and to its slimmed double.
#[derive(Clone)]
pub struct Probe {
    text: String,
    ask: Arc<dyn Ask>,
}

/// A kind of probe.
pub struct Row {
    /// What stands before the first colon.
    pub id: &'static str,
    /// How it is written and what it does, one line.
    pub help: &'static str,
    /// All there is to know of it, its first sentence a summary.
    pub page: &'static str,
    /// Reads what stands behind the colon; the error is a fragment that says what is wrong.
    parse: fn(&str) -> Result<Arc<dyn Ask>, String>,
}

/// Every kind of probe, sorted by name.
pub static PROBES: &[&Row] = &[
    &cmd::PROBE,
    &exec::PROBE,
    &http::PROBE,
    &http::TLS,
    &tcp::PROBE,
];

/// Something that can be asked.
trait Ask: Send + Sync {
    /// Asks once.
    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> answer::Outcome;
    /// The port it names itself.
    fn port(&self) -> Option<u16>;
    /// How long it is tried at most, where that is less than a probe may take.
    fn patience(&self) -> Option<Duration> {
        None
    }
    /// Whether there is nobody to ask once the image has ended.
    fn needs_it_running(&self) -> bool {
        true
    }
    /// Asks once, and tells the probe that was found where it had to be found first.
    fn answer(&self, scene: &Scene<'_>, deadline: Instant) -> (Option<String>, answer::Outcome) {
        (None, self.ask(scene, deadline))
    }
    /// Whether an answer is what it came for.
    fn is_good(&self, outcome: &answer::Outcome) -> bool {
        outcome.is_good()
    }
}

/// Writes a word so that it can stand behind a probe, in quotes where it needs them.
pub fn quote(word: &[u8]) -> String {
    words::quote(word)
}

/// Where a probe is asked.
pub(crate) struct Scene<'a> {
    /// Makes sockets inside the sandbox.
    pub(crate) network: &'a Network,
    /// Starts programs inside the sandbox.
    pub(crate) door: &'a Door<'a>,
    /// The first exposed port.
    pub(crate) port: Option<u16>,
    /// The file with the image's output so far.
    pub(crate) log: PathBuf,
    /// Where a probe may put files.
    pub(crate) scratch: &'a Path,
    /// Bytes of an answer that are kept.
    pub(crate) output: u64,
}

/// Splits a line into words, quoted as in a shell.
///
/// # Errors
/// A fragment that says what is wrong: a quote that is not closed, an escape that stands for
/// nothing, a word that is not UTF-8.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let words = words::split(text)?;
    words
        .iter()
        .map(|word| words::text("a word", word))
        .collect()
}

/// From one try to the next.
const AGAIN: Duration = Duration::from_millis(75);

/// Why a text is no probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no probe: {why}")]
pub struct ProbeError {
    text: String,
    why: String,
}

impl Probe {
    /// Reads a probe as the user writes it: `http:/PATH`, `http://:8080/PATH`, `tcp:PORT`,
    /// `cmd:COMMAND`.
    ///
    /// # Errors
    /// When no kind of [`PROBES`] is named, or what follows is not what that kind takes.
    pub fn parse(text: &str) -> Result<Self, ProbeError> {
        let error = |why: String| ProbeError {
            text: text.to_owned(),
            why,
        };
        let (id, rest) = text.split_once(':').unwrap_or((text, ""));
        let Some(row) = PROBES.iter().find(|row| row.id == id) else {
            let forms: Vec<&str> = PROBES.iter().map(|row| row.help).collect();
            return Err(error(format!("give one of: {}", forms.join("; "))));
        };
        let ask = (row.parse)(rest).map_err(error)?;
        Ok(Self {
            text: text.to_owned(),
            ask,
        })
    }

    /// A question to a port of which nothing is known: who is there. Its answer is that of the probe
    /// that was found, under that probe's name, and [`Probe::parse`] reads that name.
    pub fn greet(port: u16) -> Self {
        Self {
            text: format!("port {port}"),
            ask: Arc::new(greet::Greet { port }),
        }
    }

    /// How long it is tried at most, where that is less than a probe may take.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.ask.patience()
    }

    /// Whether only an image that still runs can be asked it, and not what one that has ended left.
    pub fn needs_it_running(&self) -> bool {
        self.ask.needs_it_running()
    }

    /// The port it names itself; none where it takes the image's first exposed one.
    pub fn port(&self) -> Option<u16> {
        self.ask.port()
    }
}

/// What is said in the place of an answer where the image has ended, and the probe needs it running.
pub(crate) fn over(ended: Ended) -> answer::Outcome {
    answer::Outcome::None(format!("the image had ended ({ended})"))
}

/// Asks until the answer is good, the deadline is over, or `ended` says there is nobody to ask.
pub(crate) fn ask(
    probe: &Probe,
    scene: &Scene<'_>,
    deadline: Instant,
    ended: impl Fn() -> Option<Ended>,
) -> Answer {
    let mut heard: Option<(Answer, Duration)> = None;
    loop {
        let began = Instant::now();
        // Asked before: a program that ends while it is asked is asked once more, and a probe of
        // what it printed sees all of it.
        let gone = ended();
        if let Some(gone) = gone.filter(|_| probe.needs_it_running()) {
            // How it fails to be asked depends on the moment.
            return Answer::new(probe.text.clone(), over(gone));
        }
        let (found, outcome) = probe.ask.answer(scene, deadline);
        let answer = Answer {
            probe: found.unwrap_or_else(|| probe.text.clone()),
            good: probe.ask.is_good(&outcome),
            outcome,
        };
        if answer.is_good() || gone.is_some() {
            return answer;
        }
        // The last try may be cut short by the deadline: what was heard before says more, be it an
        // answer or why there was none, if it took longer to hear that.
        let is_none = |answer: &Answer| matches!(answer.outcome, answer::Outcome::None(_));
        let took = began.elapsed();
        if left(deadline) <= AGAIN {
            let says_more = |(before, it_took): &(Answer, Duration)| {
                is_none(&answer) && (!is_none(before) || *it_took > took)
            };
            return match heard.filter(says_more) {
                Some((before, _)) => before,
                None => answer,
            };
        }
        if !is_none(&answer) || heard.as_ref().is_none_or(|(before, _)| is_none(before)) {
            heard = Some((answer, took));
        }
        std::thread::sleep(AGAIN);
    }
}

/// Time until the deadline; never nothing, because the kernel takes 0 for "for ever".
fn left(deadline: Instant) -> Duration {
    deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1))
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(format!("`{text}` is no port (1 to 65535)")),
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Probe({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_written_back_as_it_was_read() {
        for (text, port) in [
            ("http:/", None),
            ("http:/a?b=c", None),
            ("http://:8080/", Some(8080)),
            ("http://:8080", Some(8080)),
            ("https://:8443/x", Some(8443)),
            ("http:/x -X PUT -H 'A: b' -d \"c\\r\" status=200,204", None),
            ("http:/ crawl=50 depth=2", None),
            ("tcp:5432", Some(5432)),
            ("tcp:6379 send=\"PING\\r\\n\" expect=+PONG", Some(6379)),
            ("cmd:curl -fsS http://127.0.0.1:$PROBE_PORT/", None),
        ] {
            let probe = Probe::parse(text).unwrap();
            assert_eq!((probe.to_string().as_str(), probe.port()), (text, port));
        }
    }

    #[test]
    fn what_is_no_probe_says_why() {
        for (text, why) in [
            ("", "give one of: "),
            ("ftp:/", "give one of: "),
            ("/", "give one of: "),
            ("http:", "the path must begin with `/`"),
            ("http:index.html", "the path must begin with `/`"),
            ("http://example.org/", "a host cannot be named"),
            ("http://:0/", "`0` is no port"),
            ("http://:70000/", "`70000` is no port"),
            ("http:/a b", "`b` is no option"),
            ("http:/a\u{1}", "the path cannot be asked for"),
            (
                "http:/ status=600",
                "status is `600` and no number from 100 to 599",
            ),
            ("http:/ -H x", "the header `x` has no colon"),
            ("http:/ -H 'a b: c'", "the header `a b: c`"),
            ("http:/ -X", "the method is missing"),
            ("http:/ crawl=0", "crawl is `0`"),
            ("http:/ depth=2", "depth is for a crawl"),
            ("http:/ speed=2", "`speed` is no option of it"),
            ("https://host/", "write https://:PORT/PATH"),
            ("tcp:", "`` is no port"),
            ("tcp:1 send", "`send` is no option; options are NAME=VALUE"),
            ("tcp:1 send=", "send is empty"),
            ("tcp:1 hear=x", "`hear` is no option of it"),
            ("tcp:http", "`http` is no port"),
            ("cmd: ", "the command is empty"),
            ("exec: ", "the program is missing"),
            ("exec:'' x", "the program is missing"),
            ("exec:a \\0", "a word has a zero byte"),
            ("cmd:a\0b", "the command has a zero byte"),
        ] {
            let error = Probe::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_every_help_begins_with_its_name() {
        assert!(PROBES.is_sorted_by_key(|row| row.id));
        for row in PROBES {
            assert!(row.help.starts_with(&format!("{}:", row.id)), "{}", row.id);
        }
    }
}
