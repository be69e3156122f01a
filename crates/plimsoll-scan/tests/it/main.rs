//! The crate from outside: published data give the numbers that were published.

mod lecture;
