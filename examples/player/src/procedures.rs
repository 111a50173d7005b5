//! The player's stored procedures: which picture of the ring is shown is decided in the server, for each
//! frame, by the time at which that frame will be seen.
//!
//! The ring is `n` textures. Registers of the window, by number:
//!
//! | register | written by | what |
//! |---|---|---|
//! | [`EPOCH_HIGH`], [`EPOCH_LOW`] | client | moment from which the times count, nanoseconds of the server's clock |
//! | [`STILL`] | client | shows this entry of the ring (0, 1, ...); [`BY_TIME`]: plays |
//! | [`TIMES`]` + i` | client | seconds after the epoch at which entry `i` is shown first; [`NEVER`]: it is not |
//! | [`SHOWN`], [`WHOLE`] | `redraw` | the entry that the window shows; whether this frame draws all of it |
//!
//! The client changes the other registers only in ways that no frame can see half of: an entry gets a time
//! ahead, or the times change while `STILL` says what to show.

use blinkgl::gl::{
    BlendFactor, Capability, ClearMask, External, MatrixMode, Predicate, Primitive, TexEnvMode, TexParameter,
    TexValue,
};
use blinkgl::{RecordError, Recorder, Reg, WireProgram};

/// Number of the register with the epoch's high word.
pub const EPOCH_HIGH: u32 = 0;
/// Number of the register with the epoch's low word.
pub const EPOCH_LOW: u32 = 1;
/// Number of the register that says which entry is shown while nothing plays.
pub const STILL: u32 = 2;
/// Number of the register with the entry that the whole window shows.
pub const SHOWN: u32 = 3;
/// Number of the register that is not 0 if the frame before asked for one that draws all of the window.
pub const WHOLE: u32 = 4;
/// Number of the register with the time of entry 0.
pub const TIMES: u32 = 5;

/// Most entries of a ring: the registers that are left for times.
pub const MAX_RING: u32 = 16;

/// In [`STILL`]: plays.
pub const BY_TIME: f32 = -1.0;

/// The time of an entry that is not shown: later than every film.
pub const NEVER: f32 = 1e30;

/// `init`: everything that stays.
///
/// # Errors
/// None for rings up to [`MAX_RING`].
pub fn init(ring: &[u32], blend: bool) -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    p.clear_color(0.0, 0.0, 0.0, 1.0);
    p.enable(Capability::Texture2d);
    p.tex_env_mode(if blend { TexEnvMode::Modulate } else { TexEnvMode::Replace });
    p.blend_func(BlendFactor::SrcAlpha, BlendFactor::OneMinusSrcAlpha);
    for &texture in ring {
        p.bind_texture(texture);
        for name in [TexParameter::MagFilter, TexParameter::MinFilter] {
            p.tex_parameter(name, TexValue::Linear);
        }
        for name in [TexParameter::WrapS, TexParameter::WrapT] {
            p.tex_parameter(name, TexValue::ClampToEdge);
        }
    }
    p.finish()
}

/// `reshape`: the picture as large as the window lets it be, with its own ratio of width to height.
///
/// # Errors
/// None.
pub fn reshape(aspect: f32) -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let [width, height, across, up] = [p.alloc(), p.alloc(), p.alloc(), p.alloc()];
    p.read(width, External::Width);
    p.read(height, External::Height);
    p.viewport(0, 0, width, height);
    p.mul(across, height, aspect);
    p.div(across, across, width);
    p.min(across, across, 1.0);
    p.div(up, width, aspect);
    p.div(up, up, height);
    p.min(up, up, 1.0);
    p.matrix_mode(MatrixMode::Projection);
    p.load_identity();
    p.scale(across, up, 1.0);
    p.matrix_mode(MatrixMode::Modelview);
    p.finish()
}

/// `redraw`: finds the picture, draws it, and asks for the frames that will differ.
///
/// With `blend`, it draws the picture after it over it, the more opaque the nearer its time is, so that a
/// film has as many different pictures as the output has frames.
///
/// # Errors
/// None for rings up to [`MAX_RING`].
pub fn redraw(ring: &[u32], blend: bool) -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let [high, low, still, shown, whole] =
        [EPOCH_HIGH, EPOCH_LOW, STILL, SHOWN, WHOLE].map(|number| p.reg(number));
    let times: Vec<(f32, Reg)> = (0u16..)
        .zip(TIMES..)
        .zip(ring)
        .map(|((entry, register), _)| (f32::from(entry), p.reg(register)))
        .collect();
    let [now, entry, start, next_entry, next, mix] =
        [p.alloc(), p.alloc(), p.alloc(), p.alloc(), p.alloc(), p.alloc()];
    let [a, b] = [p.alloc(), p.alloc()];
    let (play, chosen, end) = (p.label(), p.label(), p.label());

    p.clear(ClearMask::COLOR);
    p.mov(mix, 0.0);
    p.jmp_if(Predicate::Lt, still, 0.0, play);
    p.mov(entry, still);
    p.mov(shown, BY_TIME);
    p.jmp(chosen);

    // The last picture that has begun, and the first that has not.
    p.bind(play);
    p.time_since(now, high, low);
    p.mov(entry, -1.0);
    p.mov(start, -NEVER);
    p.mov(next_entry, -1.0);
    p.mov(next, NEVER);
    for &(number, time) in &times {
        p.cmp(a, Predicate::Le, time, now);
        p.select(b, a, time, -NEVER);
        p.select(a, a, NEVER, time);
        let later = p.alloc();
        p.cmp(later, Predicate::Gt, b, start);
        p.select(start, later, b, start);
        p.select(entry, later, number, entry);
        p.cmp(later, Predicate::Lt, a, next);
        p.select(next, later, a, next);
        p.select(next_entry, later, number, next_entry);
        p.release(later);
    }

    // With no picture to come there is no frame to ask for: the client's next commit will.
    p.jmp_if(Predicate::Ge, next, NEVER, chosen);
    if blend {
        p.request_frame();
        p.sub(a, now, start);
        p.sub(b, next, start);
        p.div(mix, a, b);
    } else {
        request(&mut p, Choice { now, entry, next, shown, whole, a, b });
    }

    p.bind(chosen);
    p.jmp_if(Predicate::Lt, entry, 0.0, end);
    bind_entry(&mut p, ring, &times, entry);
    quad(&mut p);
    if blend {
        p.jmp_if(Predicate::Le, mix, 0.0, end);
        bind_entry(&mut p, ring, &times, next_entry);
        p.enable(Capability::Blend);
        p.color4(1.0, 1.0, 1.0, mix);
        quad(&mut p);
    }
    p.bind(end);
    p.finish()
}

/// Registers of [`request`].
struct Choice {
    now: Reg,
    entry: Reg,
    next: Reg,
    shown: Reg,
    whole: Reg,
    a: Reg,
    b: Reg,
}

/// Asks for the next frame: for all of the window if its picture will be another, else for one pixel of
/// it, which costs next to nothing and lets this procedure look at the clock again.
fn request(p: &mut Recorder, choice: Choice) {
    let Choice { now, entry, next, shown, whole, a, b } = choice;
    // This frame draws all of the window if the one before asked for that. (When the server draws all of it
    // for a reason of its own, this is not known here, and one frame too many is drawn.)
    p.select(shown, whole, entry, shown);
    p.cmp(whole, Predicate::Ne, shown, entry);
    // A little more than the interval: rounding must not make a picture late.
    p.read(a, External::Refresh);
    p.mul(a, a, 1.05);
    p.add(a, a, now);
    p.cmp(b, Predicate::Ge, a, next);
    p.max(whole, whole, b);
    let (part, done) = (p.label(), p.label());
    p.jmp_if(Predicate::Eq, whole, 0.0, part);
    p.request_frame();
    p.jmp(done);
    p.bind(part);
    p.damage(0, 0, 1, 1);
    p.bind(done);
}

/// Binds the texture of the entry whose number is in a register.
fn bind_entry(p: &mut Recorder, ring: &[u32], times: &[(f32, Reg)], entry: Reg) {
    for (&texture, &(number, _)) in ring.iter().zip(times) {
        let other = p.label();
        p.jmp_if(Predicate::Ne, entry, number, other);
        p.bind_texture(texture);
        p.bind(other);
    }
}

/// The whole picture; its first row is at the top.
fn quad(p: &mut Recorder) {
    p.primitive(Primitive::Quads, |p| {
        for [x, y] in [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]] {
            p.tex_coord2((x + 1.0) / 2.0, (1.0 - y) / 2.0);
            p.vertex2(x, y);
        }
    });
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "test")]
mod tests {
    use super::*;
    use crate::ring::Ring;
    use blinkgl::limits::REGISTERS;
    use blinkgl::{Callback, Op};
    use jit::trace::TraceGl;
    use jit::{DamageRect, Effects, Environment, Lists, Program, Run, Tier, TierChoice};

    fn textures(entries: u32) -> Vec<u32> {
        (10..10 + entries).collect()
    }

    #[test]
    fn the_server_accepts_them_for_every_ring() {
        for entries in 2..=MAX_RING {
            for blend in [false, true] {
                let ring = textures(entries);
                verifier::verify(init(&ring, blend).unwrap(), Callback::Init).unwrap();
                let redraw = verifier::verify(redraw(&ring, blend).unwrap(), Callback::Redraw).unwrap();
                assert_eq!(*redraw.facts().body.textures, *ring);
                let clients = 1 << EPOCH_HIGH | 1 << EPOCH_LOW | 1 << STILL | ((1 << entries) - 1) << TIMES;
                assert_eq!(
                    redraw.facts().registers_written & clients,
                    0,
                    "the client's registers stay its own"
                );
            }
        }
        verifier::verify(reshape(16.0 / 9.0).unwrap(), Callback::Reshape).unwrap();
    }

    /// Nanoseconds of a frame at 60 Hz.
    const FRAME: u64 = 16_666_667;
    const EPOCH: u64 = (1 << 32) + 5_000_000_000;

    /// A window whose `redraw` is run as the server does.
    struct Window {
        program: Program,
        registers: [u32; REGISTERS],
        now: u64,
    }

    impl Window {
        fn new(entries: u32, blend: bool) -> Window {
            let program = redraw(&textures(entries), blend).unwrap();
            let program = Program::new(verifier::verify(program, Callback::Redraw).unwrap());
            program.compile().unwrap();
            let mut window = Window { program, registers: [0; REGISTERS], now: EPOCH };
            let [low, high] = blinkgl::layout::split(EPOCH);
            window.registers[EPOCH_HIGH as usize] = high;
            window.registers[EPOCH_LOW as usize] = low;
            window.set(STILL, BY_TIME);
            for entry in 0..entries {
                window.set(TIMES + entry, NEVER);
            }
            window
        }

        fn set(&mut self, register: u32, value: f32) {
            self.registers[register as usize] = value.to_bits();
        }

        fn seconds(&self) -> f64 {
            (self.now - EPOCH) as f64 / 1e9
        }

        /// A frame: the entries that it draws, with their alpha, and what it asks for.
        fn frame(&mut self) -> (Vec<(usize, f32)>, Effects) {
            let mut environment = Environment::at(self.now);
            environment.set(External::Refresh, 1.0 / 60.0);
            // Both tiers run each frame: the same calls, registers and effects, bit for bit.
            let [interpreted, native] = [TierChoice::Interpreter, TierChoice::Native].map(|choice| {
                let mut registers = self.registers;
                let mut gl = TraceGl::default();
                let outcome = self.program.run(
                    choice,
                    &mut Run {
                        registers: &mut registers,
                        environment: &environment,
                        lists: &mut Lists::default(),
                        gl: &mut gl,
                    },
                );
                (gl, registers, outcome)
            });
            assert_eq!((native.2.tier, interpreted.2.tier), (Tier::Native, Tier::Interpreter));
            assert_eq!((&interpreted.0, &interpreted.1), (&native.0, &native.1));
            assert_eq!(interpreted.2.effects, native.2.effects);
            let (gl, registers, outcome) = native;
            self.registers = registers;
            let drawn = gl.primitives.iter().step_by(2).map(|triangle| {
                let vertex = &triangle.vertices[0];
                let before = &gl.commands[..vertex.commands];
                let bound = before.iter().rev().find(|c| c.op.op() == Op::BindTexture).unwrap();
                (bound.args[0] as usize - 10, f32::from_bits(vertex.attributes.color[3]))
            });
            (drawn.collect(), outcome.effects)
        }
    }

    #[test]
    fn each_frame_shows_the_picture_of_its_time_and_few_draw_all_of_it() {
        // 25 pictures a second with a gap and a burst in it, a client that fills half a ring at a time.
        let mut pictures = (0..).map(|i| f64::from(i) * 0.04 + if i > 20 { 0.3 } else { 0.0 }).peekable();
        let mut window = Window::new(8, false);
        let mut ring = Ring::new(8);
        let (mut shown, mut whole, mut drawn_whole, mut switches) = (None, true, 0, 0);
        for _ in 0..180 {
            let now = window.seconds();
            if ring.due(3, now).is_none() {
                while let Some(entry) = ring.free(now) {
                    let time = pictures.next().unwrap();
                    ring.fill(entry, time);
                    window.set(TIMES + u32::try_from(entry).unwrap(), time as f32);
                }
                // The commit has the window drawn.
                whole = true;
            }
            let (drawn, effects) = window.frame();
            assert_eq!(drawn.len(), 1);
            if whole {
                drawn_whole += 1;
                switches += u32::from(shown != Some(drawn[0].0));
                shown = Some(drawn[0].0);
            }
            // A time as f32 may be later than as f64 by its rounding: look at a moment just before.
            let expected = [now - 1e-5, now + 1e-5].map(|t| ring.current(t.max(0.0)));
            assert!(expected.contains(&shown), "at {now}: {shown:?} is shown instead of {expected:?}");
            whole = effects.damage.is_none();
            assert!(
                effects.request_frame
                    || effects.damage == Some(DamageRect { x: 0, y: 0, width: 1, height: 1 })
            );
            window.now += FRAME;
        }
        // 3 seconds less the gap are some 68 pictures. A commit of the client has all of the window drawn,
        // and once more by a procedure that does not know that: 4 pictures come with one.
        assert!((60..=75).contains(&switches), "{switches} pictures");
        assert!(
            drawn_whole <= switches + switches / 2 + 4,
            "{drawn_whole} whole frames, {switches} pictures"
        );
    }

    #[test]
    fn a_still_shows_its_entry_and_asks_for_nothing() {
        for blend in [false, true] {
            let mut window = Window::new(4, blend);
            window.set(STILL, 2.0);
            let (drawn, effects) = window.frame();
            assert_eq!(drawn.iter().map(|d| d.0).collect::<Vec<_>>(), [2]);
            assert_eq!(effects, Effects::default());
        }
    }

    #[test]
    fn the_last_picture_asks_for_nothing_and_none_draws_nothing() {
        let mut window = Window::new(4, false);
        assert_eq!(window.frame(), (vec![], Effects::default()), "no picture at all");
        window.set(TIMES + 3, 0.1);
        let (drawn, effects) = window.frame();
        assert!(drawn.is_empty() && effects != Effects::default(), "one is to come");
        window.now += 200_000_000;
        let (drawn, effects) = window.frame();
        assert_eq!((drawn.len(), drawn[0].0, effects), (1, 3, Effects::default()));
    }

    #[test]
    fn blending_mixes_by_time() {
        let mut window = Window::new(4, true);
        window.set(TIMES + 1, 0.0);
        window.set(TIMES + 3, 0.04);
        window.now = EPOCH + 10_000_000;
        let (drawn, effects) = window.frame();
        assert!(effects.request_frame && effects.damage.is_none());
        assert_eq!(drawn.iter().map(|d| d.0).collect::<Vec<_>>(), [1, 3]);
        assert!((drawn[1].1 - 0.25).abs() < 1e-5, "{} of the next", drawn[1].1);
    }
}
