//! Names and what they open.
