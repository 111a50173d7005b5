//! Real Xen (in QEMU): unprivileged domains draw on a server in dom0 through grants and event channels what local clients draw, and
//! domains, programs and servers that stop, die and start again do what they shall.
#![allow(missing_docs, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test")]

#[path = "support/machine.rs"]
mod machine;
#[path = "support/process.rs"]
mod process;
mod support;
#[path = "support/xen.rs"]
mod xen;

use blink_client::WindowDesc;
use blink_server::geometry::Rect;
use blink_server::ipc::Input;
use examples::gears::{self, Angle};
use process::Server;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::Fixture;
use xen::{Picture, Xen, directories, script};

/// Whole multiples of the fixture's refresh interval, so that it can make a frame for each moment of this.
const REFRESH: u64 = 200_000_000;
const OUTPUT: &str = "--headless 660x360@5 --policy /share/policy.toml";
/// The window of the domain that is watched: place and size.
const PLACE: (i32, i32, u32, u32) = (20, 40, 160, 160);
const POLICY: &str = "[[vm]]\nname = \"work\"\nmemory = \"1M\"\ncolor = \"#2a6fdb\"\n\
                      [[vm]]\nname = \"play\"\nmemory = \"1M\"\ncolor = \"#c0392b\"\n";
const GEARS: &str = "gears --size 160x160 --at 20,40";
const SWITCH: &str = "gears --mode switch --size 160x160 --at 340,40";

/// The user turns the gears.
const TURN: [Input; 4] = [
    Input::Motion { x: 100.0, y: 100.0 },
    Input::Button { button: 0, pressed: true },
    Input::Motion { x: 160.0, y: 100.0 },
    Input::Button { button: 0, pressed: false },
];

/// Prints how long something takes. What takes how long is not tested, but where a limit is promised: others may be busy.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    println!("xen: {what}: {:.2} s", begin.elapsed().as_secs_f64());
    result
}

/// A counter of a domain goes on.
fn further(xen: &mut Xen, domain: &str, counter: &str) {
    let now = xen.until("a count", |xen| xen.count(domain, counter));
    xen.until(counter, |xen| xen.count(domain, counter).filter(|&later| later > now + 3));
}

/// The window of the domain `work` on the local transport, in this process.
struct Local {
    display: Fixture,
    window: Rect,
}

impl Local {
    fn new(input: &[Input]) -> Local {
        let mut display = Fixture::new(660, 360);
        let mut guest = display.guest();
        let (x, y, width, height) = PLACE;
        let mut desc = WindowDesc { x, y, width, height, ..WindowDesc::default() };
        desc.set_title("Gears");
        let mut commit = guest.context.commit();
        let window = gears::picture(Angle::Time).unwrap().publish(&mut commit, desc).unwrap();
        commit.finish().unwrap();
        display.sync(&mut guest);
        let window = display.content(&guest, window.number());
        // Dropped, it would take its windows along.
        std::mem::forget(guest);
        for &input in input {
            display.server.input(input, display.now);
        }
        Local { display, window }
    }

    /// What it shows at a moment of the server's clock, later than the last one.
    fn at(&mut self, presented: u64) -> Vec<u8> {
        self.display.now = presented - 2 * support::REFRESH;
        assert!(self.display.frame().is_some(), "it asks for the next frame");
        let mut content = self.display.part(self.window);
        // As `blinkctl screenshot` writes it: what a screen shows is opaque.
        content.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
        content
    }
}

/// The window of `work` shows what the local one shows after this input at the time of one of the last frames: that time.
fn equal(xen: &mut Xen, input: &[Input]) -> u64 {
    // The first pictures of a driver take seconds, and a window shows its last complete one meanwhile.
    for _ in 0..10 {
        let (from, picture, to) = (xen.clock(), xen.picture(), xen.clock());
        let content = picture.content(&xen.window("work").expect("it has a window"));
        // A frame may have taken its time; the one being made is for a moment that is to come.
        let frames = (from * 5.0) as u64 - 20..=(to * 5.0) as u64 + 3;
        let mut local = Local::new(input);
        // Gears look the same when each has turned by some of its teeth.
        let times = frames.map(|frame| frame * REFRESH);
        if let Some(time) = times.filter(|&at| local.at(at) == content).last() {
            return time;
        }
        picture.save("xen-different");
        local.display.save("xen-local");
    }
    panic!("the pictures are equal at no time: see tmp/pictures")
}

impl Picture {
    fn save(&self, name: &str) {
        support::save_png(name, self.width as u32, self.height as u32, &self.pixels);
    }
}

/// One machine for all of it: it takes half a minute to start.
#[test]
fn domains_of_xen() {
    let mut xen = Xen::boot();
    println!("xen: from launch to commands in dom0: {:.1} s", xen.launch.elapsed().as_secs_f64());
    std::fs::write(xen.shared("policy.toml"), POLICY).unwrap();
    xen.start_server(OUTPUT);
    idle(&xen);
    timed("a domain is made", || xen.start("work", GEARS));
    xen.until("the first window", |xen| xen.window("work"));
    println!("xen: from launch to first pixels: {:.1} s", xen.launch.elapsed().as_secs_f64());
    timed("from a domain's making to its first pixels", || {
        xen.start("play", SWITCH);
        xen.until("the second window", |xen| xen.window("play"));
    });

    same_pixels(&mut xen);
    // Each frame is by the client's leave: it is woken.
    further(&mut xen, "play", "updates");
    paused(&mut xen);
    servers_die(&mut xen);
    destroyed(&mut xen);
    programs_die(&mut xen);
    latency(&mut xen);
    three_transports(&mut xen);
    mapping(&xen);
}

/// Prints what mapping took, which the server has logged.
fn mapping(xen: &Xen) {
    let log = std::fs::read_to_string(xen.shared("server.log")).unwrap();
    let mut costs: Vec<u64> = log
        .lines()
        .filter_map(|line| {
            let (pages, time) = line.split_once("maps ")?.1.strip_suffix(" us")?.split_once(" pages in ")?;
            Some(time.parse::<u64>().ok()? * 256 / pages.parse::<u64>().ok()?)
        })
        .collect();
    costs.sort_unstable();
    assert!(costs.len() >= 8, "each program for each renderer: {costs:?}");
    let median = costs[costs.len() / 2];
    println!("xen: mapping 1 MiB of grants: median of {} {median} us, least {} us", costs.len(), costs[0]);
}

/// A server without clients sleeps.
fn idle(xen: &Xen) {
    let broker = xen.blinkctl("stats").unwrap()["broker_pid"].as_u64().unwrap();
    // Hundredths of a second that it has worked.
    let worked = |xen: &Xen| -> u64 {
        let text = xen.dom0(&format!("cut -d \" \" -f 14,15 /proc/{broker}/stat"));
        text.split_whitespace().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    };
    let before = worked(xen);
    std::thread::sleep(Duration::from_secs(3));
    let worked = worked(xen) - before;
    assert!(worked < 30, "the broker works for {worked} hundredths of 3 seconds");
}

/// What a domain shows is what a local client shows, also after the user has turned it.
fn same_pixels(xen: &mut Xen) {
    for _ in 0..2 {
        equal(xen, &[]);
    }
    for what in ["motion 100 100", "button 0 down", "motion 160 100", "button 0 up"] {
        xen.blinkctl(&format!("input {what}")).unwrap();
    }
    let turned = equal(xen, &TURN);
    assert!(Local::new(&[]).at(turned) != Local::new(&TURN).at(turned), "it has turned");
}

/// A domain that is paused goes on moving, and answers the mouse; one whose client is asked for each frame stands still.
fn paused(xen: &mut Xen) {
    xen.dom0("xl pause work");
    assert!(xen.state("work").unwrap().contains('p'));
    further(xen, "work", "redraws");
    let window = xen.window("work").unwrap();
    let before = xen.picture().content(&window);
    xen.until("another picture", |xen| (xen.picture().content(&window) != before).then_some(()));
    further(xen, "play", "updates");
    xen.dom0("xl pause play");
    xen.until("the end of its updates", |xen| {
        let before = xen.count("play", "updates")?;
        std::thread::sleep(Duration::from_secs(1));
        (xen.count("play", "updates")? == before).then_some(())
    });
    assert_eq!(xen.windows("play"), Some(1), "its window stays");
    // Also with another renderer, which finds all in the memory of domains that do nothing.
    kill(xen, "renderer_pid");
    further(xen, "work", "redraws");
    assert_eq!(xen.windows("play"), Some(1));
    xen.dom0("xl unpause work");
    xen.dom0("xl unpause play");
    further(xen, "play", "updates");
}

/// Kills a process of the server, and waits until both domains' windows are there again.
fn kill(xen: &mut Xen, which: &str) {
    let pid = xen.blinkctl("stats").unwrap()[which].as_u64().unwrap();
    timed(&format!("from a kill -9 of {which} to all windows"), || {
        xen.dom0(&format!("kill -9 {pid}"));
        xen.until("another process", |xen| {
            xen.blinkctl("stats").ok()?[which].as_u64().filter(|&now| now != pid)
        });
        for domain in ["work", "play"] {
            xen.until("its window", |xen| xen.window(domain));
        }
    });
}

/// Whatever dies of the server, the windows come again, and nobody in the domains does anything for it.
fn servers_die(xen: &mut Xen) {
    kill(xen, "broker_pid");
    further(xen, "play", "updates");
    xen.dom0("blinkctl --socket /run/blink quit");
    xen.until("the server's end", |xen| xen.run("pidof blink-server").is_err().then_some(()));
    // But that it is slow, as everything is in an emulated machine.
    let said = |xen: &Xen| {
        let logs = ["work", "play"].map(|domain| xen.log(domain));
        let lines = logs.iter().flat_map(|log| log.lines()).filter(|line| !line.contains("note: "));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let before = said(xen);
    timed("from a new server to all windows", || {
        xen.start_server(OUTPUT);
        for domain in ["work", "play"] {
            xen.until("its window", |xen| xen.window(domain));
        }
    });
    further(xen, "work", "redraws");
    further(xen, "play", "updates");
    assert_eq!(said(xen), before, "somebody in the domains has noticed");
    // As the user has turned it: that is in the domain's memory.
    equal(xen, &TURN);
}

/// A domain that is destroyed is gone at once, without a trace, and others are not disturbed.
fn destroyed(xen: &mut Xen) {
    let counts = |xen: &mut Xen| {
        let stats = xen.blinkctl("stats").unwrap();
        let clients = stats["clients"].as_array().unwrap();
        let play = clients.iter().find(|client| client["name"] == "play").unwrap();
        (stats["frames"].as_u64().unwrap(), play["redraws"].as_u64().unwrap())
    };
    let before = counts(xen);
    // By dom0's own clock: what its commands and this machine take is not counted.
    let text = xen.dom0(
        "xl destroy work; a=$(cut -d ' ' -f 1 /proc/uptime); \
         while blinkctl --json --socket /run/blink list | grep -q '\"work\"'; do sleep 0.05; done; \
         b=$(cut -d ' ' -f 1 /proc/uptime); \
         while xl list | grep -q -e work -e null; do sleep 0.05; done; echo $a $b $(cut -d ' ' -f 1 /proc/uptime)",
    );
    let times: Vec<f64> = text.split_whitespace().map(|time| time.parse().unwrap()).collect();
    println!("xen: from xl destroy's end to the window's: {:.2} s", times[1] - times[0]);
    println!("xen: from xl destroy's end to the domain's: {:.2} s", times[2] - times[0]);
    assert!(times[1] - times[0] < 2.0, "its window was there for {} s", times[1] - times[0]);
    further(xen, "play", "updates");
    let after = counts(xen);
    println!("xen: frames meanwhile: {}, with the other domain: {}", after.0 - before.0, after.1 - before.1);
    assert!(after.1 > before.1);
    // Nothing of it is left in XenStore, either.
    let left = xen.dom0("xenstore-ls -f | grep blink | grep -v play || true");
    let id = xen.dom0("xl domid play");
    let others: Vec<&str> = left.lines().filter(|line| !line.contains(&format!("/{}/", id.trim()))).collect();
    assert!(others.len() <= 2, "{others:#?}");
}

/// A program that is killed takes its windows along, and leaves the domain's device to the next.
fn programs_die(xen: &mut Xen) {
    timed("from a program's death to the window's end", || {
        xen.tell("play", "killall -9 gears");
        xen.until("its window's end", |xen| (xen.windows("play") == Some(0)).then_some(()));
    });
    assert!(xen.dom0("xl list").contains("play"));
    xen.tell("play", &format!("{SWITCH} &"));
    xen.until("its window", |xen| xen.window("play"));
    further(xen, "play", "updates");
    // It is told that it shall close: the event channel wakes it, it ends, and its windows go.
    let id = xen.window("play").unwrap()["id"].as_str().unwrap().to_owned();
    xen.blinkctl(&format!("close {id}")).unwrap();
    xen.until("its window's end", |xen| (xen.windows("play") == Some(0)).then_some(()));
}

/// How long a publication takes to be scanned and to be shown: from a local process and from a domain.
fn latency(xen: &mut Xen) {
    xen.dom0("blinkctl --socket /run/blink quit");
    xen.until("the server's end", |xen| xen.run("pidof blink-server").is_err().then_some(()));
    xen.start_server("--headless 320x240@50 --policy /share/policy.toml");
    let text = xen.dom0("BLINK_DISPLAY=/run/blink latency --count 50");
    text.lines().for_each(|line| println!("xen: dom0: {line}"));
    xen.tell("play", "latency --count 50");
    let text = xen.until("its figures", |xen| {
        let log = xen.log("play");
        log.contains("latency: from the commit").then_some(log)
    });
    for line in text.lines().filter(|line| line.starts_with("latency: from")) {
        println!("xen: domain: {line}");
    }
}

/// The same program, linked statically, on a local server, in a virtual machine of QEMU and in a domain of Xen.
fn three_transports(xen: &mut Xen) {
    let (_, build) = directories();
    let target = std::fs::read_dir(&build).unwrap().flatten().map(|entry| entry.path().join("debug/hello"));
    let hello = target.filter(|file| !file.starts_with(build.join("debug"))).find(|file| file.exists());
    let hello = hello.expect("scripts/xen-image has built it");
    let local = Server::start();
    let shown = |server: &Server| {
        let window = process::until("its window", || {
            let list = server.blinkctl(&["list"]).ok()?;
            let drawn = |window: &&Value| window["redraws"].as_u64() > Some(0);
            list.as_array()?.first()?["windows"].as_array()?.iter().find(drawn).cloned()
        });
        let id = window["id"].as_str().unwrap();
        server.blinkctl(&["move", id, "10", "30"]).unwrap();
        let window = process::until("the move", || server.window(id).filter(|w| w["x"] == 10));
        let file = server.directory.with_extension("png");
        let picture = process::until("its picture", || {
            server.blinkctl(&["screenshot", file.to_str().unwrap()]).ok()?;
            let content = Picture::read(&file).content(&window);
            is_whole(&content).then_some(content)
        });
        std::fs::remove_file(&file).unwrap();
        picture
    };
    let _client = Process(Command::new(&hello).env("BLINK_DISPLAY", &local.socket).spawn().unwrap());
    let reference = shown(&local);

    let server = Server::start();
    let vm = server.blinkctl(&["vm", "add", "work", "--memory", "1M"]).unwrap();
    let output = script("vm-image").stderr(Stdio::inherit()).output().unwrap();
    let guest = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end());
    let (kernel, initrd) = (guest.join("kernel"), guest.join("initrd"));
    let line = "console=ttyS0 quiet panic=-1 -- hello";
    let options = ["-M", "pc", "-m", "192", "-initrd", initrd.to_str().unwrap(), "-append", line];
    let _machine = machine::Machine::start(&kernel, vm["socket"].as_str().unwrap().as_ref(), &options, || ());
    assert!(shown(&server) == reference, "QEMU's ivshmem");

    xen.tell("play", "hello &");
    let id = xen.until("its window", |xen| xen.window("play"))["id"].as_str().unwrap().to_owned();
    xen.blinkctl(&format!("move {id} 10 30")).unwrap();
    let window = xen.until("the move", |xen| xen.window("play").filter(|window| window["x"] == json!(10)));
    let picture = xen.until("Xen's picture", |xen| {
        let content = xen.picture().content(&window);
        is_whole(&content).then_some(content)
    });
    assert!(picture == reference, "Xen");
}

/// The picture of `hello`, all of it: its corners have its background's color, and its middle has not.
fn is_whole(content: &[u8]) -> bool {
    let pixels: Vec<&[u8]> = content.chunks_exact(4).collect();
    assert_eq!(pixels.len(), 300 * 200);
    let corners = [0, 299, 199 * 300, 199 * 300 + 299].map(|at: usize| pixels[at]);
    corners.iter().all(|&pixel| pixel == [26, 26, 51, 255]) && pixels[100 * 300 + 150] != corners[0]
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}
