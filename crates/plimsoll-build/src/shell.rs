//! Reading maintainer scripts without running them.
//!
//! A script is parsed (by `brush-parser`) and followed step by step: variables, conditions, loops
//! and functions as POSIX.1-2024 XCU chapter 2 says, on the tree in memory. No process is started.
//! A command is a builtin of the shell, or a row of [`crate::emulations::EMULATIONS`]; any other is
//! reported by package, script and line ([`Unemulated`]) and answers as a command that did nothing.
//! Steps, depth and the bytes a command may print are limited, so that a script cannot hold us.

mod builtins;
mod commands;
pub(crate) mod pattern;
mod words;

use std::collections::BTreeMap;

use brush_parser::ast::{
    AndOr, AndOrList, Command, CompoundCommand, CompoundList, FunctionBody, Pipeline, Program,
    SourceLocation,
};
use plimsoll_model::{ImagePath, text};

use crate::emulations;
use crate::stage::Stage;
use crate::world::World;

/// Most commands one script may run.
const MAX_STEPS: usize = 200_000;
/// Deepest nesting of functions, substitutions and compound commands.
const MAX_DEPTH: usize = 100;
/// Most bytes a command may print or be given, in bytes.
const MAX_OUTPUT: usize = 16 << 20;
/// Largest script that is read, in bytes.
const MAX_SCRIPT: usize = 1 << 20;
/// Deepest nesting of brackets and compound commands in the text of a script.
const MAX_NESTING: usize = 500;

/// Something in a maintainer script that was not emulated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unemulated {
    /// Name of the package.
    pub package: String,
    /// The script: `postinst`, `preinst`, `config`.
    pub script: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What was not done, or why the reading ended there.
    pub what: String,
}

impl std::fmt::Display for Unemulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = text::printable(self.what.as_bytes());
        write!(
            f,
            "{} {} line {}: {what}",
            self.package, self.script, self.line
        )
    }
}

/// Why the reading of a script ends before its end.
pub(crate) enum Stop {
    /// `exit`, or `set -e` and a command that failed.
    Exit(i32),
    /// `return`.
    Return(i32),
    /// `break` out of so many loops.
    Break(usize),
    /// `continue` so many loops up.
    Continue(usize),
    /// Something that cannot be followed: the words.
    Trouble(String),
}

/// One script on its way.
pub(crate) struct Shell<'a> {
    /// The tree it works on.
    pub(crate) stage: &'a mut Stage,
    /// What outlives the script: packages, answers, diversions.
    pub(crate) world: &'a mut World,
    package: &'a str,
    script: &'a str,
    arguments: Vec<String>,
    variables: BTreeMap<String, String>,
    functions: BTreeMap<String, FunctionBody>,
    /// Values to put back when the function ends: `local`.
    locals: Vec<Vec<(String, Option<String>)>>,
    directory: ImagePath,
    output: Vec<u8>,
    input: Vec<u8>,
    status: i32,
    /// The status of the last command substitution of the words being expanded.
    substituted: Option<i32>,
    line: usize,
    /// Lines before the text that is being parsed, for substitutions.
    line_offset: usize,
    steps: usize,
    depth: usize,
    errexit: bool,
    /// Inside `if`, `&&`, `!`: a failure is an answer, not an end.
    condition: usize,
    pub(crate) umask: u32,
    reports: Vec<Unemulated>,
}

/// Follows a script with these arguments; answers what was not emulated.
pub(crate) fn follow(
    stage: &mut Stage,
    world: &mut World,
    package: &str,
    script: &str,
    bytes: &[u8],
    arguments: &[&str],
) -> Vec<Unemulated> {
    let mut shell = new(stage, world, package, script, arguments);
    shell.whole(bytes);
    finish(shell.reports)
}

/// Does what a row of the table has in place of a whole script; answers what was not emulated.
pub(crate) fn replace(
    stage: &mut Stage,
    world: &mut World,
    package: &str,
    script: &str,
    emulation: &emulations::Emulation,
    arguments: &[&str],
) -> Vec<Unemulated> {
    let mut shell = new(stage, world, package, script, arguments);
    let words: Vec<String> = [script]
        .iter()
        .chain(arguments)
        .map(|&w| w.to_owned())
        .collect();
    match (emulation.run)(&mut shell, &words) {
        Ok(0) => {}
        Ok(status) => shell.report(format!("its emulation ends with status {status}")),
        Err(Stop::Trouble(why)) => shell.report(why),
        Err(_) => {}
    }
    finish(shell.reports)
}

fn finish(mut reports: Vec<Unemulated>) -> Vec<Unemulated> {
    reports.sort();
    reports.dedup();
    reports
}

fn new<'a>(
    stage: &'a mut Stage,
    world: &'a mut World,
    package: &'a str,
    script: &'a str,
    arguments: &[&str],
) -> Shell<'a> {
    let architecture = world.architecture.clone();
    let variables = [
        ("PATH", plimsoll_model::config::DEFAULT_PATH),
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("DPKG_MAINTSCRIPT_PACKAGE", package),
        ("DPKG_MAINTSCRIPT_NAME", script),
        ("DPKG_MAINTSCRIPT_ARCH", &architecture),
        ("DPKG_ADMINDIR", "/var/lib/dpkg"),
        ("DPKG_ROOT", ""),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
    ];
    Shell {
        stage,
        world,
        package,
        script,
        arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        variables: variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        functions: BTreeMap::new(),
        locals: Vec::new(),
        directory: ImagePath::root(),
        output: Vec::new(),
        input: Vec::new(),
        status: 0,
        substituted: None,
        line: 1,
        line_offset: 0,
        steps: 0,
        depth: 0,
        errexit: false,
        condition: 0,
        umask: 0o022,
        reports: Vec::new(),
    }
}

impl Shell<'_> {
    fn whole(&mut self, bytes: &[u8]) {
        if bytes.len() > MAX_SCRIPT {
            let what = format!("has more than the limit of {MAX_SCRIPT} bytes");
            return self.report(what);
        }
        let first = bytes
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        let first = String::from_utf8_lossy(first).into_owned();
        if let Some(program) = first.strip_prefix("#!") {
            let name = program.split_whitespace().next().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default();
            if !matches!(name, "sh" | "dash" | "bash") {
                return self.report(format!("is a program for {name}, not a shell script"));
            }
            let options = program.split_whitespace().nth(1).unwrap_or_default();
            self.errexit = options.starts_with('-') && options.contains('e');
        } else {
            return self.report("is not a shell script".to_owned());
        }
        let source = String::from_utf8_lossy(bytes).into_owned();
        match self.run_text(&source) {
            Ok(()) | Err(Stop::Exit(0) | Stop::Return(0) | Stop::Break(_) | Stop::Continue(_)) => {}
            Err(Stop::Exit(status) | Stop::Return(status)) => {
                self.report(format!("ends here with status {status}"));
            }
            Err(Stop::Trouble(why)) => {
                self.report(format!("{why}; the rest of the script is not followed"));
            }
        }
    }

    fn run_text(&mut self, source: &str) -> Result<(), Stop> {
        let program = self.parse(source)?;
        for list in &program.complete_commands {
            self.list(list)?;
        }
        Ok(())
    }

    fn parse(&self, source: &str) -> Result<Program, Stop> {
        // The parser goes one step deeper with every level, and its stack has an end.
        if text::nesting(source) > MAX_NESTING {
            return Err(self.stop(format!("nests deeper than the limit of {MAX_NESTING}")));
        }
        let options = self.options();
        brush_parser::Parser::new(source.as_bytes(), &options)
            .parse_program()
            .map_err(|error| self.stop(format!("is not understood: {error}")))
    }

    fn options(&self) -> brush_parser::ParserOptions {
        brush_parser::ParserOptions {
            enable_extended_globbing: false,
            sh_mode: true,
            ..Default::default()
        }
    }

    /// What could not be followed, for a [`Stop`].
    pub(crate) fn stop(&self, why: String) -> Stop {
        Stop::Trouble(why)
    }

    /// Puts something on record that was not emulated.
    pub(crate) fn report(&mut self, what: String) {
        let what = what.chars().take(300).collect();
        self.reports.push(Unemulated {
            package: self.package.to_owned(),
            script: self.script.to_owned(),
            line: self.line,
            what,
        });
    }

    pub(crate) fn package(&self) -> &str {
        self.package
    }

    pub(crate) fn script(&self) -> &str {
        self.script
    }

    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    pub(crate) fn last_status(&self) -> i32 {
        self.status
    }

    pub(crate) fn directory(&self) -> &ImagePath {
        &self.directory
    }

    /// A path as the script wrote it, from where the script stands.
    pub(crate) fn path(&self, text: &str) -> ImagePath {
        self.directory.join(text)
    }

    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    pub(crate) fn assign(&mut self, name: &str, value: String) {
        self.variables.insert(name.to_owned(), value);
    }

    /// Prints to whatever the output is now.
    pub(crate) fn print(&mut self, bytes: &[u8]) {
        let room = MAX_OUTPUT.saturating_sub(self.output.len());
        self.output
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// All that is left of the input.
    pub(crate) fn take_input(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.input)
    }

    /// Whether a command of this name would be found: in the tree, along `PATH`.
    pub(crate) fn which(&self, name: &str) -> Option<String> {
        let executable = |path: &str| {
            let node = self.stage.node(&self.path(path));
            node.is_some_and(plimsoll_model::Node::is_executable)
        };
        if name.contains('/') {
            return executable(name).then(|| name.to_owned());
        }
        let search = self.variable("PATH").unwrap_or_default();
        let mut found = search
            .split(':')
            .map(|directory| format!("{directory}/{name}"));
        found.find(|path| executable(path))
    }

    fn list(&mut self, list: &CompoundList) -> Result<(), Stop> {
        for item in &list.0 {
            self.and_or(&item.0)?;
        }
        Ok(())
    }

    fn and_or(&mut self, list: &AndOrList) -> Result<(), Stop> {
        let last = list.additional.len();
        self.pipeline(&list.first, last > 0)?;
        for (index, item) in list.additional.iter().enumerate() {
            let (pipeline, wanted) = match item {
                AndOr::And(pipeline) => (pipeline, self.status == 0),
                AndOr::Or(pipeline) => (pipeline, self.status != 0),
            };
            if wanted {
                self.pipeline(pipeline, index + 1 < last)?;
            }
        }
        Ok(())
    }

    /// A pipeline; `tested` if what follows depends on its status.
    fn pipeline(&mut self, pipeline: &Pipeline, tested: bool) -> Result<(), Stop> {
        let tested = tested || pipeline.bang;
        self.condition += usize::from(tested);
        let result = self.pipeline_members(pipeline);
        self.condition -= usize::from(tested);
        result?;
        if pipeline.bang {
            self.status = i32::from(self.status == 0);
        } else if self.status != 0 && self.errexit && self.condition == 0 && !tested {
            // What failed inside of `if`, `{ }` or a loop was looked at there.
            let ends = match &pipeline.seq[..] {
                [Command::Compound(compound, _)] => {
                    matches!(compound, CompoundCommand::Subshell(_))
                }
                _ => true,
            };
            if ends {
                return Err(Stop::Exit(self.status));
            }
        }
        Ok(())
    }

    fn pipeline_members(&mut self, pipeline: &Pipeline) -> Result<(), Stop> {
        let [first, rest @ ..] = &pipeline.seq[..] else {
            return Ok(());
        };
        if rest.is_empty() {
            return self.command(first);
        }
        // Each member is a subshell of its own: its variables do not come back.
        let outer_input = self.input.clone();
        let outer_output = std::mem::take(&mut self.output);
        let mut result = Ok(());
        for (index, member) in pipeline.seq.iter().enumerate() {
            if index > 0 {
                self.input = std::mem::take(&mut self.output);
            }
            // Only the last member's status counts, and the caller looks at it.
            result = self.subshell(|shell| {
                shell.errexit = false;
                shell.command(member)
            });
            if result.is_err() {
                break;
            }
        }
        let printed = std::mem::replace(&mut self.output, outer_output);
        self.input = outer_input;
        self.print(&printed);
        result
    }

    /// Runs with the variables, directory and options put back afterwards; `exit` ends only it.
    fn subshell(&mut self, body: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        let variables = self.variables.clone();
        let functions = self.functions.clone();
        let arguments = self.arguments.clone();
        let directory = self.directory.clone();
        let (errexit, umask) = (self.errexit, self.umask);
        let result = self.deeper(body);
        self.variables = variables;
        self.functions = functions;
        self.arguments = arguments;
        self.directory = directory;
        (self.errexit, self.umask) = (errexit, umask);
        match result {
            Err(Stop::Exit(status) | Stop::Return(status)) => {
                self.status = status;
                Ok(())
            }
            Err(Stop::Break(_) | Stop::Continue(_)) => Ok(()),
            result => result,
        }
    }

    fn deeper(&mut self, body: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        if self.depth >= MAX_DEPTH {
            return Err(self.stop(format!("nests deeper than the limit of {MAX_DEPTH}")));
        }
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result
    }

    /// What a command substitution prints, without its trailing line ends.
    fn substitute(&mut self, script: &str) -> Result<String, Stop> {
        let outer = std::mem::take(&mut self.output);
        let (line, offset) = (self.line, self.line_offset);
        self.line_offset = self.line.saturating_sub(1);
        let result = self.subshell(|shell| shell.run_text(script));
        (self.line, self.line_offset) = (line, offset);
        let printed = std::mem::replace(&mut self.output, outer);
        result?;
        self.substituted = Some(self.status);
        let text = String::from_utf8_lossy(&printed).into_owned();
        Ok(text.trim_end_matches('\n').to_owned())
    }

    fn command(&mut self, command: &Command) -> Result<(), Stop> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(self.stop(format!("takes more than the limit of {MAX_STEPS} steps")));
        }
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, redirects) => {
                if let Some(location) = compound.location() {
                    self.line = self.line_offset + location.start.line;
                }
                let redirects = redirects.as_ref();
                self.redirected(redirects, |shell| {
                    shell.deeper(|shell| shell.compound(compound))
                })
            }
            Command::Function(definition) => {
                let name = definition.fname.value.clone();
                self.functions.insert(name, definition.body.clone());
                self.status = 0;
                Ok(())
            }
            Command::ExtendedTest(..) => Err(self.stop("`[[` is not emulated".to_owned())),
        }
    }

    /// Writes a file with the mode the script's `umask` leaves.
    pub(crate) fn write(&mut self, path: &ImagePath, bytes: &[u8]) -> Result<(), Stop> {
        let mode = 0o666 & !self.umask;
        let written = self.stage.write(path, bytes, mode);
        written.map_err(|error| self.stop(format!("cannot write {path}: {error}")))
    }

    /// Follows another file of the tree in this shell: `.`.
    fn source(&mut self, path: &ImagePath) -> Result<(), Stop> {
        let text = self.stage.read_text(path);
        let (line, offset) = (self.line, self.line_offset);
        self.line_offset = line.saturating_sub(1);
        let result = self.deeper(|shell| shell.run_text(&text));
        (self.line, self.line_offset) = (line, offset);
        match result {
            Err(Stop::Return(status)) => {
                self.status = status;
                Ok(())
            }
            result => result,
        }
    }
}

/// Where output goes.
enum Sink {
    File(ImagePath),
    Nowhere,
}

#[cfg(test)]
mod tests;
