//! The virtual machines that the policy knows, whether they run or not.

use super::peers::PeerId;
use super::policy_file::VmPolicy;
use super::sockets::Listener;
use budget::Budget;
use ipc::vm::Color;
use ipc::{ClientId, ClientInfo, Owner, Placement};
use rustix::fd::{AsFd, BorrowedFd};

/// A virtual machine. While its QEMU is connected, it is a client too, of the same id each time.
#[derive(Debug)]
pub struct Vm {
    /// What was decided about it.
    pub policy: VmPolicy,
    /// The one of the policy, or the server's choice.
    pub color: Color,
    /// The renderer does not know it, so nothing of it is run or shown.
    pub suspended: bool,
    /// Where QEMU's device connects.
    pub device: Entrance,
    /// Where QEMU's serial port connects.
    pub port: Entrance,
    /// The serial port that is connected.
    pub connected_port: Option<PeerId>,
    /// Where its windows were when the last broker died, until it is a client again.
    pub placements: Vec<Placement>,
}

/// A listening socket of a virtual machine.
#[derive(Debug)]
pub struct Entrance {
    /// What the loop knows it by.
    pub id: PeerId,
    /// The socket.
    pub listener: Listener,
}

/// Which of a virtual machine's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// That of the device.
    Device,
    /// That of the serial port.
    Port,
}

impl Vm {
    /// What the renderer must know of it when it comes, by QEMU or by Xen. `budget`: of those who have none of their own.
    pub fn info(&self, id: ClientId, bytes: u64, budget: Budget) -> ClientInfo {
        ClientInfo {
            id,
            owner: Owner::Machine(id),
            name: self.policy.name.to_string(),
            color: self.color.0,
            bytes,
            budget: self.policy.budget.unwrap_or(budget),
            placements: Vec::new(),
            channel: None,
        }
    }

    /// Its listening sockets.
    pub fn entrances(&self) -> [(Side, &Entrance); 2] {
        [(Side::Device, &self.device), (Side::Port, &self.port)]
    }
}

impl AsFd for Entrance {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// Which virtual machine's socket, and which of them, an event is about.
pub fn entrance<'a>(
    mut vms: impl Iterator<Item = (&'a ClientId, &'a Vm)>,
    id: PeerId,
) -> Option<(ClientId, Side)> {
    vms.find_map(|(&vm, its)| {
        let (side, _) = its.entrances().into_iter().find(|(_, entrance)| entrance.id == id)?;
        Some((vm, side))
    })
}
