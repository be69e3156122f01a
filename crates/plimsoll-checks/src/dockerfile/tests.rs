//! The parser against what BuildKit makes of the same text, written as its own tests write a tree:
//! `(keyword ["--flag"] "argument" ...)`.

use super::*;

/// The tree of a file, one instruction a line.
fn dump(text: &str) -> String {
    let file = parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why:?}: {text}"));
    let lines: Vec<String> = file.instructions.iter().map(one).collect();
    lines.join("\n")
}

fn one(instruction: &Instruction) -> String {
    format!("({})", inner(instruction))
}

fn inner(instruction: &Instruction) -> String {
    let mut text = instruction.keyword.text.to_lowercase();
    let flags = instruction.flags.iter().map(|flag| match &flag.value {
        Some(value) => format!("{:?}", format!("--{}={value}", flag.name)),
        None => format!("{:?}", format!("--{}", flag.name)),
    });
    let flags: Vec<String> = flags.collect();
    if !flags.is_empty() {
        text += &format!(" [{}]", flags.join(" "));
    }
    text + &arguments(&instruction.arguments)
}

fn arguments(arguments: &Arguments) -> String {
    let quoted = |word: &Word| format!(" {:?}", word.text);
    match arguments {
        Arguments::None => String::new(),
        Arguments::Json(words) | Arguments::Words(words) => words.iter().map(quoted).collect(),
        Arguments::Text(word) => quoted(word),
        Arguments::Pairs(pairs) => pairs
            .iter()
            .map(|pair| match &pair.value {
                Some(value) => format!(" {:?}={:?}", pair.key.text, value.text),
                None => quoted(&pair.key),
            })
            .collect(),
        Arguments::Health(kind, command) => format!("{}{}", quoted(kind), self::arguments(command)),
        Arguments::Onbuild(instruction) => format!(" ({})", inner(instruction)),
    }
}

/// Why a text is refused, and in which line.
fn refused(text: &str) -> (usize, String) {
    match parse(text.as_bytes()) {
        Ok(file) => panic!("{text:?} was taken: {:?}", file.instructions),
        Err(why) => (why.line, why.message),
    }
}

#[test]
fn arguments_are_read_by_instruction() {
    for (text, tree) in [
        ("FROM  a:1\tAS  b", r#"(from "a:1" "AS" "b")"#),
        ("RUN  a  'b  c' ", r#"(run "a  'b  c'")"#),
        ("run [\"a\", \"b c\"]", r#"(run "a" "b c")"#),
        (
            "CMD [ \"a\\tb\", \"\\u2603\" ]",
            "(cmd \"a\\tb\" \"\u{2603}\")",
        ),
        ("CMD []", "(cmd)"),
        ("CMD", "(cmd)"),
        ("CMD ['a']", r#"(cmd "['a']")"#),
        ("CMD [\"a\", \"b\"", r#"(cmd "[\"a\", \"b\"")"#),
        ("CMD [\"a\"] && b", r#"(cmd "[\"a\"] && b")"#),
        ("CMD [\"a\",]", r#"(cmd "[\"a\",]")"#),
        ("ENTRYPOINT \u{a0}[\"a\"]", r#"(entrypoint "a")"#),
        ("COPY [\"a b\", \"c\"]", r#"(copy "a b" "c")"#),
        ("COPY a  b\tc/", r#"(copy "a" "b" "c/")"#),
        ("ENV a b  c", r#"(env "a"="b  c")"#),
        (
            "ENV a=b c='d e' f=\"g \\\" h\"",
            r#"(env "a"="b" "c"="'d e'" "f"="\"g \\\" h\"")"#,
        ),
        ("ENV a=b\\ c", r#"(env "a"="b\\ c")"#),
        ("ENV 'a b'=c", r#"(env "'a b'"="c")"#),
        ("LABEL \"a\"=b", r#"(label "\"a\""="b")"#),
        ("ARG a b=c d='e f'", r#"(arg "a" "b"="c" "d"="'e f'")"#),
        ("EXPOSE 80  443/tcp", r#"(expose "80" "443/tcp")"#),
        ("VOLUME /a /b", r#"(volume "/a" "/b")"#),
        ("USER a b", r#"(user "a b")"#),
        ("WORKDIR a b", r#"(workdir "a b")"#),
        ("HEALTHCHECK", "(healthcheck)"),
        ("HEALTHCHECK NONE", r#"(healthcheck "NONE")"#),
        (
            "HEALTHCHECK --retries=3  CMD   a  b",
            r#"(healthcheck ["--retries=3"] "CMD" "a  b")"#,
        ),
        ("HEALTHCHECK CMD [\"a\"]", r#"(healthcheck "CMD" "a")"#),
        (
            "ONBUILD COPY --from=x a b",
            r#"(onbuild (copy ["--from=x"] "a" "b"))"#,
        ),
        ("ONBUILD", "(onbuild)"),
        ("ONBUILD ONBUILD RUN a", r#"(onbuild (onbuild (run "a")))"#),
        ("NOTHING a b", "(nothing)"),
        (
            "copy --link --chown='a b' -- --x y",
            r#"(copy ["--link" "--chown=a b"] "--x" "y")"#,
        ),
        ("COPY -- a b", r#"(copy "a" "b")"#),
        ("CMD --a -- [ ]", r#"(cmd ["--a"])"#),
        (
            "RUN --mount=type=bind,\\\n  target=/a b",
            r#"(run ["--mount=type=bind,"] "target=/a b")"#,
        ),
        ("RUN --a=\\\"b\\ c d", r#"(run ["--a=\"b c"] "d")"#),
    ] {
        assert_eq!(dump(text), tree, "{text}");
    }
}

#[test]
fn lines_are_joined_as_they_are_written() {
    for (text, tree) in [
        ("RUN a\\\n  b\\\nc", r#"(run "a  bc")"#),
        ("RUN a \\ \t\nb", r#"(run "a b")"#),
        ("RUN a \\\\\nRUN b", "(run \"a \\\\\\\\\")\n(run \"b\")"),
        ("RUN a \\\n# c \\\n  # d\n\n \t\n b", r#"(run "a  b")"#),
        ("RUN a \\", r#"(run "a")"#),
        ("RUN a \\\n", r#"(run "a")"#),
        ("\\\nRUN a", r#"(run "a")"#),
        (
            "  # c\n\t RUN a\r\nRUN b \\\r\n c\r\n",
            "(run \"a\")\n(run \"b  c\")",
        ),
        ("\u{feff}# escape=`\nRUN a `\n b\\", r#"(run "a  b\\")"#),
        ("# Escape = ` \n# syntax=x\n\nRUN a `\nb", r#"(run "a b")"#),
        (
            "#\n# escape=`\nRUN a `\nRUN b",
            "(run \"a `\")\n(run \"b\")",
        ),
        ("RUN a\n# escape=`\nRUN b", "(run \"a\")\n(run \"b\")"),
        ("# unknown=x\n# escape=`\nRUN a `", "(run \"a `\")"),
    ] {
        assert_eq!(dump(text), tree, "{text:?}");
    }
}

#[test]
fn here_documents_belong_to_the_instruction_that_announces_them() {
    let file = parse(b"FROM a\nRUN <<A cat <<-\"B\" 3<<C\nx $y\nA\n\ttab\n\tB\nC\nCOPY <<E <<F /\n1\nE\n2\nF\nCMD b\n");
    let file = file.unwrap();
    let told = |number: usize| {
        let heredocs = file.instructions[number].heredocs.iter();
        heredocs
            .map(|it| {
                (
                    it.name.as_str(),
                    it.text.as_str(),
                    it.chomp,
                    it.expand,
                    it.descriptor,
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(1),
        [
            ("A", "x $y\n", false, true, 0),
            ("B", "\ttab\n", true, false, 0),
            ("C", "", false, true, 3),
        ]
    );
    assert_eq!(
        told(2),
        [("E", "1\n", false, true, 0), ("F", "2\n", false, true, 0)]
    );
    assert_eq!(file.instructions.len(), 4);
    assert_eq!(file.position(file.instructions[3].span.start).line, 13);
    assert_eq!(
        &file.text()[file.instructions[2].span.clone()],
        "COPY <<E <<F /\n1\nE\n2\nF"
    );

    // Across a continuation, behind blanks, behind ONBUILD, with an end that has a carriage return.
    for text in [
        "RUN a \\\n <<EOF\nx\nEOF\nRUN b",
        "RUN cat << EOF\nx\nEOF\nRUN b",
        "ONBUILD RUN <<EOF\nx\nEOF\nRUN b",
        "RUN <<EOF\r\nx\r\nEOF\r\nRUN b",
        "RUN <<\"E\"O'F'\nx\nEOF\nRUN b",
        "RUN python3 <<EOF > /x && b\nx\nEOF\nRUN b",
    ] {
        let file = parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why:?}: {text:?}"));
        assert_eq!(file.instructions.len(), 2, "{text:?}");
        assert_eq!(file.instructions[0].heredocs.len(), 1, "{text:?}");
    }
    // None is announced here.
    for text in [
        "RUN [\"<<EOF\"]\nRUN b",
        "RUN echo \\<<EOF\nRUN b",
        "RUN echo '<<EOF'\nRUN b",
        "RUN cat <<<EOF\nRUN b",
        "RUN echo $((1<<2))\nRUN b",
        "CMD <<EOF\nRUN b",
        "ENV a=<<EOF\nRUN b",
        "RUN echo 'open <<EOF\nRUN b",
        "RUN a <<\nRUN b",
    ] {
        let file = parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why:?}: {text:?}"));
        assert_eq!(file.instructions.len(), 2, "{text:?}");
    }
}

#[test]
fn what_is_no_dockerfile_is_refused_with_its_line() {
    for (text, line, word) in [
        ("", 1, "no instruction"),
        ("# only a comment\n\n", 2, "no instruction"),
        ("FROM a\nENV x\n", 2, "ENV"),
        ("FROM a\n\nENV x=1 y\n", 3, "y"),
        ("FROM a\nLABEL x", 2, "LABEL"),
        ("FROM a\nCMD [ \"a\", [ \"b\" ] ]", 2, "JSON"),
        ("FROM a\nRUN [1]", 2, "JSON"),
        (
            "FROM a\nRUN [\"a\", {\"b\": [null, true, -1.5e3]}]",
            2,
            "JSON",
        ),
        ("FROM a\nRUN <<EOF\nx\n EOF\n", 2, "EOF"),
        ("FROM a\nRUN <<A <<B\nA\n", 2, "B"),
        ("# escape=x\nFROM a", 1, "escape"),
        ("# syntax=x\n# syntax=y\nFROM a", 2, "syntax"),
    ] {
        let (at, message) = refused(text);
        assert_eq!(at, line, "{text:?}: {message}");
        assert!(message.contains(word), "{text:?}: {message}");
    }
    let long = format!("FROM a\nRUN {}\n", "x".repeat(MAX_LINE - 4));
    assert_eq!(refused(&long).0, 2);
    let fits = format!("FROM a\nRUN {}\n", "x".repeat(MAX_LINE - 5));
    assert!(parse(fits.as_bytes()).is_ok());
    assert!(parse(&vec![b'\n'; MAX_BYTES + 1]).is_err());
}

#[test]
fn every_word_has_its_place() {
    let text = "\u{feff}FROM a\nRUN one \\\n    # comment\n\n  twö \\\n  three\nENV x=ü y=z\n";
    let file = parse(text.as_bytes()).unwrap();
    let run = &file.instructions[1];
    let place = |word: &str| {
        let at = run.logical.text.find(word).unwrap();
        let span = run.source(&(at..at + word.len()));
        assert_eq!(&text[span.clone()], word);
        let position = file.position(span.start);
        (position.line, position.column)
    };
    assert_eq!(
        [place("one"), place("twö"), place("three")],
        [(2, 5), (5, 3), (6, 3)]
    );
    let pair = &file.instructions[2].pairs()[1];
    let span = file.instructions[2].source(&pair.key.at);
    assert_eq!((file.position(span.start).column, &text[span]), (9, "y"));
    assert_eq!(
        file.position(file.instructions[0].span.start),
        Position { line: 1, column: 1 }
    );
    // Bytes that are no text keep their places.
    let file = parse(b"FROM a\nRUN \xff\xfe b\n").unwrap();
    assert_eq!(file.instructions[1].text().unwrap().at, 4..8);
}

#[test]
fn variables_are_expanded_as_the_builder_does() {
    let known = |name: &str| match name {
        "x" => Some("foo.bar.baz".to_owned()),
        "e" => Some(String::new()),
        "p" => Some("/a/b/c".to_owned()),
        _ => None,
    };
    for (word, expected) in [
        ("$x", "foo.bar.baz"),
        ("a${x}b", "afoo.bar.bazb"),
        ("$no${no}.", "."),
        ("'$x'", "$x"),
        ("\"$x\"", "foo.bar.baz"),
        ("\\$x", "$x"),
        ("\"\\$x \\a\"", "$x \\a"),
        ("${no:-d}${e:-d}${e-d}${x:-d}", "ddfoo.bar.baz"),
        ("${no:+s}${e:+s}${e+s}${x:+s}", "ss"),
        ("${no-${x}}", "foo.bar.baz"),
        ("${x:?must}", "foo.bar.baz"),
        (
            "${x#*.}|${x##*.}|${x%.*}|${x%%.*}",
            "bar.baz|baz|foo.bar|foo",
        ),
        ("${x#foo?}", "bar.baz"),
        ("${x%b}", "foo.bar.baz"),
        ("${x/ba/X}|${x//ba/X}", "foo.Xr.baz|foo.Xr.Xz"),
        ("${p//\\//-}", "-a-b-c"),
        ("$", "$"),
        ("a$", "a$"),
        ("$1a", "a"),
    ] {
        let result = expand::expand(word, '\\', &known);
        assert_eq!(result.map(|it| it.text), Ok(expected.to_owned()), "{word}");
    }
    for word in [
        "${",
        "${}",
        "${x",
        "${x:",
        "${:x}",
        "${x:=y}",
        "${no?}",
        "${no:?gone}",
        "'x",
        "\"x",
        "${x/a}",
        "${x!}",
    ] {
        assert!(expand::expand(word, '\\', &known).is_err(), "{word}");
    }
    let missing = expand::expand("$a${b:-$c}", '\\', &|_| None)
        .unwrap()
        .missing;
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_strangers_variables_cannot_hold_us() {
    let deep = "${a:-".repeat(20_000);
    assert!(expand::expand(&deep, '\\', &|_| None).is_err());
    let long = "x".repeat(10_000);
    let words = format!("${{l/{}/y}}", "*x".repeat(2_000));
    assert!(expand::expand(&words, '\\', &|_| Some(long.clone())).is_err());
    let mut text = String::from("FROM a\nENV a=xxxxxxxxxxxxxxxx\n");
    text.push_str(&"ENV a=$a$a$a$a$a$a$a$a\n".repeat(2_000));
    let file = parse(text.as_bytes()).unwrap();
    let stages = stages::Stages::of(&file);
    let mut environment = stages.environment(&file, &stages.all[0]);
    for instruction in &file.instructions {
        stages.step(&file, instruction, &mut environment);
    }
}

#[test]
fn stages_know_what_they_begin_from_and_which_make_the_image() {
    let file = parse(
        b"ARG V=1\nARG W\nFROM b:$V AS one\nFROM One AS two\nFROM scratch\nFROM $W\nFROM two\n",
    );
    let file = file.unwrap();
    let stages = stages::Stages::of(&file);
    let bases: Vec<_> = stages.all.iter().map(|stage| stage.base.clone()).collect();
    let unknown = stages::Base::Unknown("ARG W has no default".to_owned());
    assert_eq!(
        bases,
        [
            stages::Base::Image("b:1".to_owned()),
            stages::Base::Stage(0),
            stages::Base::Scratch,
            unknown,
            stages::Base::Stage(1),
        ]
    );
    let ships: Vec<bool> = stages.all.iter().map(|stage| stage.ships).collect();
    assert_eq!(ships, [true, true, false, false, true]);
    assert_eq!(stages.all[4].root, 0);
    assert_eq!(stages.named("TWO", 4).map(|stage| stage.index), Some(1));
    assert_eq!(stages.named("2", 4).map(|stage| stage.index), Some(2));
    assert!(stages.named("two", 1).is_none());
}

#[test]
fn what_builds_refuse_is_told_from_what_they_take() {
    let fault = |text: &str| {
        let file = parse(text.as_bytes()).unwrap();
        file.instructions.iter().find_map(instruction::fault)
    };
    for text in [
        "RUN --mount=type=cache,target=/a,sharing=locked,id=x,uid=1 --network=none a",
        "RUN --mount=type=$T,target=/a --security=insecure --device=x a",
        "COPY --from=x --link=false --parents --exclude=a --exclude=b --chmod=u=rwX,go=rX a b/",
        "ADD --checksum=sha256:0 --keep-git-dir --unpack=true https://a/b c",
        "HEALTHCHECK --start-period=1m30s --start-interval=500ms --timeout=0 --retries=0 CMD a",
        "FROM --platform=$BUILDPLATFORM a AS b-1.x_y",
        "STOPSIGNAL --x 9",
        "ARG a b=c",
        "ONBUILD CMD a",
        "EXPOSE 127.0.0.1:80:80",
        "VOLUME [\"/a\"]",
        "SHELL [\"sh\"]",
        "RUN",
    ] {
        assert_eq!(fault(text), None, "{text}");
    }
    for text in [
        "COPY a",
        "COPY --what=x a b",
        "COPY --from=a --from=b c d",
        "COPY --link=maybe a b",
        "COPY --from a b",
        "COPY a <<EOF\nEOF",
        "RUN --mount=type=what,target=/a b",
        "RUN --mount=what=x b",
        "RUN --network=all b",
        "HEALTHCHECK CMD",
        "HEALTHCHECK PING x",
        "HEALTHCHECK --interval=3 CMD a",
        "HEALTHCHECK --retries=-1 CMD a",
        "HEALTHCHECK NONE x",
        "FROM a b",
        "FROM a AS 1b",
        "FROM a as b c",
        "ONBUILD FROM a",
        "ONBUILD ONBUILD RUN a",
        "ENV =a",
        "ARG",
        "USER",
        "SHELL sh",
        "SHELL []",
        "VOLUME [\"\"]",
        "WHAT a",
    ] {
        assert!(fault(text).is_some(), "{text}");
    }
}
