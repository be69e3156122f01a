//! `docker://[HOST/]NAME[:TAG|@DIGEST]`, or that name alone: an image in a registry.

use plimsoll_model::Digest;

use crate::select::descend;
use crate::sources::oci::found;
use crate::sources::{Address, Found, Source, forms};
use crate::store::Store;
use crate::{Error, Reference, stream};

pub(super) static SOURCE: Source = Source {
    scheme: "docker",
    form: "docker://[HOST/]NAME[:TAG|@DIGEST]",
    help: "an image in a registry; a name without a host is Docker Hub's",
    is_path: false,
    recognises: |_| false,
    find,
};

fn find(address: &Address<'_>) -> Result<Found, Error> {
    let text = address.text.trim_start_matches("//");
    let reference = Reference::parse(text).map_err(|why| Error::Name {
        name: address.text.to_owned(),
        why,
        forms: forms(),
    })?;
    let repository = address.remotes()?.repository(&reference)?;
    let top: Digest = match reference.digest() {
        Some(digest) => *digest,
        None => {
            // The tag is asked once; what it meant then is fetched by digest from here on.
            let limit = address.limits.document;
            stream::digest(&repository.manifest(&reference.target(), limit)?)
        }
    };
    let store = Store::Remote(repository);
    let platform = address.options.platform.as_ref();
    let name = Some(reference.to_string());
    let chosen = descend(&store, top, name, platform, address.limits)?;
    let mut found = found(store, chosen, address)?;
    if let Found::Described(described) = &mut found {
        described.reference = Some(reference);
    }
    Ok(found)
}
