//! One binary for all integration tests. Each file speaks of one part of the product, in sentences.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asking;
mod attachments;
mod batch;
mod changes;
mod checking;
mod coalescing;
mod comments;
mod configuration;
mod document;
mod economy;
mod failures;
mod find_page;
mod history;
mod hostile;
mod input;
mod leaks;
mod macros;
mod markdown;
mod mcp;
mod mcp_door;
mod mcp_research;
mod me;
mod metrics;
mod misconfigurations;
mod oauth;
mod oauth_attacks;
mod oauth_clients;
mod oauth_input;
mod oauth_logs;
mod page;
mod passages;
mod policy;
mod politeness;
mod privacy_of_logs;
mod private_ca;
mod raw;
mod readme;
mod replicas;
mod search;
mod serving;
mod spaces;
mod support;
mod tree;
mod web;
