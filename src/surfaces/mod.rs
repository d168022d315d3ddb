//! What other machines talk to while edgeclip runs: results go out, commands come in. One thread serves all of it
//! and touches no frame.

#[cfg_attr(not(feature = "mqtt"), expect(dead_code, reason = "nobody commands"))]
mod command;
mod inventory;
#[cfg_attr(not(feature = "mqtt"), path = "mqtt_absent.rs")]
mod mqtt;
#[cfg(feature = "mqtt")]
mod service;

pub(crate) use command::{Command, Obey};
pub(crate) use inventory::{Inventory, Label, WatchedSource};
#[cfg(all(any(test, fuzzing), feature = "mqtt"))]
pub(crate) use mqtt::fuzzing::broker as fuzzing;
pub(crate) use mqtt::{Address as MqttAddress, Listener, Mqtt};
