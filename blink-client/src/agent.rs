//! The agent of a virtual machine: many applications on its one device.
//!
//! The agent has the device. An application connects to the agent's socket as it would to a server on its machine, and
//! is given a part of the aperture: an entry of the directory and a run of pages, for a context of its own. What it
//! publishes goes from its memory to the server's, not through the agent; only doorbells and wake-ups do. When it ends,
//! however it does, the agent clears its entry, so that its windows go, and gives its pages to those who come later.
//!
//! The applications of a machine share its fate: each maps the whole aperture, so that one that is hostile can spoil
//! what the others of *its machine* show, as it could spoil their files. To the server, the machine is one client.

use crate::error::Error;
use crate::pages::{Allocator, Pages};
use crate::seqpacket::{self, Received};
use crate::transport::{Transport, local};
use crate::{Part, context};
use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use blinkgl::layout::{APERTURE_VERSION, DATA_PAGE, aperture, context as header};
use blinkgl::limits::{MAX_CONTEXTS, PAGE_SIZE};
use blinkgl::local::{Answer, HELLO_SECONDS, Hello};
use blinkgl::shm::ShmOffset;
use core::time::Duration;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Connections that have not said Hello; others wait until there is room.
const MAX_NEWCOMERS: usize = 16;
/// An application that has no wish gets this part of the machine's memory, or less if little is left.
const USUAL_PART: u32 = 8;
/// Pages that an application gets at least: those that each context needs, and some for a small window.
const LEAST_PAGES: u32 = 64;
/// From one look for events to the next, where nothing wakes the machine: at first, and after a while.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(16)];

/// A transport whose memory other processes can map, and which can be waited for together with other things.
pub trait Device: Transport {
    /// What to map, and from which offset.
    fn memory_descriptor(&self) -> (BorrowedFd<'_>, u64);

    /// Readable when the server has put events; `None`: nothing tells now, look from time to time.
    fn wake_descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// Empties it.
    ///
    /// # Errors
    /// The system says no.
    fn take_wakes(&self) -> Result<(), Error>;
}

/// A connection that has not said Hello.
#[derive(Debug)]
struct Newcomer {
    socket: OwnedFd,
    deadline: Instant,
}

/// An application and what it has.
#[derive(Debug)]
struct Application {
    name: String,
    /// Its connection: closed when it ends.
    socket: OwnedFd,
    /// It rings this, and we the device's.
    doorbell: OwnedFd,
    /// Wakes it.
    wake: OwnedFd,
    first_page: u32,
    pages: Pages,
    /// The count of events for which it was woken last.
    told: u32,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Agent<D: Device> {
    device: D,
    path: PathBuf,
    listener: OwnedFd,
    newcomers: Vec<Newcomer>,
    /// By their entries of the directory.
    applications: BTreeMap<usize, Application>,
    /// Watches their doorbells, edge by edge. They are never read: an application shares the flags and the count of
    /// its doorbell, and could make a read wait for ever, and all others with it.
    doorbells: OwnedFd,
    free: Allocator,
    /// The usual number of pages.
    usual: u32,
    pause: Duration,
}

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    End,
    Listener,
    Device,
    Newcomer(usize),
    Doorbells,
    Application(usize),
}

impl<D: Device> Agent<D> {
    /// Takes a device, on which nothing is shown from now on, and waits for applications at `path`. Who may use it is
    /// who may write to the socket's file, whose permissions are `mode`.
    ///
    /// # Errors
    /// The socket can't be made, or another agent is there.
    pub fn new(device: D, path: &Path, mode: Mode) -> Result<Agent<D>, Error> {
        let failed = |source| Error::Agent { path: path.to_owned(), source };
        if local::is_listening(path) {
            return Err(failed(Errno::ADDRINUSE));
        }
        // Left of one that was killed.
        let _gone = std::fs::remove_file(path);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let listener = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(failed)?;
        let address = SocketAddrUnix::new(path).map_err(failed)?;
        rustix::net::bind(&listener, &address).map_err(failed)?;
        // Nobody can connect before it listens.
        rustix::fs::chmod(path, mode).map_err(failed)?;
        rustix::net::listen(&listener, i32::try_from(MAX_NEWCOMERS).unwrap_or(i32::MAX)).map_err(failed)?;
        for entry in 0..MAX_CONTEXTS {
            context::free(device.memory(), entry)?;
        }
        let doorbells = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?;
        device.ring();
        let Part { pages, .. } = Part::whole(device.memory());
        Ok(Agent {
            path: path.to_owned(),
            listener,
            newcomers: Vec::new(),
            applications: BTreeMap::new(),
            doorbells,
            usual: (pages.end - pages.start) / USUAL_PART,
            free: Allocator::new(pages.start, pages.end),
            pause: PAUSES[0],
            device,
        })
    }

    /// How many applications there are.
    #[must_use]
    pub fn applications(&self) -> usize {
        self.applications.len()
    }

    /// Pages that no application has.
    #[must_use]
    pub fn free_pages(&self) -> u32 {
        self.free.free_pages()
    }

    /// Serves until `end` is readable.
    ///
    /// # Errors
    /// The device or the system fails.
    pub fn serve(&mut self, end: BorrowedFd<'_>) -> Result<(), Error> {
        while !self.turn(None, Some(end))? {}
        Ok(())
    }

    /// Waits until something happens, at most `timeout` (`None`: for ever), and does what is to be done.
    ///
    /// # Errors
    /// The device or the system fails.
    pub fn step(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        self.turn(timeout, None).map(|_| ())
    }

    /// As [`Agent::step`]. True: `end` is readable.
    fn turn(&mut self, timeout: Option<Duration>, end: Option<BorrowedFd<'_>>) -> Result<bool, Error> {
        let (ready, blind) = self.wait(timeout, end)?;
        // Numbers of newcomers change when one goes: the last first.
        for &source in ready.iter().rev() {
            match source {
                Source::End => {}
                Source::Listener => self.accept(),
                Source::Device => self.device.take_wakes()?,
                Source::Newcomer(index) => self.greet(index)?,
                Source::Doorbells => self.pass_on()?,
                Source::Application(entry) => self.look_whether_alive(entry)?,
            }
        }
        let now = Instant::now();
        self.newcomers.retain(|newcomer| newcomer.deadline > now);
        if blind || ready.contains(&Source::Device) {
            let told = self.tell()?;
            let [first, last] = PAUSES;
            self.pause = if told { first } else { (self.pause * 2).min(last) };
        }
        Ok(ready.contains(&Source::End))
    }

    /// What became ready, and whether nothing says that the server has put events.
    fn wait(
        &self,
        timeout: Option<Duration>,
        end: Option<BorrowedFd<'_>>,
    ) -> Result<(Vec<Source>, bool), Error> {
        let mut sources = Vec::new();
        let mut fds = Vec::new();
        let mut watch = |source, fd| {
            sources.push(source);
            fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
        };
        if let Some(end) = end {
            watch(Source::End, end);
        }
        let wake = self.device.wake_descriptor();
        if let Some(wake) = wake {
            watch(Source::Device, wake);
        }
        if self.newcomers.len() < MAX_NEWCOMERS {
            watch(Source::Listener, self.listener.as_fd());
        }
        for (index, newcomer) in self.newcomers.iter().enumerate() {
            watch(Source::Newcomer(index), newcomer.socket.as_fd());
        }
        for (&entry, application) in &self.applications {
            watch(Source::Application(entry), application.socket.as_fd());
        }
        watch(Source::Doorbells, self.doorbells.as_fd());
        let blind = wake.is_none() && !self.applications.is_empty();
        let now = Instant::now();
        let deadlines = self.newcomers.iter().map(|n| n.deadline.saturating_duration_since(now));
        let time = deadlines.chain(timeout).chain(blind.then_some(self.pause)).min();
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut fds, time.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok((Vec::new(), blind)),
            Err(source) => return Err(Error::System { doing: "waiting", source }),
        }
        let ready = sources.into_iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
        Ok((ready.map(|(source, _)| source).collect(), blind))
    }

    fn accept(&mut self) {
        match rustix::net::accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(socket) => {
                let deadline = Instant::now() + Duration::from_secs(HELLO_SECONDS);
                self.newcomers.push(Newcomer { socket, deadline });
            }
            // It is gone again, or there are no descriptors: the next wait tries again.
            Err(error) => log::warn!("an application can't be accepted: {error}"),
        }
    }

    /// Takes a newcomer's Hello, and gives it its part.
    fn greet(&mut self, index: usize) -> Result<(), Error> {
        let Some(newcomer) = self.newcomers.get(index) else { return Ok(()) };
        let received = seqpacket::receive(newcomer.socket.as_fd());
        if matches!(received, Ok(Received::Nothing)) {
            return Ok(());
        }
        let Newcomer { socket, .. } = self.newcomers.remove(index);
        let hello = match received {
            Ok(Received::Message(packet, _)) => Hello::decode(&packet).map_err(|error| format!("{error}")),
            Err(error) => Err(format!("{error}")),
            // It only looked whether an agent is here.
            Ok(Received::Closed | Received::Nothing) => return Ok(()),
        };
        let refused = match hello {
            Ok(hello) => match self.offer(&hello)? {
                Ok((entry, first_page, pages)) => {
                    return self.admit(socket, &hello, entry, first_page, pages);
                }
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        log::warn!("an application is refused: {refused}");
        // Whoever does not listen is not told.
        let _told = seqpacket::try_send(socket.as_fd(), &Answer::Refused { reason: refused }.encode(), &[]);
        Ok(())
    }

    /// An entry and pages for a newcomer, or why there are none.
    fn offer(&mut self, hello: &Hello) -> Result<Result<(usize, u32, Pages), String>, Error> {
        if !(hello.version_min..=hello.version_max).contains(&APERTURE_VERSION) {
            return Ok(Err(format!(
                "the application knows the layouts {:#x} to {:#x}, the machine's is {APERTURE_VERSION:#x}",
                hello.version_min, hello.version_max
            )));
        }
        let Some(entry) = (0..MAX_CONTEXTS).find(|entry| !self.applications.contains_key(entry)) else {
            return Ok(Err(format!("{MAX_CONTEXTS} applications are the limit of a machine; end one")));
        };
        let longest = self.free.longest();
        let wanted = match hello.bytes {
            // Something is left for the next one.
            0 => self.usual.min(longest / 2).max(LEAST_PAGES),
            bytes => u32::try_from(bytes.div_ceil(PAGE_SIZE as u64))
                .unwrap_or(u32::MAX)
                .max(u32::try_from(DATA_PAGE).unwrap_or(u32::MAX) + 1),
        };
        // All of a part is in one run.
        let pages = (wanted <= longest).then(|| self.free.allocate(wanted)).flatten();
        let first = pages.as_ref().and_then(|pages| pages.0.first());
        Ok(match (first.map(|run| run.first), pages) {
            (Some(first), Some(pages)) => Ok((entry, first, pages)),
            (..) => Err(format!(
                "the machine has {} KiB of memory left, the application needs {}; end others, or give the machine more",
                longest.saturating_mul(4),
                wanted.saturating_mul(4),
            )),
        })
    }

    fn admit(
        &mut self,
        socket: OwnedFd,
        hello: &Hello,
        entry: usize,
        first_page: u32,
        pages: Pages,
    ) -> Result<(), Error> {
        let answer = self.welcome(&socket, entry, first_page, pages.count());
        let (doorbell, wake) = match answer {
            Ok(ends) => ends,
            Err(error) => {
                log::warn!("an application can't be let in: {error}");
                self.free.free(&pages);
                return Ok(());
            }
        };
        let name = hello.name.escape_debug().collect();
        log::info!("{name} comes: entry {entry}, {} pages from {first_page} on", pages.count());
        let told = self.device.memory().load(events_put(first_page))?;
        self.applications
            .insert(entry, Application { name, socket, doorbell, wake, first_page, pages, told });
        Ok(())
    }

    /// Sends an application its part; returns our ends of its doorbell and of what wakes it.
    fn welcome(
        &self,
        socket: &OwnedFd,
        entry: usize,
        first_page: u32,
        pages: u32,
    ) -> Result<(OwnedFd, OwnedFd), Error> {
        let doorbell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(Error::system("making a doorbell"))?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (wake, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(Error::system("making a wake-up"))?;
        let data = EventData::new_u64(u64::try_from(entry).unwrap_or(u64::MAX));
        epoll::add(&self.doorbells, &doorbell, data, EventFlags::IN | EventFlags::ET)
            .map_err(Error::system("watching a doorbell"))?;
        let memory = self.device.memory();
        let (descriptor, offset) = self.device.memory_descriptor();
        let answer = Answer::Part {
            version: memory.load(ShmOffset(aperture::VERSION))?,
            client: self.device.client(),
            bytes: u64::try_from(memory.size()).unwrap_or(u64::MAX),
            offset,
            first_page,
            pages,
            entry: u32::try_from(entry).unwrap_or(u32::MAX),
        };
        let fds = [descriptor, doorbell.as_fd(), theirs.as_fd()];
        if !seqpacket::try_send(socket.as_fd(), &answer.encode(), &fds)? {
            return Err(Error::HungUp);
        }
        Ok((doorbell, wake))
    }

    /// Applications ring. Which ones is all the same to the server.
    fn pass_on(&self) -> Result<(), Error> {
        let mut edges = Vec::with_capacity(MAX_CONTEXTS);
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        match epoll::wait(&self.doorbells, rustix::buffer::spare_capacity(&mut edges), Some(&at_once)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(source) => return Err(Error::System { doing: "waiting for doorbells", source }),
        }
        if !edges.is_empty() {
            self.device.ring();
        }
        Ok(())
    }

    /// An application says something, which means nothing, or is gone.
    fn look_whether_alive(&mut self, entry: usize) -> Result<(), Error> {
        let Some(application) = self.applications.get(&entry) else { return Ok(()) };
        match seqpacket::receive(application.socket.as_fd()) {
            Ok(Received::Message(..) | Received::Nothing) => return Ok(()),
            Err(error) if !error.is_fatal() => return Ok(()),
            Ok(Received::Closed) | Err(_) => {}
        }
        if let Some(Application { name, pages, doorbell, .. }) = self.applications.remove(&entry) {
            // Closing our descriptor is not enough: whoever has a copy could ring on.
            epoll::delete(&self.doorbells, &doorbell).map_err(Error::system("forgetting a doorbell"))?;
            log::info!("{name} is gone from entry {entry}");
            context::free(self.device.memory(), entry)?;
            self.free.free(&pages);
            self.device.ring();
        }
        Ok(())
    }

    /// Wakes the applications that have new events. True: there were some.
    fn tell(&mut self) -> Result<bool, Error> {
        let mut some = false;
        for application in self.applications.values_mut() {
            let put = self.device.memory().load(events_put(application.first_page))?;
            if put != application.told {
                application.told = put;
                some = true;
                // One whose socket is full is being woken; one that is gone is found by its other socket.
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                let _sent = rustix::net::send(&application.wake, &[1], flags);
            }
        }
        Ok(some)
    }
}

impl<D: Device> Drop for Agent<D> {
    fn drop(&mut self) {
        for &entry in self.applications.keys() {
            let freed = context::free(self.device.memory(), entry);
            debug_assert!(freed.is_ok(), "the directory is part of each aperture");
        }
        self.device.ring();
        let _removed = std::fs::remove_file(&self.path);
    }
}

/// Where the server counts the events of a context. A part's context starts with its first page.
fn events_put(first_page: u32) -> ShmOffset {
    let start = usize::try_from(first_page).unwrap_or(usize::MAX).saturating_mul(PAGE_SIZE);
    ShmOffset(start.saturating_add(header::EVENTS_PUT))
}
