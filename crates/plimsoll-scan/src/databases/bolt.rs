//! bbolt files, read-only: pages of a B+ tree whose values may be trees themselves (buckets).
//!
//! Source: the layout in `page.go`, `bucket.go` and `meta.go` of go.etcd.io/bbolt: a page begins with
//! its number (u64), flags, count (u16 each) and the number of pages it runs over (u32); the first two
//! pages are metas, of which the valid one with the higher transaction counts.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Of a meta page, behind its page header.
pub(super) const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// Of a leaf element: its value is a bucket.
const BUCKET: u32 = 0x01;

const HEADER: usize = 16;
const ELEMENT: usize = 16;

/// Deeper trees have no billion keys.
const DEEPEST: usize = 32;
/// A run of more bytes than this is no page of ours.
const LONGEST: usize = 256 << 20;

/// An open file.
pub(super) struct Bolt {
    file: File,
    size: u64,
    page: usize,
    root: u64,
}

/// A value, or a bucket to look into.
pub(super) enum Value {
    Bytes(Vec<u8>),
    Bucket(Bucket),
}

/// A tree within the tree.
pub(super) struct Bucket(Root);

enum Root {
    Page(u64),
    /// Small ones are kept where their value is.
    Inline(Vec<u8>),
}

type Result<T> = std::result::Result<T, String>;

const BROKEN: &str = "is a broken database";

impl Bolt {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let said = |error: std::io::Error| error.to_string();
        let file = File::open(path).map_err(said)?;
        let size = file.metadata().map_err(said)?.len();
        // The second meta lies a page further, and only the first says how long a page is.
        let mut metas: Vec<(u64, usize, u64)> = Vec::new();
        for page in (12..=16).map(|power| 1_u64 << power) {
            for offset in [0, page] {
                metas.extend(meta(&file, offset).filter(|(_, size, _)| *size as u64 == page));
            }
        }
        let newest = metas
            .into_iter()
            .max_by_key(|(transaction, ..)| *transaction);
        let (_, page, root) = newest.ok_or("is a broken database: neither head is valid")?;
        Ok(Self {
            file,
            size,
            page,
            root,
        })
    }

    /// The buckets at the top.
    pub(super) fn root(&self) -> Bucket {
        Bucket(Root::Page(self.root))
    }

    /// Calls `each` with every key of a bucket, in order.
    pub(super) fn each(
        &self,
        bucket: &Bucket,
        each: &mut dyn FnMut(&[u8], Value) -> Result<()>,
    ) -> Result<()> {
        // Every page is reached once: more steps than pages are a cycle.
        let mut steps = self.size / self.page as u64 + 1;
        match &bucket.0 {
            Root::Page(number) => self.walk(*number, 0, &mut steps, each),
            Root::Inline(page) => leaf(page, each),
        }
    }

    fn walk(
        &self,
        number: u64,
        depth: usize,
        steps: &mut u64,
        each: &mut dyn FnMut(&[u8], Value) -> Result<()>,
    ) -> Result<()> {
        *steps = steps
            .checked_sub(1)
            .ok_or("is a broken database: its pages lead in a circle")?;
        if depth > DEEPEST {
            return Err(format!("{BROKEN}: it is too deep"));
        }
        let page = self.read(number)?;
        let flags = u16_at(&page, 8)?;
        if flags & LEAF != 0 {
            return leaf(&page, each);
        }
        if flags & BRANCH == 0 {
            return Err(format!(
                "{BROKEN}: page {number} is neither branch nor leaf"
            ));
        }
        for index in 0..usize::from(u16_at(&page, 10)?) {
            let child = u64_at(&page, HEADER + index * ELEMENT + 8)?;
            self.walk(child, depth + 1, steps, each)?;
        }
        Ok(())
    }

    /// A page with all it runs over.
    fn read(&self, number: u64) -> Result<Vec<u8>> {
        let cut = || format!("is cut short: page {number} is not in it");
        let offset = number.checked_mul(self.page as u64).ok_or_else(cut)?;
        let mut page = vec![0; self.page];
        self.file
            .read_exact_at(&mut page, offset)
            .map_err(|_| cut())?;
        if u64_at(&page, 0)? != number {
            return Err(format!("{BROKEN}: page {number} says it is another"));
        }
        let more = u32_at(&page, 12)? as usize;
        let length = more
            .checked_add(1)
            .and_then(|pages| pages.checked_mul(self.page));
        let length = length.filter(|&length| length <= LONGEST).ok_or_else(cut)?;
        if more > 0 {
            if offset + length as u64 > self.size {
                return Err(cut());
            }
            page.resize(length, 0);
            self.file
                .read_exact_at(&mut page, offset)
                .map_err(|_| cut())?;
        }
        Ok(page)
    }
}

/// Transaction, size of a page and number of the root page, of a valid meta.
fn meta(file: &File, offset: u64) -> Option<(u64, usize, u64)> {
    let mut page = [0; HEADER + 64];
    file.read_exact_at(&mut page, offset).ok()?;
    let meta = &page[HEADER..];
    let (magic, version) = (u32_at(meta, 0).ok()?, u32_at(meta, 4).ok()?);
    let sum = u64_at(meta, 56).ok()?;
    if magic != MAGIC || version != VERSION || sum != fnv(&meta[..56]) {
        return None;
    }
    let size = u32_at(meta, 8).ok()? as usize;
    Some((u64_at(meta, 48).ok()?, size, u64_at(meta, 16).ok()?))
}

/// FNV-1a, 64 bits: the sum of a meta.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn leaf(page: &[u8], each: &mut dyn FnMut(&[u8], Value) -> Result<()>) -> Result<()> {
    let out = || format!("{BROKEN}: an element leads out of its page");
    for index in 0..usize::from(u16_at(page, 10)?) {
        let at = HEADER + index * ELEMENT;
        let number = |offset| Ok::<_, String>(u32_at(page, at + offset)? as usize);
        let (position, key, value) = (number(4)?, number(8)?, number(12)?);
        let start = at + position;
        let key_end = start.checked_add(key).ok_or_else(out)?;
        let end = key_end.checked_add(value).ok_or_else(out)?;
        let key = page.get(start..key_end).ok_or_else(out)?;
        let value = page.get(key_end..end).ok_or_else(out)?;
        let value = if u32_at(page, at)? & BUCKET == 0 {
            Value::Bytes(value.to_vec())
        } else {
            Value::Bucket(Bucket(match u64_at(value, 0)? {
                0 => Root::Inline(value.get(16..).ok_or_else(out)?.to_vec()),
                number => Root::Page(number),
            }))
        };
        each(key, value)?;
    }
    Ok(())
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let found = at.checked_add(N).and_then(|end| bytes.get(at..end));
    let found = found.and_then(|found| found.try_into().ok());
    found.ok_or_else(|| format!("{BROKEN}: a page is too short"))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    bytes_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64> {
    bytes_at(bytes, at).map(u64::from_le_bytes)
}
