//! `blinkctl`s that the test plays.

use super::*;
use crate::fixture::{Copy, Peer, Scene};
use crate::policy::file::Isolation;
use crate::policy::places::{GRACE, MAX_WAITING};
use crate::supervision::News;
use crate::transport::door::{Access, Directory, Listener};
use ipc::glass::{FromGlass, ToGlass};
use ipc::{ClientId, ToBroker, ToRenderer};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde_json::json;
use std::path::PathBuf;

struct Desk {
    scene: Scene,
    control: Control,
    path: PathBuf,
    _directory: Directory,
    requests: Vec<Request>,
}

impl Desk {
    fn new(name: &str) -> Desk {
        let mut scene = Scene::new(Isolation::Vm);
        let path = std::env::temp_dir().join(format!("blink-{name}-{}", std::process::id())).join("s");
        let directory = Directory::make(&path).unwrap();
        let listener = Listener::bind(&path, SocketType::SEQPACKET, &Access::default()).unwrap();
        let door = Door::open(listener, Source::ControlDoor, &mut scene.house.reactor).unwrap();
        Desk { scene, control: Control::new(door), path, _directory: directory, requests: Vec::new() }
    }

    fn dial(&self) -> Peer {
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .unwrap();
        rustix::net::connect(&socket, &SocketAddrUnix::new(&self.path).unwrap()).unwrap();
        Peer(socket)
    }

    /// Handles all that has happened.
    fn settle(&mut self) {
        loop {
            let house = &mut self.scene.house;
            let mut is_over = true;
            for (token, flags) in house.reactor.wait(Some(Instant::now())).unwrap() {
                let Some(source) = house.reactor.source(token) else { continue };
                is_over = false;
                // Each takes what is its own.
                self.requests.extend(self.control.event(source, house));
                house.supervisor.event(source, flags, &mut house.reactor);
            }
            for Request { connection, command } in self.requests.drain(..) {
                self.control.pass_on(connection, command, house);
            }
            for news in house.supervisor.take_news() {
                match news {
                    News::Reply { serial, answer, fds } => self.control.reply(serial, answer, &fds, house),
                    News::Told { serial, class, answer } => self.control.told(serial, class, answer, house),
                    News::GlassDied => self.control.glass_died(house),
                    News::Progress
                    | News::Placed { .. }
                    | News::Unfit { .. }
                    | News::End { .. }
                    | News::Quit
                    | News::Hopeless(_) => {}
                }
            }
            if is_over {
                return;
            }
        }
    }

    fn ask(&mut self, command: &Command) -> Peer {
        let peer = self.dial();
        peer.send(command);
        self.settle();
        peer
    }

    /// The glass answers the command that it was asked.
    fn glass_answers(&mut self, value: Value) {
        let serial =
            std::iter::from_fn(|| self.scene.glass.next::<ToGlass>()).find_map(
                |(message, _)| match message {
                    ToGlass::Command { serial, .. } => Some(serial),
                    ToGlass::Client(_)
                    | ToGlass::ClientGone { .. }
                    | ToGlass::Renderer { .. }
                    | ToGlass::ClassGone { .. }
                    | ToGlass::Note { .. } => None,
                },
            );
        self.scene.glass.send(&FromGlass::Reply { serial: serial.unwrap(), result: Ok(value) });
        self.settle();
    }

    /// A renderer answers what it was asked.
    fn renderer_answers(&mut self, copy: &Copy, value: &Value) {
        let serial =
            std::iter::from_fn(|| copy.peer.next::<ToRenderer>()).find_map(|(message, _)| match message {
                ToRenderer::Ask { serial, .. } => Some(serial),
                ToRenderer::Glass
                | ToRenderer::Client(_)
                | ToRenderer::ClientGone { .. }
                | ToRenderer::Port { .. } => None,
            });
        copy.peer.send(&ToBroker::Part { serial: serial.unwrap(), text: value.to_string(), last: true });
        self.settle();
    }

    /// Two classes with a client each.
    fn two(&mut self) -> [(ClientId, Copy); 2] {
        [7, 8].map(|user| (self.scene.client(user), self.scene.copy()))
    }
}

fn answer(peer: &Peer) -> Option<Answer> {
    peer.next::<Answer>().map(|(answer, _)| answer)
}

fn glass_list([(first, one), (second, two)]: &[(ClientId, Copy); 2]) -> Value {
    json!([
        {"client": first, "name": "client 1", "class": one.class, "windows": [{"id": format!("{first}.0.1"), "x": 5}]},
        {"client": second, "name": "client 2", "class": two.class, "windows": []}])
}

#[test]
fn a_list_is_made_of_what_glass_and_renderers_say() {
    let mut desk = Desk::new("list");
    let clients = desk.two();
    let [(first, one), (second, two)] = &clients;
    let blinkctl = desk.ask(&Command::List);
    desk.glass_answers(glass_list(&clients));
    // Who says something of another's client is not heard.
    let of_both = |errors: &str| {
        json!([{"client": first, "errors": [errors], "windows": [{"id": format!("{first}.0.1"), "redraws": 3}]},
               {"client": second, "errors": [errors]}])
    };
    desk.renderer_answers(two, &of_both("of two"));
    assert!(answer(&blinkctl).is_none());
    desk.renderer_answers(one, &of_both("of one"));
    let list = answer(&blinkctl).unwrap().unwrap();
    assert_eq!(
        list[0],
        json!({"client": first, "name": "client 1", "class": one.class, "state": "running", "pid": null, "domain": null,
            "memory_bytes": 1 << 20, "errors": ["of one"], "notes": [],
            "windows": [{"id": format!("{first}.0.1"), "x": 5, "redraws": 3}]})
    );
    assert_eq!((&list[1]["client"], &list[1]["errors"]), (&json!(second), &json!(["of two"])));
}

#[test]
fn a_renderer_that_is_slow_is_left_out() {
    let mut desk = Desk::new("slow");
    let clients = desk.two();
    let [(_, one), (_, two)] = &clients;
    let blinkctl = desk.ask(&Command::List);
    desk.glass_answers(glass_list(&clients));
    desk.renderer_answers(one, &json!([]));
    let due = desk.control.due().unwrap();
    assert!(due <= Instant::now() + RENDERER_TIME);
    desk.control.turn(due, &mut desk.scene.house);
    let list = answer(&blinkctl).unwrap().unwrap();
    let error = format!("renderer of class {}: it did not answer within 1 s", two.class);
    assert_eq!((&list[0]["errors"], &list[1]["errors"]), (&json!([]), &json!([error])));

    // While it owes an answer, nobody waits for it.
    let blinkctl = desk.ask(&Command::Stats);
    desk.glass_answers(json!({"frames": 5, "refresh_hz": 60.0}));
    desk.renderer_answers(one, &json!({"wakeups": 7, "clients": []}));
    let stats = answer(&blinkctl).unwrap().unwrap();
    assert_eq!((&stats["frames"], &stats["wakeups"]), (&json!(5), &json!(7)));
    assert_eq!(stats["renderers"][1]["error"], "it does not answer");
    assert_eq!(
        (&stats["renderers"][0]["error"], &stats["renderers"][0]["starts"]),
        (&json!(null), &json!(1))
    );
    assert_eq!((&stats["renderer_pid"], &stats["renderer_starts"]), (&json!(one.pid()), &json!(2)));
    for number in [
        "renderer_cpu_ms",
        "glass_pid",
        "glass_context_switches",
        "template_pid",
        "broker_cpu_ms",
        "uptime_ms",
    ] {
        assert!(stats[number].is_u64(), "{number} {stats}");
    }
    assert_eq!(stats["gl"], "fake");
}

#[test]
fn nonsense_and_long_answers_are_left_out() {
    let mut desk = Desk::new("long");
    let clients = desk.two();
    let [(_, one), (_, two)] = &clients;
    let blinkctl = desk.ask(&Command::List);
    let ask = |copy: &Copy| loop {
        if let (ToRenderer::Ask { serial, .. }, _) = copy.peer.next::<ToRenderer>().unwrap() {
            break serial;
        }
    };
    let (serial, text) = (ask(one), "x".repeat(ipc::MAX_PART_BYTES));
    for _ in 0..=ipc::MAX_ANSWER_BYTES / ipc::MAX_PART_BYTES {
        one.peer.send(&ToBroker::Part { serial, text: text.clone(), last: false });
        desk.settle();
    }
    two.peer.send(&ToBroker::Part { serial: ask(two), text: "[[[".into(), last: true });
    desk.settle();
    desk.glass_answers(glass_list(&clients));
    let list = answer(&blinkctl).unwrap().unwrap();
    for (client, said) in [(&list[0], "longer than"), (&list[1], "makes no sense")] {
        assert!(client["errors"][0].as_str().unwrap().contains(said), "{list}");
    }
}

#[test]
fn without_clients_there_is_nothing_to_wait_for() {
    let mut desk = Desk::new("none");
    let blinkctl = desk.ask(&Command::Stats);
    desk.glass_answers(json!({"frames": 1}));
    let stats = answer(&blinkctl).unwrap().unwrap();
    assert_eq!((&stats["renderer_pid"], &stats["renderers"]), (&stats["template_pid"], &json!([])));
    // A command that the glass alone answers.
    let blinkctl = desk.ask(&Command::Input { events: vec![] });
    desk.glass_answers(Value::Null);
    assert_eq!(answer(&blinkctl), Some(Ok(Value::Null)));
    let blinkctl = desk.ask(&Command::List);
    crate::fixture::kill(desk.scene.house.supervisor.glass_pid().unwrap());
    let end = Instant::now() + ANSWER_TIME;
    let said = loop {
        desk.settle();
        if let Some(answer) = answer(&blinkctl) {
            break answer;
        }
        assert!(Instant::now() < end);
    };
    assert!(said.unwrap_err().contains("the glass died"));
    let blinkctl = desk.ask(&Command::List);
    assert!(answer(&blinkctl).unwrap().unwrap_err().contains("started again"));
}

#[test]
fn a_flood_of_connections_does_not_keep_a_blinkctl_out() {
    let mut desk = Desk::new("ctlflood");
    let mut silent: Vec<Peer> = (0..MAX_WAITING + 20).map(|_| desk.dial()).collect();
    desk.settle();
    // It waits with others until those who were faster had their time.
    let blinkctl = desk.dial();
    blinkctl.send(&Command::Screenshot);
    let start = Instant::now();
    while desk.control.pending.is_empty() {
        desk.control.turn(Instant::now(), &mut desk.scene.house);
        desk.settle();
        assert!(start.elapsed() < 20 * GRACE);
    }
    for _ in 0..MAX_WAITING {
        silent.push(desk.dial());
        std::thread::sleep(GRACE / 20);
        desk.control.turn(Instant::now(), &mut desk.scene.house);
        desk.settle();
    }
    assert!(!blinkctl.is_hung_up(), "whoever waits for an answer is not shut out");
    desk.glass_answers(json!({"width": 1}));
    assert_eq!(answer(&blinkctl), Some(Ok(json!({"width": 1}))));
    assert!(silent.iter().any(Peer::is_hung_up));
    assert!(desk.control.connections.len() <= MAX_WAITING + 1);
    drop(silent);
    desk.control.turn(Instant::now() + GRACE, &mut desk.scene.house);
    desk.settle();
    let strange = desk.dial();
    strange.send(&json!({"command": "fly"}));
    desk.settle();
    assert!(answer(&strange).unwrap().unwrap_err().starts_with("no command"));
}
