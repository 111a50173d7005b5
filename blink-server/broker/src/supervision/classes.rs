//! Isolation classes: which clients share a renderer.

use crate::policy::file::Isolation;
use ipc::glass::ClassId;
use ipc::{ClientId, Owner};
use std::collections::{BTreeMap, BTreeSet};

/// What the clients of a class have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Common {
    /// They are this virtual machine, or all processes of this user.
    Owner(Owner),
    /// It is this client alone.
    Client(ClientId),
    /// Nothing but the server.
    Server,
}

/// The classes that have clients.
#[derive(Debug, Default)]
pub struct Classes {
    isolation: Isolation,
    ids: BTreeMap<Common, ClassId>,
    members: BTreeMap<ClassId, BTreeSet<ClientId>>,
    of: BTreeMap<ClientId, (Common, ClassId)>,
    last: u32,
}

impl Classes {
    /// No class yet.
    #[must_use]
    pub fn new(isolation: Isolation) -> Classes {
        Classes { isolation, ..Classes::default() }
    }

    /// A client joins its class; true: it is the first one in it.
    pub fn join(&mut self, client: ClientId, owner: Owner) -> (ClassId, bool) {
        let common = match (self.isolation, owner) {
            (Isolation::Vm, Owner::User(_) | Owner::Machine(_)) => Common::Owner(owner),
            // A machine is one client at most, but keeps its id.
            (Isolation::Client, Owner::User(_) | Owner::Machine(_)) => Common::Client(client),
            (Isolation::Shared, Owner::User(_) | Owner::Machine(_)) => Common::Server,
        };
        let class = *self.ids.entry(common).or_insert_with(|| {
            self.last += 1;
            ClassId(self.last)
        });
        self.of.insert(client, (common, class));
        let members = self.members.entry(class).or_default();
        let is_first = members.is_empty();
        members.insert(client);
        (class, is_first)
    }

    /// A client leaves its class; true: it was the last one, and the class is gone.
    pub fn leave(&mut self, client: ClientId) -> Option<(ClassId, bool)> {
        let (common, class) = self.of.remove(&client)?;
        let members = self.members.get_mut(&class)?;
        members.remove(&client);
        let is_last = members.is_empty();
        if is_last {
            self.members.remove(&class);
            self.ids.remove(&common);
        }
        Some((class, is_last))
    }

    /// The class of a client.
    #[must_use]
    pub fn of(&self, client: ClientId) -> Option<ClassId> {
        self.of.get(&client).map(|&(_, class)| class)
    }

    /// The clients of a class.
    pub fn members(&self, class: ClassId) -> impl Iterator<Item = ClientId> {
        self.members.get(&class).into_iter().flatten().copied()
    }

    /// All clients that are in a class, and the class.
    pub fn all(&self) -> impl Iterator<Item = (ClientId, ClassId)> {
        self.of.iter().map(|(&client, &(_, class))| (client, class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two machines, two processes of one user, one of another.
    const CLIENTS: [(ClientId, Owner); 5] = [
        (ClientId(1), Owner::Machine(ClientId(1))),
        (ClientId(2), Owner::Machine(ClientId(2))),
        (ClientId(3), Owner::User(7)),
        (ClientId(4), Owner::User(7)),
        (ClientId(5), Owner::User(8)),
    ];

    fn classes_of(isolation: Isolation) -> Vec<u32> {
        let mut classes = Classes::new(isolation);
        CLIENTS.iter().map(|&(id, owner)| classes.join(id, owner).0.0).collect()
    }

    #[test]
    fn the_policy_decides_who_is_together() {
        assert_eq!(classes_of(Isolation::Vm), [1, 2, 3, 3, 4]);
        assert_eq!(classes_of(Isolation::Client), [1, 2, 3, 4, 5]);
        assert_eq!(classes_of(Isolation::Shared), [1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_class_goes_with_its_last_client_and_never_comes_back() {
        let mut classes = Classes::new(Isolation::Vm);
        let [_, _, third, fourth, _] = CLIENTS;
        let (class, is_first) = classes.join(third.0, third.1);
        assert!(is_first);
        assert_eq!(classes.join(fourth.0, fourth.1), (class, false));
        assert_eq!(classes.members(class).count(), 2);
        assert_eq!(classes.leave(third.0), Some((class, false)));
        assert_eq!((classes.of(third.0), classes.of(fourth.0)), (None, Some(class)));
        assert_eq!(classes.leave(fourth.0), Some((class, true)));
        assert_eq!(classes.leave(fourth.0), None);
        let (next, is_first) = classes.join(third.0, third.1);
        assert!(is_first && next != class, "{next:?}");
        assert_eq!(classes.all().collect::<Vec<_>>(), [(third.0, next)]);
    }
}
