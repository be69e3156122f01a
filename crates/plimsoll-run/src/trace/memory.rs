//! Reading and writing the memory of a traced process.
#![expect(unsafe_code, reason = "process_vm_readv and sysconf")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;

use libc::{c_void, iovec};

/// Longest path a system call takes, the zero byte included (`PATH_MAX`).
const LONGEST: usize = 4096;
/// Bytes fetched at first: nearly every path is shorter.
const SHORT: usize = 256;

/// Longest argument or variable of a program, the zero byte included (`MAX_ARG_STRLEN`).
const LONGEST_ARGUMENT: usize = 128 << 10;

/// The text at an address, without its zero byte; `None` when it is longer than a path may be.
pub(super) fn text(pid: i32, address: u64) -> io::Result<Option<Vec<u8>>> {
    bounded(pid, address, LONGEST)
}

/// An argument of a program, or a variable.
pub(super) fn long_text(pid: i32, address: u64) -> io::Result<Vec<u8>> {
    bounded(pid, address, LONGEST_ARGUMENT)?.ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}

fn bounded(pid: i32, address: u64, longest: usize) -> io::Result<Option<Vec<u8>>> {
    let to_page_end = page() - (address as usize & (page() - 1));
    let mut short = [0; SHORT];
    let mut got = read(pid, address, &mut short[..SHORT.min(to_page_end)])?;
    if let Some(end) = memchr(&short[..got]) {
        return Ok(Some(short[..end].to_vec()));
    }
    let mut bytes = short[..got].to_vec();
    loop {
        if let Some(end) = memchr(&bytes[..got]) {
            bytes.truncate(end);
            return Ok(Some(bytes));
        }
        if got == longest {
            return Ok(None);
        }
        // To the end of the page and no further: a read that runs into a page that is not there
        // fails as a whole.
        let from = address.wrapping_add(got as u64);
        let to_page_end = page() - (from as usize & (page() - 1));
        let more = to_page_end.min(longest - got);
        bytes.resize(got + more, 0);
        got += match read(pid, from, &mut bytes[got..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => more,
        };
    }
}

/// Fills `bytes` from an address; answers how many there were.
pub(super) fn read(pid: i32, address: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let local = iovec {
        iov_base: bytes.as_mut_ptr().cast::<c_void>(),
        iov_len: bytes.len(),
    };
    let remote = iovec {
        iov_base: address as *mut c_void,
        iov_len: bytes.len(),
    };
    // SAFETY: the kernel writes at most `bytes.len()` bytes to `bytes`; the remote address is only
    // used in the other process.
    let got = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    if got >= 0 {
        return Ok(got as usize);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // Forbidden by this machine's filter or settings, where the file may be allowed.
        Some(libc::EPERM | libc::ENOSYS) => {
            let memory = File::open(format!("/proc/{pid}/mem"))?;
            memory.read_at(bytes, address)
        }
        _ => Err(error),
    }
}

/// A little-endian word of memory.
pub(super) fn word(pid: i32, address: u64) -> io::Result<u64> {
    let mut bytes = [0; 8];
    match read(pid, address, &mut bytes)? {
        8 => Ok(u64::from_le_bytes(bytes)),
        _ => Err(io::Error::from_raw_os_error(libc::EFAULT)),
    }
}

/// The memory of a process, held open: it stays that process's, even if its number is used again.
pub(super) struct Memory(File);

impl Memory {
    pub(super) fn open(pid: i32) -> io::Result<Self> {
        let path = format!("/proc/{pid}/mem");
        OpenOptions::new().write(true).open(path).map(Self)
    }

    pub(super) fn write(&self, address: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, address)
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == 0)
}

fn page() -> usize {
    static PAGE: OnceLock<usize> = OnceLock::new();
    *PAGE.get_or_init(|| {
        // SAFETY: a question without pointers.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(size).unwrap_or(4096)
    })
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    /// Two pages, the second not readable, with `text` at the very end of the first.
    fn at_the_edge(text: &[u8]) -> u64 {
        let page = page();
        // SAFETY: a fresh mapping of ours, written within its first page; it is never unmapped.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let both = libc::PROT_READ | libc::PROT_WRITE;
            let start = libc::mmap(ptr::null_mut(), 2 * page, both, flags, -1, 0);
            assert_ne!(start, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(start.add(page), page, libc::PROT_NONE), 0);
            let to = start.cast::<u8>().add(page - text.len());
            ptr::copy_nonoverlapping(text.as_ptr(), to, text.len());
            to as u64
        }
    }

    fn us() -> i32 {
        std::process::id() as i32
    }

    #[test]
    fn a_path_that_ends_at_the_edge_of_memory_is_read() {
        for length in [0, 1, 255, 256, 257, 4000] {
            let mut path = vec![b'x'; length];
            path.push(0);
            let read = text(us(), at_the_edge(&path)).unwrap();
            assert_eq!(read.map(|path| path.len()), Some(length));
        }
    }

    #[test]
    fn a_path_across_pages_is_read() {
        let bytes = [vec![b'y'; 4095], vec![0]].concat();
        for skip in [0, 1, 2000, 4094, 4095] {
            let address = bytes[skip..].as_ptr() as u64;
            assert_eq!(text(us(), address).unwrap().unwrap(), bytes[skip..4095]);
        }
    }

    #[test]
    fn what_is_no_path_is_no_path() {
        let long = vec![b'z'; 5000];
        assert_eq!(text(us(), long.as_ptr() as u64).unwrap(), None);
        let error = text(us(), at_the_edge(b"no end")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EFAULT));
        assert!(text(us(), 0).is_err());
    }

    #[test]
    fn memory_is_written_where_it_was_asked_for() {
        let mut bytes = [0u8; 8];
        let address = ptr::from_mut(&mut bytes) as u64;
        Memory::open(us())
            .unwrap()
            .write(address, b"12345678")
            .unwrap();
        assert_eq!(
            word(us(), address).unwrap(),
            u64::from_le_bytes(*b"12345678")
        );
    }
}
