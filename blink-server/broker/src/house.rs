//! What transports and control have in common: who there is, who runs whom, what is kept, what is watched.

use crate::clients::{Client, Via};
use crate::keeping::{Keeping, World};
use crate::policy::file::{Isolation, Policy};
use crate::reactor::Reactor;
use crate::registry::Registry;
use crate::supervision::Supervisor;
use crate::warnings::Warnings;
use budget::Budget;
use ipc::template::Share;
use ipc::vm::RendererMemory;
use ipc::{ClientId, Key};
use rustix::net::Shutdown;
use serde::{Deserialize, Serialize};

/// What the policy says of all clients: as its file said when the server started. The file may have changed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// What one run of a program may cost, of clients that have no budget of their own.
    pub budget: Budget,
    /// Who shares a renderer.
    pub isolation: Isolation,
    /// Private memory of renderers, of classes that have none of their own.
    pub renderer_memory: RendererMemory,
}

impl Rules {
    /// Those of a policy file.
    #[must_use]
    pub fn of(policy: &Policy) -> Rules {
        Rules { budget: policy.budget, isolation: policy.isolation, renderer_memory: policy.renderer.memory }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct House {
    /// What is watched.
    pub reactor: Reactor,
    /// Clients and virtual machines.
    pub registry: Registry,
    /// The server's processes.
    pub supervisor: Supervisor,
    /// What the next broker needs.
    pub keeping: Keeping,
    /// What connections do wrong.
    pub warnings: Warnings,
    /// What the policy says of all clients.
    pub rules: Rules,
}

impl House {
    /// A client is there.
    pub fn welcome(&mut self, client: Client) {
        let (id, is_kept) = (client.info.id, client.via != Via::Xen);
        self.registry.add_client(client);
        if is_kept {
            self.keeping.change(&[Key::Server, Key::Aperture(id), Key::Client(id)]);
        }
        self.run(id);
    }

    /// A client that is there is to be run and shown, unless it is suspended.
    pub fn run(&mut self, id: ClientId) {
        let memory = match self.rules.isolation {
            Isolation::Shared => self.rules.renderer_memory,
            Isolation::Vm | Isolation::Client => {
                self.registry.renderer_memory(id).unwrap_or(self.rules.renderer_memory)
            }
        };
        let share = Share { memory: memory.bytes() };
        self.supervisor.add(id, share, &self.registry, &mut self.reactor);
    }

    /// A client is not to be run or shown, but stays.
    pub fn rest(&mut self, id: ClientId) {
        self.supervisor.remove(id, &mut self.reactor);
    }

    /// A client is gone: its connection is closed, and nobody knows of it any more.
    pub fn part(&mut self, id: ClientId) -> Option<Client> {
        let client = self.registry.remove_client(id)?;
        self.reactor.forget(&client.connection.fd, client.connection.token);
        if client.via != Via::Xen {
            // The keeper has a copy and may still have to be told. It fails if the other side was faster.
            let _closed = rustix::net::shutdown(&client.connection.fd, Shutdown::Both);
            self.keeping.drop(&[Key::Client(id), Key::Aperture(id)]);
        }
        self.supervisor.remove(id, &mut self.reactor);
        log::info!("client {id} is gone");
        Some(client)
    }

    /// Tells the keeper what it does not know yet.
    pub fn settle(&mut self) {
        let world =
            World { registry: &self.registry, rules: self.rules, renderer_starts: self.supervisor.starts() };
        self.keeping.tell(&world, &mut self.reactor);
    }
}
