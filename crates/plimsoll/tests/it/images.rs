//! Images made by the tests themselves: tar, layers, OCI layouts, `docker save` archives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// The binary, to be run in `scratch` with its cache there.
pub(crate) fn command(scratch: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command
        .current_dir(scratch)
        .env("PLIMSOLL_CACHE", scratch.join("cache"))
        .env("PLIMSOLL_HUB", "none")
        .env_remove("PLIMSOLL_MIRROR");
    command
}

/// Runs the binary.
pub(crate) fn plimsoll(scratch: &Path, arguments: &[&str]) -> Output {
    command(scratch).args(arguments).output().unwrap()
}

/// Starts it, and sends it a signal as soon as something is so, or after a minute: whether that was so by
/// then, and what came of it.
pub(crate) fn signalled(
    command: &mut Command,
    signal: &str,
    is_so: impl Fn() -> bool,
) -> (bool, Output) {
    let streams = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = streams.spawn().unwrap();
    let began = Instant::now();
    while !is_so()
        && child.try_wait().unwrap().is_none()
        && began.elapsed() < Duration::from_secs(60)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    let was_so = is_so();
    let number = child.id().to_string();
    let sent = Command::new("kill").args([signal, &number]).status();
    let output = child.wait_with_output().unwrap();
    assert!(sent.unwrap().success(), "{}", text(&output));
    (was_so, output)
}

/// Fails unless the process whose number a file holds is gone.
pub(crate) fn must_be_gone(file: &Path) {
    let pid = fs::read_to_string(file).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
    assert!(
        status.is_empty() || status.contains("State:\tZ"),
        "{status}"
    );
}

/// The same with this on its standard input.
pub(crate) fn plimsoll_with_input(scratch: &Path, arguments: &[&str], input: &str) -> Output {
    use std::io::Write as _;
    let mut command = command(scratch);
    let command = command.args(arguments).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// Standard output and standard error, for assertions that explain themselves.
pub(crate) fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    format!("exit {:?}\n{out}\n--- stderr\n{err}", output.status.code())
}

/// A tar archive in the making.
#[derive(Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn dir(self, name: &str, mode: u32) -> Self {
        self.member(name, b'5', mode, b"", "")
    }

    pub(crate) fn file(self, name: &str, mode: u32, body: &[u8]) -> Self {
        self.member(name, b'0', mode, body, "")
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.member(name, b'2', 0o777, b"", target)
    }

    pub(crate) fn member(
        mut self,
        name: &str,
        kind: u8,
        mode: u32,
        body: &[u8],
        link: &str,
    ) -> Self {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
        block[108..116].copy_from_slice(b"0000000\0");
        block[116..124].copy_from_slice(b"0000000\0");
        block[124..136].copy_from_slice(format!("{:011o}\0", body.len()).as_bytes());
        block[136..148].copy_from_slice(b"00000000000\0");
        block[148..156].fill(b' ');
        block[156] = kind;
        block[157..157 + link.len()].copy_from_slice(link.as_bytes());
        block[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&block);
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes a one-image OCI layout, its layers not compressed, tagged `test`; answers its name.
pub(crate) fn layout(directory: &Path, config: &serde_json::Value, layers: &[Vec<u8>]) -> String {
    layout_for(directory, architecture(), config, layers)
}

/// The same for an architecture, in the image specification's words.
pub(crate) fn layout_for(
    directory: &Path,
    architecture: &str,
    config: &serde_json::Value,
    layers: &[Vec<u8>],
) -> String {
    layout_with_history(directory, architecture, config, layers, &[])
}

/// The same with the instruction that made each layer.
pub(crate) fn layout_with_history(
    directory: &Path,
    architecture: &str,
    config: &serde_json::Value,
    layers: &[Vec<u8>],
    history: &[&str],
) -> String {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        fs::write(blobs.join(hex(bytes)), bytes).unwrap();
        serde_json::json!({ "digest": format!("sha256:{}", hex(bytes)), "size": bytes.len() })
    };
    let with_type = |mut descriptor: serde_json::Value, kind: &str| {
        descriptor["mediaType"] = format!("application/vnd.oci.image.{kind}").into();
        descriptor
    };
    let diff_ids: Vec<_> = layers
        .iter()
        .map(|layer| format!("sha256:{}", hex(layer)))
        .collect();
    let mut document = serde_json::json!({
        "architecture": architecture, "os": "linux", "created": "2026-01-01T00:00:00Z",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    if !history.is_empty() {
        let entry = |by: &&str| serde_json::json!({ "created_by": by });
        document["history"] = history.iter().map(entry).collect();
    }
    let config = with_type(put(document.to_string().as_bytes()), "config.v1+json");
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| with_type(put(layer), "layer.v1.tar"))
        .collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": layers,
    });
    let mut entry = with_type(put(manifest.to_string().as_bytes()), "manifest.v1+json");
    entry["annotations"] = serde_json::json!({ "org.opencontainers.image.ref.name": "test" });
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": [entry] });
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
    fs::write(
        directory.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
    format!("oci:{}:test", directory.display())
}

/// This machine's architecture in the image specification's words.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The example `serve`, which `cargo test` builds beside the tests.
pub(crate) fn server() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/serve");
    assert!(
        path.exists(),
        "{} is not built: run `cargo build --examples`",
        path.display()
    );
    path
}

/// The shared libraries a program of this machine needs, the loader included, as (path, bytes).
pub(crate) fn libraries(program: &Path) -> Vec<(String, Vec<u8>)> {
    let output = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    let mut paths: Vec<&str> = paths.collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .iter()
        .map(|path| ((*path).to_owned(), fs::read(path).unwrap()))
        .collect()
}
