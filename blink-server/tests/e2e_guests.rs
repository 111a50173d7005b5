//! Linux in virtual machines (emulated by QEMU): the same programs as on the server's machine draw the same pictures, and
//! machines that stop, die and start again do what they shall.
#![allow(missing_docs, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test")]

#[path = "support/machine.rs"]
mod machine;
#[path = "support/process.rs"]
mod process;
mod support;

use blink_client::WindowDesc;
use blink_server::budget::Budget;
use blink_server::ipc::Input;
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
const PLACES: [(i32, i32); 2] = [(20, 40), (340, 40)];
/// A machine without an IOMMU, and one whose guest gets interrupts.
const PLAIN: &[&str] = &["-M", "pc"];
const INTERRUPTS: &[&str] = &["-M", "q35,kernel-irqchip=split", "-device", "intel-iommu,intremap=on"];

/// Kernel and initial file system, built by the script that a user would run.
fn guest() -> &'static (PathBuf, String) {
    static GUEST: OnceLock<(PathBuf, String)> = OnceLock::new();
    GUEST.get_or_init(|| {
        let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build directory");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/vm-image");
        let output = Command::new(script).env("CARGO_TARGET_DIR", build).output().expect("the script starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end());
        (folder.join("kernel"), folder.join("initrd").to_str().unwrap().to_owned())
    })
}

/// Starts a machine whose guest runs a command.
fn start(socket: &Path, options: &[&str], command: &str, greet: impl FnOnce()) -> Machine {
    let (kernel, initrd) = guest();
    let line = format!("console=ttyS0 quiet panic=-1 intel_iommu=on -- {command}");
    let common = ["-m", "192", "-initrd", initrd, "-append", &line];
    Machine::start(kernel, socket, &[options, &common].concat(), greet)
}

/// The first line of the guest's console that starts like this.
fn line(machine: &mut Machine, start: &str) -> String {
    loop {
        let line = machine.line();
        assert!(!line.contains("ended with status"), "{line}");
        if line.starts_with(start) {
            return line;
        }
    }
}

fn gears_at((x, y): (i32, i32)) -> String {
    format!("gears --size 300x300 --at {x},{y}")
}

#[test]
fn guests_show_what_local_clients_show() {
    guest();
    let mut peers = [(); 2].map(|()| Peer::new(BYTES));
    // Both at once: each takes some seconds to start.
    let mut places = PLACES.into_iter();
    let mut machines = peers.each_mut().map(|peer| {
        let place = places.next().unwrap();
        start(&peer.socket(), PLAIN, &gears_at(place), || peer.greet())
    });
    let (mut real, mut local) = (Fixture::new(660, 360), Fixture::new(660, 360));
    for (machine, (peer, place)) in machines.iter_mut().zip(peers.iter().zip(PLACES)) {
        line(machine, "gears: ivshmem:");
        let id = real.client_with(peer.memory.clone(), Budget::default());
        while count_windows(&mut real) < id.0 as usize {
            peer.wait_for_bell();
            real.server.rang(id);
            real.frame();
        }
        let mut guest: Guest = local.guest();
        let mut desc =
            WindowDesc { x: place.0, y: place.1, width: 300, height: 300, ..WindowDesc::default() };
        desc.set_title("Gears");
        let mut commit = guest.context.commit();
        gears::picture(Angle::Time).unwrap().publish(&mut commit, desc).unwrap();
        commit.finish().unwrap();
        local.sync(&mut guest);
        // Dropped, it would take its windows along.
        std::mem::forget(guest);
    }
    // The displays were made at once, and made different numbers of frames since.
    while local.now < real.now {
        local.frame();
    }
    while real.now < local.now {
        real.frame();
    }
    let mut last = Vec::new();
    let mut ticks = [0; 2];
    for frame in 0..240_u32 {
        if frame == 40 {
            for (machine, ticks) in machines.iter_mut().zip(&mut ticks) {
                machine.qmp("stop", &json!({}));
                *ticks = machine.ticks();
            }
        }
        // The view turns by input, with nobody in the machines awake.
        let x = f64::from(frame) + 100.0;
        for display in [&mut real, &mut local] {
            let now = display.now;
            match frame {
                100 => display.server.input(Input::Motion { x, y: 100.0 }, now),
                101 => display.server.input(Input::Button { button: 0, pressed: true }, now),
                102..140 => display.server.input(Input::Motion { x, y: 100.0 }, now),
                140 => display.server.input(Input::Button { button: 0, pressed: false }, now),
                _ => {}
            }
        }
        let picture = real.picture();
        assert!(picture == local.picture(), "frame {frame}");
        assert!(picture != last, "frame {frame} is as the one before");
        last = picture;
        assert!(real.frame().is_some() && local.frame().is_some(), "both ask for the next frame");
    }
    for (machine, ticks) in machines.iter().zip(ticks) {
        assert_eq!(machine.ticks(), ticks, "QEMU works for a machine that is stopped");
    }
    real.save("guests");
}

fn count_windows(display: &mut Fixture) -> usize {
    let list = display.server.command(blink_server::ipc::Command::List, display.now).unwrap().value;
    windows(&list).len()
}

fn windows(list: &Value) -> Vec<Value> {
    list.as_array().unwrap().iter().flat_map(|c| c["windows"].as_array().unwrap()).cloned().collect()
}

fn count(server: &Server, client: &Value, what: &str) -> Option<u64> {
    let stats = server.blinkctl(&["stats"]).ok()?;
    stats["clients"].as_array()?.iter().find(|c| c["client"] == *client)?[what].as_u64()
}

/// Mappings and descriptors of guests' memory in the server's processes.
fn apertures(server: &Server) -> usize {
    let stats = server.blinkctl(&["stats"]).unwrap();
    let renderers = stats["renderers"].as_array().into_iter().flatten();
    let renderers = renderers.filter_map(|renderer| u32::try_from(renderer["pid"].as_u64()?).ok());
    [server.child.id(), server.broker(), server.glass()].into_iter().chain(renderers).map(apertures_of).sum()
}

fn apertures_of(process: u32) -> usize {
    // One that ended meanwhile has none.
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
    let mapped = maps.lines().filter(|line| line.contains("blink-aperture")).count();
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().filter(|file| {
        let link = file.as_ref().ok().and_then(|file| std::fs::read_link(file.path()).ok());
        link.is_some_and(|link| link.to_string_lossy().contains("blink-aperture"))
    });
    mapped + open.count()
}

/// Prints how long something takes. What takes how long is not tested: others may be busy.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    println!("{what}: {:.0?}", begin.elapsed());
    result
}

/// Machines of a server: clients that are woken for each frame, by an interrupt and by a serial port.
#[test]
fn machines_are_woken_stopped_killed_and_reset() {
    let server = Server::start();
    let vm = |name: &str| server.blinkctl(&["vm", "add", name, "--memory", "4M"]).unwrap();
    let [first, second] = ["first", "second"].map(vm);
    let path = |vm: &Value, which: &str| PathBuf::from(vm[which].as_str().unwrap());
    let command = "gears --mode switch --size 100x100";
    let reset = [INTERRUPTS, &["-action", "reboot=reset"]].concat();
    assert_eq!(apertures(&server), 0, "no machine, no memory");
    let mut one = start(&path(&first, "socket"), &reset, command, || ());
    until("its memory", || (apertures(&server) > 0).then_some(()));
    let of_one = apertures(&server);
    let port = format!("socket,path={},id=wake", path(&second, "wake_socket").display());
    let serial = ["-device", "virtio-serial-pci", "-chardev", &port];
    let serial = [PLAIN, &serial, &["-device", "virtserialport,chardev=wake,name=org.blink.wake"]].concat();
    let mut two = start(&path(&second, "socket"), &serial, command, || ());
    let told = line(&mut one, "gears: ivshmem:");
    assert!(told.ends_with("woken by interrupts (vfio-pci)"), "{told}");
    let told = line(&mut two, "gears: ivshmem:");
    assert!(told.contains("woken by the serial port /dev/vport"), "{told}");
    let windows = || Some(windows(&server.blinkctl(&["list"]).ok()?).len());
    let further = |vm: &Value, what: &str| {
        let now = until("a count", || count(&server, &vm["client"], what));
        until(what, || count(&server, &vm["client"], what).filter(|&later| later > now + 20));
    };
    // Each frame is by the client's leave: it is woken.
    further(&first, "updates");
    further(&second, "updates");

    // One is stopped: it asks for no more frames; the other goes on.
    one.qmp("stop", &json!({}));
    until("the end of its frames", || {
        let before = count(&server, &first["client"], "updates")?;
        further(&second, "updates");
        (count(&server, &first["client"], "updates")? == before).then_some(())
    });
    assert_eq!(windows(), Some(2), "its window stays");
    // Also in the next renderer, which finds it in the memory of a machine that does nothing; and with the next broker.
    let (renderer, broker) = (server.renderer(), server.broker());
    timed("from the renderer's death to all windows", || {
        send_signal(renderer, Signal::KILL);
        server.next_renderer(renderer);
        until("both windows", || windows().filter(|&count| count == 2));
    });
    further(&second, "updates");
    timed("from the broker's death to all windows", || {
        send_signal(broker, Signal::KILL);
        until("the next broker", || server.blinkctl(&["vm", "list"]).ok());
        until("both windows", || windows().filter(|&count| count == 2));
    });
    further(&second, "updates");
    one.qmp("cont", &json!({}));
    further(&first, "updates");

    // Killed: its window goes, and its memory; the other does not notice: it is in all frames.
    let frames = || {
        let stats = server.blinkctl(&["stats"]).ok()?;
        let clients = stats["clients"].as_array()?;
        let drawn = clients.iter().find(|c| c["client"] == first["client"])?["redraws"].as_u64()?;
        Some((stats["frames"].as_u64()?, drawn))
    };
    let before = until("counts", frames);
    timed("from a machine's death to its window's end", || {
        two.child.kill().unwrap();
        until("its window's end", || windows().filter(|&count| count == 1));
    });
    until("its memory's end", || (apertures(&server) == of_one).then_some(()));
    further(&first, "updates");
    let after = until("counts", frames);
    assert!(after.0 - before.0 >= 20);
    // In the frame that takes the window away nothing else need change.
    let missed = (after.0 - before.0).saturating_sub(after.1 - before.1);
    assert!(missed <= 2, "it is missing in {missed} of {} frames", after.0 - before.0);

    // Reset: the window stays until the guest is there again, and shows another.
    one.qmp("system_reset", &json!({}));
    line(&mut one, "gears: ivshmem:");
    further(&first, "updates");
    assert_eq!(windows(), Some(1));
    one.child.kill().unwrap();
    until("no window", || windows().filter(|&count| count == 0));
    until("no memory", || (apertures(&server) == 0).then_some(()));
}

/// Two programs of one guest by its agent, of which one is killed.
#[test]
fn programs_of_a_guest_come_and_go() {
    let server = Server::start();
    let vm = server.blinkctl(&["vm", "add", "work", "--memory", "4M"]).unwrap();
    let socket = PathBuf::from(vm["socket"].as_str().unwrap());
    // A program of the guest's that kills another when it is told to, starts it again, and ends the agent.
    let command = "gears --mode switch --size 100x100 + clock --size 100x100 \
                   + sh -c \"read x; killall -9 clock; read x; clock --size 100x100 & \
                   read x; killall blink-agent; read x\"";
    let mut machine = start(&socket, INTERRUPTS, command, || ());
    line(&mut machine, "blink-agent: ready on /run/blink-agent");
    let windows = || windows(&server.blinkctl(&["list"]).unwrap());
    let titles = || -> Vec<Value> { windows().iter().map(|window| window["title"].clone()).collect() };
    let further = || {
        let now = until("a count", || count(&server, &vm["client"], "updates"));
        until("updates", || count(&server, &vm["client"], "updates").filter(|&later| later > now + 20));
    };
    until("both windows", || (windows().len() == 2).then_some(()));
    further();
    machine.write("kill\n");
    until("one window", || (windows().len() == 1).then_some(()));
    assert_eq!(titles(), ["Gears"]);
    further();
    machine.write("start\n");
    until("both windows", || (windows().len() == 2).then_some(()));
    further();
    assert_eq!(server.blinkctl(&["list"]).unwrap().as_array().unwrap().len(), 1, "one client");
    machine.write("end\n");
    until("no window", || windows().is_empty().then_some(()));
    let state = server.blinkctl(&["vm", "list"]).unwrap()[0]["state"].clone();
    assert_eq!(state, "connected", "the machine goes on");
}
