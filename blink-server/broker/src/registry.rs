//! Who there is: clients, and the virtual machines that the policy knows, whether they run or not.

use crate::clients::Client;
use crate::policy::file::VmPolicy;
use crate::policy::places::{self, NoPlace};
use crate::reactor::Watched;
use budget::Budget;
use ipc::vm::{Color, RendererMemory, VmName};
use ipc::{ClientId, ClientInfo, Owner, Placement};
use rustix::fd::{AsFd, BorrowedFd};
use std::collections::BTreeMap;

/// A virtual machine. While its QEMU is connected, it is a client too, of the same id each time.
#[derive(Debug)]
pub struct Vm {
    /// What was decided about it.
    pub policy: VmPolicy,
    /// The one of the policy, or the server's choice.
    pub color: Color,
    /// Neither glass nor renderer knows it, so nothing of it is run or shown.
    pub suspended: bool,
    /// The serial port that is connected.
    pub port: Option<Watched>,
    /// Where its windows were when the last broker died, until it is a client again.
    pub placements: Vec<Placement>,
}

impl Vm {
    /// One that has never run.
    #[must_use]
    pub fn new(policy: VmPolicy, color: Color) -> Vm {
        Vm { policy, color, suspended: false, port: None, placements: Vec::new() }
    }

    /// What the renderer must know of it when it comes, by QEMU or by Xen. `budget`: of those who have none of their own.
    #[must_use]
    pub fn info(&self, id: ClientId, bytes: u64, budget: Budget) -> ClientInfo {
        ClientInfo {
            id,
            owner: Owner::Machine(id),
            name: self.policy.name.to_string(),
            bytes,
            budget: self.policy.budget.unwrap_or(budget),
            channel: None,
        }
    }
}

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Registry {
    clients: BTreeMap<ClientId, Client>,
    vms: BTreeMap<ClientId, Vm>,
    last_id: u32,
}

impl Registry {
    /// The next client id.
    ///
    /// # Errors
    /// None is left.
    pub fn next_id(&self) -> Result<ClientId, String> {
        let next = self.last_id.checked_add(1).ok_or("no client ids are left; restart the server")?;
        Ok(ClientId(next))
    }

    /// This id, and all below it, are used.
    pub fn use_id(&mut self, id: ClientId) {
        self.last_id = self.last_id.max(id.0);
    }

    /// The last id that was used.
    #[must_use]
    pub fn last_id(&self) -> u32 {
        self.last_id
    }

    /// May a local client come?
    ///
    /// # Errors
    /// No place is left: for anybody, for its user, or for its process.
    pub fn admits(&self, origin: crate::clients::Origin) -> Result<(), NoPlace> {
        let taken = self.clients.iter().filter(|(id, _)| !self.vms.contains_key(id));
        places::admit(self.places_taken(), taken.filter_map(|(_, client)| client.origin), origin)
    }

    /// Places that are taken: each virtual machine keeps one, whether it runs or not.
    #[must_use]
    pub fn places_taken(&self) -> usize {
        self.vms.len() + self.clients.keys().filter(|id| !self.vms.contains_key(id)).count()
    }

    // Clients

    /// A client is there.
    pub fn add_client(&mut self, client: Client) {
        self.use_id(client.info.id);
        self.clients.insert(client.info.id, client);
    }

    /// A client is gone.
    pub fn remove_client(&mut self, id: ClientId) -> Option<Client> {
        self.clients.remove(&id)
    }

    /// A client.
    #[must_use]
    pub fn client(&self, id: ClientId) -> Option<&Client> {
        self.clients.get(&id)
    }

    /// A client, to be changed.
    pub fn client_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(&id)
    }

    /// All clients.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values()
    }

    /// The client that is to be run and shown: it is there, and not suspended.
    #[must_use]
    pub fn active(&self, id: ClientId) -> Option<&Client> {
        let suspended = self.vms.get(&id).is_some_and(|vm| vm.suspended);
        self.clients.get(&id).filter(|_| !suspended)
    }

    // Virtual machines

    /// A virtual machine is there.
    pub fn add_vm(&mut self, id: ClientId, vm: Vm) {
        self.use_id(id);
        self.vms.insert(id, vm);
    }

    /// A virtual machine is gone.
    pub fn remove_vm(&mut self, id: ClientId) -> Option<Vm> {
        self.vms.remove(&id)
    }

    /// A virtual machine.
    #[must_use]
    pub fn vm(&self, id: ClientId) -> Option<&Vm> {
        self.vms.get(&id)
    }

    /// A virtual machine, to be changed.
    pub fn vm_mut(&mut self, id: ClientId) -> Option<&mut Vm> {
        self.vms.get_mut(&id)
    }

    /// All virtual machines.
    pub fn vms(&self) -> impl Iterator<Item = (ClientId, &Vm)> {
        self.vms.iter().map(|(&id, vm)| (id, vm))
    }

    /// The virtual machine of a name.
    ///
    /// # Errors
    /// There is none.
    pub fn find_vm(&self, name: &VmName) -> Result<ClientId, String> {
        let found = self.vms().find(|(_, vm)| vm.policy.name == *name);
        let (id, _) =
            found.ok_or_else(|| format!("there is no VM {name}; `blinkctl vm list` shows those that are"))?;
        Ok(id)
    }

    /// A virtual machine's serial port.
    #[must_use]
    pub fn port(&self, id: ClientId) -> Option<BorrowedFd<'_>> {
        self.vms.get(&id)?.port.as_ref().map(|port| port.fd.as_fd())
    }

    /// Private memory that a client's renderer may have, if its VM has a wish of its own.
    #[must_use]
    pub fn renderer_memory(&self, id: ClientId) -> Option<RendererMemory> {
        self.vms.get(&id)?.policy.renderer_memory
    }
}
