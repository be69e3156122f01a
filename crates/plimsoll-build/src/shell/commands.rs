//! Compound and simple commands, and where redirections lead their input and output.

use brush_parser::ast::{
    AssignmentName, AssignmentValue, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList,
    IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, RedirectList, SimpleCommand,
    SourceLocation, Word,
};

use super::*;

impl Shell<'_> {
    pub(super) fn compound(&mut self, compound: &CompoundCommand) -> Result<(), Stop> {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(group) => self.subshell(|shell| shell.list(&group.list)),
            CompoundCommand::IfClause(clause) => {
                if self.test(&clause.condition)? {
                    return self.list(&clause.then);
                }
                for branch in clause.elses.iter().flatten() {
                    let taken = match &branch.condition {
                        Some(condition) => self.test(condition)?,
                        None => true,
                    };
                    if taken {
                        return self.list(&branch.body);
                    }
                }
                self.status = 0;
                Ok(())
            }
            CompoundCommand::ForClause(clause) => {
                let values = match &clause.values {
                    None => self.arguments.clone(),
                    Some(words) => {
                        let mut values = Vec::new();
                        for word in words {
                            values.extend(self.fields(&word.value)?);
                        }
                        values
                    }
                };
                self.status = 0;
                for value in values {
                    self.assign(&clause.variable_name, value);
                    if !self.round(&clause.body.list)? {
                        break;
                    }
                }
                Ok(())
            }
            CompoundCommand::WhileClause(clause) => self.repeat(&clause.0, &clause.1.list, true),
            CompoundCommand::UntilClause(clause) => self.repeat(&clause.0, &clause.1.list, false),
            CompoundCommand::CaseClause(clause) => {
                let value: Vec<char> = self.string(&clause.value.value)?.chars().collect();
                self.status = 0;
                for item in &clause.cases {
                    for word in &item.patterns {
                        let glyphs = self.glyphs(&word.value)?;
                        if pattern::matches(&glyphs, &value) {
                            return match &item.cmd {
                                Some(list) => self.list(list),
                                None => Ok(()),
                            };
                        }
                    }
                }
                Ok(())
            }
            CompoundCommand::Arithmetic(_)
            | CompoundCommand::ArithmeticForClause(_)
            | CompoundCommand::Coprocess(_) => {
                Err(self.stop("a construct of bash that is not emulated".to_owned()))
            }
        }
    }

    pub(super) fn test(&mut self, list: &CompoundList) -> Result<bool, Stop> {
        self.condition += 1;
        let result = self.list(list);
        self.condition -= 1;
        result.map(|()| self.status == 0)
    }

    pub(super) fn repeat(
        &mut self,
        test: &CompoundList,
        body: &CompoundList,
        wanted: bool,
    ) -> Result<(), Stop> {
        let mut last = 0;
        while self.test(test)? == wanted {
            if !self.round(body)? {
                return Ok(());
            }
            last = self.status;
        }
        self.status = last;
        Ok(())
    }

    /// One round of a loop; whether there is another.
    pub(super) fn round(&mut self, body: &CompoundList) -> Result<bool, Stop> {
        match self.list(body) {
            Ok(()) | Err(Stop::Continue(1)) => Ok(true),
            Err(Stop::Break(1)) => Ok(false),
            Err(Stop::Break(levels)) => Err(Stop::Break(levels - 1)),
            Err(Stop::Continue(levels)) => Err(Stop::Continue(levels - 1)),
            Err(stop) => Err(stop),
        }
    }

    pub(super) fn simple(&mut self, command: &SimpleCommand) -> Result<(), Stop> {
        let first = command.word_or_name.as_ref();
        if let Some(location) = first.and_then(SourceLocation::location) {
            self.line = self.line_offset + location.start.line;
        }
        let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
        let mut assignments = Vec::new();
        let mut redirects = Vec::new();
        let mut words: Vec<&Word> = first.into_iter().collect();
        for item in prefix.clone() {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    assignments.push(assignment);
                }
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect.clone()),
                CommandPrefixOrSuffixItem::Word(word) => words.push(word),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return Err(self.stop("process substitution is not emulated".to_owned()));
                }
            }
        }
        for item in suffix {
            match item {
                CommandPrefixOrSuffixItem::Word(word)
                | CommandPrefixOrSuffixItem::AssignmentWord(_, word) => words.push(word),
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect.clone()),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return Err(self.stop("process substitution is not emulated".to_owned()));
                }
            }
        }
        let mut fields = Vec::new();
        self.substituted = None;
        for word in words {
            // `local x=$y` does not split what it assigns (dash splits, which scripts avoid).
            fields.extend(self.fields(&word.value)?);
        }
        let mut values = Vec::new();
        for assignment in assignments {
            if let Some(location) = first.is_none().then(|| assignment.loc.clone()) {
                self.line = self.line_offset + location.start.line;
            }
            let AssignmentName::VariableName(name) = &assignment.name else {
                return Err(self.stop("arrays are not emulated".to_owned()));
            };
            let AssignmentValue::Scalar(word) = &assignment.value else {
                return Err(self.stop("arrays are not emulated".to_owned()));
            };
            let value = self.string(&word.value)?;
            values.push((name.clone(), value));
        }
        let redirects = RedirectList(redirects);
        if fields.is_empty() {
            // The status is that of the last substitution.
            self.status = self.substituted.unwrap_or(0);
            for (name, value) in values {
                self.assign(&name, value);
            }
            return self.redirected(Some(&redirects), |_| Ok(()));
        }
        let mut saved = Vec::new();
        for (name, value) in values {
            saved.push((name.clone(), self.variables.get(&name).cloned()));
            self.assign(&name, value);
        }
        let result = self.redirected(Some(&redirects), |shell| shell.call(&fields));
        for (name, value) in saved.into_iter().rev() {
            match value {
                Some(value) => self.assign(&name, value),
                None => drop(self.variables.remove(&name)),
            }
        }
        result
    }

    /// Runs a command by its name: function, builtin, emulation.
    pub(crate) fn call(&mut self, fields: &[String]) -> Result<(), Stop> {
        let Some(name) = fields.first() else {
            return Ok(());
        };
        if let Some(body) = self.functions.get(name).cloned() {
            let arguments = std::mem::replace(&mut self.arguments, fields[1..].to_vec());
            self.locals.push(Vec::new());
            let redirects = body.1.as_ref();
            let result = self.redirected(redirects, |shell| {
                shell.deeper(|shell| shell.compound(&body.0))
            });
            for (name, value) in self.locals.pop().unwrap_or_default().into_iter().rev() {
                match value {
                    Some(value) => self.assign(&name, value),
                    None => drop(self.variables.remove(&name)),
                }
            }
            self.arguments = arguments;
            return match result {
                Err(Stop::Return(status)) => {
                    self.status = status;
                    Ok(())
                }
                result => result,
            };
        }
        if let Some(result) = self.builtin(name, &fields[1..]) {
            return result;
        }
        let line = self.line;
        if let Some(emulation) = emulations::for_command(name) {
            self.status = (emulation.run)(self, fields)?;
            self.line = line;
            return Ok(());
        }
        if self.which(name).is_none() {
            // As in the image itself: there is no such command, and the script must cope.
            self.status = 127;
            return Ok(());
        }
        let what = fields.join(" ");
        self.report(format!("`{what}` is not emulated"));
        self.status = i32::from(self.condition > 0);
        Ok(())
    }

    /// Runs with input and output where the redirections lead them.
    pub(super) fn redirected(
        &mut self,
        redirects: Option<&RedirectList>,
        body: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let redirects = redirects.map_or(&[][..], |list| &list.0[..]);
        let mut input = None;
        let mut output: Option<Sink> = None;
        for redirect in redirects {
            match redirect {
                IoRedirect::HereDocument(_, document) => {
                    let text = if document.requires_expansion {
                        self.here_document(&document.doc.value)?
                    } else {
                        document.doc.value.clone()
                    };
                    input = Some(text.into_bytes());
                }
                IoRedirect::HereString(_, word) => {
                    input = Some(format!("{}\n", self.string(&word.value)?).into_bytes());
                }
                IoRedirect::OutputAndError(word, append) => {
                    let path = self.string(&word.value)?;
                    output = Some(self.sink(&path, *append)?);
                }
                IoRedirect::File(descriptor, kind, target) => {
                    self.redirect_file(*descriptor, kind, target, &mut input, &mut output)?;
                }
            }
        }
        let outer_input = input.map(|input| std::mem::replace(&mut self.input, input));
        let outer_output = output.is_some().then(|| std::mem::take(&mut self.output));
        let result = body(self);
        if let Some(outer) = outer_input {
            self.input = outer;
        }
        if let (Some(outer), Some(sink)) = (outer_output, output) {
            let printed = std::mem::replace(&mut self.output, outer);
            if let Sink::File(path) = sink {
                let mut bytes = self.stage.read(&path).unwrap_or_default();
                bytes.extend_from_slice(&printed);
                if !printed.is_empty() {
                    self.write(&path, &bytes)?;
                }
            }
        }
        result
    }

    pub(super) fn redirect_file(
        &mut self,
        descriptor: Option<i32>,
        kind: &IoFileRedirectKind,
        target: &IoFileRedirectTarget,
        input: &mut Option<Vec<u8>>,
        output: &mut Option<Sink>,
    ) -> Result<(), Stop> {
        use IoFileRedirectKind as Kind;
        let name = match target {
            IoFileRedirectTarget::Filename(word) => self.string(&word.value)?,
            IoFileRedirectTarget::Fd(fd) => fd.to_string(),
            IoFileRedirectTarget::Duplicate(word) => self.string(&word.value)?,
            IoFileRedirectTarget::ProcessSubstitution(..) => {
                return Err(self.stop("process substitution is not emulated".to_owned()));
            }
        };
        match kind {
            Kind::Read | Kind::ReadAndWrite if descriptor.unwrap_or(0) == 0 => {
                let path = self.path(&name);
                let bytes = if name == "/dev/null" {
                    Vec::new()
                } else {
                    let read = self.stage.read(&path);
                    read.map_err(|error| self.stop(format!("cannot read {path}: {error}")))?
                };
                *input = Some(bytes);
            }
            Kind::Write | Kind::Clobber if descriptor.unwrap_or(1) == 1 => {
                *output = Some(self.sink(&name, false)?);
            }
            Kind::Append if descriptor.unwrap_or(1) == 1 => {
                *output = Some(self.sink(&name, true)?);
            }
            // `>&2`: what goes to the error stream goes nowhere.
            Kind::DuplicateOutput if descriptor.unwrap_or(1) == 1 && name != "1" => {
                *output = Some(Sink::Nowhere);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn sink(&mut self, name: &str, append: bool) -> Result<Sink, Stop> {
        if name.starts_with("/dev/") {
            return Ok(Sink::Nowhere);
        }
        let path = self.path(name);
        if !append || self.stage.node(&path).is_none() {
            self.write(&path, b"")?;
        }
        Ok(Sink::File(path))
    }
}
