//! The part of `sed` that maintainer scripts use.

use regex::bytes::Regex;

use super as text;
use crate::shell::{Shell, Stop};

enum Address {
    Any,
    Line(usize),
    Last,
    Matching(Regex),
}

enum Action {
    Substitute {
        what: Regex,
        by: Vec<u8>,
        all: bool,
        print: bool,
    },
    Print,
    Delete,
    Quit,
}

struct Instruction {
    address: Address,
    negated: bool,
    action: Action,
}

/// `sed [-n] [-E] [-i] [-e SCRIPT]... [SCRIPT] [FILE]...`
pub(super) fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let (mut quiet, mut extended, mut in_place) = (false, false, false);
    let mut scripts = Vec::new();
    let mut operands = Vec::new();
    let mut rest = words.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        match word {
            "-e" | "--expression" => scripts.extend(rest.next()),
            "-n" | "--quiet" => quiet = true,
            "-E" | "-r" | "--regexp-extended" => extended = true,
            "-i" | "--in-place" => in_place = true,
            "-ne" | "-en" => {
                quiet = true;
                scripts.extend(rest.next());
            }
            _ if word.starts_with("-e") => scripts.push(&word[2..]),
            _ if word.starts_with('-') && word.len() > 1 => {
                shell.report(format!("`sed {}` is not emulated", words.join(" ")));
                return Ok(0);
            }
            _ => operands.push(word),
        }
    }
    if scripts.is_empty() && !operands.is_empty() {
        scripts.push(operands.remove(0));
    }
    let mut instructions = Vec::new();
    for script in &scripts {
        if parse(script, extended, &mut instructions).is_none() {
            shell.report(format!("`sed {}` is not emulated", words.join(" ")));
            return Ok(0);
        }
    }
    if in_place {
        for file in operands {
            let path = shell.path(file);
            let Ok(bytes) = shell.stage.read(&path) else {
                return Ok(4);
            };
            let edited = edit(&bytes, &instructions, quiet);
            shell.write(&path, &edited)?;
        }
        return Ok(0);
    }
    let Some(bytes) = text::input(shell, &operands) else {
        return Ok(2);
    };
    let edited = edit(&bytes, &instructions, quiet);
    shell.print(&edited);
    Ok(0)
}

fn edit(bytes: &[u8], instructions: &[Instruction], quiet: bool) -> Vec<u8> {
    let count = text::lines_in(bytes);
    let mut printed = Vec::new();
    for (index, line) in bytes.split(|&byte| byte == b'\n').take(count).enumerate() {
        let mut line = line.to_vec();
        let (mut deleted, mut quits) = (false, false);
        for instruction in instructions {
            let chosen = match &instruction.address {
                Address::Any => true,
                Address::Line(number) => index + 1 == *number,
                Address::Last => index + 1 == count,
                Address::Matching(regex) => regex.is_match(&line),
            };
            if chosen == instruction.negated {
                continue;
            }
            match &instruction.action {
                Action::Substitute {
                    what,
                    by,
                    all,
                    print,
                } => {
                    let limit = usize::from(!all);
                    let replaced =
                        what.replacen(&line, limit, |found: &regex::bytes::Captures<'_>| {
                            fill(by, found)
                        });
                    let changed = what.is_match(&line);
                    line = replaced.into_owned();
                    if changed && *print {
                        printed.extend([&line[..], b"\n"].concat());
                    }
                }
                Action::Print => printed.extend([&line[..], b"\n"].concat()),
                Action::Delete => {
                    deleted = true;
                    break;
                }
                Action::Quit => quits = true,
            }
        }
        if !deleted && !quiet {
            printed.extend([&line[..], b"\n"].concat());
        }
        if quits {
            break;
        }
    }
    printed
}

/// The replacement with `&` and `\1` to `\9` filled in.
fn fill(by: &[u8], found: &regex::bytes::Captures<'_>) -> Vec<u8> {
    let mut result = Vec::new();
    let mut bytes = by.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'&' => result.extend_from_slice(&found[0]),
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => {
                    let group = found.get(usize::from(digit - b'0'));
                    result.extend_from_slice(group.map_or(b"", |group| group.as_bytes()));
                }
                Some(b'n') => result.push(b'\n'),
                Some(&other) => result.push(other),
                None => {}
            },
            other => result.push(other),
        }
    }
    result
}

/// Adds the instructions of a script; `None` where it has something that is not known.
fn parse(script: &str, extended: bool, instructions: &mut Vec<Instruction>) -> Option<()> {
    let compile = |source: &str, ignore_case: bool| {
        let source = if extended {
            source.to_owned()
        } else {
            text::from_basic(source)
        };
        text::compile(&source, ignore_case)
    };
    let mut rest = script.trim_start_matches([' ', '\t', '\n', ';']);
    while !rest.is_empty() {
        let address = if let Some(after) = rest.strip_prefix('/') {
            let (source, after) = until(after, '/')?;
            rest = after;
            Address::Matching(compile(&source, false)?)
        } else if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            Address::Last
        } else {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            rest = after;
            number.parse().map_or(Address::Any, Address::Line)
        };
        rest = rest.trim_start();
        let negated = rest.starts_with('!');
        rest = rest.trim_start_matches('!').trim_start();
        let command = rest.chars().next()?;
        rest = &rest[command.len_utf8()..];
        let action = match command {
            'p' => Action::Print,
            'd' => Action::Delete,
            'q' => Action::Quit,
            's' => {
                let delimiter = rest.chars().next()?;
                let (what, after) = until(&rest[delimiter.len_utf8()..], delimiter)?;
                let (by, after) = until(after, delimiter)?;
                let flags = after.bytes().take_while(u8::is_ascii_alphabetic).count();
                let (flags, after) = after.split_at(flags);
                rest = after;
                if flags.contains(|flag| !"gpiI".contains(flag)) {
                    return None;
                }
                Action::Substitute {
                    what: compile(&what, flags.contains(['i', 'I']))?,
                    by: by.into_bytes(),
                    all: flags.contains('g'),
                    print: flags.contains('p'),
                }
            }
            _ => return None,
        };
        instructions.push(Instruction {
            address,
            negated,
            action,
        });
        rest = rest.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with([';', '\n', '}']) {
            return None;
        }
        rest = rest.trim_start_matches([' ', '\t', '\n', ';']);
    }
    Some(())
}

/// What is before an unescaped delimiter (its own escapes taken away), and what is behind it.
fn until(text: &str, delimiter: char) -> Option<(String, &str)> {
    let mut taken = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == delimiter {
            return Some((taken, &text[at + delimiter.len_utf8()..]));
        }
        if character == '\\' {
            let (_, next) = characters.next()?;
            if next != delimiter {
                taken.push('\\');
            }
            taken.push(next);
        } else {
            taken.push(character);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sed(script: &str, quiet: bool, input: &str) -> Option<String> {
        let mut instructions = Vec::new();
        parse(script, false, &mut instructions)?;
        let edited = edit(input.as_bytes(), &instructions, quiet);
        Some(String::from_utf8(edited).unwrap())
    }

    #[test]
    fn the_known_part_does_what_sed_does() {
        for (script, quiet, input, output) in [
            ("s/a/b/", false, "aa\nca\n", "ba\ncb\n"),
            ("s|a|b|g", false, "aa\n", "bb\n"),
            (r"s/\(a*\)x/[\1&]/", false, "aax", "[aaaax]\n"),
            ("s/^Version: *//p", true, "Name: x\nVersion: 1\n", "1\n"),
            ("/^#/d", false, "#a\nb\n", "b\n"),
            ("/b/!d;s/b/c/", false, "a\nb\n", "c\n"),
            ("1p", true, "a\nb\n", "a\n"),
            ("$d", false, "a\nb\n", "a\n"),
            ("2q", false, "a\nb\nc\n", "a\nb\n"),
        ] {
            assert_eq!(
                sed(script, quiet, input).as_deref(),
                Some(output),
                "{script}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_no_script() {
        for script in ["y/a/b/", "s/a/b/w file", "1,3p", "a\\\ntext", "s/a"] {
            assert_eq!(sed(script, false, ""), None, "{script}");
        }
    }
}
