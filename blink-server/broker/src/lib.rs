//! The broker: the process that others find, and that must not fall.
//!
//! It listens, greets clients, makes their apertures, names and colors them, starts the renderer and hands
//! it the descriptors, remembers where windows were, starts the next renderer when one dies, and carries
//! commands of `blinkctl`. It reads no byte of an aperture and believes nothing that the renderer says.
//!
//! One thread, one loop over epoll; nothing in it waits for anybody.

mod aperture;
mod commands;
mod deposits;
mod ivshmem;
mod link;
mod outbox;
mod peers;
mod policy;
mod policy_file;
mod process;
mod process_stats;
mod renderer;
mod sockets;
mod vms;
mod xen;

pub use renderer::Backoff;

pub use policy_file::{Policy, PolicyError};
pub use process::{BrokerError, Options, main};
