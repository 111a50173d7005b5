//! Virtual machines in the broker's loop: they come by a socket of their own each, on which QEMU connects.

use super::{ACCEPT_PAUSE, Broker, BrokerError, PeerId};
use crate::aperture::Aperture;
use crate::ivshmem;
use crate::outbox::About;
use crate::peers::{Client, Peer, PeerKind, Shared};
use crate::policy;
use crate::policy_file::{Policy, VmPolicy};
use crate::sockets::{Listener, device_path, port_path};
use crate::vms::{Entrance, Side, Vm};
use blinkgl::limits::MAX_CLIENTS;
use ipc::vm::{Color, VmName};
use ipc::{Answer, ClientId, Key, ToRenderer, VmCommand};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{Shutdown, SocketType};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

impl Broker {
    /// Makes the virtual machines of the policy file, and knows what clients may.
    pub(super) fn read_policy(&mut self) -> Result<(), BrokerError> {
        let mut policy = self.options.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
        policy.limit(self.options.limit);
        self.budget = policy.budget;
        self.keep_server();
        for vm in policy.vms {
            self.add_vm(vm).map_err(BrokerError::Vm)?;
        }
        Ok(())
    }

    /// Places that are taken: each virtual machine keeps one, whether it runs or not.
    pub(super) fn places_taken(&self) -> usize {
        self.vms.len() + self.clients.keys().filter(|id| !self.vms.contains_key(id)).count()
    }

    pub(super) fn vm_command(&mut self, command: VmCommand) -> Answer {
        match command {
            VmCommand::List => Ok(self.vms.iter().map(|(&id, vm)| self.describe_vm(id, vm)).collect()),
            VmCommand::Add { name, memory, color } => {
                let memory = memory.unwrap_or_default();
                let id = self.add_vm(VmPolicy { name, memory, color, budget: None })?;
                Ok(self.vms.get(&id).map_or(Value::Null, |vm| self.describe_vm(id, vm)))
            }
            VmCommand::Remove { name } => {
                let id = self.find_vm(&name)?;
                self.remove_vm(id);
                Ok(Value::Null)
            }
            VmCommand::Suspend { name } => self.suspend_vm(&name, true),
            VmCommand::Resume { name } => self.suspend_vm(&name, false),
        }
    }

    fn find_vm(&self, name: &VmName) -> Result<ClientId, String> {
        let found = self.vms.iter().find(|(_, vm)| vm.policy.name == *name);
        let (&id, _) =
            found.ok_or_else(|| format!("there is no VM {name}; `blinkctl vm list` shows those that are"))?;
        Ok(id)
    }

    fn describe_vm(&self, id: ClientId, vm: &Vm) -> Value {
        let client = self.clients.get(&id);
        let state = match client {
            _ if vm.suspended => "suspended",
            Some(_) => "connected",
            None => "waiting",
        };
        json!({
            "name": vm.policy.name,
            "client": id,
            "memory_bytes": vm.policy.memory.bytes(),
            "color": vm.color,
            "budget": vm.policy.budget.unwrap_or(self.budget),
            "state": state,
            "pid": client.and_then(|client| client.pid),
            "domain": client.and_then(|client| client.shared.guest()),
            "socket": vm.device.listener.path(),
            "wake_socket": vm.port.listener.path(),
        })
    }

    fn add_vm(&mut self, vm: VmPolicy) -> Result<ClientId, String> {
        if self.find_vm(&vm.name).is_ok() {
            return Err(format!("there is a VM {} already; choose another name", vm.name));
        }
        if self.places_taken() >= MAX_CLIENTS {
            return Err(format!("{MAX_CLIENTS} clients and VMs are the limit; close or remove some"));
        }
        let number = self.last_client.checked_add(1).ok_or("no client ids are left; restart the server")?;
        let id = ClientId(number);
        let (device, port) = self.open_entrances(&vm.name)?;
        self.last_client = number;
        let color = vm.color.unwrap_or(Color(policy::color(id)));
        log::info!("VM {} is client {id}, waits at {}", vm.name, device.listener.path().display());
        let vm = Vm {
            policy: vm,
            color,
            suspended: false,
            device,
            port,
            connected_port: None,
            placements: Vec::new(),
        };
        self.vms.insert(id, vm);
        self.keep_vm(id);
        self.look_for_domains();
        Ok(id)
    }

    /// Its sockets for QEMU's device and serial port.
    pub(super) fn open_entrances(&mut self, name: &VmName) -> Result<(Entrance, Entrance), String> {
        let device = self.open_entrance(&device_path(&self.options.socket, name))?;
        Ok((device, self.open_entrance(&port_path(&self.options.socket, name))?))
    }

    fn open_entrance(&mut self, path: &Path) -> Result<Entrance, String> {
        let listener = Listener::bind(path, SocketType::STREAM).map_err(|error| error.to_string())?;
        self.last_peer += 1;
        let id = PeerId(self.last_peer);
        epoll::add(&self.epoll, &listener, EventData::new_u64(id.0), EventFlags::IN)
            .map_err(|error| format!("{} can't be watched: {error}", path.display()))?;
        Ok(Entrance { id, listener })
    }

    fn remove_vm(&mut self, id: ClientId) {
        if let Some(peer) = self.clients.get(&id).map(|client| client.peer) {
            self.remove_peer(peer);
        }
        if let Some(vm) = self.vms.remove(&id) {
            log::info!("VM {} is removed", vm.policy.name);
            self.remove_domain_of(vm.policy.name.as_str());
            self.drop_kept(&[Key::Vm(id)]);
            // Closing the listeners takes them out of the epoll set, and their files go with them.
            if let Some(port) = vm.connected_port {
                self.remove_peer(port);
            }
        }
    }

    /// A suspended machine is one that the renderer does not know: nothing of it is run, shown or told, and all
    /// of it is found again when it is resumed.
    fn suspend_vm(&mut self, name: &VmName, suspended: bool) -> Answer {
        let id = self.find_vm(name)?;
        let changes = self
            .vms
            .get_mut(&id)
            .is_some_and(|vm| std::mem::replace(&mut vm.suspended, suspended) != suspended);
        self.keep_vm(id);
        if changes && self.clients.contains_key(&id) {
            if suspended {
                self.dismiss(id);
            } else {
                self.introduce(id);
            }
        }
        Ok(Value::Null)
    }

    // QEMU

    pub(super) fn accept_vm(&mut self, id: ClientId, side: Side) {
        let Some(vm) = self.vms.get(&id) else { return };
        let entrance = match side {
            Side::Device => &vm.device,
            Side::Port => &vm.port,
        };
        // One at a time: the loop comes back if there are more.
        match entrance.listener.accept() {
            Ok(Some(socket)) => {
                let joined = match side {
                    Side::Device => self.join_device(id, socket),
                    Side::Port => self.join_port(id, socket),
                };
                if let Err(error) = joined {
                    self.warn(format_args!("a connection for VM client {id} is closed: {error}"));
                }
            }
            Ok(None) => {}
            Err(error) => {
                log::error!("a connection can't be accepted: {error}");
                self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
                self.watch_listeners(EventFlags::empty());
            }
        }
    }

    /// QEMU starts a machine: with memory that nobody has seen, as a machine that starts knows of nothing before.
    fn join_device(&mut self, id: ClientId, socket: OwnedFd) -> Result<(), String> {
        self.leave_if_closed(self.clients.get(&id).map(|client| client.peer));
        if self.clients.contains_key(&id) {
            return Err(
                "the VM is connected already; a name of its own for each QEMU: `blinkctl vm add`".into()
            );
        }
        let Some(vm) = self.vms.get(&id) else { return Ok(()) };
        let credentials = rustix::net::sockopt::socket_peercred(&socket).map_err(|e| e.to_string())?;
        let aperture = Aperture::for_vm(id, vm.policy.memory).map_err(|e| e.to_string())?;
        ivshmem::greet(&socket, &aperture).map_err(|e| e.to_string())?;
        let info = vm.info(id, aperture.bytes(), self.budget);
        let pid = credentials.pid.as_raw_nonzero().get();
        log::info!("VM {} is connected, process {pid}", info.name);
        let peer = self.watch_qemu(socket, PeerKind::Device(id))?;
        self.clients.insert(id, Client { peer, pid: Some(pid), info, shared: Shared::Made(aperture) });
        self.keep_client(id);
        self.introduce(id);
        Ok(())
    }

    fn join_port(&mut self, id: ClientId, socket: OwnedFd) -> Result<(), String> {
        self.leave_if_closed(self.vms.get(&id).and_then(|vm| vm.connected_port));
        if self.vms.get(&id).is_some_and(|vm| vm.connected_port.is_some()) {
            return Err("the VM's serial port is connected already".into());
        }
        // What a guest writes to it fails on its side.
        rustix::net::shutdown(&socket, Shutdown::Read).map_err(|e| e.to_string())?;
        let port = self.watch_qemu(socket, PeerKind::Port(id))?;
        if let Some(vm) = self.vms.get_mut(&id) {
            vm.connected_port = Some(port);
        }
        self.keep_port(id);
        self.introduce_port(id);
        Ok(())
    }

    /// Waits for QEMU's end; it has nothing to say before.
    pub(super) fn watch_qemu(&mut self, socket: OwnedFd, kind: PeerKind) -> Result<PeerId, String> {
        self.last_peer += 1;
        let id = PeerId(self.last_peer);
        epoll::add(&self.epoll, &socket, EventData::new_u64(id.0), EventFlags::empty())
            .map_err(|error| error.to_string())?;
        self.peers.insert(id, Peer { socket, kind });
        Ok(id)
    }

    /// A QEMU that starts again may be faster than the news that it ended.
    fn leave_if_closed(&mut self, peer: Option<PeerId>) {
        if let Some((id, peer)) = peer.and_then(|id| Some((id, self.peers.get(&id)?)))
            && is_hung_up(peer)
        {
            self.remove_peer(id);
        }
    }

    /// The socket of QEMU's side says something: that it is closed, or nothing of interest.
    pub(super) fn qemu(&mut self, id: PeerId) {
        self.leave_if_closed(Some(id));
    }

    /// Hands the serial port of a machine to the renderer, if it has one and the renderer knows the machine.
    pub(super) fn introduce_port(&mut self, id: ClientId) {
        let Some(vm) = self.vms.get(&id).filter(|vm| !vm.suspended && self.clients.contains_key(&id)) else {
            return;
        };
        let port = vm.connected_port.and_then(|port| self.peers.get(&port));
        let (Some(port), Some(renderer)) = (port, &mut self.renderer) else { return };
        let message = ToRenderer::Port { id };
        let sent = renderer.outbox.introduce(About::Port(id), &message, &[port.socket.as_fd()]);
        self.after_send(sent);
    }
}

/// Has the other side closed its end?
fn is_hung_up(peer: &Peer) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::new(&peer.socket, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let polled = poll(&mut fds, Some(&at_once));
    polled.is_ok() && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}
