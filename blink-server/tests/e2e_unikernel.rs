//! A client without an operating system, in a real machine (emulated by QEMU): what it publishes is what the same
//! client publishes on the local transport, and goes on when the machine does nothing more.
#![allow(missing_docs, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test")]

#[path = "support/machine.rs"]
mod machine;
#[path = "support/process.rs"]
mod process;
mod support;

use blink_client::{Commit, WindowDesc};
use blink_server::budget::Budget;
use blinkgl::layout::{self, DATA_PAGE, ObjectType, Slot, aperture, context, slot_offset};
use blinkgl::limits::{PAGE_SIZE, REGISTERS};
use blinkgl::shm::{Shm, ShmOffset};
use examples::clock::{self, Time};
use examples::gears::{self, Angle};
use machine::{Machine, Peer};
use process::{Server, send_signal, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;
use support::{Fixture, Guest};

const BYTES: usize = 4 << 20;
/// Starts in the shortest time.
const QBOOT: [&str; 6] = ["-M", "pc", "-m", "16", "-bios", "qboot.rom"];
/// Where the windows shall be: side by side.
const PLACES: [(&str, i32, i32); 2] = [("Gears", 20, 40), ("Clock", 340, 40)];
const APPEND: [&str; 2] = ["-append", "gears=20,40 clock=340,40"];

/// The program, built by the script that a user would run.
fn kernel() -> &'static Path {
    static KERNEL: OnceLock<PathBuf> = OnceLock::new();
    KERNEL.get_or_init(|| {
        let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build directory");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/unikernel");
        let output = Command::new(script).env("CARGO_TARGET_DIR", build).output().expect("the script starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
    })
}

fn start(options: &[&str]) -> (Machine, Peer) {
    let mut peer = Peer::new(BYTES);
    let machine = Machine::start(kernel(), &peer.socket(), &[options, &APPEND].concat(), || peer.greet());
    (machine, peer)
}

/// Starts the program and waits until it has published and halted.
fn boot(options: &[&str]) -> (Machine, Peer) {
    let (mut machine, peer) = start(options);
    published(&mut machine, 1);
    (machine, peer)
}

fn published(machine: &mut Machine, client: u32) {
    let wanted = format!("blink: client {client} of the display: gears and clock are published");
    assert_eq!(machine.line(), wanted);
    while !machine.is_halted() {}
}

/// The objects of the machine's context, and its memory.
fn objects(memory: &Shm) -> (Vec<Slot>, Shm) {
    let entry = aperture::DIRECTORY;
    let word = |shm: &Shm, at: usize| shm.load(ShmOffset(at)).unwrap() as usize;
    let [first, pages] =
        [aperture::ENTRY_FIRST_PAGE, aperture::ENTRY_PAGES].map(|at| word(memory, entry + at));
    assert!(pages > DATA_PAGE);
    let part = memory.part(ShmOffset(first * PAGE_SIZE), pages * PAGE_SIZE).unwrap();
    let slot = |index| {
        let mut words = [0; layout::SLOT_WORDS];
        part.copy_in(ShmOffset(slot_offset(index)), &mut words).unwrap();
        Slot::decode(&words)
    };
    ((0..word(&part, context::SLOTS)).map(slot).collect(), part)
}

/// When the machine's clock started: what its client has left in the registers, before a server takes it.
fn start_of_clock(memory: &Shm) -> f32 {
    let (slots, part) = objects(memory);
    // The gears have registers too, before it.
    let file = slots.iter().rfind(|slot| slot.type_code == ObjectType::Registers as u32).unwrap();
    let mut words = [0; REGISTERS];
    part.copy_in(ShmOffset(file.extents[0].0 as usize * PAGE_SIZE), &mut words).unwrap();
    f32::from_bits(words[clock::START as usize])
}

/// What the machine publishes, on the local transport.
fn publish(commit: &mut Commit<'_>, start: f32) {
    let pictures = [gears::picture(Angle::Time), clock::picture(Time::Now(f64::from(start)))];
    for ((title, x, y), picture) in PLACES.into_iter().zip(pictures) {
        let mut desc = WindowDesc { x, y, ..WindowDesc::default() };
        desc.set_title(title);
        picture.unwrap().publish(commit, desc).unwrap();
    }
}

fn display() -> Fixture {
    Fixture::new(660, 360)
}

/// A display with the machine, and another with a local client that shows the same.
fn displays(peer: &Peer) -> (Fixture, Fixture) {
    let (mut real, mut local) = (display(), display());
    let id = real.client_with(peer.memory.clone(), Budget::default());
    let mut guest: Guest = local.guest();
    let mut commit = guest.context.commit();
    publish(&mut commit, start_of_clock(&peer.memory));
    commit.finish().unwrap();
    local.sync(&mut guest);
    // Dropped, it would take its windows along.
    std::mem::forget(guest);
    real.server.rang(id);
    real.frame();
    (real, local)
}

fn list(display: &mut Fixture) -> Value {
    display.server.command(blink_server::ipc::Command::List, display.now).unwrap().value
}

fn windows(list: &Value) -> Vec<Value> {
    list.as_array().unwrap().iter().flat_map(|c| c["windows"].as_array().unwrap()).cloned().collect()
}

#[test]
fn a_machine_without_an_operating_system_shows_what_a_local_client_shows() {
    let (mut machine, peer) = boot(&QBOOT);
    assert_eq!(objects(&peer.memory).0.len(), 11, "two windows, their procedures and registers");
    let (mut real, mut local) = displays(&peer);
    let titles: Vec<Value> = windows(&list(&mut real)).iter().map(|window| window["title"].clone()).collect();
    assert_eq!(titles, PLACES.map(|(title, ..)| title));

    // Nobody in the machine works for it: its processor is halted, and then even stopped.
    let ticks = machine.ticks();
    let mut last = Vec::new();
    for frame in 0..240 {
        if frame == 40 {
            machine.qmp("stop", &json!({}));
        }
        let picture = real.picture();
        assert!(picture == local.picture(), "frame {frame}");
        assert!(picture != last, "frame {frame} is as the one before");
        last = picture;
        assert!(real.frame().is_some() && local.frame().is_some(), "both ask for the next frame");
    }
    // Of hundreds that a processor has in this time; QEMU has timers of its own.
    assert!(machine.ticks() - ticks <= 10, "QEMU works while its machine is halted");
    real.save("unikernel");
    assert_eq!(list(&mut real)[0]["errors"], json!([]));
}

/// Firmware that places the device's memory, and firmware that does not; little memory and much; machines of both
/// kinds.
#[test]
fn firmware_and_machines() {
    for options in [
        &["-M", "pc", "-m", "2", "-bios", "qboot.rom"][..],
        &["-M", "q35", "-m", "5G", "-bios", "qboot.rom"],
        &["-M", "pc", "-m", "5G"],
        &["-M", "q35", "-m", "32"],
    ] {
        let (_machine, peer) = boot(options);
        let (mut real, mut local) = displays(&peer);
        assert!(real.picture() == local.picture(), "{options:?}");
        assert_eq!(windows(&list(&mut real)).len(), 2);
    }
}

/// What is wrong is said.
#[test]
fn complaints() {
    let mut nothing = Peer::new(BYTES);
    nothing.memory.store(ShmOffset(aperture::MAGIC), 7).unwrap();
    let mut machine = Machine::start(kernel(), &nothing.socket(), &QBOOT, || nothing.greet());
    let line = machine.line();
    assert_eq!(line, "blink: the aperture is not usable: it starts with 0x00000007 instead of `BLNK`");

    let options = [&QBOOT[..], &["-append", "gears=5"]].concat();
    let mut peer = Peer::new(BYTES);
    let mut machine = Machine::start(kernel(), &peer.socket(), &options, || peer.greet());
    let line = machine.line();
    assert_eq!(line, "blink: the command line has `gears=5`: write gears=X,Y or clock=X,Y in pixels");
}

/// The ids are of any memory that is shared through QEMU: what is no aperture is left alone.
#[test]
fn a_second_device_of_the_same_ids() {
    let mut other = Peer::new(BYTES);
    other.memory.store(ShmOffset(aperture::MAGIC), 0).unwrap();
    let chardev = format!("socket,path={},id=other", other.socket().display());
    for firmware in [&QBOOT[..], &["-M", "pc", "-m", "16"]] {
        // Among the functions of a device that comes before.
        let device = "ivshmem-doorbell,vectors=2,chardev=other,addr=1.7";
        let options = [firmware, &["-chardev", &chardev, "-device", device]].concat();
        let mut peer = Peer::new(BYTES);
        let mut machine = Machine::start(kernel(), &peer.socket(), &options, || {
            peer.greet();
            other.greet();
        });
        published(&mut machine, 1);
        assert_eq!(objects(&peer.memory).0.len(), 11);
        for at in (aperture::CLIENT + 4..BYTES).step_by(4) {
            assert_eq!(other.memory.load(ShmOffset(at)), Ok(0));
        }
    }
}

/// A reset leaves the memory as it is; the program that then starts shows its windows instead of the old ones.
#[test]
fn a_reset_machine_comes_back() {
    let (mut machine, peer) = boot(&[&QBOOT[..], &["-action", "reboot=reset"]].concat());
    let mut display = display();
    let id = display.client_with(peer.memory.clone(), Budget::default());
    let mut before = Vec::new();
    for round in 0..3 {
        display.server.rang(id);
        assert!(display.frame().is_some());
        let list = list(&mut display);
        let ids: Vec<Value> = windows(&list).iter().map(|window| window["id"].clone()).collect();
        assert_eq!(ids.len(), 2);
        assert!(round == 0 || ids == before);
        assert_eq!(list[0]["errors"], json!([]));
        before = ids;
        machine.qmp("system_reset", &json!({}));
        published(&mut machine, 1);
    }
}

/// On a whole server: the windows outlive the renderer, and go with the machine.
#[test]
fn a_machine_on_a_server() {
    let server = Server::start();
    let vm = server.blinkctl(&["vm", "add", "bare", "--memory", "4M"]).unwrap();
    let socket = PathBuf::from(vm["socket"].as_str().unwrap());
    let windows = || windows(&server.blinkctl(&["list"]).unwrap());
    for _ in 0..2 {
        let mut machine = Machine::start(kernel(), &socket, &QBOOT, || ());
        published(&mut machine, u32::try_from(vm["client"].as_u64().unwrap()).unwrap());
        until("the windows", || (windows().len() == 2).then_some(()));
        let frames = || server.blinkctl(&["stats"]).ok()?["frames"].as_u64();
        let renderer = server.renderer();
        send_signal(renderer, Signal::KILL);
        server.next_renderer(renderer);
        until("the windows again", || (windows().len() == 2).then_some(()));
        let first = until("a frame", frames);
        until("further frames", || frames().filter(|&now| now > first + 10));
        assert!(machine.is_halted());
        machine.child.kill().unwrap();
        until("the windows' end", || windows().is_empty().then_some(()));
    }
}

/// Prints how long it takes from QEMU's start to the first picture. What takes how long is not tested: others may be
/// busy.
#[test]
fn from_launch_to_the_first_pixels() {
    kernel();
    for (name, options) in [("qboot", &QBOOT[..]), ("SeaBIOS", &["-M", "pc", "-m", "16"])] {
        let mut display = display();
        let begin = Instant::now();
        let (_machine, peer) = start(options);
        let mut times = vec![("machine built", begin.elapsed())];
        peer.wait_for_bell();
        times.push(("client started", begin.elapsed()));
        let id = display.client_with(peer.memory.clone(), Budget::default());
        loop {
            display.server.rang(id);
            // The first bell is for the context, which is empty.
            if display.frame().is_some() {
                break;
            }
            peer.wait_for_bell();
            times.push(("published", begin.elapsed()));
        }
        let picture = display.picture();
        times.push(("first pixels", begin.elapsed()));
        assert!(picture.chunks_exact(4).any(|pixel| pixel != &picture[..4]));
        println!("{name}: {times:.0?}");
    }
}
