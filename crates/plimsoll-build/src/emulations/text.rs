//! Text: `cat`, `grep`, `sed`, `cut` and what else scripts pipe through.

mod sed;

use regex::bytes::{Regex, RegexBuilder};

use super::{Options, emulation};
use crate::shell::{Shell, Stop};

emulation! {
    /// Scripts take lines apart to learn something from a file.
    ///
    /// `cat`, `tee`, `head`, `tail`, `sort`, `uniq`, `wc`, `cut`, `tr`, `md5sum`, `grep` (`egrep`,
    /// `fgrep`) and `sed` work on the input or on files of the tree. Of `sed` the commands `s`, `p`,
    /// `d`, `q` with an optional address (`N`, `$`, `/RE/`) are known, with `-n`, `-e`, `-E`, `-i`.
    /// Anything else is reported.
    id: "text",
    commands: &[
        "cat", "cut", "egrep", "fgrep", "grep", "head", "md5sum", "sed", "sort", "tail", "tee",
        "tr", "uniq", "wc",
    ],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let name = words[0].rsplit('/').next().unwrap_or_default();
    let rest = &words[1..];
    match name {
        "grep" | "egrep" | "fgrep" => return grep(shell, name, rest),
        "sed" => return sed::run(shell, rest),
        "tr" => return Ok(translate(shell, rest)),
        _ => {}
    }
    let valued: &[&str] = match name {
        "head" | "tail" => &["n", "c", "lines", "bytes"],
        "cut" => &["d", "f", "c", "delimiter", "fields", "characters"],
        "sort" => &["k", "t", "o"],
        _ => &[],
    };
    let rest: Vec<String> = match name {
        // `head -1` is an old way to write `head -n 1`.
        "head" | "tail" => rest
            .iter()
            .map(|word| match word.strip_prefix('-') {
                Some(digits) if digits.parse::<u32>().is_ok() => format!("-n{digits}"),
                _ => word.clone(),
            })
            .collect(),
        _ => rest.to_vec(),
    };
    let options = Options::new(&rest, valued);
    if name == "tee" {
        let bytes = shell.take_input();
        for file in &options.operands {
            let path = shell.path(file);
            let mut all = Vec::new();
            if options.has(&["a", "append"]) {
                all = shell.stage.read(&path).unwrap_or_default();
            }
            all.extend_from_slice(&bytes);
            shell.write(&path, &all)?;
        }
        shell.print(&bytes);
        return Ok(0);
    }
    if name == "md5sum" {
        return Ok(md5sum(shell, &options));
    }
    let Some(bytes) = input(shell, &options.operands) else {
        return Ok(1);
    };
    let lines = || bytes.split_inclusive(|&byte| byte == b'\n');
    let printed: Vec<u8> = match name {
        "cat" => bytes,
        "head" | "tail" => {
            let count = options
                .value(&["n", "lines"])
                .and_then(|text| text.parse().ok());
            let count: usize = count.unwrap_or(10);
            let all: Vec<&[u8]> = lines().collect();
            let range = match name {
                "head" => 0..count.min(all.len()),
                _ => all.len().saturating_sub(count)..all.len(),
            };
            all[range].concat()
        }
        "sort" | "uniq" => {
            let mut all: Vec<Vec<u8>> = lines()
                .map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec())
                .collect();
            if name == "sort" {
                if !options.others(&["u", "unique", "r"]).is_empty() {
                    shell.report(format!("`{}` is not emulated", words.join(" ")));
                }
                all.sort();
                if options.has(&["r"]) {
                    all.reverse();
                }
            } else if options.has(&["c"]) {
                shell.report("`uniq -c` is not emulated".to_owned());
            }
            if name == "uniq" || options.has(&["u", "unique"]) {
                all.dedup();
            }
            all.into_iter()
                .flat_map(|line| [line, b"\n".to_vec()].concat())
                .collect()
        }
        "wc" => {
            let count = match () {
                () if options.has(&["c"]) => bytes.len(),
                () if options.has(&["w"]) => {
                    String::from_utf8_lossy(&bytes).split_whitespace().count()
                }
                () => bytes.iter().filter(|&&byte| byte == b'\n').count(),
            };
            format!("{count}\n").into_bytes()
        }
        _ => cut(&bytes, &options),
    };
    shell.print(&printed);
    Ok(0)
}

/// The files named, one after the other, or the input.
pub(super) fn input(shell: &mut Shell<'_>, files: &[&str]) -> Option<Vec<u8>> {
    if files.is_empty() {
        return Some(shell.take_input());
    }
    let mut all = Vec::new();
    for file in files {
        if *file == "-" {
            all.extend(shell.take_input());
        } else {
            all.extend(shell.stage.read(&shell.path(file)).ok()?);
        }
    }
    Some(all)
}

fn md5sum(shell: &mut Shell<'_>, options: &Options<'_>) -> i32 {
    let files = if options.operands.is_empty() {
        vec!["-"]
    } else {
        options.operands.clone()
    };
    let mut status = 0;
    for file in files {
        match input(shell, &[file]) {
            Some(bytes) => {
                let line = format!("{}  {file}\n", crate::dpkg::md5(&bytes));
                shell.print(line.as_bytes());
            }
            None => status = 1,
        }
    }
    status
}

/// `cut -d X -f LIST` or `cut -c LIST`.
fn cut(bytes: &[u8], options: &Options<'_>) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let delimiter = options.value(&["d", "delimiter"]).unwrap_or("\t");
    let by_field = options.value(&["f", "fields"]);
    let list = by_field
        .or(options.value(&["c", "characters"]))
        .unwrap_or("1-");
    let wanted = |index: usize| {
        list.split(',').any(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let from = from.parse().unwrap_or(1);
            let to = to.parse().unwrap_or(usize::MAX);
            (from..=to).contains(&index)
        })
    };
    let mut printed = String::new();
    for line in text.lines() {
        if by_field.is_none() {
            let kept = line
                .chars()
                .enumerate()
                .filter(|(index, _)| wanted(index + 1));
            printed.extend(kept.map(|(_, character)| character));
        } else if line.contains(delimiter) {
            let fields = line.split(delimiter).enumerate();
            let kept: Vec<&str> = fields
                .filter(|(i, _)| wanted(i + 1))
                .map(|(_, f)| f)
                .collect();
            printed.push_str(&kept.join(delimiter));
        } else {
            printed.push_str(line);
        }
        printed.push('\n');
    }
    printed.into_bytes()
}

fn translate(shell: &mut Shell<'_>, rest: &[String]) -> i32 {
    let delete = rest.iter().any(|word| word == "-d");
    let squeeze = rest.iter().any(|word| word == "-s");
    let sets: Vec<Vec<char>> = rest
        .iter()
        .filter(|word| !matches!(word.as_str(), "-d" | "-s"))
        .map(|w| set(w))
        .collect();
    let input = shell.take_input();
    let text = String::from_utf8_lossy(&input);
    let (from, to) = (sets.first(), sets.get(1));
    let mut printed = String::new();
    for character in text.chars() {
        let index = from.and_then(|from| from.iter().position(|&c| c == character));
        let translated = match (index, to) {
            (Some(_), _) if delete => continue,
            (Some(index), Some(to)) => to.get(index).or(to.last()).copied().unwrap_or(character),
            _ => character,
        };
        if !(squeeze && index.is_some() && printed.ends_with(translated)) {
            printed.push(translated);
        }
    }
    shell.print(printed.as_bytes());
    0
}

/// A set of `tr`: ranges, classes, escapes.
fn set(text: &str) -> Vec<char> {
    match text {
        "[:upper:]" => return ('A'..='Z').collect(),
        "[:lower:]" => return ('a'..='z').collect(),
        "[:digit:]" => return ('0'..='9').collect(),
        "[:space:]" => return " \t\n\r\x0b\x0c".chars().collect(),
        _ => {}
    }
    let text = text
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\\\", "\\");
    let characters: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        match (characters.get(at + 1), characters.get(at + 2)) {
            (Some('-'), Some(&last)) if last >= characters[at] => {
                all.extend(characters[at]..=last);
                at += 3;
            }
            _ => {
                all.push(characters[at]);
                at += 1;
            }
        }
    }
    all
}

fn grep(shell: &mut Shell<'_>, name: &str, rest: &[String]) -> Result<i32, Stop> {
    let options = Options::new(rest, &["e", "regexp", "m", "A", "B", "C"]);
    let known = [
        "q",
        "quiet",
        "silent",
        "s",
        "no-messages",
        "v",
        "invert-match",
        "x",
        "line-regexp",
        "w",
        "word-regexp",
        "i",
        "ignore-case",
        "F",
        "fixed-strings",
        "E",
        "extended-regexp",
        "e",
        "regexp",
        "c",
        "count",
        "o",
        "h",
        "no-filename",
        "l",
        "a",
        "text",
    ];
    if !options.others(&known).is_empty() {
        shell.report(format!("`grep {}` is not emulated", rest.join(" ")));
        return Ok(1);
    }
    let mut operands = options.operands.clone();
    let pattern = match options.value(&["e", "regexp"]) {
        Some(pattern) => pattern,
        None if operands.is_empty() => return Ok(2),
        None => operands.remove(0),
    };
    let fixed = name == "fgrep" || options.has(&["F", "fixed-strings"]);
    let extended = name == "egrep" || options.has(&["E", "extended-regexp"]);
    let mut source = match (fixed, extended) {
        (true, _) => regex::escape(pattern),
        (_, true) => pattern.to_owned(),
        _ => from_basic(pattern),
    };
    if options.has(&["w", "word-regexp"]) {
        source = format!(r"\b(?:{source})\b");
    }
    if options.has(&["x", "line-regexp"]) {
        source = format!("^(?:{source})$");
    }
    let Some(regex) = compile(&source, options.has(&["i", "ignore-case"])) else {
        shell.report(format!("the expression `{pattern}` is not understood"));
        return Ok(2);
    };
    let Some(bytes) = input(shell, &operands) else {
        return Ok(2);
    };
    let inverted = options.has(&["v", "invert-match"]);
    let mut printed = Vec::new();
    let mut count = 0;
    for line in bytes.split(|&byte| byte == b'\n').take(lines_in(&bytes)) {
        if regex.is_match(line) != inverted {
            count += 1;
            let found = regex.find(line).filter(|_| options.has(&["o"]));
            printed.extend_from_slice(found.map_or(line, |found| found.as_bytes()));
            printed.push(b'\n');
        }
    }
    if options.has(&["c", "count"]) {
        printed = format!("{count}\n").into_bytes();
    }
    if !options.has(&["q", "quiet", "silent"]) {
        shell.print(&printed);
    }
    Ok(i32::from(count == 0))
}

/// How many lines there are: what follows the last line end is one only if it is not empty.
pub(super) fn lines_in(bytes: &[u8]) -> usize {
    bytes.split_inclusive(|&byte| byte == b'\n').count()
}

/// Compiles an expression, with a limit on its size.
pub(super) fn compile(source: &str, ignore_case: bool) -> Option<Regex> {
    RegexBuilder::new(source)
        .case_insensitive(ignore_case)
        .unicode(false)
        .size_limit(1 << 20)
        .build()
        .ok()
}

/// A basic regular expression (POSIX.1-2024 XBD 9.3, with GNU's `\+ \? \|`) in the syntax of
/// extended ones.
pub(super) fn from_basic(pattern: &str) -> String {
    let mut result = String::new();
    let mut characters = pattern.chars().peekable();
    let mut start = true;
    while let Some(character) = characters.next() {
        let was_start = std::mem::replace(&mut start, false);
        match character {
            '\\' => match characters.next() {
                Some(special @ ('(' | '{' | '|')) => {
                    result.push(special);
                    start = special != '{';
                }
                Some(special @ (')' | '}' | '+' | '?')) => result.push(special),
                Some('<' | '>') => result.push_str(r"\b"),
                Some(other) => {
                    result.push('\\');
                    result.push(other);
                }
                None => result.push_str(r"\\"),
            },
            '(' | ')' | '{' | '}' | '+' | '?' | '|' => {
                result.push('\\');
                result.push(character);
            }
            // A star at the start stands for itself.
            '*' if was_start => result.push_str(r"\*"),
            '[' => {
                result.push('[');
                let mut first = true;
                while let Some(inner) = characters.next() {
                    match inner {
                        '^' if first => {
                            result.push('^');
                            continue;
                        }
                        ']' if !first => break,
                        ']' => result.push_str(r"\]"),
                        '\\' => result.push_str(r"\\"),
                        '[' if characters.peek() == Some(&':') => {
                            result.push('[');
                            for inner in characters.by_ref() {
                                result.push(inner);
                                if inner == ']' {
                                    break;
                                }
                            }
                        }
                        '[' => result.push_str(r"\["),
                        other => result.push(other),
                    }
                    first = false;
                }
                result.push(']');
            }
            '^' => {
                // An anchor only at the start.
                result.push_str(if was_start { "^" } else { r"\^" });
                start = was_start;
            }
            '$' if characters.peek().is_some() && !matches!(characters.peek(), Some('\\')) => {
                result.push_str(r"\$");
            }
            other => result.push(other),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_expressions_become_extended_ones() {
        for (basic, text, expected) in [
            ("^shadow:[^:]*:42", "shadow:x:42:", true),
            ("a+b", "a+b", true),
            (r"a\+b", "aab", true),
            ("*a", "*a", true),
            (r"^\(ab\)*$", "abab", true),
            ("a{2}", "aa", false),
            (r"a\{2\}", "aa", true),
            ("[]x]", "]", true),
            ("[[:space:]]", " ", true),
            ("x$y", "x$y", true),
        ] {
            let regex = compile(&from_basic(basic), false).unwrap();
            assert_eq!(regex.is_match(text.as_bytes()), expected, "{basic}");
        }
    }

    #[test]
    fn sets_have_ranges_and_classes() {
        assert_eq!(set("a-c_"), ['a', 'b', 'c', '_']);
        assert_eq!(set("[:digit:]").len(), 10);
        assert_eq!(set("\\n"), ['\n']);
    }
}
