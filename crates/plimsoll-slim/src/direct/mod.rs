//! t
mod script;
