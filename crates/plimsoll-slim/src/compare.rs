//! Whether the slim image behaves as the original: its answers, ports, user and end, with what
//! differs between two runs of the original masked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use plimsoll_model::answer::Outcome;
use plimsoll_model::{Answer, text};

/// What one run showed.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The answers to the probes, in the order they were asked.
    pub answers: &'a [Answer],
    /// The TCP ports that were listened on.
    pub listening: &'a [u16],
    /// What ran when the probes were done, and as whom: `/usr/sbin/apache2 33:33`, each kind once.
    pub running_as: &'a [String],
    /// How the application ended by itself; `None` where it was stopped.
    pub exit: Option<i32>,
}

/// One thing the slim image does differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs: a probe as the user wrote it, or `listening ports`,
    /// `what runs, and as whom`, `exit code`.
    pub of: String,
    /// How, as a phrase: `status 200 became 500`.
    pub how: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.of, self.how)
    }
}

/// What `result`, a run of the slim image, does differently from two runs of the original.
///
/// What differs between the two runs of the original differs by itself and says nothing: a status,
/// a header, a line, a word of a line. The rest must be equal: statuses, the set of headers and
/// their values, bodies, greetings, exit codes and output, ports, user.
pub fn compare(first: &Run<'_>, second: &Run<'_>, result: &Run<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (index, one) in first.answers.iter().enumerate() {
        let two = second.answers.get(index);
        let other = result.answers.get(index);
        let (Some(two), Some(other)) = (two, other) else {
            differences.push(Difference {
                of: one.probe.clone(),
                how: "it was not asked in every run".to_owned(),
            });
            continue;
        };
        for how in outcome(&one.outcome, &two.outcome, &other.outcome) {
            let of = one.probe.clone();
            differences.push(Difference { of, how });
        }
    }
    let both: [BTreeSet<u16>; 3] =
        [first, second, result].map(|run| run.listening.iter().copied().collect());
    let [one, two, other] = &both;
    for port in one.intersection(two).filter(|port| !other.contains(port)) {
        let how = format!("{port} is not listened on any more");
        differences.push(Difference {
            of: "listening ports".to_owned(),
            how,
        });
    }
    // A port of its own every time is chosen by the kernel; otherwise a new one is news.
    if one == two {
        for port in other.difference(one) {
            let how = format!("{port} is listened on, and was not before");
            differences.push(Difference {
                of: "listening ports".to_owned(),
                how,
            });
        }
    }
    let [one, two, other] = [first, second, result].map(|run| {
        let kinds: BTreeSet<&str> = run.running_as.iter().map(String::as_str).collect();
        kinds
    });
    if one == two && one != other {
        let [was, now] = [one, other].map(|kinds| match kinds.len() {
            0 => "nothing".to_owned(),
            _ => kinds.into_iter().collect::<Vec<_>>().join(", "),
        });
        differences.push(Difference {
            of: "what runs, and as whom".to_owned(),
            how: format!("{was} became {now}"),
        });
    }
    if first.exit == second.exit && first.exit != result.exit {
        let how = format!("{} became {}", exit(first.exit), exit(result.exit));
        differences.push(Difference {
            of: "exit code".to_owned(),
            how,
        });
    }
    differences
}

fn exit(code: Option<i32>) -> String {
    code.map_or_else(
        || "running until stopped".to_owned(),
        |code| code.to_string(),
    )
}

/// Response fields that change with the clock, even where two runs fell into one second.
const CLOCKED: &[&str] = &["age", "date", "expires"];

fn outcome(one: &Outcome, two: &Outcome, other: &Outcome) -> Vec<String> {
    match (one, two, other) {
        (
            Outcome::Http {
                status: status_one,
                headers: headers_one,
                body: body_one,
            },
            Outcome::Http {
                status: status_two,
                headers: headers_two,
                body: body_two,
            },
            Outcome::Http {
                status,
                headers,
                body,
            },
        ) => {
            let mut how = Vec::new();
            if status_one == status_two && status_one != status {
                how.push(format!("status {status_one} became {status}"));
            }
            // What varies by itself varies between these two, and not to anything.
            if status_one != status_two && ![status_one, status_two].contains(&status) {
                how.push(format!(
                    "status {status_one} or {status_two} became {status}"
                ));
            }
            how.extend(fields(
                headers_one,
                headers_two,
                headers,
                body_one == body_two,
            ));
            // Another status has another body; once is enough.
            if how.is_empty() && status_one == status_two {
                how.extend(content("the body", body_one, body_two, body));
            }
            how
        }
        (
            Outcome::Tcp { greeting: one },
            Outcome::Tcp { greeting: two },
            Outcome::Tcp { greeting },
        ) => content("the greeting", one, two, greeting)
            .into_iter()
            .collect(),
        (
            Outcome::Exit {
                code: code_one,
                output: output_one,
            },
            Outcome::Exit {
                code: code_two,
                output: output_two,
            },
            Outcome::Exit { code, output },
        ) => {
            if code_one == code_two && code_one != code {
                let said = String::from_utf8_lossy(output);
                let said = said
                    .lines()
                    .rfind(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                let said = text::printable(said.as_bytes());
                return vec![format!("exit code {code_one} became {code} ({said})")];
            }
            let how = content("the output", output_one, output_two, output);
            how.into_iter().collect()
        }
        (Outcome::Pages(one), Outcome::Pages(two), Outcome::Pages(other)) => pages(one, two, other),
        // It failed in the original already, or failed once: nothing to be equal to.
        (Outcome::None(_), Outcome::None(_), Outcome::None(_)) => Vec::new(),
        (one, two, other) => {
            let kinds = [one, two, other].map(kind);
            if kinds[0] == kinds[1] && kinds[0] != kinds[2] {
                let why = match other {
                    Outcome::None(why) => format!(" ({why})"),
                    _ => String::new(),
                };
                vec![format!("{} became {}{why}", kinds[0], kinds[2])]
            } else {
                Vec::new()
            }
        }
    }
}

/// Pages that both crawls of the original met must be there, and be the same. A new page is told by
/// the page that leads to it.
fn pages(
    one: &BTreeMap<String, Outcome>,
    two: &BTreeMap<String, Outcome>,
    other: &BTreeMap<String, Outcome>,
) -> Vec<String> {
    let mut how = Vec::new();
    for (path, one) in one {
        let Some(two) = two.get(path) else {
            continue;
        };
        let path_shown = text::printable(path.as_bytes());
        match other.get(path) {
            None => how.push(format!("no link leads to {path_shown} any more")),
            Some(other) => {
                let found = outcome(one, two, other);
                how.extend(found.iter().map(|how| format!("{path_shown}: {how}")));
            }
        }
    }
    how
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Http { .. } => "an answer",
        Outcome::Pages(_) => "a crawl",
        Outcome::Tcp { .. } => "a connection",
        Outcome::Exit { .. } => "an end",
        Outcome::None(_) => "no answer",
    }
}

type Fields = BTreeMap<String, Vec<String>>;

fn fields(one: &Fields, two: &Fields, other: &Fields, same_bodies: bool) -> Vec<String> {
    let mut how = Vec::new();
    for (name, value) in one.iter().filter(|(name, _)| two.contains_key(*name)) {
        match other.get(name) {
            None => how.push(format!("header {name} is missing")),
            Some(now) => {
                let varies = two.get(name) != Some(value)
                    || CLOCKED.contains(&&**name)
                    || (name == "content-length" && !same_bodies);
                if !varies && now != value {
                    let (was, now) = (value.join(", "), now.join(", "));
                    let (was, now) = (
                        text::printable(was.as_bytes()),
                        text::printable(now.as_bytes()),
                    );
                    how.push(format!("header {name} `{was}` became `{now}`"));
                }
            }
        }
    }
    for name in other.keys() {
        if !one.contains_key(name) && !two.contains_key(name) {
            how.push(format!("header {name} is new"));
        }
    }
    how
}

/// The first place where `other` differs from what `one` and `two` have in common.
fn content(what: &str, one: &[u8], two: &[u8], other: &[u8]) -> Option<String> {
    if one == other || two == other {
        return None;
    }
    let lines = |bytes| -> Vec<&[u8]> { <[u8]>::split(bytes, |&byte| byte == b'\n').collect() };
    let (one, two, other) = (lines(one), lines(two), lines(other));
    if one.len() != two.len() {
        // Lines come and go by themselves: those in both must be there, wherever.
        let there: BTreeSet<&[u8]> = other.iter().copied().collect();
        let both: BTreeSet<&[u8]> = two.iter().copied().collect();
        let lost = one
            .iter()
            .find(|line| both.contains(*line) && !there.contains(*line))?;
        return Some(format!("{what} lacks the line `{}`", shortened(lost)));
    }
    if one.len() != other.len() {
        return Some(format!(
            "{what} has {} lines instead of {}",
            other.len(),
            one.len()
        ));
    }
    let numbers_vary = one
        .iter()
        .zip(&two)
        .any(|(one, two)| number_varies(one, two));
    for (number, ((one, two), other)) in one.iter().zip(&two).zip(&other).enumerate() {
        if !alike(one, two, other, numbers_vary) {
            return Some(format!(
                "{what} differs in line {}: `{}` became `{}`",
                number + 1,
                shortened(one),
                shortened(other)
            ));
        }
    }
    None
}

/// Whether a line says what two lines of the original have in common.
///
/// Where a number of the text was seen to vary, all its numbers are free: a counter or a load that
/// happened to be the same twice need not be the third time. So are those beside a time of day.
fn alike(one: &[u8], two: &[u8], other: &[u8], numbers_vary: bool) -> bool {
    if one == other || two == other {
        return true;
    }
    let has_free_numbers = numbers_vary || [one, two].iter().all(|line| tells_time(line));
    let (one, two, other) = (words(one), words(two), words(other));
    // Another number of words by itself: the line as a whole varies.
    if one.len() != two.len() {
        return true;
    }
    one.len() == other.len()
        && one.iter().zip(&two).zip(&other).all(|((one, two), other)| {
            let is_free = has_free_numbers && is_number(one) && is_number(other);
            one != two || one == other || is_free
        })
}

fn is_number(word: &[u8]) -> bool {
    word.iter()
        .all(|&byte| byte.is_ascii_digit() || byte == b'.')
        && word.last().is_some_and(u8::is_ascii_digit)
}

/// Whether two lines have the same words but for a number.
fn number_varies(one: &[u8], two: &[u8]) -> bool {
    let (one, two) = (words(one), words(two));
    let mut pairs = one.iter().zip(&two).filter(|(one, two)| one != two);
    one.len() == two.len() && pairs.any(|(one, two)| is_number(one) && is_number(two))
}

/// Runs of letters and digits (`.01` and `1.5` are numbers, as one word), and each other byte for
/// itself.
fn words(line: &[u8]) -> Vec<&[u8]> {
    let in_word = |at: usize| {
        let is_point = line[at] == b'.' && line.get(at + 1).is_some_and(u8::is_ascii_digit);
        line[at].is_ascii_alphanumeric() || is_point
    };
    let mut words = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let rest = (at..line.len()).take_while(|&at| in_word(at)).count();
        let end = at + rest.max(1);
        words.push(&line[at..end]);
        at = end;
    }
    words
}

/// Whether a line holds a time of day to the second: its numbers then change with the clock.
fn tells_time(line: &[u8]) -> bool {
    line.windows(8).any(|part| {
        part.iter().enumerate().all(|(index, byte)| match index {
            2 | 5 => *byte == b':',
            _ => byte.is_ascii_digit(),
        })
    })
}

fn shortened(line: &[u8]) -> String {
    const LONGEST: usize = 120;
    let text = text::printable(&line[..line.len().min(LONGEST)]);
    if line.len() > LONGEST {
        format!("{text}...")
    } else {
        text
    }
}
