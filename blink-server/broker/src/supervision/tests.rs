//! The supervisor with processes that the test plays.

use super::*;
use crate::fixture::{Copy, Peer, Scene, kill, kill_now};
use crate::house::House;
use crate::policy::file::Isolation;
use ipc::glass::ShownClient;
use ipc::template::{FromTemplate, ToTemplate};
use ipc::vm::RendererMemory;
use ipc::{MAX_ANSWER_BYTES, Owner};
use os::seqpacket;
use std::time::{Duration, Instant};

fn note(notes: &[ToGlass]) -> Option<Option<&str>> {
    notes.iter().rev().find_map(|message| match message {
        ToGlass::Note { note, .. } => Some(note.as_deref()),
        ToGlass::Client(_)
        | ToGlass::ClientGone { .. }
        | ToGlass::Renderer { .. }
        | ToGlass::ClassGone { .. }
        | ToGlass::Command { .. } => None,
    })
}

#[test]
fn a_client_is_told_to_the_glass_and_to_a_copy_of_the_template() {
    let mut scene = Scene::new(Isolation::Vm);
    assert_eq!(scene.house.supervisor.due(), None, "with no client there is nothing to do");
    let id = scene.client(7);
    let copy = scene.copy();
    assert_eq!(copy.share.memory, RendererMemory::default().bytes());

    // The renderer: its socket to the glass first, then the client.
    let (glass, glass_fds) = copy.peer.next::<ToRenderer>().unwrap();
    let (client, client_fds) = copy.peer.next::<ToRenderer>().unwrap();
    assert_eq!((glass, glass_fds.len()), (ToRenderer::Glass, 1));
    assert!(matches!(client, ToRenderer::Client(info) if info.id == id && info.owner == Owner::User(7)));
    assert_eq!(client_fds.len(), 3);
    assert!(copy.peer.next::<ToRenderer>().is_none());

    // The glass: the client first.
    let (client, fds) = scene.glass.next::<ToGlass>().unwrap();
    let shown =
        ShownClient { id, class: copy.class, name: "client 1".into(), color: [1, 2, 3], placements: vec![] };
    assert_eq!((client, fds.len()), (ToGlass::Client(shown), 0));
    let (renderer, fds) = scene.glass.next::<ToGlass>().unwrap();
    assert_eq!((renderer, fds.len()), (ToGlass::Renderer { class: copy.class, life: 1 }, 1));

    // Both ends of one socket.
    Peer(glass_fds.into_iter().next().unwrap()).send(&"hello");
    assert_eq!(Peer(fds.into_iter().next().unwrap()).all::<String>(), ["hello"]);
    let state = scene.state(copy.class);
    assert_eq!((state.state.as_str(), state.pid, state.starts), ("running", Some(copy.pid()), 1));
    assert_eq!(state.names, ["client 1"]);
}

#[test]
fn clients_of_one_class_share_a_renderer_and_others_have_their_own() {
    let mut scene = Scene::new(Isolation::Vm);
    let [first, second, third] = [7, 7, 8].map(|user| scene.client(user));
    let [one, two] = [scene.copy(), scene.copy()];
    let clients = |scene: &mut Scene, copy: &Copy| {
        let told = scene.told_renderer(copy);
        let ids = told.into_iter().filter_map(|message| match message {
            ToRenderer::Client(info) => Some(info.id),
            ToRenderer::Glass
            | ToRenderer::ClientGone { .. }
            | ToRenderer::Port { .. }
            | ToRenderer::Ask { .. } => None,
        });
        ids.collect::<Vec<ClientId>>()
    };
    assert_eq!(clients(&mut scene, &one), [first, second]);
    assert_eq!(clients(&mut scene, &two), [third]);
    scene.told_glass();
    scene.house.part(first);
    assert_eq!(scene.told_renderer(&one), [ToRenderer::ClientGone { id: first }]);
    assert_eq!(scene.told_glass(), [ToGlass::ClientGone { id: first }]);
    scene.house.part(second);
    let (id, class) = (second, one.class);
    assert_eq!(scene.told_glass(), [ToGlass::ClientGone { id }, ToGlass::ClassGone { class }]);
    assert!(one.peer.hangs_up(), "so that it ends");
    assert_eq!(scene.house.supervisor.renderers(&scene.house.registry).len(), 1);
    assert!(!two.peer.is_hung_up());
}

#[test]
fn a_renderer_without_clients_ends_or_is_killed() {
    let mut scene = Scene::new(Isolation::Vm);
    let id = scene.client(7);
    let mut copy = scene.copy();
    scene.house.part(id);
    let now = Instant::now();
    scene.settle_at(now);
    assert!(!copy.is_dead(), "it has a moment");
    scene.settle_at(now + END_TIME);
    scene.until("its end", |_| copy.is_dead().then_some(()));
    scene.settle_at(now + END_TIME);
    assert_eq!(scene.house.supervisor.due(), None);
}

#[test]
fn clients_that_come_and_go_do_not_pile_up_processes() {
    let mut scene = Scene::new(Isolation::Client);
    let mut copies: Vec<Copy> = Vec::new();
    for _ in 0..40 {
        let id = scene.client(7);
        copies.push(scene.asked());
        // It is gone before the template has answered.
        scene.house.part(id);
        let copy = copies.pop().unwrap();
        scene.forked(&copy);
        copies.push(copy);
    }
    let dead = scene.until("the end of the oldest", |_| {
        let dead = copies.iter_mut().filter_map(|copy| copy.is_dead().then_some(())).count();
        (dead > 0).then_some(dead)
    });
    assert!(dead <= 8, "{dead}");
    assert!(scene.house.supervisor.template.asked() == 0);
}

#[test]
fn a_template_that_can_t_be_copied_is_not_needed() {
    let mut scene = Scene::starting(Isolation::Vm);
    scene.client(7);
    scene.settle();
    scene.glass.send(&FromGlass::Ready { output: "fake".into() });
    scene.template.send(&FromTemplate::Ready { gl: "\u{1b}fake".into(), forks: false });
    scene.settle();
    assert!(scene.house.supervisor.is_ready());
    assert_eq!(scene.house.supervisor.gl(), Some("\\u{1b}fake"));
    assert!(scene.template.hangs_up());
    let renderer = scene
        .started(|role| *role == Role::Renderer(Share { memory: RendererMemory::default().bytes() }))
        .unwrap();
    let told = renderer.peer.all::<ToRenderer>();
    assert!(matches!(told.as_slice(), [ToRenderer::Glass, ToRenderer::Client(_)]), "{told:?}");
    // It dies, and another one is there at once.
    kill(renderer.pid);
    scene.until("another one", |scene| scene.started(|role| matches!(role, Role::Renderer(_))));
    let state = scene.house.supervisor.renderers(&scene.house.registry).remove(0);
    assert_eq!(state.last_end.as_deref(), Some("killed: by the system, out of memory, or by hand (SIGKILL)"));
}

#[test]
fn a_death_is_that_of_one_class_and_its_reason_comes_later() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let copy = scene.copy();
    scene.client(8);
    let other = scene.copy();
    scene.told_glass();
    scene.told_renderer(&other);
    let (class, pid) = (copy.class, copy.pid());
    let serial = 5;
    let asked = scene.house.supervisor.ask(serial, Question::List, &mut scene.house.reactor);
    assert_eq!(asked, [(class, Ok(())), (other.class, Ok(()))]);
    drop(copy);
    let next = scene.copy();
    assert_eq!(next.class, class);
    assert_eq!(scene.state(class).last_end.as_deref(), Some("it died"));
    scene.ended(pid, "signal: 31 (SIGSYS) (core dumped)");
    assert_eq!(
        scene.state(class).last_end.as_deref(),
        Some("broke its sandbox, or needed more memory than its limit (SIGSYS)")
    );
    let told = scene
        .news
        .iter()
        .any(|news| matches!(news, News::Told { serial: 5, class: c, answer: Err(_) } if *c == class));
    assert!(told, "{:?}", scene.news);
    // The glass has a new socket for it, and people are told nothing while it is started again.
    assert_eq!(scene.told_glass(), [ToGlass::Renderer { class, life: 3 }]);
    let told = scene.told_renderer(&other);
    assert!(matches!(told.as_slice(), [ToRenderer::Ask { .. }]), "{told:?}");
    assert_eq!(scene.state(other.class).starts, 1);
}

#[test]
fn a_class_fails_after_six_deaths_and_tries_again_when_its_clients_are_others() {
    let mut scene = Scene::new(Isolation::Vm);
    let first = scene.client(7);
    let mut class = None;
    for life in 1..=6 {
        let copy = scene.copy();
        class = Some(copy.class);
        assert_eq!(scene.state(copy.class).starts, life);
        let pid = copy.pid();
        drop(copy);
        scene.until("its death", |scene| scene.state(class.unwrap()).pid.is_none().then_some(()));
        scene.ended(pid, "signal: 6 (SIGABRT)");
    }
    let class = class.unwrap();
    let failed = "failed: aborted: out of memory, most likely (SIGABRT)";
    assert_eq!(scene.state(class).state, failed);
    assert_eq!(note(&scene.told_glass()), Some(Some(failed)));
    assert_eq!(scene.house.supervisor.due(), None, "nothing is tried any more");
    // A glass that starts again is told, too.
    kill(scene.house.supervisor.glass_pid().unwrap());
    let glass = scene.until("another glass", |scene| scene.started(|role| matches!(role, Role::Glass(_))));
    scene.glass = glass.peer;
    assert_eq!(note(&scene.told_glass()), Some(Some(failed)));
    let second = scene.client(7);
    let copy = scene.copy();
    assert_eq!((copy.class, scene.state(class).state.as_str()), (class, "running"));
    assert_eq!(note(&scene.told_glass()), Some(None));
    let told = scene.told_renderer(&copy);
    assert!(
        matches!(told.as_slice(), [ToRenderer::Glass, ToRenderer::Client(a), ToRenderer::Client(b)]
        if (a.id, b.id) == (first, second)),
        "{told:?}"
    );
}

#[test]
fn who_is_killed_by_hand_is_not_to_blame() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let copy = scene.copy();
    let class = copy.class;
    // Five short lives before, so that this one is the last.
    for _ in 0..5 {
        scene.house.supervisor.renderers.get_mut(&class).unwrap().backoff.after(Duration::ZERO);
    }
    std::thread::sleep(Duration::from_secs(1));
    let pid = copy.pid();
    drop(copy);
    scene.until("its death", |scene| scene.state(class).pid.is_none().then_some(()));
    assert!(scene.state(class).state.starts_with("failed"));
    scene.ended(pid, "signal: 9");
    let copy = scene.copy();
    assert_eq!(copy.class, class);
    // After a short life, it is.
    let pid = copy.pid();
    drop(copy);
    scene.until("its death", |scene| scene.state(class).pid.is_none().then_some(()));
    scene.ended(pid, "signal: 9");
    assert!(scene.state(class).state.starts_with("failed"));
}

#[test]
fn who_misses_frames_has_the_lowest_priority() {
    let nice_of = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse::<i32>().unwrap()
    };
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let mut copy = scene.copy();
    let class = copy.class;
    let usual = nice_of(copy.pid());
    scene.told_glass();
    // The one before was late.
    scene.glass.send(&FromGlass::Pace { class, life: 0, late: true });
    assert_eq!((note(&scene.told_glass()), scene.state(class).nice), (None, 0));
    scene.glass.send(&FromGlass::Pace { class, life: 1, late: true });
    assert_eq!(note(&scene.told_glass()), Some(Some("slow")));
    assert_eq!((nice_of(copy.pid()), scene.state(class).nice), (LATE_NICE, LATE_NICE));
    scene.glass.send(&FromGlass::Pace { class, life: 1, late: false });
    assert_eq!(note(&scene.told_glass()), Some(None));
    if usual == 0 && rustix::process::geteuid().is_root() {
        assert_eq!((nice_of(copy.pid()), scene.state(class).nice), (0, 0));
    }

    // Without rights, another one is made.
    let renderer = scene.house.supervisor.renderers.get_mut(&class).unwrap();
    renderer.recycle = true;
    scene.until("its end", |_| copy.is_dead().then_some(()));
    let second = scene.copy();
    assert_eq!(second.class, class);
    let renderer = scene.house.supervisor.renderers.get_mut(&class).unwrap();
    assert_eq!((renderer.backoff.short_lives(), renderer.late), (0, false), "it is not its fault");
    // But not again and again.
    renderer.recycle = true;
    let due = renderer.recycled.unwrap() + RECYCLE_PAUSE;
    assert_eq!(scene.house.supervisor.due(), Some(due));
    scene.settle();
    let mut second = second;
    assert!(!second.is_dead());
    scene.settle_at(due);
    scene.until("its end", |_| second.is_dead().then_some(()));
}

#[test]
fn whoever_misbehaves_is_killed_and_named() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let mut copy = scene.copy();
    let class = copy.class;
    // Of a class that is gone.
    scene.glass.send(&FromGlass::Misbehaved { class: ClassId(99), life: 1, reason: "x".into() });
    // Of the one before.
    scene.glass.send(&FromGlass::Misbehaved { class, life: 0, reason: "x".into() });
    scene.glass.send(&FromGlass::Misbehaved {
        class,
        life: 1,
        reason: "writes\u{1b} where it should not".into(),
    });
    scene.until("its end", |_| copy.is_dead().then_some(()));
    scene.until("that it is told", |scene| scene.state(class).last_end);
    assert_eq!(scene.state(class).last_end.as_deref(), Some("writes\\u{1b} where it should not"));
    // The template's word about it changes nothing.
    scene.ended(copy.pid(), "signal: 9 (SIGKILL)");
    assert_eq!(scene.state(class).last_end.as_deref(), Some("writes\\u{1b} where it should not"));
}

#[test]
fn garbage_ends_its_renderer_and_no_other() {
    let mut scene = Scene::new(Isolation::Vm);
    let victim = scene.client(8);
    let mut other = scene.copy();
    scene.client(7);
    let packets: Vec<Vec<u8>> = vec![
        vec![b'['; 60_000],
        br#"{"type":"quit"}"#.to_vec(),
        br#"{"type":"reply","serial":1,"result":{"Ok":1}}"#.to_vec(),
        br#"{"type":"part","serial":1,"text":"x","last":true}"#.to_vec(),
        br#"{"type":"ready","gl":"again"}"#.to_vec(),
        serde_json::to_vec(&ToBroker::Unfit { client: victim, reason: "x".into() }).unwrap(),
    ];
    // Each of them alone, and one that no honest renderer sends even once.
    for packet in packets.iter().chain([&vec![b' '; MAX_RENDERER_MESSAGE + 1]]) {
        let mut copy = scene.copy();
        let mut sent = 0;
        scene.until("its end", |_| {
            let socket = copy.peer.0.as_fd();
            sent += usize::from(seqpacket::try_send(socket, packet, &[]).unwrap_or(false));
            copy.is_dead().then_some(())
        });
        assert!(sent < 10_000, "{sent}");
        scene.house.supervisor.renderers.get_mut(&copy.class).unwrap().backoff = Backoff::default();
    }
    assert!(!other.is_dead());
    assert!(
        !scene.news.iter().any(|news| matches!(news, News::Unfit { .. } | News::Quit | News::Reply { .. }))
    );
}

#[test]
fn answers_are_put_together_and_held_against_limits() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let mut copy = scene.copy();
    let told = |scene: &mut Scene| {
        scene.settle();
        scene.news.drain(..).find_map(|news| match news {
            News::Told { serial, answer, .. } => Some((serial, answer)),
            News::Progress
            | News::Placed { .. }
            | News::Unfit { .. }
            | News::End { .. }
            | News::Reply { .. }
            | News::GlassDied
            | News::Quit
            | News::Hopeless(_) => None,
        })
    };
    let ask = |scene: &mut Scene, serial| {
        scene.house.supervisor.ask(serial, Question::Stats, &mut scene.house.reactor).remove(0).1
    };
    let part = |serial, text: &str, last| ToBroker::Part { serial, text: text.into(), last };
    ask(&mut scene, 1).unwrap();
    copy.peer.send(&part(1, "{\"a\"", false));
    assert_eq!(told(&mut scene), None);
    copy.peer.send(&part(1, ":1}", true));
    assert_eq!(told(&mut scene), Some((1, Ok("{\"a\":1}".into()))));
    // A renderer that does not answer is asked no more until it has.
    ask(&mut scene, 2).unwrap();
    scene.house.supervisor.give_up(2);
    assert!(ask(&mut scene, 3).is_err());
    copy.peer.send(&part(2, "{}", true));
    assert_eq!(told(&mut scene), None);
    ask(&mut scene, 4).unwrap();
    let text = "x".repeat(MAX_PART_BYTES);
    let parts = MAX_ANSWER_BYTES / MAX_PART_BYTES;
    for _ in 0..parts {
        copy.peer.send(&part(4, &text, false));
        assert_eq!(told(&mut scene), None);
    }
    copy.peer.send(&part(4, &text, false));
    let (serial, answer) = told(&mut scene).unwrap();
    assert!(serial == 4 && answer.unwrap_err().contains("longer than"));
    assert!(!copy.is_dead());
    for _ in 0..4 * parts {
        let sent = seqpacket::try_send(
            copy.peer.0.as_fd(),
            &serde_json::to_vec(&part(4, &text, false)).unwrap(),
            &[],
        );
        scene.settle();
        if sent.is_err() {
            break;
        }
    }
    scene.until("its end", |_| copy.is_dead().then_some(()));
    scene.until("that it is told", |scene| scene.state(copy.class).last_end);
    assert_eq!(scene.state(copy.class).last_end.as_deref(), Some("it answers without end"));
}

#[test]
fn a_new_glass_is_told_all_and_connected_to_all() {
    let mut scene = Scene::new(Isolation::Vm);
    let first = scene.client(7);
    let one = scene.copy();
    let second = scene.client(8);
    let two = scene.copy();
    for copy in [&one, &two] {
        scene.told_renderer(copy);
    }
    // What it said last counts.
    let placed = FromGlass::Placed { client: first, windows: vec![] };
    scene.glass.send(&placed);
    kill(scene.house.supervisor.glass_pid().unwrap());
    let glass = scene.until("another glass", |scene| scene.started(|role| matches!(role, Role::Glass(_))));
    assert!(!scene.house.supervisor.is_ready());
    scene.glass = glass.peer;
    let told = scene.told_glass();
    assert!(
        matches!(told.as_slice(), [
        ToGlass::Client(a), ToGlass::Client(b), ToGlass::Renderer { class: c, .. }, ToGlass::Renderer { class: d, .. }
    ] if (a.id, b.id, *c, *d) == (first, second, one.class, two.class)),
        "{told:?}"
    );
    for copy in [&one, &two] {
        assert_eq!(scene.told_renderer(copy), [ToRenderer::Glass]);
    }
    assert!(scene.news.iter().any(|news| matches!(news, News::Placed { client, .. } if *client == first)));
    assert!(scene.news.iter().any(|news| matches!(news, News::GlassDied)));
    scene.glass.send(&FromGlass::Ready { output: "again".into() });
    scene.settle();
    assert!(scene.house.supervisor.is_ready());
}

#[test]
fn without_a_glass_no_renderer_is_started() {
    let mut scene = Scene::new(Isolation::Vm);
    // The second death in a row is followed by a pause.
    for _ in 0..2 {
        let pid = scene.house.supervisor.glass_pid().unwrap();
        kill(pid);
        // Without a turn after its death.
        let House { reactor, registry, supervisor, .. } = &mut scene.house;
        while supervisor.glass_pid() == Some(pid) {
            for (token, flags) in reactor.wait(None).unwrap() {
                supervisor.event(reactor.source(token).unwrap(), flags, reactor);
            }
        }
        supervisor.turn(Instant::now(), registry, reactor);
    }
    assert_eq!(scene.house.supervisor.glass_pid(), None);
    scene.client(7);
    let House { reactor, registry, supervisor, .. } = &mut scene.house;
    let now = Instant::now();
    supervisor.turn(now, registry, reactor);
    assert!(!supervisor.command(1, Command::List, reactor));
    assert!(scene.template.next::<ToTemplate>().is_none());
    scene.started(|role| matches!(role, Role::Glass(_)));
    scene.until("the next glass", |scene| scene.started(|role| matches!(role, Role::Glass(_))));
    let copy = scene.copy();
    let told = scene.told_renderer(&copy);
    assert!(matches!(told.as_slice(), [ToRenderer::Glass, ToRenderer::Client(_)]), "{told:?}");
}

#[test]
fn renderers_that_die_with_the_template_are_not_to_blame() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let copy = scene.copy();
    scene.client(8);
    // One is there, another one is asked for.
    let wish = scene.asked();
    let classes = [copy.class, wish.class];
    kill_now(scene.house.supervisor.template_pid().unwrap());
    drop(copy);
    let template = scene.until("another template", |scene| scene.started(|role| *role == Role::Template));
    scene.until("the deaths", |scene| {
        classes.iter().all(|&class| scene.state(class).state == "starting").then_some(())
    });
    scene.template = template.peer;
    assert!(scene.template.next::<ToTemplate>().is_none(), "it has not drawn yet");
    scene.template.send(&FromTemplate::Ready { gl: "again".into(), forks: true });
    let copies = [scene.copy(), scene.copy()];
    assert_eq!(copies.each_ref().map(|copy| copy.class), classes);
    for class in classes {
        let renderer = &scene.house.supervisor.renderers[&class];
        assert_eq!((renderer.backoff.short_lives(), renderer.starts), (0, 2));
    }
}

#[test]
fn a_copy_that_can_t_be_made_is_a_death() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let wish = scene.asked();
    let class = wish.class;
    // Nobody asked for this.
    scene.template.send(&FromTemplate::NotForked { class: ClassId(99), reason: "x".into() });
    scene.template.send(&FromTemplate::NotForked { class, reason: "out of memory".into() });
    scene.settle();
    assert_eq!(scene.state(class).last_end.as_deref(), Some("can't be started: out of memory"));
    let copy = scene.copy();
    assert_eq!(copy.class, class);
}

#[test]
fn a_template_that_makes_no_copies_is_ended() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let wish = scene.asked();
    let due = scene.house.supervisor.due().unwrap();
    assert!(due <= Instant::now() + FORK_TIME);
    let pid = scene.house.supervisor.template_pid();
    scene.settle_at(due);
    scene.until("another template", |scene| (scene.house.supervisor.template_pid() != pid).then_some(()));
    assert_eq!(scene.state(wish.class).state, "starting");
}

#[test]
fn a_server_that_never_comes_up_is_given_up() {
    for role in [Role::Template, Role::Glass(OutputOption::Headless { width: 64, height: 64, hz: 60 })] {
        let mut scene = Scene::starting(Isolation::Vm);
        let what = scene.until("the end", |scene| {
            let supervisor = &scene.house.supervisor;
            let pid = if role == Role::Template { supervisor.template_pid() } else { supervisor.glass_pid() };
            pid.into_iter().for_each(kill);
            scene.started(|_| true);
            scene.news.iter().find_map(|news| match news {
                News::Hopeless(hopeless) => Some(hopeless.to_string()),
                News::Progress
                | News::Placed { .. }
                | News::Unfit { .. }
                | News::End { .. }
                | News::Reply { .. }
                | News::Told { .. }
                | News::GlassDied
                | News::Quit => None,
            })
        });
        let name = if role == Role::Template { "template" } else { "glass" };
        assert!(what.starts_with(&format!("the {name} died 5 times before")), "{what}");
    }
}

#[test]
fn a_template_that_was_good_once_is_done_without() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let _wish = scene.asked();
    let renderer = scene.until("a renderer of its own", |scene| {
        scene.house.supervisor.template_pid().into_iter().for_each(kill);
        scene.started(|role| *role == Role::Template);
        scene.started(|role| matches!(role, Role::Renderer(_)))
    });
    assert!(matches!(renderer.peer.next::<ToRenderer>(), Some((ToRenderer::Glass, _))));
    kill(renderer.pid);
}

#[test]
fn a_suspended_machine_is_neither_run_nor_shown() {
    let mut scene = Scene::new(Isolation::Vm);
    let id = ClientId(1);
    let policy = crate::policy::file::Policy::default();
    assert_eq!(policy.isolation, Isolation::Vm);
    let vm = serde_json::from_str(r#"{"name": "work", "renderer_memory": "64M"}"#).unwrap();
    scene.house.registry.add_vm(id, crate::registry::Vm::new(vm, ipc::vm::Color([0; 3])));
    scene.client_of(id, Owner::Machine(id));
    let mut copy = scene.copy();
    assert_eq!(copy.share.memory, 64 << 20);
    scene.told_glass();
    scene.house.registry.vm_mut(id).unwrap().suspended = true;
    scene.house.rest(id);
    let class = copy.class;
    assert_eq!(scene.told_glass(), [ToGlass::ClientGone { id }, ToGlass::ClassGone { class }]);
    assert!(copy.peer.hangs_up());
    // Whatever happens to it meanwhile.
    scene.house.run(id);
    scene.settle();
    assert!(scene.template.next::<ToTemplate>().is_none());
    scene.settle_at(Instant::now() + END_TIME + Duration::from_secs(1));
    scene.until("its end", |_| copy.is_dead().then_some(()));
    scene.house.registry.vm_mut(id).unwrap().suspended = false;
    scene.house.run(id);
    let next = scene.copy();
    assert_ne!(next.class, class);
    let told = scene.told_glass();
    assert!(
        matches!(told.as_slice(), [ToGlass::Client(shown), ToGlass::Renderer { .. }] if shown.id == id),
        "{told:?}"
    );
}

#[test]
fn a_renderer_that_is_never_ready_is_dead() {
    let mut scene = Scene::new(Isolation::Vm);
    scene.client(7);
    let mut copy = scene.asked();
    scene.forked(&copy);
    assert_eq!(scene.state(copy.class).state, "starting");
    let due = scene.house.supervisor.due().unwrap();
    assert!(due > Instant::now() + READY_TIME / 2);
    scene.settle_at(due);
    scene.until("its end", |_| copy.is_dead().then_some(()));
    scene.until("that it is told", |scene| scene.state(copy.class).last_end);
    assert_eq!(scene.state(copy.class).last_end.as_deref(), Some("was not ready within 30 s"));
}
