//! What a module imports: every `import` statement wherever it stands, and names in strings.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{CmpOp, ExceptHandler, Expr, Stmt, StmtIf, StmtTry};

use crate::known::{Learned, weight_of};

/// One thing a module asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Import {
    /// `import a.b`, and `import_module("a.b")`.
    Module(String),
    /// `from ..a import b, c`: the dots, the module (empty for `from . import b`), the names.
    From(u32, String, Vec<String>),
    /// The name of a distribution whose entry point is looked up (`load_entry_point("x==1", ..)`,
    /// `distribution("x")`), as scripts made by installers do.
    Distribution(String),
    /// A dotted name in a string: a module perhaps (`DJANGO_SETTINGS_MODULE`, logging's handlers).
    Text(String),
    /// `try: import a` and what its `except ImportError` imports in the place of it.
    Fallback(Vec<Import>, Vec<Import>),
}

impl Import {
    fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Module(name) | Self::Distribution(name) | Self::Text(name) => name.len(),
                Self::From(_, module, names) => module.len() + weight_of(names),
                Self::Fallback(tried, instead) => {
                    tried.iter().chain(instead).map(Self::weight).sum()
                }
            }
    }
}

/// What a module's source imports, or why nobody knows, as a phrase.
pub(crate) struct Imports(pub(crate) Result<Vec<Import>, &'static str>);

impl Imports {
    /// Those of this source.
    pub(crate) fn of(source: &str, is_program: bool) -> Self {
        Self(imports(source, is_program))
    }
}

impl Learned for Imports {
    fn weight(&self) -> usize {
        let imports = self.0.iter().flatten();
        imports.map(Import::weight).sum()
    }
}

/// Brackets within brackets that CPython parses (`MAXSTACK` of its tokenizer), and blocks within
/// blocks more than any of its programs has.
const MAX_NESTING: usize = 200;
/// The stack of the thread that parses: a chain of a million operators is a tree as deep.
const STACK: usize = 512 << 20;
/// Runs of prefix operators (`- - - x`) longer than this are no program.
const MAX_PREFIXES: usize = 1000;

/// The imports of a module's source, in the order they are written, without those that no run on
/// Linux reaches: what only a type checker sees (`if TYPE_CHECKING:`), what is for another system
/// (`if sys.platform == "win32":`), and what a module does only when it is the program
/// (`if __name__ == "__main__":`, unless `is_program`).
///
/// # Errors
/// When the source is nested deeper than CPython allows; a phrase. Source with syntax errors (of
/// Python 2, say) gives what could be made out.
fn imports(source: &str, is_program: bool) -> Result<Vec<Import>, &'static str> {
    if is_too_deep(source.as_bytes()) {
        return Err("is nested deeper than Python allows");
    }
    // Deep trees are walked and freed by recursion, which must not end on our own stack.
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK);
        let read = worker.spawn_scoped(scope, || {
            let parsed = ruff_python_parser::parse_unchecked_source(
                source,
                ruff_python_ast::PySourceType::Python,
            );
            let mut found = Found::new(is_program);
            found.visit_body(&parsed.syntax().body);
            found.imports
        });
        let read = read.map_err(|_| "cannot be parsed: no memory for a stack")?;
        read.join().map_err(|_| "cannot be parsed")
    })
}

/// Counts brackets and prefix operators without minding strings: a file that looks too deep for
/// this reason alone is refused, and said to be.
fn is_too_deep(source: &[u8]) -> bool {
    let (mut depth, mut prefixes) = (0_usize, 0_usize);
    for &byte in source {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match byte {
            b'-' | b'+' | b'~' | b'*' => prefixes += 1,
            b' ' | b'\t' | b'#' | b'\n' => {}
            _ => prefixes = 0,
        }
        // Rulers of dashes in comments are the rule; ten thousand of them are not.
        if depth > MAX_NESTING || prefixes > MAX_PREFIXES * 10 {
            return true;
        }
    }
    false
}

struct Found {
    imports: Vec<Import>,
    is_program: bool,
}

impl Found {
    fn new(is_program: bool) -> Self {
        Self {
            imports: Vec::new(),
            is_program,
        }
    }

    /// What these statements import.
    fn inside<'a>(&self, bodies: impl IntoIterator<Item = &'a [Stmt]>) -> Vec<Import> {
        let mut found = Self::new(self.is_program);
        for body in bodies {
            found.visit_body(body);
        }
        found.imports
    }

    /// The branches of an `if` that can be taken.
    fn visit_if(&mut self, branch: &StmtIf) {
        let mut truth = self.truth(&branch.test);
        if truth != Some(false) {
            self.visit_expr(&branch.test);
            self.visit_body(&branch.body);
        }
        for clause in &branch.elif_else_clauses {
            if truth == Some(true) {
                return;
            }
            truth = clause.test.as_ref().and_then(|test| self.truth(test));
            if truth != Some(false) {
                self.visit_body(&clause.body);
            }
        }
    }

    /// Whether a condition holds in every run on Linux, or in none.
    fn truth(&self, test: &Expr) -> Option<bool> {
        if name(test) == "TYPE_CHECKING" {
            return Some(false);
        }
        let Expr::Compare(compare) = test else {
            return None;
        };
        let ([operator], [right]) = (&*compare.ops, &*compare.comparators) else {
            return None;
        };
        let Expr::StringLiteral(right) = right else {
            return None;
        };
        let here = match (name(&compare.left), right.value.to_str()) {
            ("platform", text) => text == "linux",
            ("name", text) if matches!(&*compare.left, Expr::Attribute(_)) => text == "posix",
            ("__name__", "__main__") if !self.is_program => false,
            _ => return None,
        };
        match operator {
            CmpOp::Eq => Some(here),
            CmpOp::NotEq => Some(!here),
            _ => None,
        }
    }
}

impl Visitor<'_> for Found {
    fn visit_stmt(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Import(import) => {
                let names = import.names.iter();
                self.imports
                    .extend(names.map(|alias| Import::Module(alias.name.to_string())));
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map(ToString::to_string);
                let names = import.names.iter().map(|alias| alias.name.to_string());
                let from = Import::From(import.level, module.unwrap_or_default(), names.collect());
                self.imports.push(from);
            }
            Stmt::If(branch) => self.visit_if(branch),
            Stmt::Try(attempt) if is_for_missing_modules(attempt) => {
                let tried = self.inside([&*attempt.body]);
                let instead = self.inside(attempt.handlers.iter().map(|handler| {
                    let ExceptHandler::ExceptHandler(handler) = handler;
                    &*handler.body
                }));
                self.imports.push(Import::Fallback(tried, instead));
                self.visit_body(&attempt.orelse);
                self.visit_body(&attempt.finalbody);
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &Expr) {
        match expression {
            Expr::Call(call) => {
                let name = name(&call.func);
                if let Some(Expr::StringLiteral(text)) = call.arguments.args.first() {
                    let text = text.value.to_str();
                    match name {
                        "import_module" | "__import__" => {
                            self.imports.push(Import::Module(text.to_owned()));
                        }
                        "load_entry_point" | "importlib_load_entry_point" | "distribution" => {
                            let name = text.split("==").next().unwrap_or(text);
                            self.imports.push(Import::Distribution(name.to_owned()));
                        }
                        _ => {}
                    }
                }
                walk_expr(self, expression);
            }
            Expr::StringLiteral(text) => {
                let text = text.value.to_str();
                if is_dotted(text) {
                    self.imports.push(Import::Text(text.to_owned()));
                }
            }
            _ => walk_expr(self, expression),
        }
    }
}

/// The last part of a name, `platform` of `sys.platform`; empty for what is none.
fn name(expression: &Expr) -> &str {
    match expression {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}

/// Whether every handler of a `try` is there for modules that cannot be imported.
fn is_for_missing_modules(attempt: &StmtTry) -> bool {
    let is_missing =
        |expression: &Expr| matches!(name(expression), "ImportError" | "ModuleNotFoundError");
    !attempt.handlers.is_empty()
        && attempt.handlers.iter().all(|handler| {
            let ExceptHandler::ExceptHandler(handler) = handler;
            match handler.type_.as_deref() {
                Some(Expr::Tuple(types)) => types.elts.iter().all(is_missing),
                Some(one) => is_missing(one),
                None => false,
            }
        })
}

/// Whether a text is two or more identifiers with dots between them.
fn is_dotted(text: &str) -> bool {
    let is_identifier = |part: &str| {
        let mut characters = part.chars();
        let first = characters.next();
        first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.len() <= 200 && text.contains('.') && text.split('.').all(is_identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str) -> Import {
        Import::Module(name.to_owned())
    }

    #[test]
    fn imports_are_found_wherever_they_stand() {
        let source = "\
'''import no'''
import os, a.b as c
def f():
    # import no
    from . import x
    from ..y.z import (p,
                       q)
    try: import json
    except ImportError: pass
if TYPE_CHECKING:
    import no
else:
    import yes
async def g(): import_module('late.one'); __import__(\"late_two\")
load_entry_point('tool==1.0', 'console_scripts', 'tool')
SETTINGS = 'site.settings'; s = 'no module. at all'
";
        let from = |level, name: &str, names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Import::From(level, name.to_owned(), names)
        };
        let expected = [
            module("os"),
            module("a.b"),
            from(1, "", &["x"]),
            from(2, "y.z", &["p", "q"]),
            Import::Fallback(vec![module("json")], Vec::new()),
            module("yes"),
            module("late.one"),
            Import::Text("late.one".to_owned()),
            module("late_two"),
            Import::Distribution("tool".to_owned()),
            Import::Text("site.settings".to_owned()),
        ];
        assert_eq!(imports(source, false).unwrap(), expected);
    }

    #[test]
    fn branches_that_no_run_here_takes_are_not_read() {
        let source = "\
if sys.platform == 'win32':
    import windows
elif os.name != 'posix':
    import other
else:
    import here
if __name__ == '__main__':
    import program
try:
    from fast import *
except (ImportError, ModuleNotFoundError):
    import slow
try:
    import both
except Exception:
    import them
";
        let fast = Import::From(0, "fast".to_owned(), vec!["*".to_owned()]);
        let mut expected = vec![
            module("here"),
            Import::Fallback(vec![fast], vec![module("slow")]),
            module("both"),
            module("them"),
        ];
        assert_eq!(imports(source, false).unwrap(), expected);
        expected.insert(1, module("program"));
        assert_eq!(imports(source, true).unwrap(), expected);
    }

    #[test]
    fn source_that_makes_no_sense_gives_what_can_be_made_out() {
        let found = imports("import a\nprint 'python 2'\nimport b\n", false).unwrap();
        assert_eq!(found, [module("a"), module("b")]);
        assert_eq!(imports("\u{0}\u{1}(((", false).unwrap(), []);
    }

    #[test]
    fn what_is_too_deep_is_refused_and_what_is_long_is_not() {
        assert!(imports(&"(".repeat(100_000), false).is_err());
        assert!(imports(&format!("x = {}1", "-".repeat(100_000)), false).is_err());
        for long in [
            format!("x = {}1", "1 + ".repeat(50_000)),
            format!("x = {}1", "1 ** ".repeat(20_000)),
            format!("x = {}1", "not ".repeat(20_000)),
            format!("x = y{}", ".z".repeat(50_000)),
            format!("x = {}1", "lambda: ".repeat(20_000)),
            format!("x = {}1", "1 if 2 else ".repeat(20_000)),
        ] {
            let source = format!("import a\n{long}\n");
            assert_eq!(imports(&source, false).unwrap(), [module("a")]);
        }
    }
}
