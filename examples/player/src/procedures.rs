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
    // One interval and a half ahead: rounding must not make a picture late.
    p.read(a, External::Refresh);
    p.mul(a, a, 1.5);
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
mod tests {
    use super::*;
    use blinkgl::Callback;

    #[test]
    fn the_server_accepts_them_for_every_ring() {
        let textures: Vec<u32> = (10..).take(MAX_RING as usize).collect();
        for entries in 2..=textures.len() {
            for blend in [false, true] {
                let ring = &textures[..entries];
                verifier::verify(init(ring, blend).unwrap(), Callback::Init).unwrap();
                let redraw = verifier::verify(redraw(ring, blend).unwrap(), Callback::Redraw).unwrap();
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
}
