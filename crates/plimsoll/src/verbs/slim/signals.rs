//! The signal that asks an image to end, as its configuration names it.

/// Signals of Linux by name (`signal(7)`; the numbers are those of every architecture plimsoll
/// builds for).
const SIGNALS: [(&str, i32); 34] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
];
/// The real-time signals an application may use, as C libraries and runtimes number them.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// The number of a signal that is named as runtimes take it: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`.
pub(super) fn number(text: &str) -> Option<i32> {
    let name = text.trim().to_ascii_uppercase();
    if let Ok(number) = name.parse::<i32>() {
        return (1..=*REAL_TIME.end()).contains(&number).then_some(number);
    }
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let real_time = |rest: &str, sign: char, base: i32| {
        let more = match rest {
            "" => 0,
            _ => rest.strip_prefix(sign)?.parse::<u8>().ok()?.into(),
        };
        let number = if sign == '+' {
            base + more
        } else {
            base - more
        };
        REAL_TIME.contains(&number).then_some(number)
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return real_time(rest, '+', *REAL_TIME.start());
    }
    if let Some(rest) = name.strip_prefix("RTMAX") {
        return real_time(rest, '-', *REAL_TIME.end());
    }
    let known = SIGNALS.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_signals_have_names_and_numbers() {
        for (text, expected) in [
            ("SIGWINCH", Some(28)),
            ("QUIT", Some(3)),
            ("sigterm", Some(15)),
            ("9", Some(9)),
            ("SIGABRT", Some(6)),
            ("SIGRTMIN+3", Some(37)),
            ("RTMIN", Some(34)),
            ("SIGRTMAX-1", Some(63)),
            ("SIGRTMIN+31", None),
            ("SIGRTMIN-1", None),
            ("SIGNOTHING", None),
            ("0", None),
            ("99", None),
            ("", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
