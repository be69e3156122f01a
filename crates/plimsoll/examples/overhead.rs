//! What being watched costs an image at its start: `overhead IMAGE [ROUNDS]` starts it in turn
//! without and with the watch, and prints the milliseconds until it is ready, median and fastest,
//! and their ratios. Needs a release build; `bench/run` calls it.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use plimsoll_image::{Options, Ownership};
use plimsoll_model::ImagePath;
use plimsoll_run::{Limits, Recording, Spec, Watch, Way};

const ROUNDS: usize = 11;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let image = arguments.next().ok_or("usage: overhead IMAGE [ROUNDS]")?;
    let rounds = arguments.next().map_or(Ok(ROUNDS), |text| text.parse())?;
    let work = tempfile::tempdir()?;
    let root = work.path().join("root");
    let opened = plimsoll_image::open(
        &image,
        &Options {
            spool: Some(work.path()),
            ..Options::default()
        },
    )?;
    let way = plimsoll_run::way()?;
    let ownership = match way {
        Way::Root => Ownership::Real,
        Way::Subordinate => Ownership::Later,
        Way::Plain => Ownership::Mine,
    };
    plimsoll_image::unpack(&opened.rootfs, &root, ownership)?;
    let mut times = [Vec::new(), Vec::new()];
    // The first start of each reads from the disk.
    for round in 0..=rounds {
        for watch in [false, true] {
            let ready = start(&opened, &root, work.path(), watch)?;
            if round > 0 {
                times[usize::from(watch)].push(ready);
            }
        }
    }
    for times in &mut times {
        times.sort();
    }
    let [without, with] = times;
    let mut out = std::io::stdout();
    for (what, at) in [("median", rounds / 2), ("fastest", 0)] {
        let (Some(without), Some(with)) = (without.get(at), with.get(at)) else {
            return Err("no rounds".into());
        };
        let (without, with) = (without.as_secs_f64(), with.as_secs_f64());
        writeln!(
            out,
            "{what:8} {:8.1} ms without the watch, {:8.1} ms with it, ratio {:.2} ({way})",
            without * 1000.0,
            with * 1000.0,
            with / without
        )?;
    }
    Ok(())
}

/// How long it took to be ready.
fn start(
    opened: &plimsoll_image::Opened,
    root: &Path,
    work: &Path,
    watch: bool,
) -> Result<Duration, Box<dyn Error>> {
    let config = &opened.image.config;
    let scratch = work.join("run");
    std::fs::create_dir_all(&scratch)?;
    let tree = &opened.rootfs.tree;
    let owners = |path: &ImagePath| {
        let found = tree.resolve_parent(path).ok()?;
        let node = tree.get(&found.path)?;
        Some((node.meta.uid, node.meta.gid))
    };
    let modes = |path: &ImagePath| {
        let found = tree.resolve_parent(path).ok()?;
        tree.get(&found.path).map(|node| node.meta.mode)
    };
    let outcome = plimsoll_run::run(&Spec {
        root,
        way: plimsoll_run::way()?,
        scratch: &scratch,
        command: config.command_line(),
        env: config.env.clone(),
        working_dir: config.working_dir.clone(),
        identity: plimsoll_run::identity(&opened.rootfs, config)?,
        stop_signal: 9,
        volumes: config.volumes.clone(),
        ports: config.tcp_ports(),
        watch: match watch {
            true => Watch::Usual,
            false => Watch::Off,
        },
        startup: Recording::Off,
        hostname: "overhead",
        probes: &[],
        again: false,
        spend: false,
        linger: Duration::ZERO,
        reload: Duration::ZERO,
        limits: Limits::default(),
        owners: &owners,
        modes: &modes,
    })?;
    // A program that is run to its end is ready then.
    Ok(outcome.ready.unwrap_or(outcome.total))
}
