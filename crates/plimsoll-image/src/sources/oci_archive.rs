//! `oci-archive:FILE[:TAG]`: an OCI image layout in a tar file.

use crate::sources::{Source, oci};
use crate::store::Store;

pub(super) static SOURCE: Source = Source {
    scheme: "oci-archive",
    form: "oci-archive:FILE[:TAG|@DIGEST]",
    help: "an OCI image layout in a tar file",
    is_path: true,
    // With a manifest.json it is a docker archive too, and that says more (names, and in archives
    // of Docker 25 its index is empty).
    recognises: |glimpse| !glimpse.is_dir && glimpse.is_layout() && !glimpse.is_saved(),
    find: |address| oci::find_in(Store::Archive(address.tar()?), address),
};
