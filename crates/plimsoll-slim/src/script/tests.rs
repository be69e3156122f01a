use super::*;

/// Names that a script reads, in order, without files to read in turn.
fn names(text: &str) -> Vec<String> {
    let taken = read(text, &|_| None);
    assert_eq!(taken.trouble, None, "{text}");
    taken.variables.into_keys().collect()
}

#[test]
fn what_a_script_sets_itself_is_its_own() {
    for text in [
        "a=1; echo $a",
        "for a in 1 2; do echo $a; done; echo $a",
        "while read -r a b; do echo \"$a${b#x}\"; done < f",
        "find / | while read -r f; do case \"$f\" in *.sh) \"$f\";; esac; done",
        "export A=1; echo ${A:-2}",
        "f() { local x=$1; echo $x; }; f y",
        "f() { x=1; }; f; echo $x",
        "if true; then a=1; else a=2; fi; echo $a",
        "case $1 in x) a=1;; *) a=2;; esac; echo $a",
        "a=(1 2); echo ${a[@]} ${a[0]}",
        "echo $1 $@ $# $? $$ $! $0 \"$*\" $PATH $PWD $HOME $UID",
        "i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done",
        "echo '$A' \\$A \"\\$A\"; envsubst '${A}'",
        "cat <<'EOF'\n$A\nEOF\n",
        "[ \"$(id -u)\" = 0 ] && exec gosu redis \"$0\" \"$@\"",
        "getopts ab o; echo $o $OPTARG; printf -v v x; echo $v",
        "f() { [ x ] || return 1; x=1; echo $x; }; f",
        "f() { x=1; [ y ] && return; y=2; }; f; echo $x",
        "x=1; f() { local x; :; }; f; echo $x",
        "f() { local x; x=1; echo $x; }; f; f",
        "f() { for i in 1; do [ y ] && break; done; x=1; }; f; echo $x",
        "f() { declare -g x=1; }; f; echo $x",
        "while read -r x; do [ \"$x\" ] || continue; y=1; echo $y; done",
    ] {
        assert_eq!(names(text), [""; 0], "{text}");
    }
}

#[test]
fn what_it_reads_before_is_not() {
    for (text, wanted) in [
        ("echo $A", "A"),
        ("A=${A:-x}; echo $A", "A"),
        (": ${A:=x}; echo $A", "A"),
        (": \"${A:?must be set}\"", "A"),
        ("[ -n \"${A+x}\" ] || A=x; echo $A", "A"),
        ("if [ x ]; then A=1; fi; echo $A", "A"),
        ("case $1 in x) A=1;; esac; echo $A", "A"),
        ("(A=1); echo $A", "A"),
        ("echo x | read A; echo $A", "A"),
        ("x=$(A=1); echo $A", "A"),
        ("A=1 true; echo $A", "A"),
        ("echo \"`echo $A`\"", "A"),
        ("echo $(( A + 1 ))", "A"),
        ("if (( ${A:-0} > 1 )); then :; fi", "A"),
        ("[[ -v A ]]", "A"),
        ("[ -v A ]", "A"),
        ("[[ $A == x* ]]", "A"),
        ("printenv A", "A"),
        ("A+=x", "A"),
        ("cat <<EOF\n$A\nEOF\n", "A"),
        ("cat <<< $A", "A"),
        ("cat < \"$A\"", "A"),
        ("f() { echo $A; }", "A"),
        ("f() { echo $A; }; f; A=1", "A"),
        ("trap 'echo $A' EXIT", "A"),
        ("eval 'echo $A'", "A"),
        ("export A; echo ${#A}", "A"),
        ("a=(\"$A\")", "A"),
        ("A=1 & echo $A", "A"),
        ("for A in $1; do :; done; echo $A", "A"),
        ("if x; then :; elif A=1; then :; fi; echo $A", "A"),
        ("diff <(echo $A) x", "A"),
    ] {
        assert_eq!(names(text), [wanted], "{text}");
    }
    let taken = read("true\n\nif x; then\n  echo \"$DEEP\"\nfi\n", &|_| None);
    assert_eq!(taken.variables, BTreeMap::from([("DEEP".to_owned(), 4)]));
}

#[test]
fn what_belongs_to_a_function_ends_with_it() {
    for text in [
        // dash and ash let a name without a value keep the value from outside.
        "f() { local A; echo $A; }; f",
        "f() { local A=x; :; }; f; echo $A",
        "f() { declare A=x; }; f; echo $A",
        "f() { typeset A=x; g; }; g() { local B=1; }; f; echo $A",
        "f() { local A=x; echo $A; }; f; [ -n \"$A\" ]",
        "f() { local A; read A; }; f; echo $A",
        "f() { \\local A=1; }; f; echo $A",
        "g() { echo $A; }; f() { local A=1; g; }; f; g",
        "g() { echo $A; }; (A=1; g); g",
    ] {
        assert_eq!(names(text), ["A"], "{text}");
    }
}

#[test]
fn what_is_left_early_sets_nothing_behind() {
    for text in [
        "f() { if [ -f /x ]; then return 0; fi; A=a; }; f; echo $A",
        "f() { [ -f /x ] && return; A=a; }; f; echo $A",
        "f() { case $1 in x) return;; esac; A=a; }; f; echo $A",
        "f() { while read x; do return; done; A=a; }; f; echo $A",
        "f() { command return; A=a; }; f; echo $A",
        "f() { for x in 1; do for y in 2; do break 3; done; done; A=a; }; f; echo $A",
        "while [ x ] && break; A=a; do :; done; echo $A",
        "until if x; then continue; fi; A=a; do :; done; echo $A",
    ] {
        assert_eq!(names(text), ["A"], "{text}");
    }
    let files = |_: &str| Some("[ x ] && return; A=1\n".to_owned());
    let taken = read(". /vars; echo $A", &files);
    assert_eq!(taken.variables.into_keys().collect::<Vec<_>>(), ["A"]);
    // Functions that call each other end.
    let taken = read(
        "f() { local A; g; echo $A; }; g() { A=1; f; }; f; g",
        &|_| None,
    );
    assert_eq!(taken.trouble, None);
}

#[test]
fn names_that_are_computed_may_be_any() {
    for text in [
        "v=A; echo ${!v}",
        "file_env() { local var=$1; export $var=\"${!var:-}\"; }\nfile_env A",
        "eval \"echo \\$$1\"",
        "env",
        "export -p",
        "echo ${!A@}",
    ] {
        let taken = read(text, &|_| None);
        assert_eq!(taken.any.len(), 1, "{text}: {taken:?}");
    }
    assert!(read("env A=1 cat; env -i sh", &|_| None).any.is_empty());
}

#[test]
fn files_read_as_script_belong_to_it() {
    let files = |name: &str| match name {
        "/etc/vars" => Some("OWN=1\necho $OTHER\n".to_owned()),
        _ => None,
    };
    let taken = read(". /etc/vars; echo $OWN; . \"$1\"; . /none", &files);
    assert_eq!(taken.variables.into_keys().collect::<Vec<_>>(), ["OTHER"]);
    assert_eq!(taken.unnamed, BTreeSet::from([1]));
}

#[test]
fn what_cannot_be_read_is_said() {
    assert!(read("if true; then", &|_| None).trouble.is_some());
    let deep = "$(".repeat(5_000);
    assert!(read(&deep, &|_| None).trouble.is_some());
    let round = |_: &str| Some(". /again/$RANDOM".to_owned());
    assert!(read(". /a", &round).trouble.is_none());
}

#[test]
fn what_stands_where_a_command_begins_is_started() {
    for (text, wanted) in [
        (
            "LANG=C sh -c 'date -u +%Y | grep -c 20' && exec /bin/x; env A=1 y $(z)",
            "z sh date grep /bin/x env y",
        ),
        (
            "echo '| no'; # nothing\ncd /; [ -e /x ] || \"/a b\"",
            "/a b",
        ),
        ("f() { inside; }; f; g() { never; }", "inside never"),
        (
            "if a; then b; elif c; then d; else e; fi; while f; do g; done",
            "a b c d e f g",
        ),
        (
            "case $1 in x) a;; *) b;; esac; for i in c; do d; done; (e; f) | { g; }",
            "a b d e f g",
        ),
        ("\"$@\"; $X y; exec \"$0\"", ""),
        (
            "gosu web:web nice -n 5 /srv/app; timeout -k 5 10 b; xargs -n 1 c",
            "gosu nice /srv/app timeout b xargs c",
        ),
        (
            "trap 'late' EXIT; eval 'now x'; command -v no; command yes",
            "late now yes",
        ),
        ("a <<EOF\n$(b)\nEOF\nc > \"$(d)\"", "b a d c"),
        ("bash -o pipefail -ec 'sh -c \"deep\"' x", "bash sh deep"),
        ("a; a; b=$(a)", "a"),
    ] {
        let found = commands(text).unwrap();
        let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
        let mut wanted: Vec<&str> = match text.contains("/a b") {
            true => vec![wanted],
            false => wanted.split_whitespace().collect(),
        };
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{text}");
    }
    assert!(commands("if true; then").is_err());
    // What another shell reads of its environment is its own affair.
    assert_eq!(names("sh -c 'echo $A'"), [""; 0]);
}

#[test]
fn what_a_shell_is_given_is_found_behind_its_options() {
    let of = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match given(&words) {
            Given::Text(text) => format!("text {text}"),
            Given::File(file) => format!("file {file}"),
            Given::Nothing => "nothing".to_owned(),
        }
    };
    for (line, wanted) in [
        ("-c x y", "text x"),
        ("-ec x", "text x"),
        ("-e -o pipefail -c x", "text x"),
        ("-c -e x", "text x"),
        ("-euo pipefail -c -- x", "text x"),
        ("--norc -c x", "text x"),
        ("--rcfile c x", "file x"),
        ("/start.sh -c x", "file /start.sh"),
        ("-e", "nothing"),
        ("-", "nothing"),
    ] {
        assert_eq!(of(line), wanted, "{line}");
    }
}
