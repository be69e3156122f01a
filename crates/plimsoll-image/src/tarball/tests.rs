//! What the tar writer writes, read again.
