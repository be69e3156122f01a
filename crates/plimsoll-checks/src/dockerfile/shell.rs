//! The commands of a `RUN`: its body parsed as a shell reads it (by `brush-parser`), flattened to the
//! programs it starts, in order, with their arguments and places.

use brush_parser::ast::{
    AndOr, AndOrList, Command as Node, CommandPrefixOrSuffixItem as Item, CompoundCommand,
    CompoundList, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline,
    SeparatorOperator, SimpleCommand,
};

use super::{Arguments, Instruction, Span};

/// Longest script that is read, in bytes.
const MAX_SCRIPT: usize = 1 << 20;
/// Brackets and compound commands up to which nothing can nest too deep for any stack: the parser
/// goes a step deeper with each that is inside another.
const SHALLOW: usize = 60;
/// Most brackets and compound commands in a script that is read at all.
const MAX_OPENERS: usize = 4000;
/// Stack for scripts that might nest deeper, in bytes; only what is used of it is ever taken.
const STACK: usize = 512 << 20;
/// Deepest nesting of `$( )` that is looked into.
const MAX_SUBSTITUTION: usize = 4;
/// Most commands that are kept of one `RUN`.
const MAX_COMMANDS: usize = 20_000;

/// The commands of one instruction.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// In the order they are written.
    pub commands: Vec<Command>,
    /// Why it could not be read as a shell script, where it could not.
    pub unread: Option<String>,
}

/// One program that is started.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Its name without a path, then its arguments; never empty.
    pub words: Vec<Argument>,
    /// `NAME=value` before it.
    pub assignments: Vec<(String, String)>,
    /// Files it is redirected into.
    pub writes: Vec<String>,
    /// Which pipeline of the script it is in.
    pub pipeline: usize,
    /// How many commands stand behind it in its pipeline.
    pub pipes_into: usize,
    /// Inside `( )`, `$( )`: what it does to the shell ends there.
    pub subshell: bool,
    /// Inside a condition, a loop, a function, or behind `||`: it may not run.
    pub conditional: bool,
    /// Behind it stands `&`.
    pub background: bool,
    /// The programs that were named only to start it: `sudo`, `env`; taken off `words`.
    pub wrappers: Vec<Argument>,
}

/// An argument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argument {
    /// Its text without quotes; variables stay as they are written.
    pub text: String,
    /// Where it stands in the file.
    pub span: Span,
    /// Whether variables or commands make part of it.
    pub dynamic: bool,
    /// Whether any of it is quoted.
    pub quoted: bool,
}

impl Command {
    /// The program, without its path.
    pub fn name(&self) -> &str {
        let word = &self.words[0].text;
        word.rsplit('/').next().unwrap_or(word)
    }

    /// What is behind the program.
    pub fn arguments(&self) -> &[Argument] {
        &self.words[1..]
    }

    /// Whether an argument is exactly this.
    pub fn has(&self, word: &str) -> bool {
        self.arguments()
            .iter()
            .any(|argument| argument.text == word)
    }

    /// Whether an option is given: `--long`, `--long=...`, or a letter in a group of short ones.
    pub fn option(&self, short: char, long: &str) -> bool {
        self.arguments().iter().any(|argument| {
            let text = &argument.text;
            match text.strip_prefix("--") {
                Some(rest) => !long.is_empty() && rest.split('=').next() == Some(long),
                None => {
                    short != '\0'
                        && text.starts_with('-')
                        && text[1..]
                            .chars()
                            .take_while(|c| c.is_ascii_alphanumeric())
                            .any(|c| c == short)
                }
            }
        })
    }

    /// The first arguments that are no options: `install` of `apt-get -y install curl`.
    pub fn plain(&self) -> impl Iterator<Item = &Argument> {
        self.arguments()
            .iter()
            .filter(|argument| !argument.text.starts_with('-'))
    }

    /// Takes off the programs that start another with the rest of their arguments.
    fn unwrap(&mut self) {
        const WRAPPERS: [&str; 8] = [
            "command",
            "eatmydata",
            "env",
            "exec",
            "nice",
            "nohup",
            "sudo",
            "time",
        ];
        while self.words.len() > 1 && WRAPPERS.contains(&self.name()) {
            let name = self.name().to_owned();
            let mut rest = 1;
            while let Some(word) = self.words.get(rest) {
                let text = &*word.text;
                let option = text.starts_with('-');
                // `sudo -u root`, `nice -n 10`: the letter takes the next word.
                let takes = matches!((&*name, text), ("sudo", "-u" | "-g") | ("nice", "-n"));
                if option || (matches!(&*name, "env" | "sudo") && text.contains('=')) {
                    rest += if takes { 2 } else { 1 };
                } else {
                    break;
                }
            }
            if rest >= self.words.len() {
                break;
            }
            let wrapper = self.words.drain(..rest).next();
            self.wrappers.extend(wrapper);
        }
    }

    /// All of it in the file.
    pub fn span(&self) -> Span {
        let first = &self.words[0].span;
        let last = self.words.last().map_or(first.end, |word| word.span.end);
        first.start..last.max(first.end)
    }
}

/// Where the text of a script stands in the file.
enum Place<'a> {
    /// In the joined text of the instruction, from here on.
    Joined(&'a Instruction, usize),
    /// In the file itself, from here on.
    File(usize),
}

impl Place<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        match self {
            Self::Joined(instruction, from) => instruction.source(&(from + start..from + end)),
            Self::File(from) => from + start..from + end,
        }
    }
}

/// The commands of a `RUN`. `shell` is what `SHELL` set, if anything: what is no shell of the POSIX
/// family is not read, and has no commands.
pub fn script(instruction: &Instruction, shell: Option<&str>) -> Script {
    let bodies = instruction
        .heredocs
        .iter()
        .map(|heredoc| openers(&heredoc.text));
    let openers = bodies.sum::<usize>() + openers(&instruction.logical.text);
    let unread = |why: String| Script {
        unread: Some(why),
        ..Script::default()
    };
    if openers <= SHALLOW {
        return flat(instruction, shell);
    }
    if openers > MAX_OPENERS {
        return unread(format!(
            "it has more than {MAX_OPENERS} brackets and compound commands"
        ));
    }
    // How deep they nest is known only when they are parsed, and a stack that ends ends the process.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let reading = thread.spawn_scoped(scope, || flat(instruction, shell));
        let read = reading.map(std::thread::ScopedJoinHandle::join);
        match read {
            Ok(Ok(script)) => script,
            _ => unread("there is no room to read it".to_owned()),
        }
    })
}

/// How many brackets are opened and compound commands begun.
fn openers(text: &str) -> usize {
    let brackets = text
        .bytes()
        .filter(|byte| matches!(byte, b'(' | b'{' | b'[' | b'`'));
    let words = text.split(|c: char| c.is_whitespace() || c == ';');
    let begun = words.filter(|word| {
        matches!(
            *word,
            "!" | "case" | "do" | "if" | "time" | "until" | "while" | "coproc"
        )
    });
    brackets.count() + begun.count()
}

fn flat(instruction: &Instruction, shell: Option<&str>) -> Script {
    let text = match &instruction.arguments {
        Arguments::Json(words) => return exec(instruction, words),
        Arguments::Text(word) => word,
        _ => return Script::default(),
    };
    if shell.is_some_and(|shell| !is_posix(shell)) {
        return Script::default();
    }
    let mut reader = Reader::default();
    match &instruction.heredocs[..] {
        // The here-document alone is the script, for the shell or for what its first line names.
        [heredoc, ..] if is_announcement(&text.text) => {
            let first = heredoc.text.lines().next().unwrap_or_default();
            if let Some(program) = first.trim().strip_prefix("#!") {
                let mut words = program.split_whitespace();
                let mut name = words.next().unwrap_or_default();
                if name.ends_with("/env") {
                    // Behind its own options (`-S`) and variables.
                    let mut words =
                        words.filter(|word| !word.starts_with('-') && !word.contains('='));
                    name = words.next().unwrap_or_default();
                }
                if !is_posix(name) {
                    return Script::default();
                }
            }
            reader.read(
                &heredoc.text,
                &Place::File(heredoc.body.start),
                Inside::default(),
                0,
            );
        }
        heredocs => {
            let mut source = text.text.clone();
            for heredoc in heredocs {
                source.push('\n');
                source.push_str(&heredoc.text);
                source.push_str(&heredoc.name);
            }
            let place = Place::Joined(instruction, text.at.start);
            reader.read(&source, &place, Inside::default(), 0);
            // A shell that is handed a here-document runs it: `bash -e <<EOF`, `<<EOF bash`, `cat <<EOF | sh`.
            let first = text.text.split_whitespace().next().unwrap_or_default();
            let commands = &reader.script.commands;
            let runs = match is_posix(first) {
                // Not beside a script of its own.
                true => !text.text.split_whitespace().any(|word| {
                    word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
                }),
                false => commands
                    .iter()
                    .any(|command| is_posix(command.name()) && command.plain().next().is_none()),
            };
            if let ([heredoc], true) = (heredocs, runs) {
                let place = Place::File(heredoc.body.start);
                reader.read(&heredoc.text, &place, Inside::default(), 0);
            }
        }
    }
    reader.script
}

/// Whether the text is `<<NAME` and nothing else.
fn is_announcement(text: &str) -> bool {
    text.starts_with("<<")
        && !text
            .trim_start_matches("<<")
            .trim()
            .contains(char::is_whitespace)
}

/// A shell of the POSIX family, by its name or path.
pub fn is_posix(shell: &str) -> bool {
    let name = shell.rsplit(['/', '\\']).next().unwrap_or(shell);
    matches!(
        name,
        "sh" | "ash" | "bash" | "dash" | "ksh" | "mksh" | "zsh" | "busybox"
    )
}

/// The one command of an exec form, or the script it hands to a shell.
fn exec(instruction: &Instruction, words: &[super::Word]) -> Script {
    let mut reader = Reader::default();
    if let [shell, flag, script, ..] = words
        && is_posix(&shell.text)
        && flag.text.starts_with('-')
        && flag.text.ends_with('c')
    {
        // Escapes of JSON would move places: all of the script stands where its string does.
        let span = instruction.source(&script.at);
        let plain = script.at.len() == script.text.len() + 2;
        let place = match plain {
            true => Place::Joined(instruction, script.at.start + 1),
            false => Place::File(span.start),
        };
        reader.read(&script.text, &place, Inside::default(), 0);
    } else if !words.is_empty() {
        let words = words.iter().map(|word| Argument {
            text: word.text.clone(),
            span: instruction.source(&word.at),
            dynamic: false,
            quoted: true,
        });
        reader.script.commands.push(Command {
            words: words.collect(),
            ..Command::default()
        });
    }
    reader.script
}

/// What encloses the commands being read.
#[derive(Clone, Copy, Default)]
struct Inside {
    subshell: bool,
    conditional: bool,
    background: bool,
}

#[derive(Default)]
struct Reader {
    script: Script,
    pipelines: usize,
}

/// The text that is read, to find places by the parser's, which counts characters.
struct Source<'a> {
    place: &'a Place<'a>,
    /// Bytes before each character; empty where all are ASCII.
    bytes: Vec<usize>,
    length: usize,
    depth: usize,
}

impl Source<'_> {
    fn byte(&self, character: usize) -> usize {
        match self.bytes.is_empty() {
            true => character.min(self.length),
            false => self.bytes.get(character).copied().unwrap_or(self.length),
        }
    }
}

impl Reader {
    fn read(&mut self, text: &str, place: &Place<'_>, inside: Inside, depth: usize) {
        if text.len() > MAX_SCRIPT {
            let trouble = format!("it has more than the limit of {MAX_SCRIPT} bytes");
            self.script.unread = Some(trouble);
            return;
        }
        let options = brush_parser::ParserOptions {
            enable_extended_globbing: false,
            sh_mode: false,
            ..Default::default()
        };
        let parsed = brush_parser::Parser::new(text.as_bytes(), &options).parse_program();
        let program = match parsed {
            Ok(program) => program,
            Err(error) => {
                if depth == 0 {
                    self.script.unread = Some(error.to_string());
                }
                return;
            }
        };
        let bytes = match text.is_ascii() {
            true => Vec::new(),
            false => text.char_indices().map(|(at, _)| at).collect(),
        };
        let source = Source {
            place,
            bytes,
            length: text.len(),
            depth,
        };
        for list in &program.complete_commands {
            self.list(list, inside, &source);
        }
    }

    fn list(&mut self, list: &CompoundList, inside: Inside, source: &Source<'_>) {
        for item in &list.0 {
            let background = matches!(item.1, SeparatorOperator::Async);
            let inside = Inside {
                background: inside.background || background,
                ..inside
            };
            self.and_or(&item.0, inside, source);
        }
    }

    fn and_or(&mut self, list: &AndOrList, inside: Inside, source: &Source<'_>) {
        self.pipeline(&list.first, inside, source);
        for more in &list.additional {
            match more {
                AndOr::And(pipeline) => self.pipeline(pipeline, inside, source),
                AndOr::Or(pipeline) => {
                    let inside = Inside {
                        conditional: true,
                        ..inside
                    };
                    self.pipeline(pipeline, inside, source);
                }
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, inside: Inside, source: &Source<'_>) {
        self.pipelines += 1;
        let number = self.pipelines;
        let length = pipeline.seq.len();
        for (index, command) in pipeline.seq.iter().enumerate() {
            let start = self.script.commands.len();
            self.command(command, inside, source);
            for command in &mut self.script.commands[start..] {
                // Compound commands in the pipeline have pipelines of their own.
                if command.pipeline == 0 {
                    command.pipeline = number;
                    command.pipes_into = length - index - 1;
                }
            }
        }
    }

    fn command(&mut self, command: &Node, inside: Inside, source: &Source<'_>) {
        if self.script.commands.len() > MAX_COMMANDS {
            let limit = format!("it has more than {MAX_COMMANDS} commands");
            self.script.unread = Some(limit);
            return;
        }
        match command {
            Node::Simple(simple) => self.simple(simple, inside, source),
            Node::Compound(compound, _) => self.compound(compound, inside, source),
            Node::Function(function) => {
                let inside = Inside {
                    conditional: true,
                    ..inside
                };
                self.compound(&function.body.0, inside, source);
            }
            Node::ExtendedTest(..) => {}
        }
    }

    fn compound(&mut self, command: &CompoundCommand, inside: Inside, source: &Source<'_>) {
        let perhaps = Inside {
            conditional: true,
            ..inside
        };
        match command {
            CompoundCommand::BraceGroup(group) => self.list(&group.list, inside, source),
            CompoundCommand::Subshell(group) => {
                let inside = Inside {
                    subshell: true,
                    ..inside
                };
                self.list(&group.list, inside, source);
            }
            CompoundCommand::ForClause(clause) => self.list(&clause.body.list, perhaps, source),
            CompoundCommand::ArithmeticForClause(clause) => {
                self.list(&clause.body.list, perhaps, source);
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0, perhaps, source);
                self.list(&clause.1.list, perhaps, source);
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition, inside, source);
                self.list(&clause.then, perhaps, source);
                for other in clause.elses.iter().flatten() {
                    if let Some(condition) = &other.condition {
                        self.list(condition, perhaps, source);
                    }
                    self.list(&other.body, perhaps, source);
                }
            }
            CompoundCommand::CaseClause(clause) => {
                for case in &clause.cases {
                    if let Some(list) = &case.cmd {
                        self.list(list, perhaps, source);
                    }
                }
            }
            CompoundCommand::Coprocess(coprocess) => {
                self.command(&coprocess.body, perhaps, source);
            }
            CompoundCommand::Arithmetic(_) => {}
        }
    }

    fn simple(&mut self, simple: &SimpleCommand, inside: Inside, source: &Source<'_>) {
        let mut command = Command {
            subshell: inside.subshell,
            conditional: inside.conditional,
            background: inside.background,
            ..Command::default()
        };
        let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
        let mut inner = Vec::new();
        let mut word = |word: &brush_parser::ast::Word| {
            let span = match &word.loc {
                Some(loc) => source
                    .place
                    .span(source.byte(loc.start.index), source.byte(loc.end.index)),
                None => source.place.span(0, 0),
            };
            let (text, dynamic, quoted) = unquote(&word.value);
            if word.value.contains("$(") || word.value.contains('`') {
                inner.extend(
                    substitutions(&word.value).map(|(at, text)| (span.start + at, text.to_owned())),
                );
            }
            Argument {
                text,
                span,
                dynamic,
                quoted,
            }
        };
        let mut words = Vec::new();
        for item in prefix {
            match item {
                Item::AssignmentWord(_, whole) => {
                    let whole = word(whole);
                    if let Some((name, value)) = whole.text.split_once('=') {
                        command
                            .assignments
                            .push((name.to_owned(), value.to_owned()));
                    }
                }
                Item::IoRedirect(redirect) => command.writes.extend(written(redirect)),
                _ => {}
            }
        }
        words.extend(simple.word_or_name.iter().map(&mut word));
        for item in suffix {
            match item {
                Item::Word(text) | Item::AssignmentWord(_, text) => words.push(word(text)),
                Item::IoRedirect(redirect) => command.writes.extend(written(redirect)),
                Item::ProcessSubstitution(_, _) => {}
            }
        }
        command.words = words;
        command.unwrap();
        if !command.words.is_empty() {
            self.script.commands.push(command);
        }
        if source.depth < MAX_SUBSTITUTION {
            for (at, text) in inner {
                let place = Place::File(at);
                let inside = Inside {
                    subshell: true,
                    ..inside
                };
                self.read(&text, &place, inside, source.depth + 1);
            }
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            if let Item::ProcessSubstitution(_, group) = item {
                let inside = Inside {
                    subshell: true,
                    ..inside
                };
                self.list(&group.list, inside, source);
            }
        }
    }
}

/// The file a redirection writes.
fn written(redirect: &IoRedirect) -> Option<String> {
    match redirect {
        IoRedirect::File(
            _,
            IoFileRedirectKind::Write | IoFileRedirectKind::Append | IoFileRedirectKind::Clobber,
            IoFileRedirectTarget::Filename(word),
        )
        | IoRedirect::OutputAndError(word, _) => Some(unquote(&word.value).0),
        _ => None,
    }
}

/// A word without quotes; whether part of it is made at run time, and whether part was quoted.
fn unquote(raw: &str) -> (String, bool, bool) {
    let plain = |c: char| !matches!(c, '\'' | '"' | '\\' | '$' | '`');
    if raw.chars().all(plain) {
        return (raw.to_owned(), false, false);
    }
    let (mut text, mut dynamic, mut quoted) = (String::with_capacity(raw.len()), false, false);
    let mut double = false;
    let mut characters = raw.chars();
    while let Some(c) = characters.next() {
        match c {
            '\'' if !double => {
                quoted = true;
                text.extend(characters.by_ref().take_while(|&c| c != '\''));
            }
            '"' => {
                double = !double;
                quoted = true;
            }
            '\\' => {
                let next = characters.next();
                if double && !matches!(next, Some('"' | '$' | '`' | '\\')) {
                    text.push('\\');
                }
                text.extend(next);
            }
            '$' | '`' => {
                dynamic = true;
                text.push(c);
            }
            c => text.push(c),
        }
    }
    (text, dynamic, quoted)
}

/// The scripts in `$( )` and backquotes of a word, each with where it begins.
fn substitutions(word: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = word.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let mut single = false;
    let mut double = false;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if !single => at += 1,
            b'"' if !single => double = !double,
            b'\'' if !double => single = !single,
            b'`' if !single => {
                let end = word[at + 1..]
                    .find('`')
                    .map_or(word.len(), |end| at + 1 + end);
                found.push((at + 1, &word[at + 1..end]));
                at = end;
            }
            b'$' if !single
                && bytes.get(at + 1) == Some(&b'(')
                && bytes.get(at + 2) != Some(&b'(') =>
            {
                let start = at + 2;
                let end = closing(&bytes[start..]).map_or(word.len(), |end| start + end);
                found.push((start, &word[start..end]));
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    found.into_iter()
}

/// Where the bracket closes that is open at the start.
fn closing(bytes: &[u8]) -> Option<usize> {
    let mut depth = 1_usize;
    let (mut single, mut double) = (false, false);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if !single => at += 1,
            b'\'' if !double => single = !single,
            b'"' if !single => double = !double,
            b'(' if !single => depth += 1,
            b')' if !single => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}
