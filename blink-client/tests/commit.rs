//! The commit protocol, seen from a reader that follows the server's rules.
#![allow(clippy::cast_possible_truncation, reason = "test")]

use blink_client::{Connection, Context, Error, ObjectId, TextureArea, TextureInfo, Transport, Wake, What};
use blinkgl::layout::{
    self, EventKind, ObjectType, Slot, WindowDesc, aperture, context, slot, slot_offset, texture,
};
use blinkgl::limits::{MAX_OBJECTS, MAX_WINDOWS, PAGE_SIZE};
use blinkgl::shm::{Shm, ShmOffset};
use blinkgl::{Callback, Reg, WireProgram};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Memory without a server.
#[derive(Debug)]
struct Memory {
    shm: Shm,
    rung: AtomicU32,
}

impl Transport for Memory {
    fn memory(&self) -> &Shm {
        &self.shm
    }
    fn ring(&self) {
        self.rung.fetch_add(1, Ordering::Relaxed);
    }
    fn wait(&self, _timeout: Option<Duration>) -> Result<Wake, Error> {
        Ok(Wake::Timeout)
    }
    fn client(&self) -> u32 {
        1
    }
}

/// A context of so many data pages, and its memory as the server sees it.
fn context_of(data_pages: usize) -> (Context, Shm, Arc<Memory>) {
    let pages = layout::DATA_PAGE + data_pages;
    let shm = Shm::anonymous((pages + 1) * PAGE_SIZE);
    let memory = Arc::new(Memory { shm: shm.clone(), rung: AtomicU32::new(0) });
    let context = Connection::over(Arc::clone(&memory) as Arc<dyn Transport>).unwrap().context().unwrap();
    let part = shm.part(ShmOffset(PAGE_SIZE), pages * PAGE_SIZE).unwrap();
    (context, part, memory)
}

fn load(shm: &Shm, offset: usize) -> u32 {
    shm.load(ShmOffset(offset)).unwrap()
}

fn words_of(shm: &Shm, slot: &Slot) -> Vec<u32> {
    let mut words = Vec::new();
    for &(first, pages) in &slot.extents[..slot.extent_count as usize] {
        let mut run = vec![0; pages as usize * PAGE_SIZE / 4];
        shm.copy_in(ShmOffset(first as usize * PAGE_SIZE), &mut run).unwrap();
        words.extend(run);
    }
    words.truncate(slot.bytes as usize / 4);
    words
}

type Objects = BTreeMap<u32, (Slot, Vec<u32>)>;

/// All objects of a stable commit, and its number; `None` if a commit was under way.
fn scan(shm: &Shm) -> Option<(u32, Objects)> {
    let commit = load(shm, context::COMMIT);
    if !commit.is_multiple_of(2) {
        return None;
    }
    let mut objects = BTreeMap::new();
    for index in 0..load(shm, context::SLOTS) as usize {
        let mut words = [0; layout::SLOT_WORDS];
        shm.copy_in(ShmOffset(slot_offset(index)), &mut words).unwrap();
        let slot = Slot::decode(&words);
        if slot.type_code != 0 && slot.version.is_multiple_of(2) {
            let words = words_of(shm, &slot);
            objects.insert(slot.oid, (slot, words));
        }
    }
    (load(shm, context::COMMIT) == commit).then_some((commit, objects))
}

/// A "program" of `words` words, all `value`: the client library looks at none of them.
fn program(words: usize, value: u32) -> WireProgram {
    WireProgram::from_words(vec![value; words])
}

/// Objects that are replaced together: some large, the others a page each, so that the slots take long to write.
const LARGE: usize = 2;
const OBJECTS: usize = 60;

/// Do the versions of the first and the last slot belong together? `None` if a commit was under way.
/// All objects change in each commit, so all versions are the same; this is read so fast that it often
/// falls into the time in which slots are written.
fn versions_match(shm: &Shm) -> Option<bool> {
    let commit = load(shm, context::COMMIT);
    let [first, last] = [0, OBJECTS - 1].map(|i| load(shm, slot_offset(i) + slot::VERSION * 4));
    let stable = commit.is_multiple_of(2) && load(shm, context::COMMIT) == commit;
    stable.then_some(first == last)
}

/// Objects of many sizes are replaced together, over and over, in so little memory that pages come
/// back soon. Whoever reads by the rules never sees two that don't belong together.
#[test]
fn a_reader_never_sees_half_a_commit() {
    let (mut context, shm, _memory) = context_of(3 * (OBJECTS - LARGE) + 24);
    let done = AtomicBool::new(false);
    let stable = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut stable = 0_u32;
            let mut last = 0;
            while !done.load(Ordering::Relaxed) || stable == 0 {
                for _ in 0..1000 {
                    assert_ne!(versions_match(&shm), Some(false), "a slot is of another commit");
                }
                let Some((commit, objects)) = scan(&shm) else { continue };
                let values: Vec<u32> = objects.values().flat_map(|(_, words)| words).copied().collect();
                assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "commit {commit} is a mix");
                assert!(objects.is_empty() || objects.len() == OBJECTS);
                let value = values.first().copied().unwrap_or(0);
                assert!(value >= last, "commit {commit} shows {value} after {last}");
                last = value;
                shm.store(ShmOffset(context::SCANNED), commit).unwrap();
                stable += 1;
            }
            stable
        });
        let mut rng = fastrand::Rng::with_seed(5);
        let mut oids: Vec<ObjectId> = Vec::new();
        for value in 1..1500 {
            let mut commit = context.commit();
            for i in 0..OBJECTS {
                let program = program(rng.usize(1..if i < LARGE { 5000 } else { 20 }), value);
                match oids.get(i) {
                    None => oids.push(commit.procedure(Callback::Redraw, &program).unwrap()),
                    Some(&oid) => commit.set_procedure(oid, Callback::Redraw, &program).unwrap(),
                }
            }
            if rng.u32(0..10) == 0 && value > 1 {
                drop(commit);
            } else {
                commit.finish().unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(stable > 0);
}

#[test]
fn a_dropped_commit_never_happened() {
    let (mut context, shm, memory) = context_of(30);
    let mut commit = context.commit();
    let kept = commit.procedure(Callback::Redraw, &program(10, 1)).unwrap();
    commit.finish().unwrap();
    let before = scan(&shm).unwrap();
    let (free, rung) = (context.free_bytes(), memory.rung.load(Ordering::Relaxed));
    let mut commit = context.commit();
    commit.set_procedure(kept, Callback::Redraw, &program(5000, 2)).unwrap();
    let dropped = commit.procedure(Callback::Update, &program(5000, 2)).unwrap();
    commit.remove(kept).unwrap();
    assert!(commit.set_procedure(kept, Callback::Redraw, &program(1, 1)).is_err(), "it is removed");
    drop(commit);
    assert_eq!(scan(&shm).unwrap(), before);
    assert_eq!(context.free_bytes(), free);
    assert_eq!(memory.rung.load(Ordering::Relaxed), rung);
    assert!(matches!(context.commit().remove(dropped), Err(Error::NoObject(oid)) if oid == dropped));
    context.commit().finish().unwrap();
    assert_eq!(memory.rung.load(Ordering::Relaxed), rung, "an empty commit rings no bell");
}

#[test]
fn objects_are_in_the_array_as_the_layout_says() {
    let (mut context, shm, memory) = context_of(30);
    let mut commit = context.commit();
    let redraw = commit.procedure(Callback::Redraw, &program(3, 9)).unwrap();
    let registers = commit.registers().unwrap();
    let file = commit.register_file(registers).unwrap();
    file.set(Reg::new(31).unwrap(), 1.5);
    let info = TextureInfo::bgra(2, 2);
    let texture = commit.texture(&info, &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]).unwrap();
    let mut desc = WindowDesc { registers: registers.into(), ..WindowDesc::default() };
    desc.procedures[Callback::Redraw as usize] = redraw.into();
    let window = commit.window(&desc).unwrap();
    assert!(scan(&shm).unwrap().1.is_empty(), "nothing is visible before the end");
    commit.finish().unwrap();
    let (_, objects) = scan(&shm).unwrap();
    let object = |oid: ObjectId| &objects[&oid.number()];
    assert_eq!(object(redraw).1, [9; 3]);
    assert_eq!(object(redraw).0.params[0], Callback::Redraw as u32);
    assert_eq!(object(texture).1, [1, 2, 3, 4]);
    assert_eq!(object(texture).0.params[..5], [1, 2, 2, 8, 0]);
    assert_eq!(object(registers).1[31], 1.5_f32.to_bits());
    let words = <[u32; layout::WINDOW_WORDS]>::try_from(object(window).1.as_slice()).unwrap();
    assert_eq!(WindowDesc::decode(&words), desc);
    let types = [redraw, registers, texture, window].map(|oid| object(oid).0.type_code);
    let wanted = [ObjectType::Procedure, ObjectType::Registers, ObjectType::Texture, ObjectType::Window];
    assert_eq!(types, wanted.map(|t| t as u32));

    // Registers are live, without a commit.
    let place = object(registers).0.extents[0].0 as usize * PAGE_SIZE;
    context.registers(registers).unwrap().set_bits(Reg::new(4).unwrap(), 77);
    assert_eq!(load(&shm, place + 16), 77);
    assert!(matches!(context.registers(texture), Err(Error::WrongType { .. })));

    // An update is a new version of the window with another serial.
    context.request_update(window).unwrap();
    let (_, after) = scan(&shm).unwrap();
    assert_eq!(after[&window.number()].1[17], 1);
    assert_ne!(after[&window.number()].0.version, object(window).0.version);
    assert_eq!(after[&texture.number()].0.version, object(texture).0.version);

    // A removed object's slot is free and its version goes on.
    let mut commit = context.commit();
    commit.remove(texture).unwrap();
    commit.finish().unwrap();
    let (_, after) = scan(&shm).unwrap();
    assert!(!after.contains_key(&texture.number()));
    let version = load(&shm, slot_offset(2) + slot::VERSION * 4);
    assert_eq!(version, object(texture).0.version + 2);

    // Dropping the context frees its entry in the directory.
    let generation = ShmOffset(aperture::DIRECTORY + aperture::ENTRY_GENERATION);
    assert_eq!(memory.shm.load(generation), Ok(1));
    drop(context);
    assert_eq!(memory.shm.load(generation), Ok(0));
}

/// A virtual machine was reset while its client published, and its client starts again on the same memory.
#[test]
fn used_memory_is_as_good_as_new() {
    let (mut first, shm, memory) = context_of(30);
    let mut commit = first.commit();
    commit.registers().unwrap();
    commit.finish().unwrap();
    first.want_presented(true);
    let odd = load(&shm, context::COMMIT) + 1;
    shm.store(ShmOffset(context::COMMIT), odd).unwrap();
    let second_entry = ShmOffset(aperture::DIRECTORY + aperture::ENTRY_BYTES + aperture::ENTRY_GENERATION);
    memory.shm.store(second_entry, 7).unwrap();
    std::mem::forget(first);

    let mut connection = Connection::over(Arc::clone(&memory) as Arc<dyn Transport>).unwrap();
    assert_eq!(memory.shm.load(second_entry), Ok(0), "all contexts are free");
    let mut context = connection.context_of(layout::DATA_PAGE as u32 + 2).unwrap();
    let generation = ShmOffset(aperture::DIRECTORY + aperture::ENTRY_GENERATION);
    assert_eq!(memory.shm.load(generation), Ok(2), "the server sees that it is another context");
    let (commit, objects) = scan(&shm).expect("no commit is under way");
    assert!(objects.is_empty() && commit == odd + 1);
    assert_eq!(load(&shm, context::WANT_PRESENTED), 0);
    let mut commit = context.commit();
    commit.registers().unwrap();
    commit.finish().unwrap();
    assert_eq!(scan(&shm).map(|(commit, objects)| (commit, objects.len())), Some((odd + 3, 1)));
    let second = connection.context().unwrap();
    assert_eq!(memory.shm.load(second_entry), Ok(8), "not what it was");

    // A program that ends well gives its contexts up; the server may not have seen that when the next one comes.
    drop((context, second, connection));
    assert_eq!(memory.shm.load(generation), Ok(0));
    let mut connection = Connection::over(Arc::clone(&memory) as Arc<dyn Transport>).unwrap();
    let _context = connection.context().unwrap();
    assert_eq!(memory.shm.load(generation), Ok(3));
}

/// The server is told which rows changed since which version, and finds the whole texture in any case.
#[test]
fn an_area_of_a_texture_is_a_new_texture_that_names_its_base() {
    let (mut context, shm, _memory) = context_of(30);
    let info = TextureInfo::luminance(100, 60).with_levels(2);
    let mut model = vec![1; 6000 + 1500];
    let mut commit = context.commit();
    let oid = commit.texture(&info, &model).unwrap();
    let area = |level, x, y, width, height| TextureArea { level, x, y, width, height };
    // In the commit that makes it, all of it is new.
    commit.set_texture_area(oid, area(0, 0, 0, 1, 1), &[9], 1).unwrap();
    model[0] = 9;
    commit.finish().unwrap();
    let look = |context: &Context, model: &[u8]| {
        let (_, objects) = scan(&shm).unwrap();
        let (slot, words) = &objects[&oid.number()];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert!(bytes == model);
        assert_eq!(slot.params[..6], [5, 100, 60, 100, 0, 2]);
        shm.store(ShmOffset(context::SCANNED), load(&shm, context::COMMIT)).unwrap();
        assert!(context.is_seen());
        (slot.version, slot.params[texture::BASE_VERSION], slot.params[texture::ROWS])
    };
    let (first, _, rows) = look(&context, &model);
    assert_eq!(rows, 0);

    let mut commit = context.commit();
    commit.set_texture_area(oid, area(0, 90, 40, 10, 2), &[[3; 10], [4; 10]].concat(), 10).unwrap();
    assert!(commit.set_texture_area(oid, area(0, 91, 40, 10, 2), &[0; 20], 10).is_err());
    commit.set_texture_area(oid, area(0, 7, 30, 1, 3), &[5, 0, 6, 0, 7], 2).unwrap();
    commit.finish().unwrap();
    model[4090..4100].fill(3);
    model[4190..4200].fill(4);
    for (row, value) in [(30, 5), (31, 6), (32, 7)] {
        model[row * 100 + 7] = value;
    }
    let (second, base, rows) = look(&context, &model);
    assert_eq!((base, rows), (first, 30 | 12 << 16), "rows 30 to 42, since the version before");

    let mut commit = context.commit();
    commit.set_texture_area(oid, area(0, 0, 5, 1, 1), &[8], 1).unwrap();
    drop(commit);
    let mut commit = context.commit();
    commit.set_texture_area(oid, area(0, 0, 6, 0, 1), &[], 1).unwrap();
    commit.finish().unwrap();
    assert_eq!(look(&context, &model).0, second, "neither changed it");

    // What changes in another level can't be told: all of it is new.
    let mut commit = context.commit();
    commit.set_texture_area(oid, area(0, 0, 59, 1, 1), &[8], 1).unwrap();
    commit.set_texture_area(oid, area(1, 49, 29, 1, 1), &[8], 1).unwrap();
    commit.finish().unwrap();
    model[5900] = 8;
    model[7499] = 8;
    let (_, base, rows) = look(&context, &model);
    assert_eq!((base, rows), (second, 0));
}

/// Pages of replaced objects come back when the scan has seen their replacement, not before.
#[test]
fn reserved_oids_become_objects() {
    let (mut context, shm, _) = context_of(16);
    let [texture, buffer, unused] = [(); 3].map(|()| context.reserve().unwrap());
    assert!(texture != buffer && buffer != unused);
    let mut commit = context.commit();
    let other = commit.vertex_buffer(&[1]).unwrap();
    assert!(![texture, buffer, unused].contains(&other));
    commit.set_texture(texture, &TextureInfo::bgra(1, 1), &[1, 2, 3, 4]).unwrap();
    assert!(matches!(commit.set_vertex_buffer(texture, &[1]), Err(Error::WrongType { .. })));
    commit.set_index_buffer(buffer, &[1, 2]).unwrap();
    // What is only reserved is no object: no window may name it.
    let window = WindowDesc { registers: unused.number(), ..WindowDesc::default() };
    assert!(matches!(commit.window(&window), Err(Error::NoObject(oid)) if oid == unused));
    commit.finish().unwrap();
    let (_, objects) = scan(&shm).unwrap();
    let kinds: Vec<_> = objects.iter().map(|(&oid, (slot, _))| (oid, slot.type_code)).collect();
    assert_eq!(
        kinds,
        [
            (texture, ObjectType::Texture),
            (buffer, ObjectType::IndexBuffer),
            (other, ObjectType::VertexBuffer)
        ]
        .map(|(oid, kind)| (oid.number(), kind as u32))
    );
    // Published, it is an object as any: of its type, and gone once it is removed.
    let mut commit = context.commit();
    assert!(matches!(commit.set_vertex_buffer(buffer, &[1]), Err(Error::WrongType { .. })));
    commit.set_index_buffer(buffer, &[3]).unwrap();
    commit.remove(texture).unwrap();
    commit.finish().unwrap();
    let again = context.commit().set_texture(texture, &TextureInfo::bgra(1, 1), &[0; 4]);
    assert!(matches!(again, Err(Error::NoObject(_))));
}

#[test]
fn pages_wait_for_the_scan() {
    let (mut context, shm, _memory) = context_of(4);
    let mut commit = context.commit();
    let oid = commit.procedure(Callback::Redraw, &program(2048, 1)).unwrap();
    commit.finish().unwrap();
    let replace = |context: &mut Context, value| {
        let mut commit = context.commit();
        commit.set_procedure(oid, Callback::Redraw, &program(2048, value))?;
        commit.finish()
    };
    replace(&mut context, 2).unwrap();
    assert!(!context.is_seen());
    // Two pages are in use, two wait for a scan that does not come.
    let error = replace(&mut context, 3).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { wanted: 2, free: 0, retired: 2, .. }), "{error}");
    assert_eq!(scan(&shm).unwrap().1[&oid.number()].1, [2; 2048], "what is published stays");
    let (commit, _) = scan(&shm).unwrap();
    shm.store(ShmOffset(context::SCANNED), commit).unwrap();
    assert!(context.is_seen());
    replace(&mut context, 3).unwrap();
}

#[test]
fn limits_are_told_before_the_server_sees_anything() {
    let (mut context, _shm, _memory) = context_of(MAX_OBJECTS + 8);
    let mut commit = context.commit();
    for _ in 0..MAX_WINDOWS {
        commit.window(&WindowDesc::default()).unwrap();
    }
    assert!(matches!(commit.window(&WindowDesc::default()), Err(Error::TooManyWindows(_))));
    let missing = WindowDesc { cursor: 999, ..WindowDesc::default() };
    assert!(matches!(commit.window(&missing), Err(Error::NoObject(_))));
    for _ in MAX_WINDOWS..MAX_OBJECTS {
        commit.vertex_buffer(&[1]).unwrap();
    }
    assert!(matches!(commit.vertex_buffer(&[1]), Err(Error::TooManyObjects(_))));
    commit.finish().unwrap();
    let mut commit = context.commit();
    assert!(matches!(commit.registers(), Err(Error::TooManyObjects(_))));
    assert!(commit.procedure(Callback::Redraw, &program(1 << 19, 0)).is_err());
}

#[test]
fn events_and_clock() {
    let (mut context, shm, _memory) = context_of(4);
    let put = |count: u32, kind: u32, words| {
        let event = layout::Event { kind, window: 3, time: 5, words };
        shm.copy_out(ShmOffset(layout::event_offset(count)), &event.encode()).unwrap();
        shm.store(ShmOffset(context::EVENTS_PUT), count + 1).unwrap();
    };
    assert_eq!(context.next_event(), None);
    put(0, EventKind::Button as u32, [(-4_i32).cast_unsigned(), 2, 1, 0x102]);
    put(1, 999, [0; 4]);
    put(2, EventKind::ProcedureRejected as u32, [7, 13, 42, u32::MAX]);
    let event = context.next_event().unwrap();
    assert_eq!((event.window, event.time), (ObjectId::new(3), 5));
    assert_eq!(event.what, What::Button { x: -4, y: 2, buttons: 1, button: 2, pressed: true });
    let Some(What::ProcedureRejected(why)) = context.next_event().map(|e| e.what) else {
        panic!("the unknown kind is left out")
    };
    assert_eq!(
        why.to_string(),
        "procedure 7 was refused: rule V13 at op 42; `blinkgl verify` and `blinkctl list` say more"
    );
    assert_eq!(context.next_event(), None);
    assert_eq!(load(&shm, context::EVENTS_TAKEN), 3);
    // A count that jumps loses events, but not the client.
    shm.store(ShmOffset(context::EVENTS_PUT), 4000).unwrap();
    assert_eq!(context.next_event(), None);
    assert_eq!(load(&shm, context::EVENTS_TAKEN), 4000);

    shm.copy_out(ShmOffset(context::CLOCK_NOW), &[1, 2, 3, 0, 4, 0, 5, 0]).unwrap();
    let clock = context.clock();
    assert_eq!((clock.now, clock.next_present, clock.refresh, clock.frame), (1 | 2 << 32, 3, 4, 5));
    // A renderer that died while it wrote leaves the last good time.
    shm.store(ShmOffset(context::CLOCK_SEQUENCE), 7).unwrap();
    shm.store(ShmOffset(context::CLOCK_NOW), 99).unwrap();
    assert_eq!(context.clock(), clock);
}
