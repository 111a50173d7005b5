//! Processes of a real server that die, hang, or eat: what clients and the user see of it.
//!
//! `BLINK_LONG=1`: 200 deaths instead of 12.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, missing_docs, reason = "a test")]

#[path = "support/process.rs"]
mod process;

use blink_client::{Connection, Context, ObjectId, Options, TextureInfo, Wake, What, WindowDesc};
use blink_server::geometry::Rect;
use blink_server::ipc::{ClientId, Command as Ask, Input, WindowId};
use blinkgl::gl::{Capability, ClearMask, Primitive};
use blinkgl::{Callback, Recorder};
use process::{PATIENCE, PolicyFile, Server, is_running, send_signal, until};
use rustix::process::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};

const WIDTH: usize = 320;
/// From a death to all windows being back, of 99 in 100 deaths.
const BACK: Duration = Duration::from_secs(2);
/// Between deaths. A process that is killed by hand after a second is not counted as one that crashes again and again.
const PAUSE: Duration = Duration::from_millis(1100);

/// A client with a window of one color, in a class of its own.
struct Client {
    connection: Connection,
    context: Context,
    window: ObjectId,
}

impl Client {
    /// `animated`: it wants every frame, and draws the same picture in each.
    fn new(server: &Server, name: &str, color: [f32; 3], content: Rect, animated: bool) -> Client {
        let mut connection = server.connect(name).expect("the server takes clients");
        let mut context = connection.context().expect("a context");
        let mut redraw = Recorder::new();
        redraw.clear_color(color[0], color[1], color[2], 1.0);
        redraw.clear(ClearMask::COLOR);
        if animated {
            redraw.request_frame();
        }
        let mut commit = context.commit();
        let procedure =
            commit.procedure(Callback::Redraw, &redraw.finish().expect("a recording")).expect("room");
        let Rect { x, y, width, height } = content;
        let mut desc = WindowDesc { x, y, width, height, ..WindowDesc::default() };
        desc.set_title(name);
        desc.procedures[Callback::Redraw as usize] = procedure.into();
        let window = commit.window(&desc).expect("room");
        commit.finish().expect("a commit");
        let client = Client { connection, context, window };
        until("the window", || server.window(&client.id().to_string()));
        client
    }

    fn id(&self) -> WindowId {
        WindowId { client: ClientId(self.connection.client()), context: 0, oid: self.window.into() }
    }

    /// Its connection is as it was.
    fn check(&mut self) {
        while self.connection.wait(Some(Duration::ZERO)).expect("a connection") != Wake::Timeout {
            // `ServerGone` would come for ever.
            assert_ne!(
                self.connection.wait(Some(Duration::ZERO)).expect("a connection"),
                Wake::ServerGone,
                "the client lost its server"
            );
        }
        while self.context.next_event().is_some() {}
    }
}

fn colored(rgb: [u8; 3], pixels: &[u8], area: Rect) -> bool {
    let (x, y) = (area.x as usize, area.y as usize);
    (y..y + area.height as usize)
        .all(|y| (x..x + area.width as usize).all(|x| pixels[(y * WIDTH + x) * 4..][..3] == rgb))
}

fn shows(server: &Server, rgb: [u8; 3], area: Rect) -> bool {
    server.picture().is_ok_and(|pixels| colored(rgb, &pixels, area))
}

/// What the user knows of all windows: place, order, focus.
fn desk(server: &Server) -> Option<Vec<String>> {
    let (list, _) = server.ask(&Ask::List).ok()?;
    let windows =
        list.as_array()?.iter().flat_map(|client| client["windows"].as_array().into_iter().flatten());
    let describe = |window: &Value| {
        let fields = ["id", "title", "x", "y", "width", "height", "stack", "focus", "visible"];
        fields.map(|field| window[field].to_string()).join(" ")
    };
    Some(windows.map(describe).collect())
}

fn stats(server: &Server) -> Option<Value> {
    server.ask(&Ask::Stats).ok().map(|(stats, _)| stats)
}

fn pid(stats: &Value, name: &str) -> Option<u32> {
    stats[format!("{name}_pid")].as_u64()?.try_into().ok()
}

/// The process of a client's renderer.
fn renderer_of(stats: &Value, client: &Client) -> Option<u32> {
    let class =
        stats["clients"].as_array()?.iter().find(|of| of["client"] == client.id().client.0)?["class"].clone();
    let renderer = stats["renderers"].as_array()?.iter().find(|renderer| renderer["class"] == class)?;
    renderer["pid"].as_u64()?.try_into().ok()
}

fn renderer(server: &Server, client: &Client) -> u32 {
    until("a renderer", || renderer_of(&stats(server)?, client))
}

fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent).div_ceil(100).clamp(1, sorted.len()) - 1]
}

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Renderer(usize),
    Template,
    Glass,
    Broker,
}

/// Fails if a window is lost, is elsewhere, has another picture or not the focus that it had, if that takes long, or if a client
/// is told.
#[test]
fn whoever_dies_all_windows_come_back_as_they_were() {
    let deaths = if std::env::var_os("BLINK_LONG").is_some() { 200 } else { 12 };
    let policy = PolicyFile::new("isolation = \"client\"\n");
    let server = policy.start();
    // Windows that cover each other: their order is in the picture.
    let mut clients = [
        Client::new(&server, "red", [1.0, 0.0, 0.0], Rect::new(10, 40, 120, 90), false),
        Client::new(&server, "green", [0.0, 1.0, 0.0], Rect::new(70, 80, 120, 90), false),
        Client::new(&server, "blue", [0.0, 0.0, 1.0], Rect::new(150, 60, 120, 90), false),
    ];
    // Neither the order in which they came, nor where they asked to be.
    server.ask(&Ask::Move { window: clients[1].id(), x: 60, y: 90 }).expect("the window is there");
    server.ask(&Ask::Raise { window: clients[1].id() }).expect("the window is there");
    server.ask(&Ask::Focus { window: clients[0].id() }).expect("the window is there");
    let parts = [
        ([255, 0, 0], Rect::new(12, 42, 40, 20)),
        ([0, 255, 0], Rect::new(60, 90, 120, 90)),
        ([0, 0, 255], Rect::new(200, 62, 60, 80)),
    ];
    until("the picture", || {
        let pixels = server.picture().ok()?;
        parts.iter().all(|&(rgb, area)| colored(rgb, &pixels, area)).then_some(())
    });
    let (picture, before) = (server.picture().expect("a picture"), desk(&server).expect("a list"));
    let mut rng = fastrand::Rng::with_seed(3);
    let mut times: Vec<(Duration, &str)> = Vec::new();
    for _ in 0..deaths {
        std::thread::sleep(PAUSE);
        let known = stats(&server).expect("stats");
        let victim = match rng.u8(..6) {
            3 => Victim::Template,
            4 => Victim::Glass,
            5 => Victim::Broker,
            which => Victim::Renderer(which.into()),
        };
        let name = match victim {
            Victim::Renderer(_) => "renderer",
            Victim::Template => "template",
            Victim::Glass => "glass",
            Victim::Broker => "broker",
        };
        let pid_of = |stats: &Value| match victim {
            Victim::Renderer(which) => renderer_of(stats, &clients[which]),
            Victim::Template | Victim::Glass | Victim::Broker => pid(stats, name),
        };
        let old = pid_of(&known).expect("it lives");
        let epochs: Vec<u32> = clients.iter().map(|client| client.context.server_epoch()).collect();
        let begun = Instant::now();
        send_signal(old, Signal::KILL);
        // Who has a new renderer afterwards. The last picture would be right without one.
        let is_back = |stats: &Value| {
            let is_new = pid_of(stats).is_some_and(|pid| pid != old);
            let renewed = |which: usize| clients[which].context.server_epoch() != epochs[which];
            is_new
                && match victim {
                    Victim::Renderer(which) => renewed(which),
                    Victim::Template | Victim::Broker => (0..3).all(renewed),
                    Victim::Glass => true,
                }
        };
        let end = begun + PATIENCE;
        loop {
            let is_right = stats(&server).is_some_and(|stats| is_back(&stats))
                && server.picture().is_ok_and(|now| now == picture);
            if is_right {
                break;
            }
            if Instant::now() > end {
                let now = desk(&server);
                panic!("{victim:?} died, and the windows are not back: {now:#?}, before: {before:#?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        times.push((begun.elapsed(), name));
        assert_eq!(desk(&server).as_ref(), Some(&before), "after the death of {victim:?}");
        clients.iter_mut().for_each(Client::check);
    }
    let all = |of: Option<&str>| {
        let is_of = |name: &&str| of.is_none_or(|of| of == *name);
        let mut times: Vec<Duration> =
            times.iter().filter(|(_, name)| is_of(name)).map(|(time, _)| *time).collect();
        times.sort_unstable();
        times
    };
    for of in [Some("renderer"), Some("template"), Some("glass"), Some("broker"), None] {
        let times = all(of);
        if let Some(max) = times.last() {
            let (count, of) = (times.len(), of.unwrap_or("any of them"));
            let [p50, p99] = [50, 99].map(|percent| quantile(&times, percent));
            println!("back after the death of {of}: {count} times, p50 {p50:?}, p99 {p99:?}, max {max:?}");
        }
    }
    assert!(quantile(&all(None), 99) < BACK, "{times:?}");
}

/// Frames of a client's window, as its clock counts them.
fn frames(client: &Client, time: Duration) -> u64 {
    let before = client.context.clock().frame;
    std::thread::sleep(time);
    client.context.clock().frame - before
}

/// How often frames are counted, on a machine that has other things to do.
const TRIES: usize = 4;

/// The first count that is nearly as high as usual, or the highest.
fn best(counts: impl Iterator<Item = u64>, usual: u64) -> u64 {
    let mut most = 0;
    for count in counts {
        most = most.max(count);
        if most * 100 >= usual * 95 {
            break;
        }
    }
    most
}

fn click(server: &Server, x: i32, y: i32) {
    let motion = Input::Motion { x: x.into(), y: y.into() };
    let button = |pressed| Input::Button { button: 0, pressed };
    server.ask(&Ask::Input { events: vec![motion, button(true), button(false)] }).expect("input");
}

/// Fails if the glass needs a renderer for anything but new pictures, or if one that hangs costs others their frames.
#[test]
fn a_stopped_renderer_costs_only_new_pictures() {
    const RED: [u8; 3] = [255, 0, 0];
    let policy = PolicyFile::new("isolation = \"client\"\n");
    let server = policy.start();
    // Its label has room for its name and a note.
    let mut red = Client::new(&server, "red", [1.0, 0.0, 0.0], Rect::new(10, 60, 200, 60), true);
    let mut green = Client::new(&server, "green", [0.0, 1.0, 0.0], Rect::new(220, 60, 90, 60), true);
    let move_to = |client: &Client, x, y| {
        server.ask(&Ask::Move { window: client.id(), x, y }).expect("the window is there");
    };
    let raise = |client: &Client| {
        server.ask(&Ask::Raise { window: client.id() }).expect("the window is there");
    };
    until("the picture", || shows(&server, RED, Rect::new(10, 60, 200, 60)).then_some(()));
    let usual = frames(&green, Duration::from_secs(1));

    let stopped = renderer(&server, &red);
    // The first second counts: until then the glass may wait for it. A busy machine has another try.
    let during = (0..TRIES).map(|_| {
        send_signal(stopped, Signal::CONT);
        let before = red.context.clock().frame;
        until("its frames", || (red.context.clock().frame > before + 60).then_some(()));
        send_signal(stopped, Signal::STOP);
        frames(&green, Duration::from_secs(1))
    });
    let during = best(during, usual);
    println!("frames of the other class in a second: {usual} before, {during} while one is stopped");
    assert!(during * 100 >= usual * 95, "the others' frames went from {usual} to {during} a second");

    // Moved: everything of it is there, at once.
    let place = Rect::new(40, 150, 200, 60);
    move_to(&red, 40, 150);
    assert!(shows(&server, RED, place), "moved");
    // Covered by the other one, and uncovered.
    move_to(&green, 100, 160);
    raise(&green);
    assert!(!shows(&server, RED, place), "covered");
    move_to(&green, 220, 60);
    assert!(shows(&server, RED, place), "uncovered");
    // Raised.
    move_to(&green, 100, 160);
    raise(&red);
    assert!(shows(&server, RED, place), "raised");
    move_to(&green, 220, 60);

    // It goes on where it was.
    send_signal(stopped, Signal::CONT);
    let before = red.context.clock().frame;
    until("its frames", || (red.context.clock().frame > before + 10).then_some(()));
    assert_eq!(renderer(&server, &red), stopped, "it is the same one");
    red.check();
    green.check();

    // Closed: the cross asks the client; two seconds later it offers to end it.
    send_signal(stopped, Signal::STOP);
    click(&server, 40 + 200 - 9, 150 - 9);
    std::thread::sleep(Duration::from_millis(2300));
    // What is offered is longer than the label: it stands in a name tag as wide as the output, with a cross at its end.
    click(&server, 320 - 9, 150 - 9);
    until("the end of the client", || {
        (red.connection.wait(Some(Duration::from_millis(10))).ok()? == Wake::ServerGone).then_some(())
    });
    until("the end of its window", || (!shows(&server, RED, Rect::new(40, 150, 10, 10))).then_some(()));
    until("the end of its renderer", || (!is_running(stopped)).then_some(()));
    let after = best((0..TRIES).map(|_| frames(&green, Duration::from_secs(1))), usual);
    assert!(after * 100 >= usual * 95, "the others' frames went from {usual} to {after} a second");
    green.check();
}

/// Fails if memory that one class eats is not its own, or if nobody is told why it has no picture.
#[test]
fn a_class_that_eats_memory_fails_alone_and_says_why() {
    let policy = PolicyFile::new("isolation = \"client\"\n[renderer]\nmemory = \"64M\"\n");
    let server = policy.start();
    let mut green = Client::new(&server, "green", [0.0, 1.0, 0.0], Rect::new(180, 60, 100, 60), true);
    let its_renderer = renderer(&server, &green);

    let options = Options { name: "hungry".into(), bytes: Some(512 << 20) };
    let mut connection = Connection::open_at(&server.socket, &options).expect("the server takes clients");
    let mut context = connection.context().expect("a context");
    let side = 1024;
    let info = TextureInfo::bgra(side, side);
    let mut redraw = Recorder::new();
    redraw.clear(ClearMask::COLOR);
    redraw.enable(Capability::Texture2d);
    let mut commit = context.commit();
    let textures: Vec<ObjectId> = (0..64)
        .map(|index| {
            let pixels = vec![index; (side * side * 4) as usize];
            commit.texture(&info, &pixels).expect("room")
        })
        .collect();
    for texture in textures {
        redraw.bind_texture(texture);
        redraw.primitive(Primitive::Triangles, |p| {
            for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (0.0, 1.0)] {
                p.tex_coord2(x, y);
                p.vertex2(x, y);
            }
        });
    }
    redraw.request_frame();
    let procedure = commit.procedure(Callback::Redraw, &redraw.finish().expect("a recording")).expect("room");
    let mut desc = WindowDesc { x: 20, y: 60, width: 100, height: 60, ..WindowDesc::default() };
    desc.procedures[Callback::Redraw as usize] = procedure.into();
    commit.window(&desc).expect("room");
    commit.finish().expect("a commit");

    let hungry = connection.client();
    // At first it is known only that it died; then, of what.
    let state = until("its failure, for want of memory", || {
        let (list, _) = server.ask(&Ask::List).ok()?;
        let client = list.as_array()?.iter().find(|client| client["client"] == hungry)?.clone();
        let state = client["state"].as_str()?.to_owned();
        (state.starts_with("failed") && state.contains("memory")).then_some(state)
    });
    println!("it is told so: {state}");
    assert_eq!(renderer(&server, &green), its_renderer, "the other class has another renderer");
    assert!(frames(&green, Duration::from_secs(1)) > 30, "the other class has lost its frames");
    green.check();
    // The client itself is still there: it may free something and go on.
    assert_ne!(connection.wait(Some(Duration::ZERO)).expect("a connection"), Wake::ServerGone);
    let is_notified = std::iter::from_fn(|| context.next_event()).any(|event| event.what == What::Close);
    assert!(!is_notified, "nobody asked it to close");
}
