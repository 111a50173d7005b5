//! A house whose processes are fakes: `sleep`s that can be killed, and the other ends of their sockets, which the test plays.

use crate::clients::{Client, Shared, Via};
use crate::house::{House, Rules};
use crate::keeping::Keeping;
use crate::policy::file::Isolation;
use crate::reactor::{Reactor, Source};
use crate::registry::Registry;
use crate::supervision::process::{Launch, Process, Role, pair};
use crate::supervision::{News, Supervisor};
use crate::transport::aperture::Aperture;
use crate::warnings::Warnings;
use budget::Budget;
use ipc::glass::{ClassId, FromGlass, ToGlass};
use ipc::options::OutputOption;
use ipc::template::{FromTemplate, Share, ToTemplate};
use ipc::{ClientId, ClientInfo, Owner, ToBroker, ToRenderer};
use os::seqpacket::{self, Received};
use rustix::event::epoll::EventFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::process::{Child, Command};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Everything that is waited for comes much sooner.
const PATIENCE: Duration = Duration::from_secs(10);

/// The other end of a fake's socket.
#[derive(Debug)]
pub struct Peer(pub OwnedFd);

impl Peer {
    pub fn send(&self, message: &impl Serialize) {
        self.send_with(message, &[]);
    }

    pub fn send_with(&self, message: &impl Serialize, fds: &[BorrowedFd<'_>]) {
        let sent = seqpacket::try_send(self.0.as_fd(), &serde_json::to_vec(message).unwrap(), fds);
        assert!(sent.unwrap());
    }

    /// The next message.
    pub fn next<T: DeserializeOwned>(&self) -> Option<(T, Vec<OwnedFd>)> {
        match seqpacket::receive(self.0.as_fd()).unwrap() {
            Received::Message(bytes, fds) => Some((serde_json::from_slice(&bytes).unwrap(), fds)),
            Received::Nothing | Received::Closed => None,
        }
    }

    pub fn all<T: DeserializeOwned>(&self) -> Vec<T> {
        std::iter::from_fn(|| self.next()).map(|(message, _)| message).collect()
    }

    pub fn is_hung_up(&self) -> bool {
        crate::supervision::is_hung_up(&self.0)
    }

    /// Waits for the hang-up: a process that was just started has copies of all descriptors for a moment.
    pub fn hangs_up(&self) -> bool {
        let end = Instant::now() + PATIENCE;
        while !self.is_hung_up() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.is_hung_up()
    }
}

/// A process that was started.
#[derive(Debug)]
pub struct Started {
    pub role: Role,
    pub peer: Peer,
    pub pid: i32,
}

/// Starts fakes.
#[derive(Clone, Debug, Default)]
pub struct Fakes(Rc<RefCell<Vec<Started>>>, Rc<RefCell<Vec<i32>>>);

impl Launch for Fakes {
    fn launch(&mut self, role: Role) -> std::io::Result<(Process, OwnedFd)> {
        let (ours, theirs) = pair()?;
        let process = Process::of_child(sleeper())?;
        self.1.borrow_mut().push(process.pid());
        self.0.borrow_mut().push(Started { role, peer: Peer(theirs), pid: process.pid() });
        Ok((process, ours))
    }
}

pub fn sleeper() -> Child {
    Command::new("sleep").arg("1000").spawn().unwrap()
}

pub fn kill(pid: i32) {
    rustix::process::kill_process(Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}

/// Kills a process and waits for its death; whoever watches it does not know yet.
pub fn kill_now(pid: i32) {
    kill(pid);
    let is_dead = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_none_or(|(_, fields)| fields.starts_with(" Z"))
    };
    while !is_dead() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A renderer that the test plays.
#[derive(Debug)]
pub struct Copy {
    pub class: ClassId,
    pub share: Share,
    pub peer: Peer,
    pub child: Child,
}

impl Copy {
    pub fn pid(&self) -> i32 {
        self.child.id().try_into().unwrap()
    }

    pub fn is_dead(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Scene {
    pub house: House,
    pub fakes: Fakes,
    pub glass: Peer,
    pub template: Peer,
    pub news: Vec<News>,
    /// The keeper's end of its socket.
    pub keeper: Peer,
}

impl Scene {
    /// Glass and template are ready; there is no client.
    pub fn new(isolation: Isolation) -> Scene {
        let mut scene = Scene::starting(isolation);
        scene.glass.send(&FromGlass::Ready { output: "fake".into() });
        scene.template.send(&FromTemplate::Ready { gl: "fake".into(), forks: true });
        scene.settle();
        assert!(scene.house.supervisor.is_ready());
        scene.news.clear();
        scene
    }

    /// Glass and template have just been started.
    pub fn starting(isolation: Isolation) -> Scene {
        let fakes = Fakes::default();
        let mut reactor = Reactor::new().unwrap();
        let (ours, keeper) = pair().unwrap();
        let keeping = Keeping::new(ours, &mut reactor).unwrap();
        let output = OutputOption::Headless { width: 64, height: 64, hz: 60 };
        let mut supervisor = Supervisor::new(Box::new(fakes.clone()), output);
        supervisor.set_up(isolation, 0);
        let house = House {
            reactor,
            registry: Registry::default(),
            supervisor,
            keeping,
            warnings: Warnings::default(),
            rules: Rules { isolation, ..Rules::default() },
        };
        let (glass, template) = (Peer(pair().unwrap().0), Peer(pair().unwrap().0));
        let mut scene = Scene { house, fakes, glass, template, news: Vec::new(), keeper: Peer(keeper) };
        scene.settle();
        scene.template = scene.started(|role| *role == Role::Template).unwrap().peer;
        scene.glass = scene.started(|role| matches!(role, Role::Glass(_))).unwrap().peer;
        scene
    }

    /// A process that was started since the last call.
    pub fn started(&self, is_it: impl Fn(&Role) -> bool) -> Option<Started> {
        let mut all = self.fakes.0.borrow_mut();
        let at = all.iter().position(|started| is_it(&started.role))?;
        Some(all.remove(at))
    }

    /// Handles all that has happened, at this time.
    pub fn settle_at(&mut self, now: Instant) {
        let House { reactor, registry, supervisor, .. } = &mut self.house;
        loop {
            supervisor.turn(now, registry, reactor);
            let events = reactor.wait(Some(Instant::now())).unwrap();
            for &(token, flags) in &events {
                if let Some(source) = reactor.source(token) {
                    supervisor.event(source, flags, reactor);
                }
            }
            self.news.extend(supervisor.take_news());
            if events.is_empty() && supervisor.due().is_none_or(|due| due > now) {
                return;
            }
        }
    }

    pub fn settle(&mut self) {
        self.settle_at(Instant::now());
    }

    /// Handles what happens until something is so.
    pub fn until<T>(&mut self, what: &str, mut check: impl FnMut(&mut Scene) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            self.settle();
            if let Some(found) = check(self) {
                return found;
            }
            assert!(Instant::now() < end, "{what} does not come");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A client that is there, of a user.
    pub fn client(&mut self, user: u32) -> ClientId {
        let id = self.house.registry.next_id().unwrap();
        self.client_of(id, Owner::User(user));
        id
    }

    pub fn client_of(&mut self, id: ClientId, owner: Owner) {
        let (aperture, _wake) = Aperture::for_process(id, 1 << 20).unwrap();
        let (ours, _theirs) = pair().unwrap();
        let connection = self.house.reactor.adopt(ours, Source::Client(id), EventFlags::empty()).unwrap();
        let name = format!("client {id}");
        let info =
            ClientInfo { id, owner, name, bytes: aperture.bytes(), budget: Budget::default(), channel: None };
        self.house.welcome(Client {
            info,
            color: [1, 2, 3],
            placements: Vec::new(),
            origin: None,
            via: Via::Local,
            connection,
            shared: Shared::Made(aperture),
        });
        // What happens at its connection is of no interest.
        let client = self.house.registry.client(id).unwrap();
        let (fd, token) = (&client.connection.fd, client.connection.token);
        self.house.reactor.forget(fd, token);
    }

    /// Makes the copy that the template is asked for.
    pub fn copy(&mut self) -> Copy {
        let mut copy = self.asked();
        self.forked(&copy);
        copy.peer.send(&ToBroker::Ready { gl: "fake".into() });
        self.settle();
        assert!(!copy.is_dead());
        copy
    }

    /// The template is asked for a copy, and does not answer yet.
    pub fn asked(&mut self) -> Copy {
        let (message, fds) = self.until("a wish for a copy", |scene| scene.template.next::<ToTemplate>());
        let ToTemplate::Fork { class, share } = message;
        let [socket] = <[OwnedFd; 1]>::try_from(fds).unwrap();
        Copy { class, share, peer: Peer(socket), child: sleeper() }
    }

    /// The template says that a copy is there.
    pub fn forked(&mut self, copy: &Copy) {
        let pid = copy.pid();
        let handle = rustix::process::pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
        self.template.send_with(&FromTemplate::Forked { class: copy.class, pid }, &[handle.as_fd()]);
        self.settle();
    }

    /// The template says how a copy ended.
    pub fn ended(&mut self, pid: i32, status: &str) {
        self.template.send(&FromTemplate::Ended { pid, status: status.into() });
        self.settle();
    }

    pub fn state(&self, class: ClassId) -> crate::supervision::RendererState {
        let all = self.house.supervisor.renderers(&self.house.registry);
        all.into_iter().find(|renderer| renderer.class == class).unwrap()
    }

    pub fn told_glass(&mut self) -> Vec<ToGlass> {
        self.settle();
        self.glass.all()
    }

    pub fn told_renderer(&mut self, copy: &Copy) -> Vec<ToRenderer> {
        self.settle();
        copy.peer.all()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let own = format!(" {} ", std::process::id());
        for &pid in self.fakes.1.borrow().iter() {
            // Not one that has ended, and whose number another process has.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let parent = stat.rsplit_once(')').map_or("", |(_, fields)| fields.get(3..).unwrap_or_default());
            if parent.starts_with(own.trim_start()) {
                kill(pid);
            }
        }
    }
}
