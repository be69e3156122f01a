//! What a page lets in, and how large it is.
