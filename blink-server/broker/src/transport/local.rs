//! Local clients: processes of this machine, which come by a handshake on one socket ([`blinkgl::local`]).

use super::Transport;
use super::aperture::Aperture;
use super::door::Door;
use crate::clients::{Client, Origin, Shared, Via};
use crate::house::House;
use crate::policy;
use crate::policy::places::{self, Room, Waiting};
use crate::reactor::{ConnectionId, Source, Watched};
use crate::supervision::is_hung_up;
use blinkgl::layout::APERTURE_VERSION;
use blinkgl::local::{Answer, HELLO_SECONDS, Hello};
use ipc::{ClientId, ClientInfo, Owner};
use os::seqpacket::{self, Received};
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, OwnedFd};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Connections accepted, and messages taken from one of them, before others have their turn.
const ACCEPTS_A_TURN: usize = 64;
/// Who has said nothing after that is shut out.
const HELLO_TIME: Duration = Duration::from_secs(HELLO_SECONDS);

/// A connection that has not said Hello.
#[derive(Debug)]
struct Newcomer {
    connection: Watched,
    origin: Origin,
    /// When it came.
    since: Instant,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Local {
    door: Door,
    /// In the order in which they came.
    newcomers: BTreeMap<ConnectionId, Newcomer>,
    last: u64,
}

impl Local {
    /// Clients come by this door.
    #[must_use]
    pub fn new(door: Door) -> Local {
        Local { door, newcomers: BTreeMap::new(), last: 0 }
    }

    fn accept(&mut self, house: &mut House) {
        for _ in 0..ACCEPTS_A_TURN {
            let now = Instant::now();
            let waiting = self.newcomers.iter();
            let waiting = waiting.map(|(&id, &Newcomer { origin, since, .. })| Waiting { id, origin, since });
            let loser = match places::room(waiting, now) {
                Room::Free => None,
                Room::After(loser) => Some(loser),
                Room::Later(then) => return self.door.pause(then, &house.reactor),
            };
            let Some(socket) = self.door.accept(&house.reactor) else { return };
            if let Some(loser) = loser {
                house.warnings.warn(format_args!(
                    "too many connections without a client: one of process {} is shut out",
                    self.newcomers.get(&loser).map_or(0, |newcomer| newcomer.origin.pid)
                ));
                self.close(loser, house);
            }
            match self.add(socket, now, house) {
                // Its Hello is there already, most often.
                Ok(id) => self.listen(id, house),
                Err(error) => log::error!("a connection can't be served: {error}"),
            }
        }
    }

    fn add(&mut self, socket: OwnedFd, since: Instant, house: &mut House) -> Result<ConnectionId, String> {
        let origin = Origin::of(&socket)?;
        self.last += 1;
        let id = ConnectionId(self.last);
        let connection = house.reactor.adopt(socket, Source::Newcomer(id), EventFlags::IN);
        let connection = connection.map_err(|error| error.to_string())?;
        self.newcomers.insert(id, Newcomer { connection, origin, since });
        Ok(id)
    }

    fn close(&mut self, id: ConnectionId, house: &mut House) {
        if let Some(newcomer) = self.newcomers.remove(&id) {
            house.reactor.forget(&newcomer.connection.fd, newcomer.connection.token);
        }
    }

    fn refuse(&mut self, id: ConnectionId, reason: &str, house: &mut House) {
        house.warnings.warn(format_args!("a connection is refused: {reason}"));
        if let Some(newcomer) = self.newcomers.get(&id) {
            let answer = Answer::Refused { reason: reason.to_owned() };
            // If it can't be told, it will see the hang-up.
            let _told = seqpacket::try_send(newcomer.connection.fd.as_fd(), &answer.encode(), &[]);
        }
        self.close(id, house);
    }

    fn listen(&mut self, id: ConnectionId, house: &mut House) {
        let Some(newcomer) = self.newcomers.get(&id) else { return };
        match seqpacket::receive_from_stranger(newcomer.connection.fd.as_fd()) {
            Ok(Received::Nothing) => {}
            Ok(Received::Closed) => self.close(id, house),
            Ok(Received::Message(packet, _)) => {
                if let Err(reason) = self.welcome(id, &packet, house) {
                    self.refuse(id, &reason, house);
                }
            }
            Err(error) => {
                house.warnings.warn(format_args!("a connection is closed: {error}"));
                self.close(id, house);
            }
        }
    }

    /// Makes a client of a newcomer.
    fn welcome(&mut self, id: ConnectionId, packet: &[u8], house: &mut House) -> Result<(), String> {
        let hello = Hello::decode(packet).map_err(|e| e.to_string())?;
        let (version, lowest, highest) = (APERTURE_VERSION, hello.version_min, hello.version_max);
        if !(lowest..=highest).contains(&version) {
            let [lowest, highest, own] =
                [lowest, highest, version].map(|v| format!("{}.{}", v >> 16, v & 0xffff));
            return Err(format!(
                "the client speaks versions {lowest} to {highest}, this server {own}; update the older one"
            ));
        }
        let Some(newcomer) = self.newcomers.get(&id) else { return Ok(()) };
        let origin = newcomer.origin;
        if house.registry.admits(origin).is_err() {
            // Some may have gone, which would be heard later.
            self.part_from_closed(house);
        }
        house.registry.admits(origin).map_err(|e| e.to_string())?;
        let Some(newcomer) = self.newcomers.get(&id) else { return Ok(()) };
        let client = house.registry.next_id()?;
        let (aperture, wake) = Aperture::for_process(client, hello.bytes).map_err(|e| e.to_string())?;
        let bytes = aperture.bytes();
        let welcome = Answer::Welcome { version, client: client.0, bytes };
        let [memory, doorbell, _] = aperture.parts();
        let fds = [memory, doorbell, wake.as_fd()];
        match seqpacket::try_send(newcomer.connection.fd.as_fd(), &welcome.encode(), &fds) {
            Ok(true) => {}
            Ok(false) => return Err("the socket is full".into()),
            Err(error) => return Err(error.to_string()),
        }
        let Some(Newcomer { connection, origin, .. }) = self.newcomers.remove(&id) else { return Ok(()) };
        house.reactor.rename(connection.token, Source::Client(client));
        let info = ClientInfo {
            id: client,
            owner: Owner::User(origin.uid),
            name: policy::local_name(&hello.name),
            bytes,
            budget: house.rules.budget,
            channel: None,
        };
        log::info!("client {client} is \"{}\", process {}, {bytes} bytes", info.name, origin.pid);
        house.welcome(Client {
            info,
            color: policy::color(client),
            placements: Vec::new(),
            origin: Some(origin),
            via: Via::Local,
            connection,
            shared: Shared::Made(aperture),
        });
        Ok(())
    }

    fn part_from_closed(&mut self, house: &mut House) {
        let local = house.registry.clients().filter(|client| client.via == Via::Local);
        let closed = local.filter(|client| is_hung_up(&client.connection.fd));
        let closed: Vec<ClientId> = closed.map(|client| client.info.id).collect();
        for id in closed {
            self.part(id, house);
        }
    }

    /// Nothing is due from a client: it is watched for its end. A later version may send what is not known here.
    fn hear(&mut self, id: ClientId, house: &mut House) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some(client) = house.registry.client(id) else { return };
            match seqpacket::receive_from_stranger(client.connection.fd.as_fd()) {
                Ok(Received::Message(..)) => {}
                Ok(Received::Nothing) => return,
                Ok(Received::Closed) => return self.part(id, house),
                Err(error) => {
                    house.warnings.warn(format_args!("client {id} is disconnected: {error}"));
                    return self.part(id, house);
                }
            }
        }
    }
}

impl Transport for Local {
    fn event(&mut self, source: Source, _flags: EventFlags, house: &mut House) {
        match source {
            Source::LocalDoor => self.accept(house),
            Source::Newcomer(id) => self.listen(id, house),
            Source::Client(id) => self.hear(id, house),
            Source::Signals
            | Source::ControlDoor
            | Source::Control(_)
            | Source::Keeper
            | Source::DeviceDoor(_)
            | Source::PortDoor(_)
            | Source::Port(_)
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
        self.newcomers.values().map(|newcomer| newcomer.since + HELLO_TIME).chain(self.door.due()).min()
    }

    fn turn(&mut self, now: Instant, house: &mut House) {
        self.door.turn(now, &house.reactor);
        let late = self.newcomers.iter().filter(|(_, newcomer)| newcomer.since + HELLO_TIME <= now);
        let late: Vec<ConnectionId> = late.map(|(&id, _)| id).collect();
        for id in late {
            self.refuse(id, &format!("no Hello came within {HELLO_SECONDS} seconds"), house);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Peer, Scene};
    use crate::policy::file::Isolation;
    use crate::policy::places::{GRACE, MAX_PROCESS_CLIENTS, MAX_WAITING};
    use crate::transport::door::{Access, Directory, Listener};
    use ipc::{FromKeeper, Key, ToKeeper};
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    use std::path::{Path, PathBuf};

    struct Reception {
        scene: Scene,
        local: Local,
        path: PathBuf,
        _directory: Directory,
    }

    impl Reception {
        fn new(name: &str) -> Reception {
            let mut scene = Scene::new(Isolation::Vm);
            let path = std::env::temp_dir().join(format!("blink-{name}-{}", std::process::id())).join("s");
            let directory = Directory::make(&path).unwrap();
            let listener = Listener::bind(&path, SocketType::SEQPACKET, &Access::default()).unwrap();
            let door = Door::open(listener, Source::LocalDoor, &mut scene.house.reactor).unwrap();
            Reception { scene, local: Local::new(door), path, _directory: directory }
        }

        /// Handles what has happened to clients and newcomers.
        fn settle(&mut self) {
            loop {
                let events = self.scene.house.reactor.wait(Some(Instant::now())).unwrap();
                let mut is_over = true;
                for (token, flags) in events {
                    let source = self.scene.house.reactor.source(token);
                    let source = source.filter(|source| {
                        matches!(source, Source::LocalDoor | Source::Newcomer(_) | Source::Client(_))
                    });
                    if let Some(source) = source {
                        self.local.event(source, flags, &mut self.scene.house);
                        is_over = false;
                    }
                }
                if is_over {
                    return;
                }
            }
        }

        fn hello(&mut self) -> (Peer, Answer) {
            let peer = dial(&self.path);
            seqpacket::send(peer.0.as_fd(), &Hello::new("x", 1 << 20).encode(), &[]).unwrap();
            self.settle();
            let Received::Message(packet, _) = seqpacket::receive(peer.0.as_fd()).unwrap() else {
                panic!("no answer")
            };
            (peer, Answer::decode(&packet).unwrap())
        }
    }

    #[test]
    fn clients_send_no_descriptors_and_nothing_elsewhere() {
        let mut reception = Reception::new("descriptors");
        let peer = dial(&reception.path);
        let memory = seqpacket::memory("test", &Hello::new("x", 1 << 20).encode()).unwrap();
        let sent = seqpacket::send(peer.0.as_fd(), &[0], &[memory.as_fd()]);
        // What an older kernel lets through is not looked at: it is no Hello.
        if let Err(error) = sent {
            assert!(matches!(error, os::seqpacket::SocketError::System(rustix::io::Errno::PERM)), "{error}");
            rustix::net::send(&peer.0, &[0], rustix::net::SendFlags::empty()).unwrap();
        }
        reception.settle();
        let Received::Message(packet, _) = seqpacket::receive(peer.0.as_fd()).unwrap() else {
            panic!("no answer")
        };
        assert!(matches!(Answer::decode(&packet), Ok(Answer::Refused { .. })));
        let (peer, answer) = reception.hello();
        assert!(matches!(answer, Answer::Welcome { .. }));
        let _refused = seqpacket::send(peer.0.as_fd(), &[0], &[memory.as_fd()]);
        reception.settle();
        assert_eq!(reception.scene.house.registry.clients().count(), 1);
    }

    fn dial(path: &Path) -> Peer {
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .unwrap();
        rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
        Peer(socket)
    }

    #[test]
    fn one_process_has_some_clients_and_no_more() {
        let mut reception = Reception::new("places");
        let mut clients: Vec<Peer> = (0..MAX_PROCESS_CLIENTS)
            .map(|_| match reception.hello() {
                (peer, Answer::Welcome { .. }) => peer,
                (_, other) => panic!("{other:?}"),
            })
            .collect();
        let (peer, answer) = reception.hello();
        let Answer::Refused { reason } = answer else { panic!("{answer:?}") };
        let pid = std::process::id();
        assert!(reason.contains(&format!("process {pid} has {MAX_PROCESS_CLIENTS} clients")), "{reason}");
        assert!(peer.hangs_up());
        // One goes, and the next comes before that is heard.
        clients.pop();
        assert!(matches!(reception.hello().1, Answer::Welcome { .. }));
        reception.settle();
        assert_eq!(reception.scene.house.registry.clients().count(), MAX_PROCESS_CLIENTS - 1);
    }

    #[test]
    fn connections_that_say_nothing_push_out_their_own_and_are_shut_out() {
        let mut reception = Reception::new("flood");
        let silent: Vec<Peer> = (0..100).map(|_| dial(&reception.path)).collect();
        reception.settle();
        assert_eq!(reception.local.newcomers.len(), MAX_WAITING);
        assert!(!silent.iter().any(Peer::is_hung_up), "each has its time");
        // One of the same process that comes after them.
        let honest = dial(&reception.path);
        seqpacket::send(honest.0.as_fd(), &Hello::new("x", 1 << 20).encode(), &[]).unwrap();
        let start = Instant::now();
        let packet = loop {
            reception.local.turn(Instant::now(), &mut reception.scene.house);
            reception.settle();
            if let Received::Message(packet, _) = seqpacket::receive(honest.0.as_fd()).unwrap() {
                break packet;
            }
            assert!(start.elapsed() < 20 * GRACE);
        };
        assert!(matches!(Answer::decode(&packet), Ok(Answer::Welcome { .. })));
        assert_eq!(silent.iter().filter(|peer| peer.is_hung_up()).count(), 101 - MAX_WAITING);
        // Nobody else comes, and they still say nothing.
        let due = reception.local.due(Instant::now()).unwrap();
        reception.local.turn(due - Duration::from_millis(1), &mut reception.scene.house);
        assert_eq!(reception.local.newcomers.len(), MAX_WAITING - 1);
        reception.local.turn(due + Duration::from_secs(1), &mut reception.scene.house);
        assert!(silent.iter().all(Peer::hangs_up));
    }

    #[test]
    fn the_keeper_has_each_client_and_the_next_broker_finds_it() {
        let mut reception = Reception::new("kept");
        let (_peer, answer) = reception.hello();
        let Answer::Welcome { client, .. } = answer else { panic!("{answer:?}") };
        let id = ClientId(client);
        reception.scene.house.settle();
        let mut kept = BTreeMap::new();
        while let Some((ToKeeper::Keep { key, value }, fds)) = reception.scene.keeper.next() {
            kept.insert(key, (value, fds));
        }
        let keys: Vec<Key> = kept.keys().copied().collect();
        assert_eq!(keys, [Key::Server, Key::Aperture(id), Key::Client(id)]);

        let mut next = Scene::starting(Isolation::Shared);
        for (key, (value, fds)) in kept {
            let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
            next.keeper.send_with(&FromKeeper::Kept { key, value }, &fds);
        }
        next.keeper.send(&FromKeeper::All);
        let kept = next.house.keeping.take().unwrap();
        let mut qemu = super::super::qemu::Qemu::new(reception.path.clone());
        assert!(crate::keeping::restore(kept, &mut next.house, &mut qemu).unwrap());
        let found = next.house.registry.client(id).unwrap();
        let before = reception.scene.house.registry.client(id).unwrap();
        assert_eq!(
            (&found.info, found.color, found.origin, found.via),
            (&before.info, before.color, before.origin, before.via)
        );
        assert_eq!(next.house.rules.isolation, Isolation::Vm, "as it was, whatever the file says now");
        assert!(next.house.supervisor.class_of(id).is_some(), "it is run again");
        assert_eq!(next.house.registry.next_id(), Ok(ClientId(client + 1)));
    }
}
