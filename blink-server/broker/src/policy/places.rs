//! Places: how many connections and clients a user and a process may have, so that one can't take those of all.

use crate::clients::Origin;
use ipc::limits::MAX_CLIENTS;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Clients of one process. A program needs one; a test or a launcher may have some.
pub const MAX_PROCESS_CLIENTS: usize = 8;
/// Clients of one user, without virtual machines: a quarter of [`MAX_CLIENTS`] is left to others.
pub const MAX_USER_CLIENTS: usize = 48;

/// Connections that wait for something (a Hello, a command).
pub const MAX_WAITING: usize = 64;
/// Each has so long at least, however many others come: a program may be interrupted between connecting and saying what it wants.
/// No longer, because in a flood others wait for so long.
pub const GRACE: Duration = Duration::from_millis(50);

/// Why a client can't come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// The server is full.
    #[error("{MAX_CLIENTS} clients are connected, which is the limit; close some")]
    Server,
    /// Its user has all that one may have.
    #[error("user {0} has {MAX_USER_CLIENTS} clients, which is the limit for one user; close some")]
    User(u32),
    /// Its process has all that one may have.
    #[error("process {0} has {MAX_PROCESS_CLIENTS} clients, which is the limit for one process; close some")]
    Process(i32),
}

/// May a client come? `taken`: places in all; `others`: where local clients come from.
///
/// # Errors
/// No place is left for it.
pub fn admit(taken: usize, others: impl Iterator<Item = Origin>, origin: Origin) -> Result<(), NoPlace> {
    let (mut of_user, mut of_process) = (0, 0);
    for other in others {
        of_user += usize::from(other.uid == origin.uid);
        of_process += usize::from(other == origin);
    }
    // The narrowest limit first: it says best what to do.
    if of_process >= MAX_PROCESS_CLIENTS {
        Err(NoPlace::Process(origin.pid))
    } else if of_user >= MAX_USER_CLIENTS {
        Err(NoPlace::User(origin.uid))
    } else if taken >= MAX_CLIENTS {
        Err(NoPlace::Server)
    } else {
        Ok(())
    }
}

/// A connection that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting<Id> {
    /// Its name.
    pub id: Id,
    /// Its process.
    pub origin: Origin,
    /// When it came.
    pub since: Instant,
}

/// Is there room for one connection more?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room<Id> {
    /// There is.
    Free,
    /// If this one goes.
    After(Id),
    /// Not before then.
    Later(Instant),
}

/// Finds room. `waiting` is in the order in which they came. The user with most connections loses one, of the process with most: so a
/// flood throws out its own.
pub fn room<Id: Copy>(waiting: impl Iterator<Item = Waiting<Id>> + Clone, now: Instant) -> Room<Id> {
    let mut processes: BTreeMap<Origin, usize> = BTreeMap::new();
    let mut users: BTreeMap<u32, usize> = BTreeMap::new();
    let mut all = 0;
    for Waiting { origin, .. } in waiting.clone() {
        all += 1;
        *processes.entry(origin).or_default() += 1;
        *users.entry(origin.uid).or_default() += 1;
    }
    if all < MAX_WAITING {
        return Room::Free;
    }
    let busiest_user = users.iter().max_by_key(|&(_, count)| count).map(|(&uid, _)| uid);
    let own = processes.iter().filter(|(origin, _)| Some(origin.uid) == busiest_user);
    let busiest = own.max_by_key(|&(_, count)| count).map(|(&origin, _)| origin);
    match waiting.into_iter().find(|waiting| Some(waiting.origin) == busiest) {
        None => Room::Free,
        Some(oldest) if oldest.since + GRACE <= now => Room::After(oldest.id),
        Some(oldest) => Room::Later(oldest.since + GRACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(uid: u32, pid: i32) -> Origin {
        Origin { uid, pid }
    }

    #[test]
    fn one_process_or_user_does_not_take_all_places() {
        let clients = |counts: &[(u32, i32, usize)]| -> Vec<Origin> {
            counts
                .iter()
                .flat_map(|&(uid, pid, count)| std::iter::repeat_n(origin(uid, pid), count))
                .collect()
        };
        let admits =
            |clients: &[Origin], vms: usize, who| admit(clients.len() + vms, clients.iter().copied(), who);
        let hog = clients(&[(1, 10, MAX_PROCESS_CLIENTS)]);
        assert_eq!(admits(&hog, 0, origin(1, 10)), Err(NoPlace::Process(10)));
        assert_eq!(admits(&hog, 0, origin(1, 11)), Ok(()));
        let many: Vec<(u32, i32, usize)> = (0..6).map(|pid| (1, pid, MAX_PROCESS_CLIENTS)).collect();
        let user = clients(&many);
        assert_eq!(user.len(), MAX_USER_CLIENTS);
        assert_eq!(admits(&user, 0, origin(1, 99)), Err(NoPlace::User(1)));
        assert_eq!(admits(&user, 0, origin(2, 99)), Ok(()));
        assert_eq!(admits(&user, MAX_CLIENTS - MAX_USER_CLIENTS, origin(2, 99)), Err(NoPlace::Server));
    }

    /// Connections, the oldest first, and how many came.
    struct Lobby(Vec<Waiting<u64>>, u64);

    impl Lobby {
        /// One more comes, as soon as it can.
        fn come(&mut self, uid: u32, pid: i32, now: &mut Instant) {
            loop {
                match room(self.0.iter().copied(), *now) {
                    Room::Free => break,
                    Room::After(loser) => self.0.retain(|waiting| waiting.id != loser),
                    Room::Later(then) => {
                        assert!(then > *now);
                        *now = then;
                    }
                }
            }
            self.1 += 1;
            self.0.push(Waiting { id: self.1, origin: origin(uid, pid), since: *now });
        }

        fn has(&self, id: u64) -> bool {
            self.0.iter().any(|waiting| waiting.id == id)
        }
    }

    #[test]
    fn a_flood_throws_out_its_own_and_leaves_everybody_some_time() {
        let (mut lobby, start) = (Lobby(Vec::new(), 0), Instant::now());
        let mut now = start;
        lobby.come(1, 7, &mut now);
        for _ in 0..1_000 {
            lobby.come(1, 8, &mut now);
        }
        assert!(lobby.has(1), "who waits quietly is not thrown out");
        assert_eq!(lobby.0.len(), MAX_WAITING);
        // Each had its time, and nobody else had to wait for longer than that.
        let rounds = u32::try_from(1_001_usize.div_ceil(MAX_WAITING - 1)).unwrap();
        assert!(now - start >= GRACE * (rounds - 2) && now - start <= GRACE * rounds, "{:?}", now - start);
        // By many processes of a user.
        for round in 0..1_000 {
            lobby.come(1, 100 + round % 8, &mut now);
        }
        assert!(lobby.has(1));
        // One of the flood is thrown out last, and one that comes now has its time, whoever it is.
        lobby.come(1, 100, &mut now);
        let last = lobby.1;
        let came = now;
        while now < came + GRACE {
            assert!(lobby.has(last));
            lobby.come(1, 100, &mut now);
        }
        // By many users: the busiest pays.
        for round in 0..20 {
            lobby.come(2 + round, 1, &mut now);
        }
        assert_eq!(
            (lobby.0.len(), lobby.0.iter().filter(|waiting| waiting.origin.uid != 1).count()),
            (MAX_WAITING, 20)
        );
    }
}
