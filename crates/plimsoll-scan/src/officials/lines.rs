//! What the table of lines says of a tag.

use jiff::civil::Date;

use super::Rebuilt;
use super::table::{Line, OFFICIALS, Official};

/// Tags without a version that are the newest release, in whatever form.
pub(super) const MOVING: &[&str] = &[
    "alpine", "current", "latest", "lts", "mainline", "slim", "stable",
];

/// Whether a tag of this image is still rebuilt.
pub(super) fn judge(official: &Official, tag: &str, today: Date) -> Rebuilt {
    let name = &official.name;
    let line = official.line_of(tag);
    if let Some(given_up) = official.gone {
        return gone(official, given_up, line, tag);
    }
    let over = |until: Date, version: &str| Rebuilt::No {
        since: Some(until),
        why: format!("{name} {version} gets no fixes since {until}"),
        // The newest line would be that of the table's day.
        instead: Some(official.instead.as_ref().unwrap_or(name).clone()),
    };
    let version = tag.split('-').next().unwrap_or(tag);
    if let Some(line) = line {
        let lives = match line.until {
            Some(until) if today > until => return over(until, &line.version),
            Some(until) => format!("{name} {} gets fixes until {until}", line.version),
            None => format!("{name} {} got fixes on {}", line.version, OFFICIALS.as_of()),
        };
        // The tag of one release stays what it is once the next is out.
        return match version == line.version {
            true => Rebuilt::Yes { why: lives },
            false => Rebuilt::Unknown {
                why: format!("{lives}, but {version} is one release of it"),
            },
        };
    }
    // A tag that moves from line to line: `3`, `latest`, `slim`. That all of the lines we know are over
    // says nothing: there may be younger ones.
    let moves_among = |line: &&Line| {
        let rest = line.version.strip_prefix(version);
        let lives = line.until.is_none_or(|until| today <= until);
        lives && (MOVING.contains(&version) || rest.is_some_and(|rest| rest.starts_with('.')))
    };
    match official.lines.iter().rev().find(moves_among) {
        Some(line) => Rebuilt::Yes {
            why: format!(
                "it moves with the releases of {name}, of which {} is alive",
                line.version
            ),
        },
        None => Rebuilt::Unknown {
            why: format!("no line of {name} in our table fits `{tag}`"),
        },
    }
}

/// An image that was given up, on a day that may be known.
fn gone(official: &Official, given_up: Option<Date>, line: Option<&Line>, tag: &str) -> Rebuilt {
    let name = &official.name;
    if let Some(except) = &official.except
        && tag.split('-').any(|part| part == except)
    {
        return Rebuilt::Unknown {
            why: format!("the image `{name}` was given up but for its tags with `{except}`"),
        };
    }
    let of_line = line.and_then(|line| Some((&line.version, line.until?)));
    let (since, why) = match (of_line, given_up) {
        (Some((version, until)), _) => (
            Some(until),
            format!("the image `{name}` was given up; its {version} gets no fixes since {until}"),
        ),
        (None, Some(day)) => (
            Some(day),
            format!("the image `{name}` was given up on {day}"),
        ),
        (None, None) => (None, format!("the image `{name}` was given up")),
    };
    Rebuilt::No {
        since,
        why,
        instead: official.instead.clone(),
    }
}
