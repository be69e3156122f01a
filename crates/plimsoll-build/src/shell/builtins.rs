//! The commands that are the shell's own (POSIX.1-2024 XCU 2.15 and the usual others).

use plimsoll_model::{ImagePath, Kind};

use super::{Shell, Stop};

impl Shell<'_> {
    /// Runs a builtin; `None` where the name is none.
    pub(super) fn builtin(&mut self, name: &str, rest: &[String]) -> Option<Result<(), Stop>> {
        let number = |default: usize| {
            let given = rest.first().and_then(|text| text.parse::<usize>().ok());
            given.unwrap_or(default).max(1)
        };
        self.status = match name {
            ":" | "true" | "trap" | "wait" | "hash" | "ulimit" | "times" | "sleep" | "sync" => 0,
            "false" => 1,
            "exit" => return Some(Err(Stop::Exit(self.status_argument(rest)))),
            "return" => return Some(Err(Stop::Return(self.status_argument(rest)))),
            "break" | "continue" => {
                let levels = number(1);
                self.status = 0;
                return Some(Err(match name {
                    "break" => Stop::Break(levels),
                    _ => Stop::Continue(levels),
                }));
            }
            "echo" => {
                let (newline, words) = match rest.split_first() {
                    Some((first, words)) if first == "-n" => (false, words),
                    _ => (true, rest),
                };
                let mut text = words.join(" ");
                if newline {
                    text.push('\n');
                }
                self.print(text.as_bytes());
                0
            }
            "printf" => {
                let text = format(rest);
                self.print(text.as_bytes());
                0
            }
            "test" => match self.judge(rest) {
                Ok(verdict) => i32::from(!verdict),
                Err(stop) => return Some(Err(stop)),
            },
            "[" => match rest.split_last() {
                Some((last, words)) if last == "]" => match self.judge(words) {
                    Ok(verdict) => i32::from(!verdict),
                    Err(stop) => return Some(Err(stop)),
                },
                _ => 2,
            },
            "cd" => self.change_directory(rest),
            "pwd" => {
                let line = format!("{}\n", self.directory());
                self.print(line.as_bytes());
                0
            }
            "export" | "readonly" | "local" | "declare" | "typeset" => {
                self.declare(name, rest);
                0
            }
            "unset" => {
                for word in rest.iter().filter(|word| !word.starts_with('-')) {
                    self.variables.remove(word);
                }
                0
            }
            "shift" => {
                let count = number(1).min(self.arguments.len());
                self.arguments.drain(..count);
                0
            }
            "set" => self.set(rest),
            "umask" => {
                if let Some(mask) = rest
                    .first()
                    .and_then(|text| u32::from_str_radix(text, 8).ok())
                {
                    self.umask = mask & 0o777;
                }
                0
            }
            "read" => self.read(rest),
            "eval" => {
                let script = rest.join(" ");
                self.status = 0;
                return Some(self.deeper(|shell| shell.run_text(&script)));
            }
            "command" | "type" | "which" => return Some(self.command_builtin(name, rest)),
            "exec" => {
                // `exec >/dev/null` changes descriptors only; `exec PROGRAM` is the program.
                if rest.is_empty() {
                    0
                } else {
                    let result = self.call(rest);
                    return Some(result.and(Err(Stop::Exit(self.status))));
                }
            }
            "." | "source" => return Some(self.dot(rest)),
            _ => return None,
        };
        Some(Ok(()))
    }

    fn status_argument(&self, rest: &[String]) -> i32 {
        let given = rest.first().and_then(|text| text.parse().ok());
        given.unwrap_or(self.status)
    }

    fn change_directory(&mut self, rest: &[String]) -> i32 {
        let to = rest.iter().rfind(|word| !word.starts_with('-'));
        let path = self.path(to.map_or("/root", String::as_str));
        match self
            .stage
            .real(&path)
            .filter(|real| self.stage.is_dir(real))
        {
            Some(real) => {
                self.directory = real;
                0
            }
            None => 2,
        }
    }

    fn declare(&mut self, name: &str, rest: &[String]) {
        for word in rest.iter().filter(|word| !word.starts_with('-')) {
            let (variable, value) = match word.split_once('=') {
                Some((variable, value)) => (variable, Some(value)),
                None => (word.as_str(), None),
            };
            if name == "local"
                && let Some(frame) = self.locals.last_mut()
            {
                let saved = self.variables.get(variable).cloned();
                frame.push((variable.to_owned(), saved));
            }
            if let Some(value) = value {
                self.assign(variable, value.to_owned());
            }
        }
    }

    fn set(&mut self, rest: &[String]) -> i32 {
        for (index, word) in rest.iter().enumerate() {
            match word.as_str() {
                "--" => {
                    self.arguments = rest[index + 1..].to_vec();
                    return 0;
                }
                _ if word.starts_with('-') && word.len() > 1 => {
                    self.errexit |= word.contains('e');
                }
                _ if word.starts_with('+') => {
                    self.errexit &= !word.contains('e');
                }
                _ if index > 0 && matches!(rest[index - 1].as_str(), "-o" | "+o") => {
                    if word == "errexit" {
                        self.errexit = rest[index - 1] == "-o";
                    }
                }
                _ => {
                    self.arguments = rest[index..].to_vec();
                    return 0;
                }
            }
        }
        0
    }

    fn read(&mut self, rest: &[String]) -> i32 {
        let raw = rest.iter().any(|word| word == "-r");
        let names: Vec<&String> = rest.iter().filter(|word| !word.starts_with('-')).collect();
        if self.input.is_empty() {
            for name in names {
                self.assign(name, String::new());
            }
            return 1;
        }
        let end = self.input.iter().position(|&byte| byte == b'\n');
        let line: Vec<u8> = match end {
            Some(end) => self.input.drain(..=end).take(end).collect(),
            None => std::mem::take(&mut self.input),
        };
        let mut line = String::from_utf8_lossy(&line).into_owned();
        if !raw {
            line = line.replace('\\', "");
        }
        let separators = self.variable("IFS").unwrap_or_else(|| " \t\n".to_owned());
        let is_separator = |character: char| separators.contains(character);
        let is_blank = |c: char| is_separator(c) && c.is_ascii_whitespace();
        let mut rest_of_line = line.trim_matches(is_blank);
        for (index, name) in names.iter().enumerate() {
            if index + 1 == names.len() {
                self.assign(name, rest_of_line.to_owned());
            } else {
                let (value, rest) = match rest_of_line.find(is_separator) {
                    Some(at) => {
                        let after = &rest_of_line[at..];
                        let skip = after.chars().next().map_or(0, char::len_utf8);
                        (
                            &rest_of_line[..at],
                            after[skip..].trim_start_matches(is_blank),
                        )
                    }
                    None => (rest_of_line, ""),
                };
                self.assign(name, value.to_owned());
                rest_of_line = rest;
            }
        }
        i32::from(end.is_none())
    }

    fn command_builtin(&mut self, name: &str, rest: &[String]) -> Result<(), Stop> {
        let asks = name != "command"
            || rest
                .first()
                .is_some_and(|word| word == "-v" || word == "-V");
        if !asks {
            let words: Vec<String> = rest
                .iter()
                .skip_while(|word| *word == "-p")
                .cloned()
                .collect();
            return self.call(&words);
        }
        self.status = 0;
        for word in rest.iter().filter(|word| !word.starts_with('-')) {
            let found = if self.functions.contains_key(word) || is_builtin(word) {
                Some(word.clone())
            } else {
                self.which(word)
            };
            match found {
                Some(found) => self.print(format!("{found}\n").as_bytes()),
                None => self.status = 1,
            }
        }
        Ok(())
    }

    fn dot(&mut self, rest: &[String]) -> Result<(), Stop> {
        let Some(name) = rest.first() else {
            return Ok(());
        };
        self.status = 0;
        let path = self.path(name);
        // The front end of debconf: its commands are a row of the table.
        if name.ends_with("/debconf/confmodule") {
            return Ok(());
        }
        if !self.stage.is_file(&path) {
            return Err(self.stop(format!("there is no {path} to read")));
        }
        self.source(&path)
    }

    /// `test`: POSIX.1-2024, with `-a`, `-o` and parentheses.
    fn judge(&mut self, words: &[String]) -> Result<bool, Stop> {
        let mut at = 0;
        let verdict = self.judge_or(words, &mut at)?;
        if at < words.len() {
            return Err(self.stop(format!("a test is not understood: {}", words.join(" "))));
        }
        Ok(verdict)
    }

    fn judge_or(&mut self, words: &[String], at: &mut usize) -> Result<bool, Stop> {
        let mut verdict = self.judge_and(words, at)?;
        while words.get(*at).is_some_and(|word| word == "-o") {
            *at += 1;
            verdict |= self.judge_and(words, at)?;
        }
        Ok(verdict)
    }

    fn judge_and(&mut self, words: &[String], at: &mut usize) -> Result<bool, Stop> {
        let mut verdict = self.judge_one(words, at)?;
        while words.get(*at).is_some_and(|word| word == "-a") {
            *at += 1;
            verdict &= self.judge_one(words, at)?;
        }
        Ok(verdict)
    }

    fn judge_one(&mut self, words: &[String], at: &mut usize) -> Result<bool, Stop> {
        let rest = &words[(*at).min(words.len())..];
        // Two operands and what stands between them come before everything else.
        if let [left, operator, right, ..] = rest
            && let Some(verdict) = self.compare(left, operator, right)
        {
            *at += 3;
            return Ok(verdict);
        }
        match rest {
            [] => Ok(false),
            [word, _, ..] if word == "!" => {
                *at += 1;
                Ok(!self.judge_one(words, at)?)
            }
            [word, _, ..] if word == "(" => {
                *at += 1;
                let verdict = self.judge_or(words, at)?;
                *at += 1;
                Ok(verdict)
            }
            [operator, operand, ..] if operator.len() == 2 && operator.starts_with('-') => {
                *at += 2;
                self.unary(operator, operand)
            }
            [word, ..] => {
                *at += 1;
                Ok(!word.is_empty())
            }
        }
    }

    fn compare(&self, left: &str, operator: &str, right: &str) -> Option<bool> {
        let number = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
        Some(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "-eq" => number(left) == number(right),
            "-ne" => number(left) != number(right),
            "-lt" => number(left) < number(right),
            "-le" => number(left) <= number(right),
            "-gt" => number(left) > number(right),
            "-ge" => number(left) >= number(right),
            "-ef" => {
                let (left, right) = (self.path(left), self.path(right));
                self.stage.node(&left).is_some()
                    && self.stage.node(&left).map(|node| node.inode)
                        == self.stage.node(&right).map(|node| node.inode)
            }
            "-nt" => self.time(left) > self.time(right),
            "-ot" => self.time(left) < self.time(right),
            _ => return None,
        })
    }

    fn time(&self, name: &str) -> Option<i64> {
        self.stage
            .node(&self.path(name))
            .map(|node| node.meta.mtime)
    }

    fn unary(&mut self, operator: &str, operand: &str) -> Result<bool, Stop> {
        let path: ImagePath = self.path(operand);
        let node = (!operand.is_empty())
            .then(|| self.stage.node(&path))
            .flatten();
        let mode = |bits: u32| node.is_some_and(|node| node.meta.mode & bits != 0);
        Ok(match operator {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            "-e" | "-a" => node.is_some(),
            // Root reads and writes everything.
            "-r" | "-w" => node.is_some(),
            "-f" => node.is_some_and(|node| node.is_file()),
            "-d" => node.is_some_and(|node| node.is_dir()),
            "-s" => node.is_some_and(|node| node.size() > 0 || node.is_dir()),
            "-x" => node.is_some_and(|node| node.is_dir() || node.meta.mode & 0o111 != 0),
            "-u" => mode(0o4000),
            "-g" => mode(0o2000),
            "-k" => mode(0o1000),
            "-L" | "-h" => !operand.is_empty() && self.stage.link(&path).is_some(),
            "-b" => node.is_some_and(|n| matches!(n.kind, Kind::Device { block: true, .. })),
            "-c" => node.is_some_and(|n| matches!(n.kind, Kind::Device { block: false, .. })),
            "-p" => node.is_some_and(|n| matches!(n.kind, Kind::Fifo)),
            "-S" | "-t" => false,
            "-O" | "-G" => node.is_some(),
            _ => return Err(self.stop(format!("the test {operator} is not emulated"))),
        })
    }
}

fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        ":" | "true" | "false" | "echo" | "printf" | "test" | "[" | "cd" | "read" | "command" | "."
    )
}

/// What `printf` prints: `%s %d %i %b %c %x %o %%` with flags and width ignored, the format used
/// again while there are arguments.
fn format(words: &[String]) -> String {
    let words = match words.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => words,
    };
    let Some((format, arguments)) = words.split_first() else {
        return String::new();
    };
    let format = unescape(format);
    let mut text = String::new();
    let mut arguments = arguments.iter();
    loop {
        let mut used = false;
        let mut characters = format.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                text.push(character);
                continue;
            }
            let conversion = characters
                .by_ref()
                .find(|c| c.is_ascii_alphabetic() || *c == '%');
            if conversion == Some('%') {
                text.push('%');
                continue;
            }
            used = true;
            let argument = arguments.next().map_or("", String::as_str);
            match conversion {
                Some('b') => text.push_str(&unescape(argument)),
                Some('c') => text.extend(argument.chars().next()),
                Some('d' | 'i' | 'u') => {
                    text.push_str(if argument.is_empty() { "0" } else { argument });
                }
                _ => text.push_str(argument),
            }
        }
        if !used || arguments.len() == 0 {
            return text;
        }
    }
}

/// Backslash escapes of `printf` and `$'...'`.
pub(super) fn unescape(text: &str) -> String {
    let mut result = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => result.push('\n'),
            Some('t') => result.push('\t'),
            Some('r') => result.push('\r'),
            Some('a') => result.push('\x07'),
            Some('\\') => result.push('\\'),
            Some('\'') => result.push('\''),
            Some('"') => result.push('"'),
            Some(digit @ '0'..='7') => {
                let mut value = digit.to_digit(8).unwrap_or(0);
                for _ in 0..3 {
                    match characters.peek().and_then(|c| c.to_digit(8)) {
                        Some(next) => {
                            value = value * 8 + next;
                            characters.next();
                        }
                        None => break,
                    }
                }
                result.extend(char::from_u32(value & 0xff));
            }
            Some(other) => {
                result.push('\\');
                result.push(other);
            }
            None => result.push('\\'),
        }
    }
    result
}
