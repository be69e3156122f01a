//! The numbers of two images side by side, and how they compare in words.

use plimsoll_model::report::Comparison;
use plimsoll_model::text::{bytes, count};

/// What is counted, before, after, and the change.
pub(crate) fn rows(facts: &Comparison) -> impl Iterator<Item = [String; 4]> {
    let (before, after) = (&facts.before, &facts.after);
    let number = |name: &str, before: u64, after: u64, shown: fn(u64) -> String| {
        [
            name.to_owned(),
            shown(before),
            shown(after),
            change(before as f64, after as f64),
        ]
    };
    let mut rows = vec![
        number("bytes", before.bytes, after.bytes, bytes),
        number("bytes to pull", before.compressed, after.compressed, bytes),
        number("files", before.files, after.files, count),
        number("packages", before.packages, after.packages, count),
    ];
    for (name, before, after) in [
        ("shells", &before.shells, &after.shells),
        (
            "package managers",
            &before.package_managers,
            &after.package_managers,
        ),
        ("network tools", &before.network_tools, &after.network_tools),
        ("set-uid files", &before.setuid, &after.setuid),
    ] {
        rows.push(number(name, before.len() as u64, after.len() as u64, count));
    }
    if facts.before_ready.is_some() || facts.after_ready.is_some() {
        rows.push(ready(facts.before_ready, facts.after_ready));
    }
    rows.into_iter()
}

/// An image is looked at some fifty times a second, on a machine that does other things as well: of
/// fewer seconds than this no ratio is made.
const NOISE: f64 = 0.1;

/// Seconds to the first answer.
fn ready(before: Option<f64>, after: Option<f64>) -> [String; 4] {
    let shown = |seconds: Option<f64>| match seconds {
        Some(seconds) => format!("{seconds:.2}"),
        None => "not run".to_owned(),
    };
    let name = "seconds to the first answer".to_owned();
    let change = match (before, after) {
        // What looks alike is no difference worth a word.
        (Some(_), Some(_)) if shown(before) == shown(after) => "the same".to_owned(),
        (Some(before), Some(after)) if (before - after).abs() < NOISE => {
            "about the same".to_owned()
        }
        (Some(before), Some(after)) => change(before, after),
        _ => String::new(),
    };
    [name, shown(before), shown(after), change]
}

/// How the second compares with the first, in words: a factor from two up, else per cent.
fn change(before: f64, after: f64) -> String {
    let (less, more) = (before / after, after / before);
    if before == after {
        "the same".to_owned()
    } else if after == 0.0 {
        "gone".to_owned()
    } else if before == 0.0 {
        "new".to_owned()
    } else if less >= 2.0 {
        format!("{} times less", factor(less))
    } else if more >= 2.0 {
        format!("{} times more", factor(more))
    } else if after < before {
        percent(1.0 - after / before, "less")
    } else {
        percent(after / before - 1.0, "more")
    }
}

/// Two significant digits, and no `.0`.
fn factor(times: f64) -> String {
    let decimals = if times < 9.95 { 1 } else { 0 };
    let text = format!("{times:.decimals$}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn percent(part: f64, word: &str) -> String {
    let percent = part * 100.0;
    if percent < 0.5 {
        format!("a little {word}")
    } else {
        format!("{percent:.0} % {word}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ratio_is_made_of_moments() {
        let words = |before, after| ready(Some(before), Some(after))[3].clone();
        assert_eq!(words(0.02, 0.02), "the same");
        assert_eq!(words(0.02, 0.05), "about the same");
        assert_eq!(words(1.0, 2.5), "2.5 times more");
        assert_eq!(ready(Some(1.0), None)[3], "");
    }
}
