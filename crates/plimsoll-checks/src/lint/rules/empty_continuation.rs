//! `empty-continuation`: an empty line inside an instruction.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A line that is continued goes on over empty lines today; the builder says that it will not for ever.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN touch /a \
    ///
    ///     /b
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN touch /a \
    ///     # and another one
    ///     /b
    /// ```
    ///
    /// ## Remedy
    ///
    /// Take the empty line out.
    id: "empty-continuation",
    summary: "an empty line inside a continued instruction",
    severity: Low,
    aliases: ["NoEmptyContinuation"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for instruction in &sheet.file.instructions {
        let Some(first) = instruction.empty_lines.first() else {
            continue;
        };
        // Said of the instruction, in its first line, as the builder says it.
        let mut added = hits.add(
            instruction.source(&instruction.keyword.at),
            format!(
                "an empty line in what is continued (line {})",
                sheet.file.position(first.start).line
            ),
            "take the empty line out",
        );
        for line in &instruction.empty_lines {
            added = added.edit(line.clone(), "");
        }
    }
}
