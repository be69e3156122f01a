//! Constraints on versions, as other scanners write them: `>= 1.2, < 1.4 || = 2.0`.

use crate::advisory::{Range, Until};

/// What a constraint allows: ranges, and single versions.
///
/// `> 1.2` is taken as `>= 1.2`: a range has no way to leave its first version out, and one finding
/// too many is better than one too few. `None` for what is no constraint.
pub(super) fn read<'a>(
    text: &'a str,
    ranges: &mut Vec<Range<'a>>,
    versions: &mut Vec<&'a str>,
) -> Option<()> {
    for alternative in text.split("||") {
        let mut range = Range::ALL;
        let mut single = None;
        for term in alternative.split(',') {
            let term = term.trim();
            let operator = term.find(|character: char| !"<>=!~^".contains(character));
            let (operator, version) = term.split_at(operator.unwrap_or(term.len()));
            // Several terms may stand behind one another without a comma.
            let version = version.trim();
            if version.contains(char::is_whitespace) {
                return None;
            }
            match (operator, version) {
                ("", "") => {}
                (_, "") => return None,
                ("<", fixed) => range.until = Until::Fixed(fixed),
                ("<=", last) => range.until = Until::Last(last),
                (">=" | ">", "0") => {}
                (">=" | ">", first) => range.introduced = Some(first),
                ("=" | "==" | "", version) => single = Some(version),
                _ => return None,
            }
        }
        match single {
            Some(version) => versions.push(version),
            None => ranges.push(range),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let (mut ranges, mut versions) = (Vec::new(), Vec::new());
        read(text, &mut ranges, &mut versions)?;
        let ranges = ranges
            .iter()
            .map(|range| format!("{:?}..{:?}", range.introduced, range.until));
        Some(
            ranges
                .chain(versions.iter().map(|version| (*version).to_owned()))
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    #[test]
    fn constraints_are_ranges_and_versions() {
        for (text, expected) in [
            ("", Some("None..Open")),
            ("< 1.2-3", Some("None..Fixed(\"1.2-3\")")),
            (
                ">=1.0, <=1.4 || = 2.0||>= 3",
                Some("Some(\"1.0\")..Last(\"1.4\") Some(\"3\")..Open 2.0"),
            ),
            ("~> 1.2", None),
            ("<", None),
            ("< 1 2", None),
        ] {
            assert_eq!(shown(text).as_deref(), expected, "{text}");
        }
    }
}
