//! `tar:FILE`: a root file system, or a single layer, as a tar file.

use plimsoll_model::Config;

use crate::layer::Promised;
use crate::part::Part;
use crate::sources::{Address, Found, Layered, Source};
use crate::{Error, Platform};

pub(super) static SOURCE: Source = Source {
    scheme: "tar",
    form: "tar:FILE",
    help: "a root file system or a single layer in a tar file",
    is_path: true,
    recognises: |glimpse| {
        !glimpse.is_dir && !glimpse.is_layout() && !glimpse.is_saved() && glimpse.is_root()
    },
    find,
};

fn find(address: &Address<'_>) -> Result<Found, Error> {
    address.no_choice("tar file")?;
    let what = address.path.display().to_string();
    let part = Part::whole(address.path)?;
    if part.size == 0 {
        let why = "the file is empty".to_owned();
        return Err(Error::NotAnImage { what, why });
    }
    let here = Platform::of_this_machine();
    let platform = address.options.platform.as_ref().unwrap_or(&here);
    let layer = Promised {
        what,
        part,
        digest: None,
        size: None,
        diff_id: None,
        media_type: String::new(),
    };
    Ok(Found::Layered(Box::new(Layered {
        name: None,
        digest: None,
        config: bare(platform),
        layers: vec![layer],
        annotations: Default::default(),
    })))
}

/// The configuration of files without one: nothing but the platform.
pub(super) fn bare(platform: &Platform) -> Config {
    Config {
        os: platform.os.clone(),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
        ..Config::default()
    }
}
