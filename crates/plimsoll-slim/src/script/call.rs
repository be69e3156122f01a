//! A command of a script by its words: builtins that set or read variables, functions, and what it
//! starts.

use super::ways::Leaves;
use super::{Given, Reader, given, is_shell, plain, words};

/// Commands that a shell is itself (POSIX.1-2024 XCU 2.15 and 1.6, and what dash, BusyBox' ash and bash
/// add), and words of its grammar that no parser takes for one.
#[rustfmt::skip]
const BUILTINS: &[&str] = &[
    ".", ":", "[", "[[", "alias", "bg", "bind", "break", "builtin", "caller", "cd", "command",
    "compgen", "complete", "continue", "declare", "dirs", "disown", "echo", "enable", "eval", "exec",
    "exit", "export", "false", "fc", "fg", "getopts", "hash", "help", "history", "jobs", "kill", "let",
    "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly",
    "return", "set", "shift", "shopt", "source", "suspend", "test", "time", "times", "trap", "true",
    "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
];

/// Programs that start the program their arguments name, and their options that have a word of their own.
const STARTERS: &[(&str, &[&str])] = &[
    (
        "chpst",
        &["-u", "-U", "-b", "-e", "-d", "-o", "-p", "-f", "-c", "-m"],
    ),
    ("dumb-init", &[]),
    ("env", &["-u", "-C"]),
    ("ionice", &["-c", "-n"]),
    ("nice", &["-n"]),
    ("nohup", &[]),
    ("setpriv", &[]),
    ("setsid", &[]),
    ("stdbuf", &["-i", "-o", "-e"]),
    ("tini", &["-p", "-e"]),
    ("xargs", &["-I", "-n", "-P", "-L", "-s", "-d", "-a", "-E"]),
];
/// The same with a word (a user, a time) before that program.
const AFTER_A_WORD: &[&str] = &["gosu", "su-exec", "timeout"];

impl Reader<'_> {
    /// What is started by a command that is no function.
    fn starts(&mut self, name: &str, rest: &[String]) {
        let Some(name) = words::literal(&[name.to_owned()]).filter(|name| !name.is_empty()) else {
            return;
        };
        if BUILTINS.contains(&&*name) {
            return;
        }
        let last = name.rsplit('/').next().unwrap_or_default().to_owned();
        self.taken.commands.push(name);
        if is_shell(&last) {
            // Its variables are its own: what it takes from outside is read where it is seen to run.
            let plain: Vec<String> = rest
                .iter()
                .map(|word| words::literal(std::slice::from_ref(word)).unwrap_or_default())
                .collect();
            if let Given::Text(text) = given(&plain) {
                self.deeper(|reader| reader.started_in(text));
            }
            return;
        }
        let starter = STARTERS.iter().find(|(known, _)| *known == last);
        let rest = match (starter, AFTER_A_WORD.contains(&&*last)) {
            (Some((_, with_word)), _) => operands(rest, with_word),
            (None, true) => operands(rest, &["-s", "-k"]).get(1..).unwrap_or_default(),
            (None, false) => return,
        };
        if let Some((name, rest)) = rest.split_first() {
            self.deeper(|reader| reader.starts(name, rest));
        }
    }

    /// What another script starts, its variables aside.
    fn started_in(&mut self, text: &str) {
        let taken = std::mem::take(&mut self.taken);
        let set = self.set.clone();
        let frames = std::mem::take(&mut self.frames);
        self.inner(text);
        (self.set, self.frames) = (set, frames);
        let inner = std::mem::replace(&mut self.taken, taken);
        self.taken.commands.extend(inner.commands);
        if let Some(trouble) = inner.trouble {
            self.taken.trouble.get_or_insert(trouble);
        }
    }

    /// A command by its words as written: builtins that set or read variables, and functions.
    pub(super) fn call_command(&mut self, words: &[String]) {
        let Some((name, rest)) = words.split_first() else {
            return;
        };
        // `\\return` and `"return"` are `return`.
        let unquoted = match name.contains(['\\', '"', '\'']) {
            true => words::literal(std::slice::from_ref(name)),
            false => None,
        };
        let name = unquoted.as_ref().unwrap_or(name);
        if !self.functions.contains_key(name) {
            self.starts(name, rest);
        }
        let operands = || rest.iter().filter(|word| !word.starts_with('-'));
        match &**name {
            "read" | "mapfile" | "readarray" | "getopts" => {
                let names = operands().filter_map(|word| plain(word));
                self.set.extend(names.map(str::to_owned));
            }
            "unset" => {
                let names = operands().filter_map(|word| plain(word));
                self.set.extend(names.map(str::to_owned));
            }
            "local" | "declare" | "typeset" => {
                // Without a value nothing is set: in dash and ash it keeps the value from outside.
                self.declare(rest);
                if name != "local" && operands().next().is_none() {
                    self.any(format!("`{name}` lists all variables"));
                }
            }
            "return" => self.leave(Leaves::Function),
            "break" | "continue" => self.leave(Leaves::loops(rest.first())),
            "printf" if rest.first().is_some_and(|word| word == "-v") => {
                let name = rest.get(1).and_then(|word| plain(word));
                self.set.extend(name.map(str::to_owned));
            }
            "export" if rest.iter().any(|word| word == "-p") => {
                self.any("`export -p` lists all variables");
            }
            "set" if rest.is_empty() => self.any("`set` lists all variables"),
            "env" | "printenv" if operands().next().is_none() => {
                self.any(format!("`{name}` lists all variables"));
            }
            "printenv" => {
                let names: Vec<String> = operands()
                    .filter_map(|word| plain(word))
                    .map(str::to_owned)
                    .collect();
                for name in names {
                    self.expands(&name);
                }
            }
            "compgen" => self.any("`compgen` lists variables"),
            "test" | "[" => {
                let named = rest.windows(2).filter(|pair| pair[0] == "-v");
                let named: Vec<String> = named
                    .filter_map(|pair| plain(&pair[1]))
                    .map(str::to_owned)
                    .collect();
                for name in named {
                    self.expands(&name);
                }
            }
            "eval" => match words::literal(rest) {
                Some(text) => self.inner(&text),
                None => self.any("`eval` runs a text that is computed"),
            },
            "trap" => {
                if let Some(text) = rest
                    .first()
                    .and_then(|word| words::literal(std::slice::from_ref(word)))
                {
                    self.apart(|reader| reader.inner(&text));
                }
            }
            "." | "source" => self.source(rest),
            "exec" | "command" | "builtin" | "nohup" | "time" => {
                let at = rest.iter().position(|word| !word.starts_with('-'));
                let (options, rest) = rest.split_at(at.unwrap_or(rest.len()));
                // `command -v NAME` asks where it is.
                let asks =
                    name == "command" && options.iter().any(|word| word.contains(['v', 'V']));
                if !asks && !rest.is_empty() {
                    self.deeper(|reader| reader.call_command(rest));
                }
            }
            _ if self.functions.contains_key(name) => self.call(name),
            _ => {}
        }
    }
}

/// The words of a command from the program it is to start on.
fn operands<'a>(words: &'a [String], with_word: &[&str]) -> &'a [String] {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let is_option = word.starts_with('-') && word != "-";
        let is_assignment = word
            .split_once('=')
            .is_some_and(|(name, _)| plain(name).is_some());
        if word == "--" {
            at += 1;
            break;
        } else if with_word.contains(&&**word) {
            at += 2;
        } else if is_option || is_assignment {
            at += 1;
        } else {
            break;
        }
    }
    words.get(at..).unwrap_or_default()
}
