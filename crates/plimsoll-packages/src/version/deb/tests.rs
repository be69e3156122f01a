//! The order of Debian versions, rule by rule.

use super::*;

#[test]
fn versions_stand_in_this_order() {
    // Each is less than every one behind it.
    let sorted = [
        "0~~",
        "0~",
        "0~a",
        "0",
        "0a",
        "0a0a",
        "0+",
        "0.0~rc1-1",
        "0.",
        "0.0-1",
        "0.0-1+b1",
        "0.0-1.1",
        "0.9",
        "0.10",
        "1.0~beta1~svn1245-1",
        "1.0~beta1-1",
        "1.0-1",
        "1.0-1ubuntu1",
        "1.0-10",
        "1.0a-1",
        "1.0+dfsg-1",
        "1.0.1-1",
        "99999999999999999999998",
        "99999999999999999999999",
        "1:0~",
        "1:0.1",
        "2:0",
        "10:0",
    ];
    for (index, low) in sorted.iter().enumerate() {
        assert_eq!(compare(low, low), Ordering::Equal, "{low}");
        for high in &sorted[index + 1..] {
            assert_eq!(compare(low, high), Ordering::Less, "{low} {high}");
            assert_eq!(compare(high, low), Ordering::Greater, "{high} {low}");
        }
    }
}

#[test]
fn these_are_the_same_version() {
    for (a, b) in [
        ("1.0", "0:1.0"),
        ("1.0", "1.0-0"),
        ("1.0", "1.00"),
        ("1.0", "01.0"),
        ("1.2.03", "1.2.3"),
        ("1.0-", "1.0-0"),
        ("1.a", "1.a0"),
        ("00:1", "1"),
        ("", "0"),
        (" 1.0 ", "1.0"),
    ] {
        assert_eq!(compare(a, b), Ordering::Equal, "`{a}` `{b}`");
    }
}

#[test]
fn the_revision_begins_at_the_last_hyphen() {
    assert_eq!(compare("1-2-3", "1-2-4"), Ordering::Less);
    assert_eq!(compare("1-2-3", "1-3-1"), Ordering::Less);
    assert_eq!(
        compare("1-2", "1-2-0"),
        Ordering::Less,
        "upstream 1 and 1-2"
    );
}

#[test]
fn what_is_no_version_is_compared_all_the_same() {
    for (a, b) in [
        ("a:1", "1"),
        (":", "-"),
        ("é", "z"),
        ("1:2:3", "1:2"),
        ("-", "~"),
    ] {
        assert_eq!(compare(a, b), compare(b, a).reverse(), "`{a}` `{b}`");
    }
}

#[test]
fn bad_writing_is_named() {
    for good in [
        "1",
        "1.0-1",
        "2:1.0~rc1+dfsg-1~bpo12+1",
        "1-2-3",
        "1:2:3",
        "0.0.0",
    ] {
        assert_eq!(validate(good), Ok(()), "{good}");
    }
    for (bad, why) in [
        ("", VersionError::Empty),
        (":1", VersionError::Epoch),
        ("a:1", VersionError::Epoch),
        ("2147483648:1", VersionError::Epoch),
        ("-1:1", VersionError::Epoch),
        ("1:", VersionError::NoUpstream),
        ("-1", VersionError::NoUpstream),
        ("a1", VersionError::NoDigit),
        ("1-", VersionError::NoRevision),
        ("1 0", VersionError::Character(' ')),
        ("1_0", VersionError::Character('_')),
        ("1-é", VersionError::Character('é')),
    ] {
        assert_eq!(validate(bad), Err(why), "{bad}");
    }
}
