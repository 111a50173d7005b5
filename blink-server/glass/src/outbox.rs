//! What the glass has to say: to renderers, and to the broker.

use ipc::ClientId;
use ipc::glass::{ClassId, FromGlass, ToDraw};
use ipc::limits::{PLACEMENT_MILLISECONDS, PLACEMENTS_AT_ONCE};
use rustix::fd::OwnedFd;
use std::collections::BTreeMap;

/// Nanoseconds from one report of where a client's windows are to the next, in the long run.
const PLACEMENT: u64 = PLACEMENT_MILLISECONDS * 1_000_000;

/// What was not taken yet.
#[derive(Debug, Default)]
pub struct Outbox {
    messages: Vec<(ClassId, ToDraw, Option<OwnedFd>)>,
    reports: Vec<FromGlass>,
    placements: Placements,
}

impl Outbox {
    /// Something for a renderer.
    pub fn say(&mut self, class: ClassId, message: ToDraw) {
        self.messages.push((class, message, None));
    }

    /// A window's memory for a renderer.
    pub fn give(&mut self, class: ClassId, message: ToDraw, memory: OwnedFd) {
        self.messages.push((class, message, Some(memory)));
    }

    /// Something for the broker.
    pub fn report(&mut self, report: FromGlass) {
        self.reports.push(report);
    }

    /// What is for renderers, in order.
    pub fn take_messages(&mut self) -> Vec<(ClassId, ToDraw, Option<OwnedFd>)> {
        std::mem::take(&mut self.messages)
    }

    /// What is for the broker, in order.
    pub fn take_reports(&mut self) -> Vec<FromGlass> {
        std::mem::take(&mut self.reports)
    }

    /// When reports of places are due.
    pub fn due(&self) -> Option<u64> {
        self.placements.due()
    }

    /// Which clients' windows moved.
    pub fn placements(&mut self) -> &mut Placements {
        &mut self.placements
    }
}

/// Clients whose windows moved since the broker was told. Each is told of a few times at once and then a few times a
/// second: a client can move all its windows in each frame.
#[derive(Debug, Default)]
pub struct Placements {
    /// Moved, or told not long ago: up to when its reports are used up, and whether it moved since.
    clients: BTreeMap<ClientId, (u64, bool)>,
}

impl Placements {
    /// A client's windows moved, or what was taken could not be told.
    pub fn moved(&mut self, client: ClientId) {
        self.clients.entry(client).or_insert((0, false)).1 = true;
    }

    /// A client is gone.
    pub fn forget(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }

    /// When the next are due.
    pub fn due(&self) -> Option<u64> {
        self.clients.values().filter(|(_, moved)| *moved).map(|(used, _)| from(*used)).min()
    }

    /// Clients that are due.
    pub fn take(&mut self, now: u64) -> Vec<ClientId> {
        let mut due = Vec::new();
        for (&client, (used, moved)) in &mut self.clients {
            if *moved && from(*used) <= now {
                *moved = false;
                *used = (*used).max(now).saturating_add(PLACEMENT);
                due.push(client);
            }
        }
        due
    }
}

fn from(used: u64) -> u64 {
    used.saturating_sub(PLACEMENT * (PLACEMENTS_AT_ONCE - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_at_once_then_a_few_a_second_and_the_last() {
        let mut placements = Placements::default();
        let client = ClientId(1);
        let mut told = 0;
        let begin = 100 * PLACEMENT;
        for step in 0..1000 {
            placements.moved(client);
            told += placements.take(begin + step * PLACEMENT / 100).len();
        }
        assert!((17..=19).contains(&told), "{told}");
        let due = placements.due().unwrap();
        assert_eq!(placements.take(due - 1).len(), 0);
        assert_eq!(placements.take(due).len(), 1);
        assert_eq!(placements.due(), None);
        placements.moved(client);
        assert!(placements.due().is_some());
        placements.forget(client);
        assert_eq!(placements.due(), None);
    }
}
