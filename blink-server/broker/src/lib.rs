//! The broker: the process that others find, and that must not fall.
//!
//! It listens, greets clients, makes their apertures, names and colors them, decides who shares a renderer, starts the other
//! processes and hands them the descriptors, remembers where windows were, starts a process again that dies, and carries
//! commands of `blinkctl`. It reads no byte of an aperture and believes nothing that renderers or the glass say.
//!
//! One thread, one loop over epoll; nothing in it waits for anybody.
//!
//! | module | owns |
//! |---|---|
//! | [`broker`] | the loop: who acts on what happens |
//! | `reactor` | the descriptors that are watched |
//! | `transport` | how clients come: local sockets, QEMU, Xen |
//! | `registry`, `clients` | who there is |
//! | `supervision` | glass, template, renderers: their lives, sockets, classes |
//! | `control` | `blinkctl` and its commands |
//! | `keeping` | what the next broker needs |
//! | `policy` | what clients may |

mod broker;
mod clients;
mod control;
#[cfg(test)]
mod fixture;
mod house;
mod keeping;
mod link;
mod policy;
mod reactor;
mod registry;
mod supervision;
mod transport;
mod warnings;

pub use broker::{BrokerError, Options, main};
pub use control::merge;
pub use policy::file::{Policy, PolicyError};
pub use supervision::Backoff;
