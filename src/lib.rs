pub mod clock;
pub mod config;
pub mod seal;
pub mod telemetry;
pub mod urls;
