//! What other machines talk to while edgeclip runs: results go out, commands come in. One thread serves all of it
//! and touches no frame.

#[cfg_attr(not(any(feature = "mqtt", feature = "serve")), expect(dead_code, reason = "nobody commands"))]
mod command;
#[cfg_attr(not(feature = "serve"), path = "http_absent.rs")]
mod http;
mod inventory;
#[cfg_attr(not(feature = "mqtt"), path = "mqtt_absent.rs")]
mod mqtt;
#[cfg_attr(not(feature = "notify"), path = "notify_absent.rs")]
mod notify;
#[cfg(any(feature = "mqtt", feature = "serve"))]
mod objects;
#[cfg(feature = "serve")]
mod oracle;
#[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
mod service;
#[cfg(any(feature = "mqtt", feature = "serve"))]
mod stats;
mod together;
#[cfg(any(feature = "mqtt", feature = "serve"))]
mod topics;

pub(crate) use command::{Command, Heard, Obey, Places};
pub(crate) use http::Address as HttpAddress;
#[cfg(feature = "serve")]
pub(crate) use http::{is_token_file, new_token, token_line};
pub(crate) use inventory::{Inventory, Label, WatchedSource};
pub(crate) use mqtt::Address as MqttAddress;
#[cfg(all(any(test, fuzzing), feature = "mqtt"))]
pub(crate) use mqtt::fuzzing::broker as fuzzing;
pub(crate) use notify::Address as NotifyAddress;
#[cfg(feature = "serve")]
pub(crate) use oracle::{Asked, Correction, Oracle, Saved, Shown, Told};
pub(crate) use together::{Listener, Surfaces};
