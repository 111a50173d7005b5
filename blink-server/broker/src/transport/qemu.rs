//! Virtual machines of QEMU: each has two sockets of its own, on which QEMU connects its device and its serial port.

use super::door::{Access, Door, Listener, device_path, port_path};
use super::{Transport, ivshmem};
use crate::clients::{Client, Origin, Shared, Via};
use crate::house::House;
use crate::policy::file::VmPolicy;
use crate::reactor::{Reactor, Source};
use crate::supervision::is_hung_up;
use crate::transport::aperture::Aperture;
use ipc::{ClientId, Key};
use rustix::event::epoll::EventFlags;
use rustix::fd::OwnedFd;
use rustix::net::{Shutdown, SocketType};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What QEMU's sockets are watched for: it has nothing to say before its end.
pub const HANG_UP: EventFlags = EventFlags::empty();

/// The sockets of a virtual machine.
#[derive(Debug)]
struct Doors {
    device: Door,
    port: Door,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Qemu {
    /// Path of the socket for local clients, beside which those of virtual machines are.
    socket: PathBuf,
    doors: BTreeMap<ClientId, Doors>,
}

impl Qemu {
    /// No virtual machine yet.
    #[must_use]
    pub fn new(socket: PathBuf) -> Qemu {
        Qemu { socket, doors: BTreeMap::new() }
    }

    /// Opens a virtual machine's sockets.
    ///
    /// # Errors
    /// They can't be made.
    pub fn open(&mut self, id: ClientId, vm: &VmPolicy, reactor: &mut Reactor) -> Result<(), String> {
        let access = Access { group: vm.group.clone(), mode: vm.socket_mode() };
        let mut open = |path: &Path, source| {
            let listener =
                Listener::bind(path, SocketType::STREAM, &access).map_err(|error| error.to_string())?;
            Door::open(listener, source, reactor)
                .map_err(|error| format!("{} can't be watched: {error}", path.display()))
        };
        let device = open(&device_path(&self.socket, &vm.name), Source::DeviceDoor(id))?;
        let port = open(&port_path(&self.socket, &vm.name), Source::PortDoor(id))?;
        self.doors.insert(id, Doors { device, port });
        Ok(())
    }

    /// Closes a virtual machine's sockets; their files go.
    pub fn close(&mut self, id: ClientId, reactor: &mut Reactor) {
        if let Some(Doors { device, port }) = self.doors.remove(&id) {
            device.close(reactor);
            port.close(reactor);
        }
    }

    /// Where a virtual machine's device and serial port connect.
    #[must_use]
    pub fn paths(&self, id: ClientId) -> Option<[&Path; 2]> {
        self.doors.get(&id).map(|doors| [doors.device.path(), doors.port.path()])
    }

    /// A serial port goes.
    pub fn close_port(&mut self, id: ClientId, house: &mut House) {
        if let Some(port) = house.registry.vm_mut(id).and_then(|vm| vm.port.take()) {
            house.reactor.forget(&port.fd, port.token);
            // The keeper and the renderer have copies. It fails if the other side was faster.
            let _closed = rustix::net::shutdown(&port.fd, Shutdown::Both);
            house.keeping.drop(&[Key::Port(id)]);
        }
    }

    /// One at a time: the loop comes back if there are more.
    fn accept(&mut self, id: ClientId, is_device: bool, house: &mut House) {
        let Some(doors) = self.doors.get_mut(&id) else { return };
        let door = if is_device { &mut doors.device } else { &mut doors.port };
        let Some(socket) = door.accept(&house.reactor) else { return };
        let joined =
            if is_device { self.join_device(id, socket, house) } else { self.join_port(id, socket, house) };
        if let Err(error) = joined {
            house.warnings.warn(format_args!("a connection for VM client {id} is closed: {error}"));
        }
    }

    /// QEMU starts a machine: with memory that nobody has seen, as a machine that starts knows of nothing before.
    fn join_device(&mut self, id: ClientId, socket: OwnedFd, house: &mut House) -> Result<(), String> {
        self.leave_if_closed(id, house);
        if house.registry.client(id).is_some() {
            return Err(
                "the VM is connected already; a name of its own for each QEMU: `blinkctl vm add`".into()
            );
        }
        let Some(vm) = house.registry.vm(id) else { return Ok(()) };
        let origin = Origin::of(&socket)?;
        let aperture = Aperture::for_vm(id, vm.policy.memory).map_err(|e| e.to_string())?;
        ivshmem::greet(&socket, &aperture).map_err(|e| e.to_string())?;
        let info = vm.info(id, aperture.bytes(), house.rules.budget);
        let color = vm.color.0;
        log::info!("VM {} is connected, process {}", info.name, origin.pid);
        let connection =
            house.reactor.adopt(socket, Source::Client(id), HANG_UP).map_err(|e| e.to_string())?;
        house.welcome(Client {
            info,
            color,
            placements: Vec::new(),
            origin: Some(origin),
            via: Via::Qemu,
            connection,
            shared: Shared::Made(aperture),
        });
        Ok(())
    }

    fn join_port(&mut self, id: ClientId, socket: OwnedFd, house: &mut House) -> Result<(), String> {
        self.leave_port_if_closed(id, house);
        if house.registry.port(id).is_some() {
            return Err("the VM's serial port is connected already".into());
        }
        // What a guest writes to it fails on its side.
        rustix::net::shutdown(&socket, Shutdown::Read).map_err(|e| e.to_string())?;
        let port = house.reactor.adopt(socket, Source::Port(id), HANG_UP).map_err(|e| e.to_string())?;
        if let Some(vm) = house.registry.vm_mut(id) {
            vm.port = Some(port);
        }
        house.keeping.change(&[Key::Port(id)]);
        house.supervisor.port(id, &house.registry, &mut house.reactor);
        Ok(())
    }

    /// A QEMU that starts again may be faster than the news that it ended.
    fn leave_if_closed(&mut self, id: ClientId, house: &mut House) {
        let client = house.registry.client(id).filter(|client| client.via == Via::Qemu);
        if client.is_some_and(|client| is_hung_up(&client.connection.fd)) {
            self.part(id, house);
        }
    }

    fn leave_port_if_closed(&mut self, id: ClientId, house: &mut House) {
        if house.registry.port(id).is_some_and(is_hung_up) {
            self.close_port(id, house);
        }
    }
}

impl Transport for Qemu {
    fn event(&mut self, source: Source, _flags: EventFlags, house: &mut House) {
        match source {
            Source::DeviceDoor(id) => self.accept(id, true, house),
            Source::PortDoor(id) => self.accept(id, false, house),
            // It is closed, or says nothing of interest.
            Source::Client(id) => self.leave_if_closed(id, house),
            Source::Port(id) => self.leave_port_if_closed(id, house),
            Source::Signals
            | Source::ControlDoor
            | Source::Control(_)
            | Source::Keeper
            | Source::LocalDoor
            | Source::Newcomer(_)
            | Source::Xen
            | Source::Glass
            | Source::GlassProcess
            | Source::Template
            | Source::TemplateProcess
            | Source::Renderer(_)
            | Source::RendererProcess(_)
            | Source::Ending => {}
        }
    }

    fn due(&self, _now: Instant) -> Option<Instant> {
        let doors = self.doors.values().flat_map(|doors| [&doors.device, &doors.port]);
        doors.filter_map(Door::due).min()
    }

    fn turn(&mut self, now: Instant, house: &mut House) {
        for doors in self.doors.values_mut() {
            doors.device.turn(now, &house.reactor);
            doors.port.turn(now, &house.reactor);
        }
    }
}
