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
        differences.extend(compare_answer(&[one, two], other));
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

/// What `result` answers otherwise than the original, to the first one's probe. What differs between any
/// two answers of the original differs by itself; without an answer of it there is nothing to compare.
pub fn compare_answer(originals: &[&Answer], result: &Answer) -> Vec<Difference> {
    let Some(first) = originals.first() else {
        return Vec::new();
    };
    let outcomes: Vec<&Outcome> = originals.iter().map(|answer| &answer.outcome).collect();
    let differences = outcome(&outcomes, &result.outcome).into_iter();
    differences
        .map(|how| Difference {
            of: first.probe.clone(),
            how,
        })
        .collect()
}

fn exit(code: Option<i32>) -> String {
    code.map_or_else(
        || "running until stopped".to_owned(),
        |code| code.to_string(),
    )
}

/// Response fields that change with the clock, even where two runs fell into one second.
const CLOCKED: &[&str] = &["age", "date", "expires"];

fn outcome(originals: &[&Outcome], other: &Outcome) -> Vec<String> {
    if let (Some(all), Some(now)) = (each(originals, http), http(other)) {
        return answers(&all, &now);
    }
    if let (Some(all), Some(now)) = (each(originals, greeting), greeting(other)) {
        return content("the greeting", &all, now).into_iter().collect();
    }
    if let (Some(all), Some(now)) = (each(originals, end), end(other)) {
        return ends(&all, now).into_iter().collect();
    }
    if let (Some(all), Some(now)) = (each(originals, crawl), crawl(other)) {
        return pages(&all, now);
    }
    // It failed in the original already, or failed once: nothing to be equal to.
    let mut kinds = originals.iter().map(|outcome| kind(outcome));
    let now = kind(other);
    match kinds.next() {
        Some(was) if was != now && kinds.all(|kind| kind == was) => {
            let why = match other {
                Outcome::None(why) => format!(" ({why})"),
                _ => String::new(),
            };
            vec![format!("{was} became {now}{why}")]
        }
        _ => Vec::new(),
    }
}

/// What `part` finds in each of them, where it finds something in all.
fn each<'a, T>(outcomes: &[&'a Outcome], part: fn(&'a Outcome) -> Option<T>) -> Option<Vec<T>> {
    outcomes.iter().map(|outcome| part(outcome)).collect()
}

/// An answer of HTTP.
struct Http<'a> {
    status: u16,
    headers: &'a Fields,
    body: &'a [u8],
}

fn http(outcome: &Outcome) -> Option<Http<'_>> {
    match outcome {
        Outcome::Http {
            status,
            headers,
            body,
        } => Some(Http {
            status: *status,
            headers,
            body,
        }),
        _ => None,
    }
}

fn greeting(outcome: &Outcome) -> Option<&[u8]> {
    match outcome {
        Outcome::Tcp { greeting } => Some(greeting),
        _ => None,
    }
}

fn end(outcome: &Outcome) -> Option<(i32, &[u8])> {
    match outcome {
        Outcome::Exit { code, output } => Some((*code, output)),
        _ => None,
    }
}

fn crawl(outcome: &Outcome) -> Option<&Pages> {
    match outcome {
        Outcome::Pages(pages) => Some(pages),
        _ => None,
    }
}

type Pages = BTreeMap<String, Outcome>;

fn answers(all: &[Http<'_>], now: &Http<'_>) -> Vec<String> {
    let mut how = Vec::new();
    let mut statuses: Vec<String> = all.iter().map(|one| one.status.to_string()).collect();
    statuses.dedup();
    // What varies by itself varies between these, and not to anything.
    if all.iter().all(|one| one.status != now.status) {
        how.push(format!(
            "status {} became {}",
            statuses.join(" or "),
            now.status
        ));
    }
    let headers: Vec<&Fields> = all.iter().map(|one| one.headers).collect();
    let bodies: Vec<&[u8]> = all.iter().map(|one| one.body).collect();
    let same_bodies = bodies.windows(2).all(|pair| pair[0] == pair[1]);
    how.extend(fields(&headers, now.headers, same_bodies));
    // Another status has another body; once is enough.
    if how.is_empty() && statuses.len() == 1 {
        how.extend(content("the body", &bodies, now.body));
    }
    how
}

fn ends(all: &[(i32, &[u8])], (code, output): (i32, &[u8])) -> Option<String> {
    let (was, _) = all.first()?;
    if *was != code && all.iter().all(|(other, _)| other == was) {
        let said = String::from_utf8_lossy(output);
        let said = said
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default();
        let said = text::printable(said.as_bytes());
        return Some(format!("exit code {was} became {code} ({said})"));
    }
    let outputs: Vec<&[u8]> = all.iter().map(|(_, output)| *output).collect();
    content("the output", &outputs, output)
}

/// Pages that all crawls of the original met must be there, and be the same. A new page is told by
/// the page that leads to it.
fn pages(all: &[&Pages], now: &Pages) -> Vec<String> {
    let mut how = Vec::new();
    for path in all.iter().take(1).flat_map(|first| first.keys()) {
        let originals: Option<Vec<&Outcome>> = all.iter().map(|pages| pages.get(path)).collect();
        let Some(originals) = originals else {
            continue;
        };
        let path_shown = text::printable(path.as_bytes());
        match now.get(path) {
            None => how.push(format!("no link leads to {path_shown} any more")),
            Some(other) => {
                let found = outcome(&originals, other);
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

fn fields(all: &[&Fields], other: &Fields, same_bodies: bool) -> Vec<String> {
    let mut how = Vec::new();
    let Some((one, rest)) = all.split_first() else {
        return how;
    };
    let is_in_all = |name: &String| rest.iter().all(|fields| fields.contains_key(name));
    for (name, value) in one.iter().filter(|(name, _)| is_in_all(name)) {
        match other.get(name) {
            None => how.push(format!("header {name} is missing")),
            Some(now) => {
                let varies = rest.iter().any(|fields| fields.get(name) != Some(value))
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
        if all.iter().all(|fields| !fields.contains_key(name)) {
            how.push(format!("header {name} is new"));
        }
    }
    how
}

/// The first place where `other` differs from what `all` have in common.
fn content(what: &str, all: &[&[u8]], other: &[u8]) -> Option<String> {
    if all.contains(&other) {
        return None;
    }
    let lines = |bytes| -> Vec<&[u8]> { <[u8]>::split(bytes, |&byte| byte == b'\n').collect() };
    let all: Vec<Vec<&[u8]>> = all.iter().map(|bytes| lines(bytes)).collect();
    let other = lines(other);
    let (one, rest) = all.split_first()?;
    if rest.iter().any(|two| two.len() != one.len()) {
        // Lines come and go by themselves: those in all must be there, wherever.
        let there: BTreeSet<&[u8]> = other.iter().copied().collect();
        let rest: Vec<BTreeSet<&[u8]>> = rest
            .iter()
            .map(|lines| lines.iter().copied().collect())
            .collect();
        let in_all = |line: &[u8]| rest.iter().all(|lines| lines.contains(line));
        let lost = one
            .iter()
            .find(|line| in_all(line) && !there.contains(*line))?;
        return Some(format!("{what} lacks the line `{}`", shortened(lost)));
    }
    if one.len() != other.len() {
        return Some(format!(
            "{what} has {} lines instead of {}",
            other.len(),
            one.len()
        ));
    }
    let numbers_vary = rest.iter().any(|two| {
        let mut pairs = one.iter().zip(two);
        pairs.any(|(one, two)| number_varies(one, two))
    });
    for (index, other) in other.iter().enumerate() {
        let originals: Vec<&[u8]> = all
            .iter()
            .filter_map(|lines| lines.get(index).copied())
            .collect();
        if !alike(&originals, other, numbers_vary) {
            return Some(format!(
                "{what} differs in line {}: `{}` became `{}`",
                index + 1,
                shortened(one.get(index).copied().unwrap_or_default()),
                shortened(other)
            ));
        }
    }
    None
}

/// Whether a line says what lines of the original have in common.
///
/// Where a number of the text was seen to vary, all its numbers are free: a counter or a load that
/// happened to be the same twice need not be the next time. So are those beside a time of day.
fn alike(all: &[&[u8]], other: &[u8], numbers_vary: bool) -> bool {
    if all.contains(&other) {
        return true;
    }
    let has_free_numbers = numbers_vary || all.iter().all(|line| tells_time(line));
    let all: Vec<Vec<&[u8]>> = all.iter().map(|line| words(line)).collect();
    let other = words(other);
    let Some((one, rest)) = all.split_first() else {
        return true;
    };
    // Another number of words by itself: the line as a whole varies.
    if rest.iter().any(|two| two.len() != one.len()) {
        return true;
    }
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .enumerate()
            .all(|(at, (one, other))| {
                let varies = rest.iter().any(|two| two.get(at) != Some(one));
                let is_free = has_free_numbers && is_number(one) && is_number(other);
                varies || one == other || is_free
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
