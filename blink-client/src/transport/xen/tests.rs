//! A domain's end of the device, against a XenStore and a machine of the test's own, and servers of all kinds.

use super::handshake::Device;
use super::machine::{Grant, Machine};
use super::size::{Room, USUAL_ENTRIES};
use super::{Xen, XenError};
use crate::agent::Agent;
use crate::transport::{Transport, Wake};
use crate::{Connection, Error, Options};
use ::xen::bus::State;
use ::xen::channel::{ChannelError, EventChannel};
use ::xen::fake::FakeStore;
use ::xen::grants::GrantError;
use alloc::sync::Arc;
use blinkgl::layout::{APERTURE_MAGIC, APERTURE_VERSION, aperture};
use blinkgl::limits::PAGE_SIZE;
use blinkgl::shm::{Shm, ShmOffset};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, Mode, SealFlags};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const OURS: &str = "/local/domain/5/device/blink/0";
const THEIRS: &str = "/local/domain/3/backend/blink/5/0";
/// For servers that don't answer; all others do at once.
const PATIENCE: Duration = Duration::from_millis(400);

/// A domain's kernel, of files and sockets.
#[derive(Clone, Debug)]
struct Fake {
    store: FakeStore,
    room: Room,
    given: Arc<Mutex<Given>>,
}

#[derive(Debug, Default)]
struct Given {
    /// Pages that may be given.
    limit: Option<u32>,
    pages: u32,
    last_ref: u32,
    /// Page and port of who is told of the end.
    notify: Option<(u32, u32)>,
    /// The kernel's ends of the channels.
    channels: Vec<OwnedFd>,
    is_locked: bool,
    frees_at_once: bool,
    /// What was given, by its first reference, as the server maps it.
    memories: Vec<(u32, Shm)>,
    /// How many pages went, and the states in XenStore then: ours and the server's.
    gone: Vec<(usize, [String; 2])>,
}

#[derive(Debug)]
struct FakeGrant {
    fd: OwnedFd,
    refs: Vec<u32>,
    machine: Fake,
}

impl Fake {
    fn new(store: &FakeStore) -> Fake {
        Fake {
            store: store.clone(),
            room: Room { limit: None, entries: USUAL_ENTRIES, available: None },
            given: Arc::default(),
        }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the event of a channel: the first is the lifeline.
    fn notify(&self, channel: usize) {
        let given = self.given();
        rustix::net::send(&given.channels[channel], &[0; 4], SendFlags::empty()).unwrap();
    }
}

impl Machine for Fake {
    fn lock(&self) -> Result<OwnedFd, Error> {
        let mut given = self.given();
        if given.is_locked {
            return Err(Error::DeviceTaken { slot: "xen".into() });
        }
        given.is_locked = true;
        Ok(rustix::fs::memfd_create("lock", MemfdFlags::CLOEXEC).unwrap())
    }

    fn room(&self, entries: Option<u32>) -> Room {
        Room { entries: entries.unwrap_or(self.room.entries), ..self.room }
    }

    fn free_at_once(&self) {
        self.given().frees_at_once = true;
    }

    fn give(&self, domain: u16, pages: u32) -> Result<Box<dyn Grant>, GrantError> {
        assert_eq!(domain, 3);
        let mut given = self.given();
        if given.limit.is_some_and(|limit| given.pages + pages > limit) {
            return Err(GrantError::NoRoom { pages, limit: given.limit });
        }
        given.pages += pages;
        let first = given.last_ref + 10;
        given.last_ref = first + pages;
        let fd = rustix::fs::memfd_create("pages", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::fs::ftruncate(&fd, u64::from(pages) * PAGE_SIZE as u64).unwrap();
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK).unwrap();
        let grant = FakeGrant { fd, refs: (first..first + pages).collect(), machine: self.clone() };
        given.memories.push((first, grant.map().unwrap()));
        Ok(Box::new(grant))
    }

    fn channel(&self, domain: u16) -> Result<EventChannel, ChannelError> {
        assert_eq!(domain, 3);
        let (ours, kernel) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .unwrap();
        let mut given = self.given();
        given.channels.push(kernel);
        EventChannel::of_parts(ours, 40 + u32::try_from(given.channels.len()).unwrap())
    }
}

impl Grant for FakeGrant {
    fn refs(&self) -> &[u32] {
        &self.refs
    }

    fn descriptor(&self) -> (BorrowedFd<'_>, u64) {
        (self.fd.as_fd(), 0)
    }

    fn notify_on_unmap(&self, page: u32, port: u32) -> Result<(), GrantError> {
        self.machine.given().notify = Some((self.refs[page as usize], port));
        Ok(())
    }
}

impl Drop for FakeGrant {
    fn drop(&mut self) {
        let state =
            [ours("state"), theirs("state")].map(|node| self.machine.store.get(&node).unwrap_or_default());
        let mut given = self.machine.given();
        given.pages -= u32::try_from(self.refs.len()).unwrap();
        given.gone.push((self.refs.len(), state));
    }
}

fn ours(name: &str) -> String {
    format!("{OURS}/{name}")
}

fn theirs(name: &str) -> String {
    format!("{THEIRS}/{name}")
}

/// A XenStore with a device for domain 5, whose server is to be in domain 3.
fn store() -> FakeStore {
    let store = FakeStore::new();
    for (path, value) in [
        (ours("backend"), THEIRS),
        (ours("backend-id"), "3"),
        (ours("state"), "1"),
        (theirs("frontend"), OURS),
        (theirs("frontend-id"), "5"),
        (theirs("state"), "1"),
    ] {
        store.set(&path, value);
    }
    store
}

fn open(store: &FakeStore, machine: &Fake, options: &Options) -> Result<Xen, Error> {
    let mut connection = store.connect(5);
    assert!(Device::is_in(&mut connection));
    let lock = machine.lock()?;
    let mut device = Device::find(&mut connection)?;
    device.hurry(PATIENCE);
    Xen::take_on(machine, connection, device, lock, options)
}

/// A server: at each state of the frontend's, what it writes, in this order, names in its directory.
fn serve(store: &FakeStore, answers: &[(&str, &[(&str, &str)])]) -> JoinHandle<()> {
    let store = store.clone();
    let answers: Vec<(String, Vec<(String, String)>)> = answers
        .iter()
        .map(|(at, writes)| {
            let writes = writes.iter().map(|(name, value)| (theirs(name), (*value).to_string()));
            ((*at).to_string(), writes.collect())
        })
        .collect();
    // What was written before is nothing to answer.
    let mut at = store.history().len();
    std::thread::spawn(move || {
        for (state, writes) in answers {
            let wanted = format!("{}={state}", ours("state"));
            let end = Instant::now() + Duration::from_secs(10);
            loop {
                let history = store.history();
                // The state may change again before it is looked at.
                if let Some(found) = history[at..].iter().position(|entry| entry.ends_with(&wanted)) {
                    at += found + 1;
                    break;
                }
                assert!(Instant::now() < end, "the frontend does not come to {state}: {history:?}");
                std::thread::sleep(Duration::from_millis(1));
            }
            for (path, value) in writes {
                store.set(&path, &value);
            }
        }
    })
}

const OFFER: &[(&str, &str)] =
    &[("version", "65536"), ("memory-max", "8388608"), ("client", "77"), ("state", "2")];

/// [`OFFER`], where a node holds something else.
fn offer_with(name: &str, value: &str) -> Vec<(String, String)> {
    let changed = |(known, offered): &(&str, &str)| {
        let value = if *known == name { value } else { offered };
        ((*known).to_string(), value.to_string())
    };
    OFFER.iter().map(changed).collect()
}

fn good_server(store: &FakeStore) -> JoinHandle<()> {
    // What it does is of each version's own.
    let version = APERTURE_VERSION.to_string();
    let mut offer = OFFER.to_vec();
    offer[0].1 = &version;
    serve(store, &[("1", &offer), ("3", &[("state", "4")]), ("4", &[])])
}

fn connected(options: &Options) -> (FakeStore, Fake, Xen) {
    let store = store();
    let machine = Fake::new(&store);
    let server = good_server(&store);
    let xen = open(&store, &machine, options).unwrap();
    server.join().unwrap();
    (store, machine, xen)
}

/// What the frontend wrote.
fn written(store: &FakeStore) -> Vec<String> {
    let history = store.history();
    // Without what the test began with.
    history[6..].iter().filter(|entry| entry.starts_with(OURS)).map(|entry| entry.replace(OURS, "")).collect()
}

#[test]
fn a_connection_is_made_in_the_order_of_the_protocol() {
    let options = Options { name: "gears".into(), bytes: Some(6 << 20) };
    let (store, machine, xen) = connected(&options);
    let root = machine.given().notify.unwrap();
    let pages = (6 << 20) / PAGE_SIZE;
    assert_eq!(
        written(&store),
        [
            "/state=1".to_string(),
            format!(
                "/version={APERTURE_VERSION} /pages={pages} /grant-directory={} /event-channel=42 /lifeline=41 \
                 /state=3",
                root.0
            ),
            "/state=4".into(),
        ]
    );
    assert_eq!(root.1, 41, "the root page's end is told by the lifeline");
    let word = |at| xen.memory().load(ShmOffset(at)).unwrap();
    assert_eq!(
        [aperture::MAGIC, aperture::VERSION, aperture::PAGES, aperture::CLIENT].map(word),
        [APERTURE_MAGIC, APERTURE_VERSION, u32::try_from(pages).unwrap(), 77]
    );
    assert_eq!((xen.client(), xen.memory().size(), xen.now()), (77, 6 << 20, None));
    assert_eq!(xen.describe(), "xen, woken by an event channel; 6144 KiB shared with domain 3");
}

/// As the server does: from the node to the root page, the directory's pages, and the aperture's.
#[test]
fn the_server_finds_all_pages_from_the_root() {
    let (store, machine, xen) = connected(&Options { name: String::new(), bytes: Some(6 << 20) });
    let root: u32 = store.get(&ours("grant-directory")).unwrap().parse().unwrap();
    let memories = machine.given().memories.clone();
    let page_of = |reference: u32| {
        let holds = |(first, memory): &&(u32, Shm)| (*first..*first + pages_of(memory)).contains(&reference);
        let (first, memory) = memories.iter().find(holds)?;
        memory.part(ShmOffset((reference - first) as usize * PAGE_SIZE), PAGE_SIZE).ok()
    };
    let refs = |page: &Shm| -> Vec<u32> {
        (0..1024).map(|i| page.load(ShmOffset(4 * i)).unwrap()).take_while(|&word| word != 0).collect()
    };
    let tables = refs(&page_of(root).unwrap());
    let found: Vec<Shm> = tables
        .iter()
        .flat_map(|&table| refs(&page_of(table).unwrap()))
        .map(|page| page_of(page).unwrap())
        .collect();
    assert_eq!(found.len(), 1536);
    for (i, page) in found.iter().enumerate() {
        page.store(ShmOffset(4092), 5000 + u32::try_from(i).unwrap()).unwrap();
    }
    for i in 0..1536 {
        let seen = xen.memory().load(ShmOffset(i * PAGE_SIZE + 4092)).unwrap();
        assert_eq!(seen as usize, 5000 + i, "in their order");
    }
}

fn pages_of(memory: &Shm) -> u32 {
    u32::try_from(memory.size() / PAGE_SIZE).unwrap()
}

#[test]
fn without_a_wish_the_policy_and_the_machine_say_how_much() {
    let (_store, _machine, xen) = connected(&Options::default());
    assert_eq!(xen.memory().size(), 8 << 20);
    assert!(xen.describe().ends_with("8192 KiB shared with domain 3, as the server's policy says"));
    let store = store();
    let mut machine = Fake::new(&store);
    machine.room = Room { limit: Some(1024), entries: USUAL_ENTRIES, available: None };
    let server = good_server(&store);
    let xen = open(&store, &machine, &Options::default()).unwrap();
    server.join().unwrap();
    assert_eq!(machine.given().pages, 1024, "all of them");
    assert!(xen.describe().contains("4088 KiB") && xen.describe().contains("parameters/limit is 1024"));
}

#[test]
fn a_transaction_that_fails_is_made_again() {
    let store = store();
    let machine = Fake::new(&store);
    store.fail_transactions(2);
    let server = good_server(&store);
    let _xen = open(&store, &machine, &Options::default()).unwrap();
    server.join().unwrap();
    assert_eq!(written(&store).len(), 3);
}

#[test]
fn an_event_wakes_and_the_servers_end_does() {
    let (store, machine, xen) = connected(&Options::default());
    let wait = |milliseconds| xen.wait(Some(Duration::from_millis(milliseconds))).unwrap();
    assert_eq!(wait(20), Wake::Timeout);
    machine.notify(1);
    assert_eq!(wait(5000), Wake::Events);
    assert_eq!(wait(20), Wake::Timeout);
    // A new server, and one that is between two states, is no end.
    for state in ["2", "4", "8", "", "77777777777777777777777777", "x"] {
        store.set(&theirs("state"), state);
    }
    assert_eq!(wait(50), Wake::Timeout);
    machine.notify(1);
    store.set(&theirs("state"), "5");
    assert_eq!(wait(5000), Wake::Events, "events first");
    assert_eq!(wait(5000), Wake::ServerGone);
    assert_eq!(wait(5000), Wake::ServerGone, "for good");
    store.set(&theirs("state"), "4");
    assert_eq!(wait(5000), Wake::ServerGone);
}

#[test]
fn a_device_that_is_removed_is_an_end() {
    let (store, _machine, xen) = connected(&Options::default());
    store.unset("/local/domain/3/backend/blink/5");
    assert_eq!(xen.wait(Some(Duration::from_secs(5))).unwrap(), Wake::ServerGone);
}

#[test]
fn a_store_that_dies_ends_nothing() {
    let (store, machine, xen) = connected(&Options::default());
    store.stop();
    let begin = Instant::now();
    assert_eq!(xen.wait(Some(Duration::from_millis(50))).unwrap(), Wake::Timeout);
    assert!(begin.elapsed() >= Duration::from_millis(50), "it waits, and does not spin");
    machine.notify(1);
    assert_eq!(xen.wait(None).unwrap(), Wake::Events);
}

#[test]
fn the_end_is_said_before_and_after_the_pages_go() {
    // A server that is there leaves them first; one that is not is not waited for for long.
    for (answer, [least, most]) in [(Some("6"), [0, 300]), (None, [400, 5000])] {
        let (store, machine, xen) = connected(&Options::default());
        let server = answer.map(|answer| serve(&store, &[("5", &[("state", answer)])]));
        let begin = Instant::now();
        drop(xen);
        let took = begin.elapsed().as_millis();
        assert!((least..most).contains(&took), "{took} ms");
        if let Some(server) = server {
            server.join().unwrap();
        }
        assert_eq!(written(&store)[3..], ["/state=5", "/state=6"]);
        let given = machine.given();
        assert_eq!(given.pages, 0);
        let states = ["5", answer.unwrap_or("4")].map(str::to_string);
        assert_eq!(given.gone, [(2048, states.clone()), (3, states)]);
    }
}

/// The kernel gives pages back some time after the server has left them, and a table that runs full is lost.
#[test]
fn pages_of_the_program_before_are_waited_for_if_there_is_no_room_for_both() {
    for (before, waits) in [(None, false), (Some("2048"), false), (Some("23000"), true), (Some("x"), false)] {
        let store = store();
        if let Some(pages) = before {
            store.set(&ours("pages"), pages);
        }
        let machine = Fake::new(&store);
        let server = good_server(&store);
        let begin = Instant::now();
        let _xen = open(&store, &machine, &Options::default()).unwrap();
        assert_eq!(begin.elapsed() >= PATIENCE, waits, "{before:?}");
        server.join().unwrap();
        assert!(machine.given().frees_at_once);
    }
}

/// A domain may not ask Xen how large its grant table is; the server may.
#[test]
fn the_server_may_say_how_large_the_grant_table_is() {
    for (entries, pages) in
        [("4096", Some(1022)), ("262144", Some(2048)), ("300", None), ("-1", None), ("", None)]
    {
        let store = store();
        store.set(&theirs("grant-entries"), entries);
        let machine = Fake::new(&store);
        let version = APERTURE_VERSION.to_string();
        let offer = [("version", version.as_str()), OFFER[1], OFFER[2], OFFER[3]];
        let server = serve(&store, &[("1", &offer)]);
        let connects = pages.map(|_| serve_connect(&store));
        let opened = open(&store, &machine, &Options::default());
        server.join().unwrap();
        if let Some(connects) = connects {
            connects.join().unwrap();
        }
        assert_eq!(opened.ok().map(|xen| pages_of(xen.memory())), pages, "{entries}");
    }
}

#[test]
fn another_program_has_the_device() {
    let store = store();
    let machine = Fake::new(&store);
    machine.given().is_locked = true;
    let before = store.history();
    let error = Xen::open_on(&machine, store.connect(5), &Options::default()).unwrap_err();
    assert!(matches!(error, Error::DeviceTaken { .. }), "{error}");
    assert_eq!(store.history(), before, "nothing of its is touched");
}

#[test]
fn a_domain_without_a_device_is_told_so() {
    let store = FakeStore::new();
    let error = Xen::open_on(&Fake::new(&store), store.connect(5), &Options::default()).unwrap_err();
    assert!(error.to_string().contains("[[vm]]"), "{error}");
    assert_eq!(store.history(), [""; 0]);
}

/// Nobody there, or somebody who never comes to the point: it ends in time, and gives everything back.
#[test]
fn a_server_that_does_not_answer_is_an_error() {
    let store = store();
    let machine = Fake::new(&store);
    let begin = Instant::now();
    let error = open(&store, &machine, &Options::default()).unwrap_err().to_string();
    assert!(begin.elapsed() >= PATIENCE);
    assert!(error.contains("no Blink server answered") && error.contains("domain 3"), "{error}");
    assert_eq!(written(&store), ["/state=1", "/state=5", "/state=6"]);

    // One that died with a client.
    store.set(&theirs("state"), "4");
    machine.given().is_locked = false;
    let error = open(&store, &machine, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("in state 4"), "{error}");

    // One that dies when it has the pages' numbers.
    machine.given().is_locked = false;
    let version = APERTURE_VERSION.to_string();
    let server = serve(&store, &[("1", &[("version", &version), OFFER[1], OFFER[2], OFFER[3]])]);
    let error = open(&store, &machine, &Options::default()).unwrap_err().to_string();
    server.join().unwrap();
    assert!(error.contains("in state 2"), "{error}");
    assert_eq!(machine.given().pages, 0);
}

#[test]
fn a_server_that_changes_its_mind_all_the_time_is_given_up() {
    let store = store();
    let machine = Fake::new(&store);
    let stop = Arc::new(core::sync::atomic::AtomicBool::new(false));
    let restless = {
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        std::thread::spawn(move || {
            for state in ["1", "3", "4", "\u{1b}[2J", "7"].into_iter().cycle() {
                if stop.load(core::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                store.set(&theirs("state"), state);
            }
        })
    };
    let begin = Instant::now();
    let error = open(&store, &machine, &Options::default()).unwrap_err().to_string();
    stop.store(true, core::sync::atomic::Ordering::Relaxed);
    restless.join().unwrap();
    assert!(begin.elapsed() < PATIENCE * 10, "{:?}", begin.elapsed());
    assert!(error.contains("no Blink server") && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn a_refusal_is_told_in_the_servers_words() {
    for (words, shown) in [
        ("the machine's grants are bad", "the machine's grants are bad"),
        ("\u{1b}]0;x\u{7}\nno", "\\u{1b}]0;x\\u{7}\\nno"),
        ("", "its log says why"),
    ] {
        let store = store();
        let machine = Fake::new(&store);
        let version = APERTURE_VERSION.to_string();
        let offer = [("version", version.as_str()), OFFER[1], OFFER[2], OFFER[3]];
        let server =
            serve(&store, &[("1", &offer), ("3", &[("error", words), ("state", "5"), ("state", "6")])]);
        let error = open(&store, &machine, &Options::default()).unwrap_err();
        server.join().unwrap();
        let Error::Refused(reason) = error else { panic!("{error}") };
        assert_eq!(reason.replace("\\'", "'"), shown);
        assert_eq!(written(&store).last().unwrap(), "/state=6");
        assert_eq!(machine.given().pages, 0);
    }
    let long = "x".repeat(4000);
    let store = store();
    let version = APERTURE_VERSION.to_string();
    let offer = [("version", version.as_str()), OFFER[1], OFFER[2], OFFER[3]];
    let server = serve(&store, &[("1", &offer), ("3", &[("error", &long), ("state", "5")])]);
    let error = open(&store, &Fake::new(&store), &Options::default()).unwrap_err().to_string();
    server.join().unwrap();
    assert!(error.len() < 500);
}

/// What the server said to the program before this one is not meant for this one.
#[test]
fn an_old_refusal_is_none() {
    let store = store();
    let machine = Fake::new(&store);
    store.set(&theirs("error"), "old");
    store.set(&theirs("state"), "6");
    let server = good_server(&store);
    assert!(open(&store, &machine, &Options::default()).is_ok());
    server.join().unwrap();

    // Unless it stays so.
    store.set(&theirs("state"), "6");
    machine.given().is_locked = false;
    let error = open(&store, &machine, &Options::default()).unwrap_err();
    assert!(matches!(&error, Error::Refused(reason) if reason == "old"), "{error}");
}

/// Whatever stands in the server's nodes: an error that names the node, and nothing is kept.
#[test]
fn an_offer_that_makes_no_sense_is_an_error() {
    let huge = "9".repeat(4000);
    let version = APERTURE_VERSION.to_string();
    for (name, value) in [
        ("version", ""),
        ("version", "x"),
        ("version", "+65536"),
        ("version", "4294967296"),
        ("memory-max", "-1"),
        ("memory-max", "0x100000"),
        ("memory-max", "1 "),
        ("memory-max", &huge),
        ("memory-max", "\u{1b}[0m"),
        ("client", "4294967296"),
        ("client", "1.5"),
    ] {
        let store = store();
        let machine = Fake::new(&store);
        let mut offer = offer_with(name, value);
        if name != "version" {
            offer[0].1.clone_from(&version);
        }
        let offer: Vec<(&str, &str)> =
            offer.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let server = serve(&store, &[("1", &offer)]);
        let error = open(&store, &machine, &Options::default()).unwrap_err();
        server.join().unwrap();
        let Error::Xen(XenError::Node { path, .. }) = &error else { panic!("{name}={value}: {error}") };
        assert_eq!(*path, theirs(name));
        let text = error.to_string();
        assert!(text.len() < 600 && !text.contains('\u{1b}'), "{text}");
        assert_eq!(written(&store), ["/state=1", "/state=5", "/state=6"]);
        assert_eq!(machine.given().pages, 0);
    }
    for (name, value, says) in [
        ("version", (APERTURE_VERSION + (1 << 16)).to_string(), "this client knows"),
        ("memory-max", "4095".into(), "policy"),
        ("memory-max", "0".into(), "policy"),
    ] {
        let store = store();
        let mut offer = offer_with(name, &value);
        if name != "version" {
            offer[0].1.clone_from(&version);
        }
        let offer: Vec<(&str, &str)> =
            offer.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let server = serve(&store, &[("1", &offer)]);
        let error = open(&store, &Fake::new(&store), &Options::default()).unwrap_err().to_string();
        server.join().unwrap();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_device_that_makes_no_sense_is_an_error() {
    for (name, value) in [
        ("backend", "relative"),
        ("backend", ""),
        ("backend-id", "70000"),
        ("backend-id", "-1"),
        ("backend-id", ""),
    ] {
        let store = store();
        store.set(&ours(name), value);
        let error = Xen::open_on(&Fake::new(&store), store.connect(5), &Options::default()).unwrap_err();
        assert!(matches!(error, Error::Xen(XenError::Node { .. })), "{name}={value}: {error}");
    }
    let store = store();
    store.unset(&ours("backend-id"));
    let error =
        Xen::open_on(&Fake::new(&store), store.connect(5), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("backend-id is not there"), "{error}");
}

#[test]
fn pages_that_others_have_are_waited_for_or_done_without() {
    // The program before this one goes after a while.
    let store = store();
    let machine = Fake::new(&store);
    machine.given().limit = Some(2051);
    machine.given().pages = 2;
    let server = good_server(&store);
    let late = {
        let machine = machine.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            machine.given().pages -= 2;
        })
    };
    let xen = open(&store, &machine, &Options::default()).unwrap();
    late.join().unwrap();
    server.join().unwrap();
    assert_eq!(xen.memory().size(), 8 << 20);
    drop(xen);

    // It does not: half of it is better than nothing, except for who has a wish.
    machine.given().pages = 500;
    for (wish, pages) in [(None, Some(1024)), (Some(8 << 20), None)] {
        machine.given().is_locked = false;
        store.set(&theirs("state"), "2");
        let connects = serve_connect(&store);
        let opened = open(&store, &machine, &Options { name: String::new(), bytes: wish });
        match (opened, pages) {
            (Ok(xen), Some(pages)) => {
                assert_eq!(pages_of(xen.memory()), pages);
                assert!(xen.describe().contains("other programs"), "{}", xen.describe());
                connects.join().unwrap();
            }
            (Err(error), None) => assert!(error.to_string().contains("parameters/limit"), "{error}"),
            (opened, _) => panic!("{opened:?}"),
        }
    }
    assert_eq!(machine.given().pages, 500, "what could not be completed was given back");
}

/// Connects whoever comes to state 3.
fn serve_connect(store: &FakeStore) -> JoinHandle<()> {
    let store = store.clone();
    std::thread::spawn(move || {
        let end = Instant::now() + Duration::from_secs(3);
        while store.get(&ours("state")).as_deref() != Some("3") && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        store.set(&theirs("state"), "4");
    })
}

/// What a third party reads is what this program does.
#[test]
fn the_protocols_page_has_these_nodes_and_states() {
    let page = include_str!("../../../../docs/PROTOCOL.md");
    let rows = |head: &str| -> Vec<Vec<&str>> {
        let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
        page.lines()
            .skip_while(|line| *line != head)
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(cells)
            .collect()
    };
    let states = rows("| state | number | frontend | backend |");
    assert_eq!(states.len(), 6);
    for row in states {
        let state = State::of(row[1]).unwrap();
        assert_eq!(row[0], format!("`{state:?}`"));
    }
    let nodes = rows("| node | in | written by | what |");
    let (store, _machine, _xen) = connected(&Options::default());
    let written = written(&store).join(" ");
    for name in written.split(' ').map(|write| write.split_once('=').unwrap().0.trim_start_matches('/')) {
        let row = nodes.iter().find(|row| row[0] == format!("`{name}`"));
        assert!(row.is_some_and(|row| row[1] != "backend"), "{name}");
    }
    let of_guest = nodes.iter().filter(|row| row[2] == "guest");
    assert!(of_guest.clone().count() > 3);
    for row in of_guest {
        assert!(written.contains(&format!("/{}=", row[0].trim_matches('`'))), "{row:?}");
    }
    for name in ["version", "memory-max", "client", "grant-entries", "error", "state"] {
        assert!(nodes.iter().any(|row| row[0] == format!("`{name}`") && row[1] != "frontend"), "{name}");
    }
}

/// An agent shares the domain's device as it does other machines'.
#[test]
fn an_agent_shares_the_device() {
    let (store, machine, xen) = connected(&Options::default());
    let path = std::env::temp_dir().join(format!("blink-xen-agent-{}", std::process::id()));
    let memory = xen.memory().clone();
    let mut agent = Agent::new(xen, &path, Mode::RWXU).unwrap();
    let connecting = {
        let path = path.clone();
        std::thread::spawn(move || {
            Connection::open_at(&path, &Options { name: "app".into(), bytes: Some(1 << 20) })
        })
    };
    while !connecting.is_finished() {
        agent.step(Some(Duration::from_millis(1))).unwrap();
    }
    let mut connection = connecting.join().unwrap().unwrap();
    let _context = connection.context().unwrap();
    let generation = ShmOffset(aperture::DIRECTORY + aperture::ENTRY_GENERATION);
    assert_ne!(
        memory.load(generation).unwrap(),
        0,
        "the application writes to the pages that the server has"
    );
    // The server has put an event for it.
    let first = memory.load(ShmOffset(aperture::DIRECTORY + aperture::ENTRY_FIRST_PAGE)).unwrap() as usize;
    memory.store(ShmOffset(first * PAGE_SIZE + blinkgl::layout::context::EVENTS_PUT), 1).unwrap();
    machine.notify(1);
    agent.step(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(connection.wait(Some(Duration::from_secs(5))).unwrap(), Wake::Events);
    // Without a server, an agent is of no use.
    store.set(&theirs("state"), "6");
    let end = Instant::now() + Duration::from_secs(5);
    let error = loop {
        match agent.step(Some(Duration::from_millis(10))) {
            Ok(()) => assert!(Instant::now() < end, "the agent does not notice"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Xen(XenError::ServerGone)), "{error}");
    drop(agent);
    assert_eq!(connection.wait(Some(Duration::from_secs(5))).unwrap(), Wake::ServerGone);
}
