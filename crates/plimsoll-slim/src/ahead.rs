//! How far a follower reads on from a word of a script.
//!
//! A script is untrusted: where each of its words made the rest of a line be read again, a line of
//! one word repeated would take minutes. So what stands behind a word is read only a little way,
//! and only behind so many words.

/// Names stand this near to the word that asks for them, in bytes.
const NEAR: usize = 1 << 10;
/// Behind more words than this nothing is read, in one script.
pub(crate) const WORD_LIMIT: usize = 10_000;
/// What is said of a script with more.
pub(crate) const CUT: &str = "asks for more than is read of one script: the rest was not followed";

/// What is near enough to the beginning of `text` to belong to the word in front of it.
pub(crate) fn near(text: &str) -> &str {
    within(text, NEAR)
}

/// The first `limit` bytes, or less where that would cut a character.
pub(crate) fn within(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_character_is_cut() {
        assert_eq!(super::within("aé", 2), "a");
        assert_eq!(super::within("aé", 3), "aé");
        assert_eq!(super::within("", 3), "");
    }
}
