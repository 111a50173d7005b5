//! Virtual machines as the server sees them, with a QEMU that has no machine in it.
#![allow(missing_docs, reason = "a test")]

#[path = "support/process.rs"]
mod process;
#[path = "support/qemu.rs"]
mod qemu;

use blink_client::{Connection, Event, Transport, Wake, What};
use blinkgl::layout::{aperture, context, slot, slot_offset};
use blinkgl::limits::PAGE_SIZE;
use blinkgl::shm::ShmOffset;
use ipc::limits::MAX_CLIENTS;
use process::{PATIENCE, Server, descriptors, is_red, red_window, rest, send_signal, until};
use qemu::Device;
use rustix::fs::fcntl_get_seals;
use rustix::process::Signal;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

fn add(server: &Server, name: &str) -> PathBuf {
    let vm = server.blinkctl(&["vm", "add", name, "--memory", "1M"]).unwrap();
    vm["socket"].as_str().unwrap().into()
}

fn vm(server: &Server, name: &str) -> Value {
    let list = server.blinkctl(&["vm", "list"]).unwrap();
    list.as_array().unwrap().iter().find(|vm| vm["name"] == name).cloned().unwrap_or_default()
}

fn windows(server: &Server) -> usize {
    let list = server.blinkctl(&["list"]).unwrap();
    list.as_array().unwrap().iter().map(|client| client["windows"].as_array().unwrap().len()).sum()
}

#[test]
fn a_vm_draws_through_qemus_device() {
    let server = Server::start();
    let vm_1 = server.blinkctl(&["vm", "add", "work", "--memory", "2M", "--color", "#102030"]).unwrap();
    assert_eq!(
        (&vm_1["name"], &vm_1["memory_bytes"], &vm_1["color"], &vm_1["state"], &vm_1["pid"]),
        (&"work".into(), &(2 << 20).into(), &"#102030".into(), &"waiting".into(), &Value::Null)
    );
    assert_eq!(server.blinkctl(&["vm", "list"]).unwrap(), Value::Array(vec![vm_1.clone()]));
    assert_eq!(server.blinkctl(&["list"]).unwrap(), Value::Array(vec![]));

    let device = Device::connect(vm_1["socket"].as_str().unwrap().as_ref());
    assert_eq!(device.memory.size(), 2 << 20);
    let seals = fcntl_get_seals(&device.memory_fd).unwrap();
    assert!(seals.contains(rustix::fs::SealFlags::SHRINK | rustix::fs::SealFlags::GROW));
    let (device, mut connection) = device.boot();
    assert_eq!(vm_1["client"], connection.client());
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    until("the window", || server.window(&id));
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    let client = server.blinkctl(&["list"]).unwrap()[0].clone();
    assert_eq!((&client["name"], &client["pid"]), (&"work".into(), &std::process::id().into()));
    assert_eq!(vm(&server, "work")["state"], "connected");

    // The server wakes the guest by its interrupt vector.
    while connection.wait(Some(Duration::ZERO)).unwrap() == Wake::Events {}
    while context.next_event().is_some() {}
    server.blinkctl(&["close", &id]).unwrap();
    assert_eq!(connection.wait(Some(PATIENCE)).unwrap(), Wake::Events);
    assert!(std::iter::from_fn(|| context.next_event()).any(|event| event.what == What::Close));

    // What QEMU says is not listened to, and does not disturb.
    assert!(rustix::io::write(&device.socket, &[0; 8]).is_err());
    assert_eq!(windows(&server), 1);
}

/// A machine that starts again finds memory that nobody has seen, under the same client number.
#[test]
fn a_vm_that_ends_loses_its_windows_and_may_come_again() {
    let server = Server::start();
    let socket = add(&server, "work");
    let (broker, glass) = (server.broker(), server.glass());
    let count = || {
        server.blinkctl(&["list"]).unwrap();
        [descriptors(broker), descriptors(glass)]
    };
    let before = until("rest", || {
        let [first, second] = [count(), count()];
        (first == second).then_some(first)
    });
    for round in 0..3 {
        let (device, mut connection) = Device::connect(&socket).boot();
        assert_eq!(device.memory.load(ShmOffset(4096)), Ok(0));
        device.memory.store(ShmOffset(4096 * 100), 7).unwrap();
        let mut context = connection.context().unwrap();
        red_window(&mut context);
        until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
        assert_eq!(vm(&server, "work")["client"], connection.client());
        if round == 1 {
            // A second QEMU of the same name is sent away, and does not disturb the first.
            let second = qemu::connect(&socket).unwrap();
            assert!(qemu::next_message(&second).is_none());
            assert!(is_red(&server, [20, 40, 100, 80]));
        }
        // The end of QEMU, whatever else is alive of it.
        rustix::net::shutdown(&device.socket, rustix::net::Shutdown::Both).unwrap();
        drop((device, connection, context));
        until("the windows' end", || (windows(&server) == 0).then_some(()));
        assert!(!is_red(&server, [20, 40, 100, 80]));
        until("all descriptors closed", || (count() == before).then_some(()));
        assert_eq!(vm(&server, "work")["state"], "waiting");
    }
}

/// QEMU is killed and started again before the server has heard of its end.
#[test]
fn a_restart_is_faster_than_its_news() {
    let server = Server::start();
    let socket = add(&server, "work");
    let broker = server.broker();
    send_signal(broker, Signal::STOP);
    let first = qemu::connect(&socket).unwrap();
    drop(first);
    let second = std::thread::spawn(move || Device::connect(&socket));
    send_signal(broker, Signal::CONT);
    let (_device, mut connection) = second.join().unwrap().boot();
    let mut context = connection.context().unwrap();
    red_window(&mut context);
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
}

#[test]
fn a_suspended_vm_shows_nothing_and_comes_back_as_it_was() {
    let server = Server::start();
    let (_device, mut connection) = Device::connect(&add(&server, "work")).boot();
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    server.blinkctl(&["move", &id, "150", "100"]).unwrap();
    until("the move", || is_red(&server, [150, 100, 100, 80]).then_some(()));
    for _ in 0..2 {
        server.blinkctl(&["vm", "suspend", "work"]).unwrap();
    }
    assert_eq!(vm(&server, "work")["state"], "suspended");
    assert_eq!(server.blinkctl(&["list"]).unwrap(), Value::Array(vec![]));
    assert!(!is_red(&server, [150, 100, 100, 80]));
    // Its renderer is gone, and the next glass does not know it either.
    let old = server.glass();
    send_signal(old, Signal::KILL);
    until("the next glass", || {
        let stats = server.blinkctl(&["stats"]).ok()?;
        stats["glass_pid"].as_u64().filter(|&pid| pid != u64::from(old))
    });
    assert_eq!(server.blinkctl(&["stats"]).unwrap()["renderers"], Value::Array(vec![]));
    assert_eq!(server.blinkctl(&["list"]).unwrap(), Value::Array(vec![]));
    server.blinkctl(&["vm", "resume", "work"]).unwrap();
    until("the window", || server.window(&id));
    until("the picture", || is_red(&server, [150, 100, 100, 80]).then_some(()));
    assert_eq!(vm(&server, "work")["state"], "connected");
}

#[test]
fn a_renderer_that_is_killed_finds_a_vm_again() {
    let server = Server::start();
    let (_device, mut connection) = Device::connect(&add(&server, "work")).boot();
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    let old = server.renderer();
    send_signal(old, Signal::KILL);
    server.next_renderer(old);
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    while connection.wait(Some(Duration::ZERO)).unwrap() == Wake::Events {}
    while context.next_event().is_some() {}
    server.blinkctl(&["close", &id]).unwrap();
    assert_eq!(connection.wait(Some(PATIENCE)).unwrap(), Wake::Events);
}

/// The serial port: for guests without interrupts.
#[test]
fn a_port_wakes_too_and_takes_nothing() {
    let server = Server::start();
    let (_device, mut connection) = Device::connect(&add(&server, "work")).boot();
    let path = PathBuf::from(vm(&server, "work")["wake_socket"].as_str().unwrap());
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    until("the window", || server.window(&id));
    for _ in 0..2 {
        let port = qemu::connect(&path).unwrap();
        until("the port", || {
            server.blinkctl(&["close", &id]).unwrap();
            let received = rustix::net::recv(&port, &mut [0_u8; 64][..], rustix::net::RecvFlags::DONTWAIT);
            received.is_ok_and(|(_, count)| count > 0).then_some(())
        });
        assert!(rustix::net::send(&port, &[0; 64], rustix::net::SendFlags::NOSIGNAL).is_err());
        let second = qemu::connect(&path).unwrap();
        assert_eq!(rustix::io::read(&second, &mut [0_u8; 8]), Ok(0), "one at a time");
    }
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
}

#[test]
fn a_vm_that_is_removed_leaves_nothing() {
    let server = Server::start();
    let socket = add(&server, "work");
    let port = PathBuf::from(vm(&server, "work")["wake_socket"].as_str().unwrap());
    let (device, mut connection) = Device::connect(&socket).boot();
    let _port = qemu::connect(&port).unwrap();
    let mut context = connection.context().unwrap();
    red_window(&mut context);
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    server.blinkctl(&["vm", "remove", "work"]).unwrap();
    assert_eq!(rustix::io::read(&device.socket, &mut [0_u8; 8]), Ok(0), "the server hangs up");
    until("the windows' end", || (windows(&server) == 0).then_some(()));
    assert!(!socket.exists() && !port.exists());
    for action in ["remove", "suspend", "resume"] {
        let error = server.blinkctl(&["vm", action, "work"]).unwrap_err();
        assert!(error.contains("there is no VM work"), "{error}");
    }
    add(&server, "work");
    assert!(server.blinkctl(&["vm", "add", "work"]).unwrap_err().contains("a VM work already"));
}

/// Each VM keeps its place, so that a crowd of processes can't take it.
#[test]
fn vms_and_processes_share_the_limit() {
    let server = Server::start();
    let socket = add(&server, "first");
    // One process has only so many places.
    let others: Vec<_> = (0..8).map(|_| server.connect("many").unwrap()).collect();
    for i in 1..MAX_CLIENTS - others.len() {
        add(&server, &format!("vm{i}"));
    }
    assert!(server.connect("too many").is_err());
    assert!(server.blinkctl(&["vm", "add", "second"]).unwrap_err().contains("are the limit"));
    let (_device, connection) = Device::connect(&socket).boot();
    assert_eq!(vm(&server, "first")["client"], connection.client());
    drop(others);
}

/// A good client, and what must be so after each attack.
struct Scene {
    server: Server,
    _connection: blink_client::Connection,
    _context: blink_client::Context,
    renderer: u32,
    hostile: PathBuf,
}

impl Scene {
    fn new() -> Scene {
        let server = Server::start();
        let hostile = add(&server, "hostile");
        let mut connection = server.connect("good").unwrap();
        let mut context = connection.context().unwrap();
        red_window(&mut context);
        until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
        let renderer = server.renderer();
        Scene { server, _connection: connection, _context: context, renderer, hostile }
    }

    fn check(&self) {
        until("the picture", || is_red(&self.server, [20, 40, 100, 80]).then_some(()));
        assert_eq!(self.server.renderer(), self.renderer, "the renderer was restarted");
    }
}

/// A guest that writes anything anywhere: the header and the directory are of no use to the server, and what the
/// rest says is checked as of any client.
#[test]
fn a_guest_that_writes_garbage_harms_itself() {
    let scene = Scene::new();
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..20 {
        let device = Device::connect(&scene.hostile);
        let words = device.memory.size() / 4;
        match round % 4 {
            // The header only: another magic, version and size.
            0 => (0..64).for_each(|word| device.memory.store(ShmOffset(word * 4), random.u32(..)).unwrap()),
            // All of the memory.
            1 => {
                (0..words).for_each(|word| device.memory.store(ShmOffset(word * 4), random.u32(..)).unwrap())
            }
            // Garbage behind a directory entry that is good, again while it is being looked at.
            _ => {
                for (word, value) in [1, 1, 255, 0].into_iter().enumerate() {
                    device.memory.store(ShmOffset(0x100 + word * 4), value).unwrap();
                }
                for _ in 0..50_000 {
                    let word = random.usize(1024..words);
                    device.memory.store(ShmOffset(word * 4), random.u32(..) >> random.u32(0..32)).unwrap();
                    if word.is_multiple_of(100) {
                        device.ring();
                    }
                }
                // An even commit, so that it is taken.
                device.memory.store(ShmOffset(4096), 2 * round).unwrap();
            }
        }
        device.ring();
        until("a look at it", || {
            let list = scene.server.blinkctl(&["list"]).unwrap();
            list.as_array().unwrap().iter().any(|c| c["name"] == "hostile").then_some(())
        });
        drop(device);
        until("its end", || (vm(&scene.server, "hostile")["state"] == "waiting").then_some(()));
    }
    scene.check();
}

/// It rings without end, and takes no wake-ups: its interrupt's count is full, and a write to it would wait.
#[test]
fn a_guest_that_rings_and_never_wakes_holds_nobody_up() {
    let scene = Scene::new();
    let (device, mut connection) = Device::connect(&scene.hostile).boot();
    let mut context = connection.context().unwrap();
    let window = red_window(&mut context);
    let id = format!("{}.0.{window}", connection.client());
    until("the window", || scene.server.window(&id));
    // Fills the count; the server may add to it at the same time.
    while rustix::io::write(&device.wake, &(u64::MAX - 1).to_ne_bytes()).is_err() {
        let _taken = rustix::io::read(&device.wake, &mut [0; 8]);
    }
    let flags = rustix::fs::fcntl_getfl(&device.wake).unwrap();
    rustix::fs::fcntl_setfl(&device.wake, flags - rustix::fs::OFlags::NONBLOCK).unwrap();
    let frames = || scene.server.blinkctl(&["stats"]).unwrap()["frames"].as_u64().unwrap();
    let wakeups = || scene.server.blinkctl(&["stats"]).unwrap()["wakeups"].as_u64().unwrap();
    let before = (frames(), wakeups());
    for round in 0..20 {
        for _ in 0..10_000 {
            device.ring();
        }
        // Each makes an event, for which it is to be woken.
        scene.server.blinkctl(&["close", &id]).unwrap();
        scene.server.blinkctl(&["move", &id, &(150 + round).to_string(), "100"]).unwrap();
    }
    let after = (frames(), wakeups());
    // Commands wake it too, and a frame that rests may be due for each.
    let expected = 3 * (after.0 - before.0) + 3 * 44;
    assert!(after.1 - before.1 <= expected, "{} wake-ups, {} frames", after.1 - before.1, after.0 - before.0);
    scene.check();
    assert_eq!(scene.server.window(&id).unwrap()["x"], 169);
}

/// It publishes, and is gone in the middle of the next commit.
#[test]
fn a_machine_that_is_destroyed_while_it_publishes_is_gone() {
    let scene = Scene::new();
    for commit in [1, u32::MAX] {
        let (device, mut connection) = Device::connect(&scene.hostile).boot();
        let mut context = connection.context().unwrap();
        red_window(&mut context);
        until("two windows", || (windows(&scene.server) == 2).then_some(()));
        device.memory.store(ShmOffset(4096), commit).unwrap();
        device.ring();
        rustix::net::shutdown(&device.socket, rustix::net::Shutdown::Both).unwrap();
        until("one window", || (windows(&scene.server) == 1).then_some(()));
    }
    scene.check();
}

/// It is reset in the middle of a commit: its memory stays, and what boots next makes its windows anew in it.
#[test]
fn a_machine_that_is_reset_while_it_publishes_comes_back() {
    let scene = Scene::new();
    let (device, mut connection) = Device::connect(&scene.hostile).boot();
    for round in 0..3 {
        let mut context = connection.context().unwrap();
        red_window(&mut context);
        until("two windows", || (windows(&scene.server) == 2).then_some(()));
        let client = format!("{}.0.", connection.client());
        assert!(scene.server.window(&format!("{client}2")).is_some(), "round {round}");
        // An odd commit, slots of which one is odd, and a generation that nobody takes back: no code of the guest
        // runs any more.
        let commit = device.memory.load(ShmOffset(4096)).unwrap();
        device.memory.store(ShmOffset(4096), commit + 1).unwrap();
        let slot = ShmOffset(4096 + slot_offset(0));
        device.memory.store(slot, device.memory.load(slot).unwrap() + 1).unwrap();
        device.ring();
        std::mem::forget(context);
        drop(connection);
        assert_ne!(device.memory.load(ShmOffset(aperture::DIRECTORY)), Ok(0));
        connection = Connection::over(Arc::clone(&device) as Arc<dyn Transport>).unwrap();
        device.ring();
        until("one window", || (windows(&scene.server) == 1).then_some(()));
    }
    scene.check();
}

/// A directory and slots that name what the memory does not have.
#[test]
fn what_is_outside_of_the_memory_is_told_and_not_shown() {
    let scene = Scene::new();
    let (device, mut connection) = Device::connect(&scene.hostile).boot();
    let mut context = connection.context().unwrap();
    red_window(&mut context);
    until("two windows", || (windows(&scene.server) == 2).then_some(()));
    let pages = u32::try_from(device.memory.size() / PAGE_SIZE).unwrap();
    let errors = || {
        let list = scene.server.blinkctl(&["list"]).unwrap();
        let client = list.as_array().unwrap().iter().find(|c| c["name"] == "hostile").unwrap().clone();
        client["errors"].to_string()
    };
    let entry = |word: usize| ShmOffset(aperture::DIRECTORY + word);
    let [first, count] = [aperture::ENTRY_FIRST_PAGE, aperture::ENTRY_PAGES].map(entry);
    // The header, the last page, behind it, and numbers that overflow; arrays that are cut off by the context's end
    // and by the memory's.
    for (generation, (from, length)) in (100..).zip([
        (0, pages),
        (pages - 1, 20),
        (pages, 20),
        (u32::MAX, 20),
        (1, u32::MAX),
        (1, 19),
        (pages - 19, 20),
    ]) {
        device.memory.store(first, from).unwrap();
        device.memory.store(count, length).unwrap();
        device.memory.store(entry(0), generation).unwrap();
        device.ring();
        until("its window's end", || (windows(&scene.server) == 1).then_some(()));
        let told = errors();
        assert!(told.contains("must lie within"), "{from}, {length}: {told}");
        // As it was.
        device.memory.store(first, 1).unwrap();
        device.memory.store(count, pages - 1).unwrap();
        device.memory.store(entry(0), generation + 1000).unwrap();
        device.ring();
        until("two windows", || (windows(&scene.server) == 2).then_some(()));
    }
    // An object's pages: the fixed ones, behind the end, and more than there are.
    for (from, length) in
        [(0, 1), (18, 1), (pages - 1, 1), (u32::MAX, 1), (19, u32::MAX), (u32::MAX, u32::MAX)]
    {
        let slot = |word: usize| ShmOffset(PAGE_SIZE + slot_offset(0) + word * 4);
        let before =
            [slot::EXTENT_LIST, slot::EXTENT_LIST + 1].map(|word| device.memory.load(slot(word)).unwrap());
        let change = |extent: [u32; 2]| {
            let [commit, version] =
                [ShmOffset(PAGE_SIZE), slot(slot::VERSION)].map(|at| (at, device.memory.load(at).unwrap()));
            for step in [1, 2] {
                device.memory.store(commit.0, commit.1 + step).unwrap();
                device.memory.store(version.0, version.1 + step).unwrap();
                device.memory.store(slot(slot::EXTENT_LIST), extent[0]).unwrap();
                device.memory.store(slot(slot::EXTENT_LIST + 1), extent[1]).unwrap();
            }
            device.ring();
            let scanned = ShmOffset(PAGE_SIZE + context::SCANNED);
            until("a scan", || (device.memory.load(scanned).unwrap() == commit.1 + 2).then_some(()));
        };
        let mut refusals = || {
            let events = std::iter::from_fn(|| context.next_event());
            let refused = |event: &Event| matches!(&event.what, What::ObjectRejected(why) if why.to_string().contains("an extent is empty or outside"));
            events.filter(refused).count()
        };
        change([from, length]);
        assert_eq!(refusals(), 1, "{from}, {length}");
        change(before);
        assert_eq!(refusals(), 0, "{from}, {length}");
        assert_eq!(windows(&scene.server), 2, "the last good one is shown");
    }
    scene.check();
}

/// The next broker finds what the last one had: clients and VMs notice nothing.
#[test]
fn a_broker_that_is_killed_is_no_more_than_a_late_frame() {
    let policy = std::env::temp_dir().join(format!("blink-policy-{}.toml", std::process::id()));
    std::fs::write(&policy, "[[vm]]\nname = \"first\"\nmemory = \"1M\"\n").unwrap();
    let server = Server::start_with(&["--policy", policy.to_str().unwrap()]);
    // What the file says later is for a server that is started anew.
    std::fs::write(&policy, "nonsense").unwrap();
    let first = PathBuf::from(vm(&server, "first")["socket"].as_str().unwrap());
    let (device, mut guest) = Device::connect(&first).boot();
    let port = qemu::connect(vm(&server, "first")["wake_socket"].as_str().unwrap().as_ref()).unwrap();
    let second = add(&server, "second");
    add(&server, "third");
    let (other, _) = Device::connect(&second).boot();
    server.blinkctl(&["vm", "suspend", "second"]).unwrap();
    let mut local = server.connect("local").unwrap();
    let mut contexts = [guest.context().unwrap(), local.context().unwrap()];
    let windows = contexts.each_mut().map(red_window);
    let ids =
        [format!("{}.0.{}", guest.client(), windows[0]), format!("{}.0.{}", local.client(), windows[1])];
    for (id, x) in ids.iter().zip(["20", "150"]) {
        until("a window", || server.window(id));
        server.blinkctl(&["move", id, x, "40"]).unwrap();
    }
    let picture = || {
        until("the picture", || {
            (is_red(&server, [20, 40, 100, 80]) && is_red(&server, [150, 40, 100, 80])).then_some(())
        });
    };
    picture();
    let vms = |server: &Server| server.blinkctl(&["vm", "list"]).unwrap();
    let before = vms(&server);
    let mut counts = None;
    for round in 0..3 {
        let old = server.broker();
        send_signal(old, Signal::KILL);
        until("the next broker", || server.blinkctl(&["vm", "list"]).ok());
        picture();
        assert_ne!(server.broker(), old);
        assert_eq!(vms(&server), before);
        // Nothing is left of the old broker, and nothing lost.
        let processes = [server.broker(), server.child.id()];
        let count = processes.map(|pid| {
            rest(pid);
            descriptors(pid)
        });
        assert!(round == 0 || counts == Some(count), "{counts:?} {count:?}");
        counts = Some(count);
        // Both are woken, the machine by its port too.
        let _taken = rustix::net::recv(&port, &mut [0_u8; 64][..], rustix::net::RecvFlags::DONTWAIT);
        for (connection, (context, id)) in [&guest, &local].into_iter().zip(contexts.iter_mut().zip(&ids)) {
            while connection.wait(Some(Duration::ZERO)).unwrap() == Wake::Events {}
            while context.next_event().is_some() {}
            server.blinkctl(&["close", id]).unwrap();
            assert_eq!(connection.wait(Some(PATIENCE)).unwrap(), Wake::Events);
        }
        let received = rustix::net::recv(&port, &mut [0_u8; 64][..], rustix::net::RecvFlags::empty());
        assert!(received.is_ok_and(|(_, count)| count > 0));
    }
    // A number is never used again.
    let number = local.client();
    let newcomer = server.connect("new").unwrap();
    assert!(newcomer.client() > number);
    server.blinkctl(&["vm", "resume", "second"]).unwrap();
    assert_eq!(vm(&server, "second")["state"], "connected");

    // Who goes while no broker is there is gone in the next.
    let old = server.broker();
    send_signal(old, Signal::STOP);
    rustix::net::shutdown(&other.socket, rustix::net::Shutdown::Both).unwrap();
    drop(newcomer);
    send_signal(old, Signal::KILL);
    until("their end", || {
        let list = server.blinkctl(&["list"]).ok()?;
        (list.as_array()?.len() == 2).then_some(())
    });
    assert_eq!(vm(&server, "second")["state"], "waiting");
    let (_other, _) = Device::connect(&second).boot();
    picture();
    drop(device);
    std::fs::remove_file(policy).unwrap();
}

/// What the keeper held is closed when it is not needed any more.
#[test]
fn nothing_is_kept_of_those_who_are_gone() {
    let server = Server::start();
    let keeper = server.child.id();
    let count = || {
        server.blinkctl(&["list"]).unwrap();
        descriptors(keeper)
    };
    let before = count();
    for _ in 0..3 {
        let socket = add(&server, "work");
        let _port = qemu::connect(vm(&server, "work")["wake_socket"].as_str().unwrap().as_ref()).unwrap();
        let (_device, _connection) = Device::connect(&socket).boot();
        let local = server.connect("local").unwrap();
        until("all descriptors kept", || (count() == before + 4 + 1 + 4).then_some(()));
        server.blinkctl(&["kill", &local.client().to_string()]).unwrap();
        until("its descriptors closed", || (count() == before + 4 + 1).then_some(()));
        server.blinkctl(&["vm", "remove", "work"]).unwrap();
        until("all descriptors closed", || (count() == before).then_some(()));
    }
}
