//! Reads files, environment and flags into the configuration types that each crate owns.
//!
//! Every source is taken apart key by key, so that all mistakes are told at once, each with its line:
//!
//! ```
//! use ringway_config::{Sources, parse};
//!
//! let text = "[server]\nprot = 80\n\n[turn]\nkey_pause = 2";
//! let environment = [("RINGWAY_LIMITS__CALLS".to_owned(), "many".to_owned())];
//! let sources = Sources { file: None, environment, flags: Vec::new() };
//! let problems = parse("a.toml".as_ref(), text.as_bytes(), sources).unwrap_err().to_string();
//!
//! assert!(problems.contains("a.toml:2: server.prot: unknown key; did you mean server.port?"));
//! assert!(problems.contains("a.toml:5: turn.key_pause: must be a string, not 2"));
//! assert!(problems.contains("environment: RINGWAY_LIMITS__CALLS: must be a whole number from 0, not \"many\""));
//! ```
#![forbid(unsafe_code)]

mod addresses;
mod alias;
mod carrier;
mod config;
mod document;
mod engines;
mod environment;
mod exposure;
mod fuzz;
mod knowledge;
mod language_key;
mod languages;
mod load;
mod loaded;
mod mistake;
mod neighbours;
mod network;
mod print;
mod problem;
mod problems;
mod proxies;
mod public_address;
mod public_url;
mod resume;
mod schema;
mod sense;
mod server;
mod services;
mod setting;
mod suggest;
mod webhook;

pub use alias::{ALIASES, Alias, Meaning};
pub use carrier::{CarrierConfig, Refusal};
pub use config::{Config, DEFAULTS, LanguageConfig, SCHEMA};
pub use engines::{ApologyConfig, DialogueConfig, ENGINES, EnginesOf, VadConfig, VoicesConfig};
pub use environment::variable_of;
pub use fuzz::fuzz;
pub use languages::name_of;
pub use load::{DEFAULT_FILE, Flag, Sources, load, parse};
pub use loaded::Loaded;
pub use neighbours::{LiveKitConfig, RedisConfig, RedisUrl, RedisUrlError};
pub use network::Network;
pub use print::default_of;
pub use problem::{Origin, Problem};
pub use problems::Problems;
pub use public_url::{PublicUrl, PublicUrlError};
pub use resume::ResumeConfig;
pub use schema::{Key, Kind, Schema};
pub use server::{LimitsConfig, MetricsConfig, RecordingConfig, Secrets, ServerConfig, Tls, TtsApiConfig};
pub use setting::{Setting, Settings};
pub use webhook::WebhookConfig;
