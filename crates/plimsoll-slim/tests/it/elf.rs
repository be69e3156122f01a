//! A small writer of ELF files for tests: just enough that a loader's questions have answers.

/// What is to be in the file.
#[derive(Default)]
pub(crate) struct Elf {
    interpreter: Option<String>,
    needed: Vec<String>,
    soname: Option<String>,
    rpath: Option<String>,
    runpath: Option<String>,
    flags_1: Option<u64>,
    symbols: Vec<String>,
    texts: Vec<String>,
    dlopen: Vec<(String, String)>,
    machine: u16,
}

const X86_64: u16 = 62;
const AARCH64: u16 = 183;

impl Elf {
    /// Reads `needed=a,b rpath=$ORIGIN interp=/lib/ld.so symbol=dlopen text=/a/b`.
    pub(crate) fn parse(words: &str) -> Self {
        let mut elf = Self {
            machine: X86_64,
            ..Self::default()
        };
        for word in words.split_whitespace() {
            let (key, value) = word
                .split_once('=')
                .unwrap_or_else(|| panic!("not understood: {word}"));
            let list = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
            match key {
                "interp" => elf.interpreter = Some(value.to_owned()),
                "needed" => elf.needed = list(),
                "soname" => elf.soname = Some(value.to_owned()),
                "rpath" => elf.rpath = Some(value.to_owned()),
                "runpath" => elf.runpath = Some(value.to_owned()),
                "flags1" => elf.flags_1 = Some(value.parse().unwrap()),
                "symbol" => elf.symbols = list(),
                "text" => elf.texts = list(),
                "machine" if value == "arm64" => elf.machine = AARCH64,
                "dlopen" => {
                    let pairs = list();
                    let pairs = pairs.iter().map(|pair| pair.split_once(':').unwrap());
                    elf.dlopen = pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
                }
                _ => panic!("not understood: {word}"),
            }
        }
        elf
    }

    /// The file: one read-only segment that is all of it, and the segments that point into it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let is_dynamic = !self.needed.is_empty()
            || self.soname.is_some()
            || self.rpath.is_some()
            || self.runpath.is_some()
            || self.flags_1.is_some()
            || !self.symbols.is_empty();
        let segments = 1
            + usize::from(self.interpreter.is_some())
            + usize::from(is_dynamic)
            + usize::from(!self.dlopen.is_empty());
        let mut body = Vec::new();
        let base = 64 + 56 * segments;
        let mut headers: Vec<[u64; 4]> = Vec::new();
        if let Some(interpreter) = &self.interpreter {
            headers.push([
                3,
                4,
                (base + body.len()) as u64,
                interpreter.len() as u64 + 1,
            ]);
            body.extend_from_slice(interpreter.as_bytes());
            body.push(0);
        }
        if is_dynamic {
            self.write_dynamic(base, &mut body, &mut headers);
        }
        if !self.dlopen.is_empty() {
            pad(base, &mut body);
            let from = base + body.len();
            self.write_note(&mut body);
            headers.push([4, 4, from as u64, (base + body.len() - from) as u64]);
        }
        body.push(0);
        for text in &self.texts {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        headers.insert(0, [1, 4, 0, (base + body.len()) as u64]);
        let mut file = Vec::new();
        file.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        file.extend_from_slice(&3_u16.to_le_bytes());
        file.extend_from_slice(&self.machine.to_le_bytes());
        file.extend_from_slice(&1_u32.to_le_bytes());
        for word in [0_u64, 64, 0] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&0_u32.to_le_bytes());
        for half in [64_u16, 56, headers.len() as u16, 64, 0, 0] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        for [kind, flags, offset, size] in headers {
            file.extend_from_slice(&(kind as u32).to_le_bytes());
            file.extend_from_slice(&(flags as u32).to_le_bytes());
            for word in [offset, offset, offset, size, size, 8] {
                file.extend_from_slice(&word.to_le_bytes());
            }
        }
        file.extend_from_slice(&body);
        file
    }

    fn write_dynamic(&self, base: usize, body: &mut Vec<u8>, headers: &mut Vec<[u64; 4]>) {
        let mut strings = vec![0];
        let mut string = |text: &str| {
            let at = strings.len() as u64;
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            at
        };
        let mut entries: Vec<[u64; 2]> = Vec::new();
        entries.extend(self.needed.iter().map(|name| [1, string(name)]));
        entries.extend(self.soname.iter().map(|name| [14, string(name)]));
        entries.extend(self.rpath.iter().map(|path| [15, string(path)]));
        entries.extend(self.runpath.iter().map(|path| [29, string(path)]));
        entries.extend(self.flags_1.iter().map(|flags| [0x6fff_fffb, *flags]));
        for symbol in &self.symbols {
            string(symbol);
        }
        entries.push([5, (base + body.len()) as u64]);
        entries.push([10, strings.len() as u64]);
        entries.push([0, 0]);
        body.extend_from_slice(&strings);
        pad(base, body);
        let size = entries.len() as u64 * 16;
        headers.push([2, 4, (base + body.len()) as u64, size]);
        for word in entries.iter().flatten() {
            body.extend_from_slice(&word.to_le_bytes());
        }
    }

    fn write_note(&self, body: &mut Vec<u8>) {
        let entries = self.dlopen.iter().map(|(priority, soname)| {
            format!(r#"{{"feature":"x","priority":"{priority}","soname":["{soname}"]}}"#)
        });
        let mut text = format!("[{}]", entries.collect::<Vec<_>>().join(",")).into_bytes();
        text.push(0);
        body.extend_from_slice(&4_u32.to_le_bytes());
        body.extend_from_slice(&(text.len() as u32).to_le_bytes());
        body.extend_from_slice(&0x407c_0c0a_u32.to_le_bytes());
        body.extend_from_slice(b"FDO\0");
        body.extend_from_slice(&text);
        while !body.len().is_multiple_of(8) {
            body.push(0);
        }
    }
}

fn pad(base: usize, body: &mut Vec<u8>) {
    while !(base + body.len()).is_multiple_of(8) {
        body.push(0);
    }
}
