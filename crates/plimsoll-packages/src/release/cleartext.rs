//! The frame of a cleartext signature: RFC 9580, section 7.

use super::ReleaseError;

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const END: &[u8] = b"-----END PGP SIGNATURE-----";

/// A message taken out of its frame.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The text as it was signed: dashes unescaped, blanks at line ends gone, LF between lines,
    /// none at the end.
    pub(super) text: String,
    /// The armoured signatures.
    pub(super) signature: &'a [u8],
}

/// Takes the message out of its frame, which must be all there is.
pub(super) fn read(bytes: &[u8]) -> Result<Message<'_>, ReleaseError> {
    let frame = |why: &str| ReleaseError::Frame(why.to_owned());
    let mut at = 0;
    // Line ends are LF or CRLF; blanks at the end of a line are not part of it.
    let mut next = || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let start = at;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        at = (start + length + 1).min(bytes.len());
        Some((start, trim_end(&rest[..length])))
    };
    match next() {
        Some((_, BEGIN)) => {}
        _ if memchr::memmem::find(bytes, BEGIN).is_some() => {
            return Err(frame("there is text before the signed message"));
        }
        _ => return Err(ReleaseError::Unsigned),
    }
    loop {
        match next() {
            Some((_, b"")) => break,
            // The only header allowed; what it says binds nobody, the signature packet does.
            Some((_, line)) if line.starts_with(b"Hash: ") => {}
            Some(_) => return Err(frame("a header other than Hash")),
            None => return Err(frame("it ends before the text")),
        }
    }
    let mut text = String::new();
    let signature = loop {
        let (start, line) = next().ok_or_else(|| frame("it ends without a signature"))?;
        if line == SIGNATURE {
            break start;
        }
        let line = match line {
            [b'-', b' ', line @ ..] => line,
            [b'-', ..] => return Err(frame("a dash at the beginning of a line is not escaped")),
            line => line,
        };
        let line = std::str::from_utf8(line).map_err(|_| frame("the text is not UTF-8"))?;
        text.push_str(line);
        text.push('\n');
    };
    // The line end before the signature belongs to the frame.
    text.pop();
    let mut ended = false;
    while let Some((_, line)) = next() {
        match line {
            END if !ended => ended = true,
            b"" => {}
            _ if ended => return Err(frame("there is text behind the signature")),
            _ => {}
        }
    }
    if !ended {
        return Err(frame("the signature has no end"));
    }
    Ok(Message {
        text,
        signature: &bytes[signature..],
    })
}

/// RFC 9580 7.2: blanks and tabs at line ends are not signed; neither is the CR of a CRLF.
fn trim_end(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
        .map_or(0, |last| last + 1);
    &line[..end]
}
