//! What `blinkctl vm` does with virtual machines.

use crate::house::House;
use crate::policy;
use crate::policy::file::VmPolicy;
use crate::registry::Vm;
use crate::transport::Transport;
use crate::transport::qemu::Qemu;
use crate::transport::xen::Domains;
use ipc::limits::MAX_CLIENTS;
use ipc::vm::{Color, VmName};
use ipc::{Answer, ClientId, Key, VmCommand};
use serde_json::{Value, json};

/// The transports by which virtual machines come.
#[derive(Debug)]
pub struct Machines<'a> {
    /// Those of QEMU.
    pub qemu: &'a mut Qemu,
    /// Those of Xen.
    pub domains: &'a mut Domains,
}

impl Machines<'_> {
    /// Carries a command out.
    pub fn command(&mut self, command: VmCommand, house: &mut House) -> Answer {
        match command {
            VmCommand::List => {
                Ok(house.registry.vms().map(|(id, vm)| self.describe(id, vm, house)).collect())
            }
            VmCommand::Add { name, memory, color, group, mode, renderer_memory } => {
                let memory = memory.unwrap_or_default();
                let policy = VmPolicy { name, memory, color, budget: None, renderer_memory, group, mode };
                let id = self.add(policy, house)?;
                Ok(house.registry.vm(id).map_or(Value::Null, |vm| self.describe(id, vm, house)))
            }
            VmCommand::Remove { name } => {
                let id = house.registry.find_vm(&name)?;
                self.remove(id, house);
                Ok(Value::Null)
            }
            VmCommand::Suspend { name } => suspend(&name, true, house),
            VmCommand::Resume { name } => suspend(&name, false, house),
        }
    }

    fn describe(&self, id: ClientId, vm: &Vm, house: &House) -> Value {
        let client = house.registry.client(id);
        let state = match client {
            _ if vm.suspended => "suspended",
            Some(_) => "connected",
            None => "waiting",
        };
        let [device, port] = self.qemu.paths(id).map_or([None; 2], |paths| paths.map(Some));
        json!({
            "name": vm.policy.name,
            "client": id,
            "memory_bytes": vm.policy.memory.bytes(),
            "color": vm.color,
            "budget": vm.policy.budget.unwrap_or(house.rules.budget),
            "renderer_memory_bytes":
                vm.policy.renderer_memory.unwrap_or(house.rules.renderer_memory).bytes(),
            "group": vm.policy.group,
            "mode": vm.policy.socket_mode(),
            "state": state,
            "pid": client.and_then(|client| client.pid()),
            "domain": client.and_then(|client| client.shared.guest()),
            "socket": device,
            "wake_socket": port,
        })
    }

    /// Makes one.
    ///
    /// # Errors
    /// There is one of that name, no place is left, or its sockets can't be made.
    pub fn add(&mut self, policy: VmPolicy, house: &mut House) -> Result<ClientId, String> {
        if house.registry.find_vm(&policy.name).is_ok() {
            return Err(format!("there is a VM {} already; choose another name", policy.name));
        }
        if house.registry.places_taken() >= MAX_CLIENTS {
            return Err(format!("{MAX_CLIENTS} clients and VMs are the limit; close or remove some"));
        }
        let id = house.registry.next_id()?;
        self.qemu.open(id, &policy, &mut house.reactor)?;
        let color = policy.color.unwrap_or(Color(policy::color(id)));
        log::info!("VM {} is client {id}", policy.name);
        house.registry.add_vm(id, Vm::new(policy, color));
        house.keeping.change(&[Key::Server, Key::Vm(id)]);
        self.domains.look_for(house);
        Ok(id)
    }

    fn remove(&mut self, id: ClientId, house: &mut House) {
        if let Some(name) = house.registry.vm(id).map(|vm| vm.policy.name.clone()) {
            self.domains.remove_vm(name.as_str(), house);
            self.qemu.part(id, house);
            self.qemu.close_port(id, house);
            self.qemu.close(id, &mut house.reactor);
            house.registry.remove_vm(id);
            house.keeping.drop(&[Key::Vm(id)]);
            log::info!("VM {name} is removed");
        }
    }
}

/// A suspended machine is one that neither glass nor renderer knows: nothing of it is run, shown or told, and all of it is found
/// again when it is resumed.
fn suspend(name: &VmName, suspended: bool, house: &mut House) -> Answer {
    let id = house.registry.find_vm(name)?;
    let vm = house.registry.vm_mut(id);
    let changes = vm.is_some_and(|vm| std::mem::replace(&mut vm.suspended, suspended) != suspended);
    house.keeping.change(&[Key::Vm(id)]);
    if changes && house.registry.client(id).is_some() {
        if suspended {
            house.rest(id);
        } else {
            house.run(id);
        }
    }
    Ok(Value::Null)
}
