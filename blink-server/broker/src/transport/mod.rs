//! Transports: how clients come. Each has its own sockets or devices, and makes clients of what comes there.

pub mod aperture;
pub mod door;
mod ivshmem;
pub mod local;
pub mod qemu;
pub mod xen;

use crate::clients::Client;
use crate::house::House;
use crate::reactor::Source;
use ipc::ClientId;
use rustix::event::epoll::EventFlags;
use std::time::Instant;

/// A way for clients to come.
pub trait Transport {
    /// One of its descriptors, or a connection of one of its clients, has something.
    fn event(&mut self, source: Source, flags: EventFlags, house: &mut House);

    /// When [`Transport::turn`] is to be called, if nothing happens before.
    fn due(&self, now: Instant) -> Option<Instant>;

    /// Does what is due.
    fn turn(&mut self, now: Instant, house: &mut House);

    /// Renderers have no use for one of its clients.
    fn unfit(&mut self, _id: ClientId, _reason: &str, _house: &mut House) {
        // Memory that we made is as it should be: that a renderer can't use it is the renderer's own trouble.
    }

    /// One of its clients was removed: its side may have to be told.
    fn parted(&mut self, _client: &Client, _house: &mut House) {}

    /// Ends a client.
    fn part(&mut self, id: ClientId, house: &mut House) {
        if let Some(client) = house.part(id) {
            self.parted(&client, house);
        }
    }
}
