//! What a rule may look at: the instructions, the stages, and the commands of every `RUN`.

use std::ops::Range;

use crate::Abandoned;
use crate::dockerfile::shell::{self, Command, Script};
use crate::dockerfile::stages::{Base, Stage, Stages};
use crate::dockerfile::{Arguments, Dockerfile, Instruction, Keyword};

/// What is beside the file, as far as the caller could see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The `.dockerignore` that a build with this file would use.
    pub ignored: Ignored<'a>,
    /// What is known of base images, where somebody knows something.
    pub bases: Option<&'a dyn Bases>,
}

/// Whoever knows of base images whether they are still built.
pub trait Bases: std::fmt::Debug + Sync {
    /// Why nobody builds the image of this name any more; `None` if somebody does, or it is not known.
    fn abandoned(&self, name: &str) -> Option<Abandoned>;
}

/// A `.dockerignore`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ignored<'a> {
    /// Nobody looked.
    #[default]
    Unknown,
    /// There is none.
    Missing,
    /// This is what it says.
    Text(&'a str),
}

/// A Dockerfile laid out for the rules.
pub struct Sheet<'a> {
    /// The file.
    pub file: &'a Dockerfile,
    /// What is beside it.
    pub context: &'a Context<'a>,
    /// Its stages.
    pub stages: Stages,
    scripts: Vec<Option<Script>>,
}

/// A `RUN`, also one that `ONBUILD` puts off.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Its number among the instructions.
    pub index: usize,
    /// The `RUN` itself.
    pub instruction: &'a Instruction,
    /// Its commands.
    pub script: &'a Script,
    /// Its stage; none before the first `FROM`.
    pub stage: Option<&'a Stage>,
}

impl Run<'_> {
    /// Whether what it writes is in the image, and not in a stage that is thrown away.
    pub fn ships(&self) -> bool {
        self.stage.is_none_or(|stage| stage.ships)
    }

    /// Whether a directory is mounted while it runs, so that nothing written there is kept.
    pub fn mounts(&self, directory: &str) -> bool {
        self.instruction
            .flags
            .iter()
            .filter(|flag| flag.name == "mount")
            .filter_map(|flag| flag.value.as_deref())
            .filter(|mount| mount.contains("type=cache") || mount.contains("type=tmpfs"))
            .flat_map(|mount| mount.split(','))
            .filter_map(|field| field.split_once('='))
            .filter(|(key, _)| matches!(*key, "target" | "dst" | "destination"))
            .any(|(_, target)| {
                let target = target.trim_end_matches('/');
                let below = directory.strip_prefix(target);
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }
}

impl<'a> Sheet<'a> {
    /// Lays out a file.
    pub fn new(file: &'a Dockerfile, context: &'a Context<'a>) -> Self {
        let stages = Stages::of(file);
        let mut scripts = Vec::with_capacity(file.instructions.len());
        // What SHELL says holds in the stages that begin from one, too.
        let mut shells: Vec<Option<String>> = vec![None; stages.all.len()];
        let mut wanted = None;
        for (index, instruction) in file.instructions.iter().enumerate() {
            let comment = instruction.comments.iter().rev().find_map(|comment| {
                let rest = comment.text.strip_prefix("hadolint")?;
                rest.trim().strip_prefix("shell=")
            });
            wanted = comment.map(str::to_owned).or(wanted);
            let stage = stages.holding(index);
            if let Some(stage) = stage.filter(|stage| stage.from == index) {
                shells[stage.index] = match stage.base {
                    Base::Stage(below) => shells[below].clone(),
                    // Its own shell is none of ours.
                    _ => stages.is_windows(stage).then(|| "cmd".to_owned()),
                };
            }
            let effective = effective(instruction);
            if let (Some(stage), Some(Keyword::Shell)) = (stage, instruction.kind) {
                let word = instruction.words().first();
                shells[stage.index] = word.map(|word| word.text.clone());
            }
            scripts.push(effective.is(Keyword::Run).then(|| {
                let shell = stage.and_then(|stage| shells[stage.index].as_deref());
                shell::script(effective, shell.or(wanted.as_deref()))
            }));
        }
        Self {
            file,
            context,
            stages,
            scripts,
        }
    }

    /// Every `RUN` in order.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.runs_in(0..self.scripts.len())
    }

    /// The `RUN`s among these instructions.
    pub fn runs_in(&self, numbers: Range<usize>) -> impl Iterator<Item = Run<'_>> {
        let end = numbers.end.min(self.scripts.len());
        (numbers.start..end).filter_map(|index| {
            Some(Run {
                index,
                instruction: effective(&self.file.instructions[index]),
                script: self.scripts[index].as_ref()?,
                stage: self.stages.holding(index),
            })
        })
    }

    /// Every command of every `RUN`.
    pub fn commands(&self) -> impl Iterator<Item = (Run<'_>, &Command)> {
        self.runs().flat_map(|run| {
            run.script
                .commands
                .iter()
                .map(move |command| (run, command))
        })
    }

    /// Every instruction of a kind, those that `ONBUILD` puts off included.
    pub fn of(&self, kind: Keyword) -> impl Iterator<Item = (usize, &'a Instruction)> + use<'a> {
        let all = self.file.instructions.iter().enumerate();
        all.map(|(index, instruction)| (index, effective(instruction)))
            .filter(move |(_, instruction)| instruction.is(kind))
    }

    /// The instructions of a stage.
    pub fn within(&self, stage: &Stage) -> &'a [Instruction] {
        &self.file.instructions[stage.instructions.clone()]
    }

    /// The last stage: the image.
    pub fn last(&self) -> Option<&Stage> {
        self.stages.all.last()
    }
}

/// What an `ONBUILD` puts off, or the instruction itself.
fn effective(instruction: &Instruction) -> &Instruction {
    match &instruction.arguments {
        Arguments::Onbuild(inner) => inner,
        _ => instruction,
    }
}
