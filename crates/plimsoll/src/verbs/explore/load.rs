//! The image is read on a thread, while the screen already shows what its documents say.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use plimsoll_image::{Opened, Options, Outline};
use plimsoll_model::text::instruction;

use super::forest::Forest;
use super::sheet::{Filter, Sheet};
use super::state::{Answer, LayerRow, Subject, Whole, Wish, first_scope};
use super::work::Work;
use crate::cli;
use crate::failure::{Failure, Result};
use crate::plan_file::PlanFile;
use crate::session::{self, Context};
use crate::verbs::why;

/// How far the reading is; written by the threads that read, looked at by the one that draws.
#[derive(Default)]
pub(super) struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    fn tell(&self, done: u64, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }

    /// Bytes that are done, and how many there are; 0 while that is not known.
    pub(super) fn look(&self) -> (u64, u64) {
        let total = self.total.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed), total)
    }
}

/// Begins to read the image. What its documents say is answered first, then all of it, or why there is
/// nothing to see; wishes are granted from then on.
pub(super) fn start(
    context: &Context,
    arguments: &cli::Explore,
    wishes: Receiver<Wish>,
    answers: Sender<Answer>,
) -> io::Result<Arc<Progress>> {
    let progress = Arc::new(Progress::default());
    let told = Arc::clone(&progress);
    let (context, arguments) = (context.clone(), arguments.clone());
    let thread = std::thread::Builder::new().name("reading".to_owned());
    thread.spawn(move || {
        let told_layers = Mutex::new(None);
        let begun = |outline: Outline| {
            let subject = promised(&arguments.image, outline);
            let refused = layer_is_there(&arguments, subject.layers.len()).err();
            let mut layers = told_layers.lock().unwrap_or_else(PoisonError::into_inner);
            *layers = Some(refused.is_none());
            // Nobody listens any more when the user has left; here and below.
            let _ = answers.send(match refused {
                None => Answer::Outline(subject),
                Some(failure) => Answer::Failed(failure),
            });
        };
        let read = read(&context, &arguments, &told, &begun);
        if *told_layers.lock().unwrap_or_else(PoisonError::into_inner) == Some(false) {
            return;
        }
        let started = read.and_then(|(whole, work)| {
            let _ = answers.send(Answer::Image(whole));
            work.start(wishes, answers.clone())
                .map_err(|error| Failure::because("cannot start a thread", &error))
        });
        if let Err(failure) = started {
            let _ = answers.send(Answer::Failed(failure));
        }
    })?;
    Ok(progress)
}

/// Refuses a layer the image does not have.
fn layer_is_there(arguments: &cli::Explore, layers: usize) -> Result<()> {
    match arguments.layer.filter(|&layer| layer as usize >= layers) {
        None => Ok(()),
        Some(layer) => Err(Failure::new(format!(
            "{} has no layer {layer}: it has {layers}, and the lowest is 0",
            arguments.image
        ))),
    }
}

/// All of the image, laid out for its first view, and what grants wishes about it.
fn read(
    context: &Context,
    arguments: &cli::Explore,
    progress: &Progress,
    begun: &(dyn Fn(Outline) + Sync),
) -> Result<(Box<Whole>, Work)> {
    let name = &arguments.image;
    let tell = |done, total| progress.tell(done, total);
    let open = |name: &str, options: &Options<'_>| {
        let options = Options {
            changes: true,
            outline: Some(begun),
            // The bar of other verbs would be drawn over the screen.
            progress: Some(&tell),
            ..options.clone()
        };
        plimsoll_image::open(name, &options)
    };
    let mut opened = session::image(context, name, arguments.platform.as_deref(), None, open)?;
    layer_is_there(arguments, opened.image.layers.len())?;
    let plan = why::known(context, &opened.image.digest, arguments.plan.as_deref());
    let plan = match (plan, &arguments.plan) {
        (Ok(plan), _) => plan.map(Arc::new),
        (Err(failure), Some(_)) => return Err(failure),
        // A plan nobody asked for.
        (Err(_), None) => None,
    };
    let changes = std::mem::take(&mut opened.changes);
    let forest = Arc::new(Forest::new(changes, &opened.rootfs.tree.dead));
    let subject = subject(name, &opened, plan.clone());
    let scope = first_scope(&subject, arguments.layer);
    let sheet = Sheet::new(&forest, scope, Filter::default());
    let work = Work {
        image: opened.image,
        rootfs: opened.rootfs,
        inventory: OnceLock::new(),
        forest: Arc::clone(&forest),
        plan,
        leftovers: context.leftovers.clone(),
    };
    let whole = Whole {
        subject,
        forest,
        scope,
        sheet,
    };
    Ok((Box::new(whole), work))
}

/// The image in the words of the screen, as far as its documents know it.
fn promised(name: &str, outline: Outline) -> Subject {
    let layers = outline.layers.into_iter().map(|layer| LayerRow {
        instruction: instruction(layer.created_by.as_deref().unwrap_or_default()),
        digest: layer
            .digest
            .map(|digest| digest.to_string())
            .unwrap_or_default(),
        stored: layer.size,
        ..LayerRow::default()
    });
    Subject {
        platform: format!("{}/{}", outline.config.os, outline.config.architecture),
        layers: layers.collect(),
        ..Subject::named(name)
    }
}

/// The image in the words of the screen.
fn subject(name: &str, opened: &Opened, plan: Option<Arc<PlanFile>>) -> Subject {
    let (config, tree) = (&opened.image.config, &opened.rootfs.tree);
    let mut dead: BTreeMap<u32, u64> = BTreeMap::new();
    for bytes in &tree.dead {
        *dead.entry(bytes.layer).or_default() += bytes.size;
    }
    let layers = opened.image.layers.iter().zip(0_u32..);
    let layers = layers.map(|(layer, number)| {
        let facts = tree.layers.get(number as usize).cloned();
        let facts = facts.unwrap_or_default();
        LayerRow {
            instruction: instruction(layer.created_by.as_deref().unwrap_or_default()),
            digest: layer.blob.descriptor.digest.to_string(),
            stored: layer.blob.descriptor.size,
            bytes: facts.bytes,
            files: facts.files,
            dead: dead.get(&number).copied().unwrap_or(0),
        }
    });
    let base = opened.lineage.base_layers();
    Subject {
        name: name.to_owned(),
        platform: format!("{}/{}", config.os, config.architecture),
        layers: layers.collect(),
        live: tree.live_bytes(),
        files: tree.file_count(),
        dead: tree.dead_bytes(),
        base: base.and_then(|base| u32::try_from(base).ok()),
        problems: opened.problems.clone(),
        plan,
    }
}
