//! Dockerfiles that a stranger wrote to hold us, and others that chance wrote: never a panic, never
//! without an end.

use plimsoll_checks::RULES;
use plimsoll_checks::dockerfile::{self, MAX_BYTES};
use plimsoll_checks::lint::{Context, Ignored, finding, fixed, lint};

/// Everything that is done with a file.
fn judge(bytes: &[u8]) {
    let Ok(file) = dockerfile::parse(bytes) else {
        return;
    };
    for ignored in [Ignored::Missing, Ignored::Text("*\n!a\n**/b?c\n")] {
        let hits = lint(
            &file,
            &Context {
                ignored,
                ..Context::default()
            },
        );
        for hit in &hits {
            assert!(hit.span.start <= hit.span.end && hit.span.end <= file.text().len());
            let _ = finding(hit, &file, "Dockerfile");
        }
        let mended = fixed(file.text(), &hits);
        assert!(
            dockerfile::parse(mended.as_bytes()).is_ok(),
            "{}\n---\n{mended}",
            file.text()
        );
    }
}

/// A row of numbers that is the same every time (a linear congruence, Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

#[test]
fn chance_finds_no_panic() {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for rule in RULES {
        let page = rule.page_text();
        let blocks = page.split("```").skip(1).step_by(2);
        let texts = blocks.filter_map(|block| block.strip_prefix("dockerfile\n"));
        seeds.extend(texts.map(|text| format!("FROM a\n{text}").into_bytes()));
    }
    const PIECES: [&str; 40] = [
        "\\\n",
        "\n",
        "\n\n",
        "#",
        "# escape=`\n",
        "<<EOF",
        "\nEOF\n",
        "<<-'E'",
        "$",
        "${",
        "}",
        "${x:-",
        "${x/a/",
        "\"",
        "'",
        "`",
        "[\"",
        "\"]",
        "--mount=type=",
        "--from=",
        "$(",
        ")",
        "((",
        "if ",
        "; then ",
        "fi",
        "done",
        "case x in a)",
        "&&",
        "||",
        "|",
        "&",
        ";",
        "\r\n",
        "\t",
        "\0",
        "\u{feff}",
        "\u{a0}",
        "ü",
        "ONBUILD ",
    ];
    let mut numbers = Numbers(1);
    for _ in 0..3000 {
        let mut bytes = seeds[numbers.below(seeds.len())].clone();
        for _ in 0..=numbers.below(6) {
            let at = numbers.below(bytes.len() + 1);
            match numbers.below(5) {
                0 if at < bytes.len() => bytes[at] = numbers.below(256) as u8,
                1 => bytes.truncate(at),
                2 => {
                    let other = &seeds[numbers.below(seeds.len())];
                    let from = numbers.below(other.len());
                    let end = (from + numbers.below(80)).min(other.len());
                    bytes.splice(at..at, other[from..end].iter().copied());
                }
                3 => {
                    let end = (at + numbers.below(20)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let piece = PIECES[numbers.below(PIECES.len())].as_bytes();
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        judge(&bytes);
    }
}

#[test]
fn what_repeats_without_end_has_an_end() {
    let line = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    for text in [
        // Nesting: in the shell, in quotes that only look like it, in variables, in JSON.
        format!("FROM a\nRUN {}", line("$(", 60_000)),
        format!("FROM a\nRUN {}", line("(", 60_000)),
        format!("FROM a\nRUN {}", line("if a; then ", 60_000)),
        format!("FROM a\nRUN {}", line("{ ", 4_000)),
        format!("FROM a\nRUN {}", line("$( ')' ", 20_000)),
        format!("FROM a\nRUN {}", line("! ", 60_000)),
        format!("FROM a\nRUN {}", line("`", 60_000)),
        format!("FROM a\nRUN {}", line("\"${a:-", 60_000)),
        format!("FROM a\nENV x={}", line("${a:-", 60_000)),
        format!("FROM a\nCMD [{}", line("[", 60_000)),
        format!("FROM a\nCMD [{}", line("{\"a\":", 60_000)),
        format!("FROM a\n{}RUN a", line("ONBUILD ", 60_000)),
        // Numbers: instructions, stages, variables, here-documents, flags, words.
        format!("FROM a\n{}", line("RUN rm /a\n", 10_000)),
        line("FROM a AS a\n", 10_000),
        format!(
            "FROM a AS a\n{}",
            line("FROM a AS a\nENV a=$a$a$a\n", 10_000)
        ),
        format!("FROM a\n{}", line("ENV a=$a$a$a$a$a$a\n", 10_000)),
        format!("FROM a\nRUN {}{}", line("<<A ", 4_000), line("\nA", 4_000)),
        format!("FROM a\nRUN {} a", line("--a=b ", 6_000)),
        format!("FROM a\nCOPY {} b/", line("x.tar.gz ", 6_000)),
        format!("FROM a\nENV {}", line("a=$b ", 6_000)),
        format!("FROM a\nRUN {}", line("a\\\n\n", 6_000)),
        format!("FROM a\nRUN {}", line("a|", 6_000)),
        format!("FROM a\nRUN {}", line("rm /a;", 6_000)),
        line("\0", 10_000),
        line("\u{feff}", 6_000),
    ] {
        judge(text.as_bytes());
    }
    assert!(dockerfile::parse(&vec![b'\n'; MAX_BYTES + 1]).is_err());
    assert!(dockerfile::parse(&line("RUN x", MAX_BYTES / 2).into_bytes()).is_err());
}
