//! One binary for all integration tests. Each file speaks of one part of the product, in sentences.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod document;
mod support;
