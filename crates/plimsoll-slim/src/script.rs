//! What a shell script takes from outside, and what it starts: the variables it expands before it has
//! set them itself, and the words that stand where a command begins. Nothing else here parses shell; the
//! follower `shell-command` takes any word of a script that is a program's name.
//!
//! The script is parsed and read, not followed: every branch counts, whether a run went there or not.
//! A variable counts as the script's own only where an assignment comes before on every way
//! (POSIX.1-2024 XCU chapter 2): `A=${A:-x}` reads `A`, and so does a function that is never called.

mod call;
mod ways;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use brush_parser::ast::{
    AndOr, AndOrList, Assignment, AssignmentName, AssignmentValue, Command,
    CommandPrefixOrSuffixItem, CompoundCommand, CompoundList, ExtendedTestExpr, FunctionBody,
    IoFileRedirectTarget, IoRedirect, Pipeline, SeparatorOperator, SimpleCommand, UnaryPredicate,
    Word,
};
use plimsoll_model::text::nesting;

/// Largest script that is read, in bytes.
pub(crate) const MAX_SCRIPT: u64 = 1 << 20;
/// Deepest nesting of brackets and compound commands in the text of a script.
const MAX_NESTING: usize = 200;
/// Deepest nesting of functions, substitutions and sourced files.
const MAX_DEPTH: usize = 60;
/// Commands that are looked at; sourced files and functions can multiply them.
const MAX_STEPS: usize = 200_000;

/// Variables that the shell sets itself, or that the user and the image decide alone.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "BASH",
    "BASHPID",
    "BASH_ARGC",
    "BASH_ARGV",
    "BASH_COMMAND",
    "BASH_LINENO",
    "BASH_REMATCH",
    "BASH_SOURCE",
    "BASH_SUBSHELL",
    "BASH_VERSINFO",
    "BASH_VERSION",
    "DIRSTACK",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HOME",
    "IFS",
    "LINENO",
    "MACHTYPE",
    "MAPFILE",
    "OLDPWD",
    "OPTARG",
    "OPTIND",
    "OPTERR",
    "OSTYPE",
    "PATH",
    "PIPESTATUS",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "REPLY",
    "SHELLOPTS",
    "SHLVL",
    "UID",
    "_",
];

use ways::Kind;

/// What a script takes from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Variables by name, with the line where each is read first.
    pub(crate) variables: BTreeMap<String, usize>,
    /// What may read any variable, as a phrase, with the line.
    pub(crate) any: BTreeMap<String, usize>,
    /// Lines at which a file is read as script whose name is computed.
    pub(crate) unnamed: BTreeSet<usize>,
    /// Files it reads as script: name as written, and line.
    pub(crate) sourced: BTreeMap<String, usize>,
    /// What it may start: names and paths as written, in order; no builtins, no functions of its own,
    /// nothing whose name is computed.
    pub(crate) commands: Vec<String>,
    /// Why not all of it was understood.
    pub(crate) trouble: Option<String>,
}

/// The text of a file that a script reads as script.
pub(crate) type Sources<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a script; `sources` are the files it may read in turn.
pub(crate) fn read(text: &str, sources: Sources<'_>) -> Taken {
    let mut reader = Reader {
        sources,
        taken: Taken::default(),
        set: BTreeSet::new(),
        functions: BTreeMap::new(),
        called: BTreeMap::new(),
        frames: Vec::new(),
        line: 1,
        base: None,
        depth: 0,
        steps: 0,
    };
    reader.text(text);
    // What nobody calls may still be called: by a file read as script, or by a trap.
    let never: Vec<String> = reader.functions.keys().cloned().collect();
    for name in never {
        if !reader.called.contains_key(&name) {
            reader.call(&name);
        }
    }
    let Reader {
        mut taken,
        functions,
        ..
    } = reader;
    let mut seen = BTreeSet::new();
    taken
        .commands
        .retain(|name| !functions.contains_key(name) && seen.insert(name.clone()));
    taken
}

/// What a shell script may start, as far as it is written down in it, or why it is not understood.
pub(crate) fn commands(text: &str) -> Result<Vec<String>, String> {
    let taken = read(text, &|_| None);
    match taken.trouble {
        None => Ok(taken.commands),
        Some(trouble) => Err(trouble),
    }
}

/// Whether a program of this name (no path) is a shell.
pub(crate) fn is_shell(name: &str) -> bool {
    matches!(
        name,
        "ash" | "bash" | "dash" | "ksh" | "mksh" | "sh" | "yash" | "zsh"
    )
}

/// What a shell is given to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Given<'a> {
    /// The text behind `-c`.
    Text(&'a str),
    /// A file.
    File(&'a str),
    /// Its standard input.
    Nothing,
}

/// What a shell is given to run by its arguments (POSIX.1-2024 XCU `sh`): `-c` may stand among other
/// options, and `-o` has a word of its own.
pub(crate) fn given(arguments: &[String]) -> Given<'_> {
    let mut is_text = false;
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word.strip_prefix(['-', '+']) {
            Some("" | "-") => {
                let next = words.next();
                return next.map_or(Given::Nothing, |word| operand(word, is_text));
            }
            Some(long) if long.starts_with('-') => {
                if matches!(long, "-rcfile" | "-init-file") {
                    words.next();
                }
            }
            Some(letters) => {
                is_text |= letters.contains('c');
                if letters.ends_with(['o', 'O']) {
                    words.next();
                }
            }
            None => return operand(word, is_text),
        }
    }
    Given::Nothing
}

fn operand(word: &str, is_text: bool) -> Given<'_> {
    match is_text {
        true => Given::Text(word),
        false => Given::File(word),
    }
}

struct Reader<'a> {
    sources: Sources<'a>,
    taken: Taken,
    /// Variables that are the script's own from here on.
    set: BTreeSet<String>,
    functions: BTreeMap<String, FunctionBody>,
    /// Functions that were read, with what was set at each reading.
    called: BTreeMap<String, BTreeSet<String>>,
    /// What is left by `return`, `break` and `continue`, innermost last.
    frames: Vec<ways::Frame>,
    line: usize,
    /// The line of a text within the script: lines are not counted in it.
    base: Option<usize>,
    depth: usize,
    steps: usize,
}

impl Reader<'_> {
    fn text(&mut self, text: &str) {
        if nesting(text) > MAX_NESTING {
            return self.trouble(format!("nests deeper than the limit of {MAX_NESTING}"));
        }
        let parsed = brush_parser::Parser::new(text.as_bytes(), &options()).parse_program();
        match parsed {
            Ok(program) => {
                for list in &program.complete_commands {
                    self.list(list);
                }
            }
            Err(error) => self.trouble(format!("is not understood: {error}")),
        }
    }

    fn trouble(&mut self, why: String) {
        let why = format!("line {}: {why}", self.line);
        self.taken.trouble.get_or_insert(why);
    }

    /// One step further in; what is too deep is trouble, and not read.
    fn deeper(&mut self, body: impl FnOnce(&mut Self)) {
        self.steps += 1;
        if self.depth >= MAX_DEPTH || self.steps > MAX_STEPS {
            return self.trouble("nests too deep, or is too long".to_owned());
        }
        self.depth += 1;
        body(self);
        self.depth -= 1;
    }

    /// A part whose assignments do not last, or not surely; answers what they were.
    fn apart(&mut self, body: impl FnOnce(&mut Self)) -> BTreeSet<String> {
        let before = self.set.clone();
        self.deeper(body);
        std::mem::replace(&mut self.set, before)
    }

    /// Text within the script that is script itself: its lines are not known.
    fn inner(&mut self, text: &str) {
        let (line, base) = (self.line, self.base);
        self.base = Some(line);
        self.deeper(|reader| reader.text(text));
        (self.line, self.base) = (line, base);
    }

    fn at(&mut self, word: &Word) {
        if let (None, Some(span)) = (self.base, &word.loc) {
            self.line = span.start.line;
        }
    }

    fn expands(&mut self, name: &str) {
        if !self.set.contains(name) && !OWN.contains(&name) {
            let variables = &mut self.taken.variables;
            variables.entry(name.to_owned()).or_insert(self.line);
        }
    }

    fn any(&mut self, what: impl Into<String>) {
        let line = self.line;
        self.taken.any.entry(what.into()).or_insert(line);
    }

    fn list(&mut self, list: &CompoundList) {
        for item in &list.0 {
            match item.1 {
                SeparatorOperator::Async => {
                    self.apart(|reader| reader.and_or(&item.0));
                }
                SeparatorOperator::Sequence => self.and_or(&item.0),
            }
        }
    }

    fn and_or(&mut self, list: &AndOrList) {
        self.pipeline(&list.first);
        for item in &list.additional {
            let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = item;
            self.apart(|reader| reader.pipeline(pipeline));
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        match &pipeline.seq[..] {
            [one] => self.command(one),
            members => {
                for member in members {
                    self.apart(|reader| reader.command(member));
                }
            }
        }
    }

    fn command(&mut self, command: &Command) {
        self.deeper(|reader| match command {
            Command::Simple(simple) => reader.simple(simple),
            Command::Compound(compound, redirects) => {
                for redirect in redirects.iter().flat_map(|list| &list.0) {
                    reader.redirect(redirect);
                }
                reader.compound(compound);
            }
            Command::Function(function) => {
                let name = function.fname.value.clone();
                reader.called.remove(&name);
                reader.functions.insert(name, function.body.clone());
            }
            Command::ExtendedTest(test, redirects) => {
                for redirect in redirects.iter().flat_map(|list| &list.0) {
                    reader.redirect(redirect);
                }
                reader.test(&test.expr);
            }
        });
    }

    fn compound(&mut self, compound: &CompoundCommand) {
        match compound {
            CompoundCommand::Arithmetic(arithmetic) => self.arithmetic(&arithmetic.expr.value),
            CompoundCommand::ArithmeticForClause(clause) => {
                let parts = [&clause.initializer, &clause.condition, &clause.updater];
                for part in parts.into_iter().flatten() {
                    self.arithmetic(&part.value);
                }
                self.turn(|reader| reader.list(&clause.body.list));
            }
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => {
                self.apart(|reader| reader.list(&subshell.list));
            }
            CompoundCommand::ForClause(clause) => {
                for word in clause.values.iter().flatten() {
                    self.word(word);
                }
                let before = self.set.clone();
                self.set.insert(clause.variable_name.clone());
                self.turn(|reader| reader.list(&clause.body.list));
                // Without a turn it is as it was.
                let mut values = clause.values.iter().flatten();
                if values.all(|word| word.value.contains(['$', '`'])) {
                    self.set = before;
                }
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value);
                let mut ways = Vec::new();
                let mut is_whole = false;
                for case in &clause.cases {
                    is_whole |= case.patterns.iter().any(|pattern| pattern.value == "*");
                    for pattern in &case.patterns {
                        self.word(pattern);
                    }
                    if let Some(list) = &case.cmd {
                        ways.push(self.apart(|reader| reader.list(list)));
                    } else {
                        ways.push(self.set.clone());
                    }
                }
                if is_whole {
                    self.meet(ways);
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition);
                let surely = self.set.clone();
                let mut ways = vec![self.apart(|reader| reader.list(&clause.then))];
                let mut is_whole = false;
                for other in clause.elses.iter().flatten() {
                    if let Some(condition) = &other.condition {
                        self.list(condition);
                    } else {
                        is_whole = true;
                    }
                    ways.push(self.apart(|reader| reader.list(&other.body)));
                }
                if !is_whole {
                    ways.push(surely);
                }
                self.meet(ways);
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                // The condition is looked at once at least; `break` may leave the loop within it.
                self.framed(Kind::Loop, |reader| {
                    reader.list(&clause.0);
                    reader.apart(|reader| reader.list(&clause.1.list));
                });
            }
            CompoundCommand::Coprocess(coprocess) => {
                self.apart(|reader| reader.command(&coprocess.body));
            }
        }
    }

    /// Goes on behind branches of which one was taken: what all of them set is set.
    fn meet(&mut self, ways: Vec<BTreeSet<String>>) {
        let mut ways = ways.into_iter();
        if let Some(first) = ways.next() {
            self.set = ways.fold(first, |all, way| all.intersection(&way).cloned().collect());
        }
    }

    fn simple(&mut self, simple: &SimpleCommand) {
        let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
        let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        let mut assigned = Vec::new();
        for item in prefix {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    self.at(word);
                    self.value(assignment);
                    assigned.push(name_of(assignment));
                }
                other => self.item(other),
            }
        }
        let Some(word) = &simple.word_or_name else {
            self.set.extend(assigned);
            return;
        };
        self.at(word);
        self.word(word);
        let mut words = vec![word.value.clone()];
        let mut sets = Vec::new();
        let declares = matches!(
            &*word.value,
            "export" | "readonly" | "declare" | "typeset" | "local"
        );
        for item in suffix {
            match item {
                CommandPrefixOrSuffixItem::Word(word) => {
                    self.word(word);
                    words.push(word.value.clone());
                }
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    self.value(assignment);
                    if declares {
                        sets.push(name_of(assignment));
                    }
                    words.push(word.value.clone());
                }
                other => self.item(other),
            }
        }
        self.call_command(&words);
        self.set.extend(sets);
    }

    fn item(&mut self, item: &CommandPrefixOrSuffixItem) {
        match item {
            CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect),
            CommandPrefixOrSuffixItem::Word(word) => self.word(word),
            CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => self.value(assignment),
            CommandPrefixOrSuffixItem::ProcessSubstitution(_, subshell) => {
                self.apart(|reader| reader.list(&subshell.list));
            }
        }
    }

    fn value(&mut self, assignment: &Assignment) {
        if let AssignmentName::ArrayElementName(_, index) = &assignment.name {
            self.word_text(index);
        }
        if assignment.append {
            self.expands(&name_of(assignment));
        }
        match &assignment.value {
            AssignmentValue::Scalar(word) => self.word(word),
            AssignmentValue::Array(items) => {
                for (index, word) in items {
                    index.iter().for_each(|index| self.word(index));
                    self.word(word);
                }
            }
        }
    }

    fn redirect(&mut self, redirect: &IoRedirect) {
        match redirect {
            IoRedirect::File(_, _, target) => match target {
                IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word) => {
                    self.word(word);
                }
                IoFileRedirectTarget::ProcessSubstitution(_, subshell) => {
                    self.apart(|reader| reader.list(&subshell.list));
                }
                IoFileRedirectTarget::Fd(_) => {}
            },
            IoRedirect::HereDocument(_, document) if document.requires_expansion => {
                self.at(&document.here_end);
                self.here_document(&document.doc.value);
            }
            IoRedirect::HereDocument(..) => {}
            IoRedirect::HereString(_, word) | IoRedirect::OutputAndError(word, _) => {
                self.word(word)
            }
        }
    }

    fn test(&mut self, test: &ExtendedTestExpr) {
        self.deeper(|reader| match test {
            ExtendedTestExpr::And(one, other) | ExtendedTestExpr::Or(one, other) => {
                reader.test(one);
                reader.test(other);
            }
            ExtendedTestExpr::Not(one) | ExtendedTestExpr::Parenthesized(one) => reader.test(one),
            ExtendedTestExpr::UnaryTest(predicate, word) => {
                if matches!(predicate, UnaryPredicate::ShellVariableIsSetAndAssigned) {
                    reader.at(word);
                    reader.expands(&word.value);
                }
                reader.word(word);
            }
            ExtendedTestExpr::BinaryTest(_, one, other) => {
                reader.word(one);
                reader.word(other);
            }
        });
    }

    fn source(&mut self, words: &[String]) {
        let Some(name) = words
            .first()
            .and_then(|word| words::literal(std::slice::from_ref(word)))
        else {
            self.taken.unnamed.insert(self.line);
            return;
        };
        if self.taken.sourced.contains_key(&name) {
            return;
        }
        self.taken.sourced.insert(name.clone(), self.line);
        // A file that is not there is read by nobody.
        if let Some(text) = (self.sources)(&name) {
            self.framed(Kind::Source, |reader| reader.inner(&text));
        }
    }
}

fn name_of(assignment: &Assignment) -> String {
    match &assignment.name {
        AssignmentName::VariableName(name) | AssignmentName::ArrayElementName(name, _) => {
            name.clone()
        }
    }
}

/// The word, if it is a name and nothing else; quotes taken off.
fn plain(word: &str) -> Option<&str> {
    let word = word.trim_matches(['"', '\'']);
    let is_name = !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !word.as_bytes()[0].is_ascii_digit();
    is_name.then_some(word)
}

fn options() -> brush_parser::ParserOptions {
    brush_parser::ParserOptions {
        enable_extended_globbing: true,
        sh_mode: false,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests;
