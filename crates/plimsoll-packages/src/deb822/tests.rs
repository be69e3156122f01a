//! Control data as it should be written, and as it is.

use super::*;

fn read(text: &str) -> Vec<Result<Stanza<'_>, (usize, String)>> {
    stanzas(text.as_bytes()).collect()
}

#[test]
fn stanzas_know_their_lines_and_fields() {
    let text = "\n\nPackage: a\nVersion: 1\n \t\n\nPackage: b\n";
    let found: Vec<_> = read(text).into_iter().map(Result::unwrap).collect();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].line(), found[0].text()),
        (3, "Package: a\nVersion: 1")
    );
    assert_eq!((found[1].line(), found[1].text()), (7, "Package: b"));
    assert_eq!(found[0].get("package").as_deref(), Some("a"));
    assert_eq!(found[0].get("VERSION").as_deref(), Some("1"));
    assert_eq!(found[0].get("Versio"), None);
}

#[test]
fn a_value_may_go_on_over_lines() {
    let text = "Depends: a,\n b,\n\tc\nDescription: short\n long\n .\n more\nX:\nY: \n z\n";
    let stanza = read(text).remove(0).unwrap();
    let fields: Vec<_> = stanza.fields().collect();
    let expected = [
        ("Depends", "a,\n b,\n\tc"),
        ("Description", "short\n long\n .\n more"),
        ("X", ""),
        ("Y", "z"),
    ];
    assert_eq!(
        fields,
        expected.map(|(name, value)| (name, Cow::Borrowed(value)))
    );
}

#[test]
fn comments_are_no_content() {
    let text = "# one\nA: 1\n# two\n 2\n# three\nB: #3\n# four\n 5\n\n# alone\n\nC: 1\n";
    let found: Vec<_> = read(text).into_iter().map(Result::unwrap).collect();
    assert_eq!(found.len(), 2);
    let fields: Vec<_> = found[0]
        .fields()
        .map(|(n, v)| (n, v.into_owned()))
        .collect();
    let expected = [("A", "1\n 2"), ("B", "#3\n 5")];
    assert_eq!(
        fields,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
    assert_eq!(found[1].line(), 12);
}

#[test]
fn lines_may_end_as_on_windows() {
    let found: Vec<_> = read("A: 1\r\nB: 2\r\n 3\r\n\r\nC: 4\r\n")
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].get("a").as_deref(), Some("1"));
    assert_eq!(found[0].get("b").as_deref(), Some("2\r\n 3"));
    assert_eq!(found[1].get("C").as_deref(), Some("4"));
}

#[test]
fn the_first_of_two_equal_fields_counts() {
    let stanza = read("A: 1\na: 2\n").remove(0).unwrap();
    assert_eq!(stanza.get("A").as_deref(), Some("1"));
}

#[test]
fn a_broken_stanza_is_named_and_the_next_one_read() {
    for (text, line, why) in [
        (
            "A: 1\nno colon\nC: 3\n\nD: 4\n",
            2,
            "neither a field nor a continuation",
        ),
        (
            " A: 1\n\nD: 4\n",
            1,
            "a continuation without a field before it",
        ),
        (
            "A: 1\n: 2\n\nD: 4\n",
            2,
            "not a field name before the colon",
        ),
        (
            "A: 1\n-B: 2\n\nD: 4\n",
            2,
            "not a field name before the colon",
        ),
        (
            "A: 1\nB b: 2\n\nD: 4\n",
            2,
            "not a field name before the colon",
        ),
    ] {
        let found = read(text);
        assert_eq!(found.len(), 2, "{text:?}");
        assert_eq!(found[0], Err((line, why.to_owned())), "{text:?}");
        assert_eq!(found[1].as_ref().unwrap().get("D").as_deref(), Some("4"));
    }
    let text = b"A: 1\nB: \xff\n\nC: 3\n";
    let found: Vec<_> = stanzas(text).collect();
    assert_eq!(found[0], Err((2, "not UTF-8".to_owned())));
    assert!(found[1].is_ok());
}

#[test]
fn nothing_and_half_a_line_are_read_without_fuss() {
    assert!(read("").is_empty());
    assert!(read("\n \n\t\r\n").is_empty());
    assert!(read("# a\n\n# b").is_empty());
    assert_eq!(
        read("A: 1").remove(0).unwrap().get("A").as_deref(),
        Some("1")
    );
    assert_eq!(read("A:").remove(0).unwrap().get("A").as_deref(), Some(""));
}

#[test]
fn many_comments_alone_do_not_exhaust_the_stack() {
    let text = "# alone\n\n".repeat(200_000);
    assert!(stanzas(text.as_bytes()).next().is_none());
}
