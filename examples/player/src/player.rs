//! The player's window, and when it does what. Between two batches of pictures it sleeps.

use crate::Options;
use crate::decode::{Decoder, Layout, Picture};
use crate::film::Film;
use crate::procedures::{self, BY_TIME, EPOCH_HIGH, EPOCH_LOW, NEVER, STILL, TIMES};
use crate::ring::Ring;
use blink_client::{Context, ObjectId, Registers, TextureInfo, TextureWriter, What};
use blinkgl::layout::{WindowDesc, split};
use blinkgl::{Callback, Reg};
use examples::client::{Deadline, Place, awake, complaint, connect};
use std::error::Error;
use std::time::Duration;

/// evdev codes of the keys.
mod key {
    pub const ESCAPE: u32 = 1;
    pub const Q: u32 = 16;
    pub const SPACE: u32 = 57;
    pub const LEFT: u32 = 105;
    pub const RIGHT: u32 = 106;
}

/// Seconds of a jump.
const JUMP: f64 = 5.0;
/// Seconds after the epoch at which a later one is chosen: an `f32` is then still precise to 0.06 ms.
const EPOCH_AGE: f64 = 600.0;
/// A time before that of every picture.
const LONG_AGO: f64 = -1e6;
/// Largest window that is asked for; the user can make it larger.
const WINDOW: [u32; 2] = [1280, 720];

/// Plays a film until it or the user ends it.
///
/// # Errors
/// The file cannot be played, or the server refuses or goes.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let decoder = Decoder::open(&options.file)?;
    let layout = decoder.layout();
    let texture = TextureInfo::yuv420(layout.width, layout.height, layout.color_space);
    // Each texture twice: a new picture is published before the server has let go of the old one.
    let bytes =
        texture.bytes()?.next_multiple_of(blinkgl::limits::PAGE_SIZE) * 2 * ring_size(options) + (1 << 20);
    let mut connection = connect("player", Some(bytes))?;
    let context = connection.context()?;
    let mut player = Player::start(context, decoder, options, texture)?;

    let deadline = Deadline::after(options.seconds);
    if !options.paused {
        player.resume()?;
    }
    loop {
        player.top_up()?;
        if player.over() || deadline.passed() {
            return Ok(());
        }
        let timeout = [player.due(), deadline.left()].into_iter().flatten().min();
        awake(connection.wait(timeout))?;
        while let Some(event) = player.context.next_event() {
            complaint("player", &event.what);
            if player.handle(&event.what)? == Wish::End {
                return Ok(());
            }
        }
    }
}

fn ring_size(options: &Options) -> usize {
    usize::try_from(options.ahead).unwrap_or(2)
}

/// What an event leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    GoOn,
    End,
}

/// A film in a window.
struct Player {
    context: Context,
    window: ObjectId,
    registers: Registers,
    texture: TextureInfo,
    ring: Ring,
    /// The texture of each entry of the ring.
    textures: Vec<ObjectId>,
    film: Film,
    /// The moment from which presentation times count, nanoseconds of the server's clock.
    epoch: u64,
    /// While paused: the presentation time at which everything stands.
    paused: Option<f64>,
    /// Pictures that came too late, without one in time between them.
    late: usize,
    /// It does not leave the pages of pictures that were replaced: it is being started again, perhaps.
    is_server_away: bool,
}

impl Player {
    /// Publishes the window with the first picture, standing.
    fn start(
        mut context: Context,
        decoder: Decoder,
        options: &Options,
        texture: TextureInfo,
    ) -> Result<Player, Box<dyn Error>> {
        let layout = decoder.layout();
        let mut film = Film::new(decoder, options.repeat);
        if options.seek > 0.0 {
            film.seek(options.seek, 0.0)?;
        }
        let mut first = film.next_picture()?.ok_or("it has no picture at that place")?;
        film.delay(-first.time);
        first.time = 0.0;

        let mut commit = context.commit();
        let mut textures = Vec::new();
        for _ in 0..ring_size(options) {
            // All entries hold the first picture until they get their own: none is ever undefined.
            textures.push(commit.texture_with(&texture, |writer| write(writer, &first))?);
        }
        let numbers: Vec<u32> = textures.iter().map(|oid| oid.number()).collect();
        let mut window = window(&layout, options);
        for (callback, program) in [
            (Callback::Init, procedures::init(&numbers, options.blend)?),
            (Callback::Reshape, procedures::reshape(layout.aspect)?),
            (Callback::Redraw, procedures::redraw(&numbers, options.blend)?),
        ] {
            window.procedures[callback as usize] = commit.procedure(callback, &program)?.number();
        }
        let file = commit.registers()?;
        window.registers = file.number();
        let registers = commit.register_file(file)?;
        let mut ring = Ring::new(textures.len());
        ring.fill(0, first.time);
        write_times(&registers, &ring)?;
        registers.set(register(STILL)?, 0.0);
        let window = commit.window(&window)?;
        commit.finish()?;
        let (epoch, paused, late) = (0, Some(0.0), 0);
        let is_server_away = false;
        Ok(Player {
            context,
            window,
            registers,
            texture,
            ring,
            textures,
            film,
            epoch,
            paused,
            late,
            is_server_away,
        })
    }

    /// The presentation time of this moment.
    fn now(&self) -> f64 {
        self.paused.unwrap_or_else(|| seconds_between(self.epoch, self.context.now()))
    }

    /// The presentation time of the frame that the server makes next.
    fn next_frame(&self) -> f64 {
        let refresh = if self.paused.is_some() { 0 } else { self.context.clock().refresh };
        self.now() + seconds_between(0, refresh)
    }

    /// When the next batch is to be decoded, or the film is over: from now; `None`: not by itself.
    fn due(&self) -> Option<Duration> {
        if self.paused.is_some() {
            return None;
        }
        let now = self.now();
        let at = match self.film.ended() {
            true => self.film.end(),
            // It is due still where one batch was too little.
            false => self.ring.due(self.low(), now).unwrap_or(now),
        };
        Some(Duration::try_from_secs_f64(at - now).unwrap_or_default())
    }

    /// The film was shown to its end.
    fn over(&self) -> bool {
        self.paused.is_none() && self.film.ended() && self.now() >= self.film.end()
    }

    /// With no more than so many pictures to come, the next batch is due: half of the ring.
    fn low(&self) -> usize {
        self.textures.len() / 2 - 1
    }

    /// Decodes and publishes the next batch, if it is due.
    fn top_up(&mut self) -> Result<(), Box<dyn Error>> {
        if self.paused.is_some() || self.film.ended() || self.ring.due(self.low(), self.now()).is_some() {
            return Ok(());
        }
        if self.now() > EPOCH_AGE {
            self.renew_epoch()?;
        }
        let mut batch = Vec::new();
        // No more at a time than the ring holds, so that keys are heard on a machine that is too slow.
        for _ in 0..self.textures.len() {
            let Some(entry) = self.ring.free(self.now()) else { break };
            let Some(mut picture) = self.film.next_picture()? else { break };
            let now = self.now();
            if picture.time + picture.duration <= now {
                self.late += 1;
                if self.late < self.textures.len() {
                    continue;
                }
                // This machine is too slow for the film: its time goes slower, rather than none is shown.
                self.film.delay(now - picture.time);
                picture.time = now;
            }
            self.late = 0;
            self.ring.fill(entry, picture.time);
            batch.push((entry, picture));
            // With nothing to show meanwhile, one picture at a time.
            if self.ring.ahead(now) <= 1 {
                self.publish(std::mem::take(&mut batch))?;
            }
        }
        self.publish(batch)
    }

    /// Hands pictures to the server, all at once, then says when they are shown.
    fn publish(&mut self, batch: Vec<(usize, Picture)>) -> Result<(), Box<dyn Error>> {
        if batch.is_empty() {
            return Ok(());
        }
        let published = self.hand_over(&batch);
        let is_away = matches!(published, Err(blink_client::Error::OutOfMemory { retired: 1.., .. }));
        if is_away && !self.is_server_away {
            eprintln!("player: the server takes no pictures for now: they are left out until it does");
        }
        self.is_server_away = is_away;
        if is_away {
            // What was not handed over must not be shown.
            self.empty_ring();
            return Ok(());
        }
        published?;
        write_times(&self.registers, &self.ring)
    }

    fn hand_over(&mut self, batch: &[(usize, Picture)]) -> Result<(), blink_client::Error> {
        let mut commit = self.context.commit();
        for (entry, picture) in batch {
            commit.set_texture_with(self.textures[*entry], &self.texture, |writer| write(writer, picture))?;
        }
        commit.finish()
    }

    /// Nothing is to be shown but what is.
    fn empty_ring(&mut self) {
        let shown = self.ring.current(self.next_frame());
        self.ring = Ring::new(self.textures.len());
        if let Some(entry) = shown {
            // It stays until there is a picture, which is newer whatever its time.
            self.ring.fill(entry, LONG_AGO);
        }
    }

    /// Has the window show an entry, whatever the time: meanwhile times may change in any order.
    fn hold(&mut self) -> Result<(), Box<dyn Error>> {
        let entry = self.ring.current(self.next_frame()).unwrap_or(0);
        #[allow(clippy::cast_precision_loss, reason = "there are no more than 16 entries")]
        self.registers.set(register(STILL)?, entry as f32);
        Ok(())
    }

    /// Has the window follow the time again.
    fn release(&mut self) -> Result<(), Box<dyn Error>> {
        let [low, high] = split(self.epoch);
        self.registers.set_bits(register(EPOCH_LOW)?, low);
        self.registers.set_bits(register(EPOCH_HIGH)?, high);
        write_times(&self.registers, &self.ring)?;
        self.registers.set(register(STILL)?, BY_TIME);
        self.draw()
    }

    /// Has the server draw the window, which asks for nothing while it stands.
    fn draw(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.context.request_update(self.window)?)
    }

    fn pause(&mut self) -> Result<(), Box<dyn Error>> {
        self.hold()?;
        self.paused = Some(self.next_frame());
        self.draw()
    }

    fn resume(&mut self) -> Result<(), Box<dyn Error>> {
        if let Some(at) = self.paused.take() {
            self.epoch = self.context.now().saturating_sub(nanoseconds(at));
        }
        self.release()
    }

    /// Chooses a later epoch: times are `f32`s, which get coarse.
    fn renew_epoch(&mut self) -> Result<(), Box<dyn Error>> {
        self.hold()?;
        let by = self.now();
        self.epoch += nanoseconds(by);
        self.ring.shift(by);
        self.film.delay(-by);
        self.release()
    }

    /// Goes back or forth in the film.
    fn seek(&mut self, by: f64) -> Result<(), Box<dyn Error>> {
        self.hold()?;
        let now = self.now();
        self.empty_ring();
        self.film.seek(self.film.place(now) + by, now)?;
        // The picture of the new place has begun before: it is shown from now on.
        if let (Some(entry), Some(mut picture)) = (self.ring.free(now), self.film.next_picture()?) {
            picture.time = picture.time.min(now);
            self.ring.fill(entry, picture.time);
            self.publish(vec![(entry, picture)])?;
        }
        if self.paused.is_some() {
            self.hold()?;
            return self.draw();
        }
        self.release()
    }

    fn handle(&mut self, what: &What) -> Result<Wish, Box<dyn Error>> {
        let toggles = match what {
            What::Close => return Ok(Wish::End),
            What::Key { code: key::Q | key::ESCAPE, pressed: true } => return Ok(Wish::End),
            What::Key { code: key::LEFT, pressed: true } => {
                self.seek(-JUMP)?;
                false
            }
            What::Key { code: key::RIGHT, pressed: true } => {
                self.seek(JUMP)?;
                false
            }
            What::Key { code, pressed } => *code == key::SPACE && *pressed,
            What::Button { button, pressed, .. } => *button == 0 && *pressed,
            What::Pointer { .. }
            | What::PointerLeft { .. }
            | What::Wheel { .. }
            | What::Focus { .. }
            | What::Reshape { .. }
            | What::Presented { .. }
            | What::ProcedureRejected(_)
            | What::ObjectRejected(_)
            | What::Quota { .. }
            | What::Notify { .. }
            | _ => false,
        };
        match (toggles, self.paused.is_some()) {
            (false, _) => {}
            (true, false) => self.pause()?,
            (true, true) => self.resume()?,
        }
        Ok(Wish::GoOn)
    }
}

/// The window, as large as the film if it is not too large.
fn window(layout: &Layout, options: &Options) -> WindowDesc {
    let (height, aspect) = (f64::from(layout.height), f64::from(layout.aspect));
    let [most_width, most_height] = WINDOW.map(f64::from);
    let height = height.min(most_height).min(most_width / aspect);
    let mut window =
        WindowDesc { width: pixels(height * aspect), height: pixels(height), ..WindowDesc::default() };
    let name = options.file.file_name().map(|name| name.to_string_lossy().into_owned());
    window.set_title(options.title.as_deref().or(name.as_deref()).unwrap_or("player"));
    if let Some(Place { x, y }) = options.at {
        (window.x, window.y) = (x, y);
    }
    window
}

/// A size in pixels, at least what a window must have.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from float to integer saturates"
)]
fn pixels(size: f64) -> u32 {
    (size.round() as u32).max(blinkgl::limits::MIN_WINDOW_SIZE)
}

/// Copies a picture's planes into a texture.
fn write(writer: &mut TextureWriter<'_>, picture: &Picture) -> Result<(), blink_client::Error> {
    for plane in 0..3 {
        let (rows, stride) = picture.rows(plane);
        writer.write_rows(plane, 0, rows, stride)?;
    }
    Ok(())
}

/// Tells the procedures when each entry is shown.
fn write_times(registers: &Registers, ring: &Ring) -> Result<(), Box<dyn Error>> {
    for (number, time) in (TIMES..).zip(ring.times()) {
        #[allow(clippy::cast_possible_truncation, reason = "registers are f32")]
        let time = time.map_or(NEVER, |time| time as f32);
        registers.set(register(number)?, time);
    }
    Ok(())
}

fn register(number: u32) -> Result<Reg, Box<dyn Error>> {
    Reg::new(number).ok_or_else(|| format!("there is no register {number}").into())
}

/// Seconds from one moment to a later one, both in nanoseconds.
#[allow(clippy::cast_precision_loss, reason = "the nanoseconds of 100 days fit a double")]
fn seconds_between(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / 1e9
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from float to integer saturates"
)]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
