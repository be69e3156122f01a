//! The archive around a package: `ar(5)`, as far as `deb(5)` uses it.

use std::io::{self, Read};

use super::DebError;

/// Where a member of the ar archive lies.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its name, without GNU's slash at the end.
    pub(super) name: String,
    /// Where its body begins, in bytes from the start of the archive.
    pub(super) offset: u64,
    /// Bytes of the body.
    pub(super) size: u64,
}

/// An ar archive, read in one pass.
pub(super) struct Ar<R> {
    stream: R,
    offset: u64,
    /// Where the next header begins.
    next: u64,
}

impl<R: Read> Ar<R> {
    pub(super) fn new(mut stream: R) -> Result<Self, DebError> {
        let mut magic = [0; 8];
        match stream.read_exact(&mut magic) {
            Ok(()) if &magic == b"!<arch>\n" => Ok(Self {
                stream,
                offset: 8,
                next: 8,
            }),
            Ok(()) => Err(DebError::Malformed("not an ar archive")),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(DebError::Malformed("not an ar archive"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The next member, or `None` at the end.
    pub(super) fn next_member(&mut self) -> Result<Option<Part>, DebError> {
        const TRUNCATED: DebError = DebError::Malformed("it ends in the middle");
        let gap = self.next - self.offset;
        let skipped = io::copy(&mut (&mut self.stream).take(gap), &mut io::sink())?;
        self.offset += skipped;
        if skipped < gap {
            // A missing pad byte behind the last member is harmless.
            return if skipped + 1 == gap {
                Ok(None)
            } else {
                Err(TRUNCATED)
            };
        }
        let mut header = Vec::with_capacity(60);
        (&mut self.stream).take(60).read_to_end(&mut header)?;
        self.offset += header.len() as u64;
        match header.len() {
            0 => return Ok(None),
            60 if header.ends_with(b"`\n") => {}
            60 => return Err(DebError::Malformed("not a member header")),
            _ => return Err(TRUNCATED),
        }
        let text = |range: std::ops::Range<usize>| {
            std::str::from_utf8(&header[range])
                .map(str::trim_end)
                .map_err(|_| DebError::Malformed("not a member header"))
        };
        let size: u64 = text(48..58)?
            .parse()
            .map_err(|_| DebError::Malformed("a member without a size"))?;
        // GNU ar ends names with a slash (deb(5) says to take that off).
        let name = text(0..16)?.trim_end_matches('/').to_owned();
        self.next = self.offset + size + size % 2;
        let offset = self.offset;
        Ok(Some(Part { name, offset, size }))
    }

    /// The body of the member given last.
    pub(super) fn body(&mut self, part: &Part) -> impl Read {
        let left = part.size;
        Body { ar: self, left }
    }
}

/// The body of a member, which moves the archive's own position along.
struct Body<'a, R> {
    ar: &'a mut Ar<R>,
    left: u64,
}

impl<R: Read> Read for Body<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self.ar.stream.read(&mut buffer[..most])?;
        self.left -= count as u64;
        self.ar.offset += count as u64;
        Ok(count)
    }
}

/// So many bytes of a stream, which must have them: a tar archive may end between two members, and
/// one that was cut there would pass for whole.
pub(super) struct Whole<R> {
    pub(super) stream: R,
    pub(super) left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self.stream.read(&mut buffer[..most])?;
        if count == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}
