//! The template: a renderer that has drawn once, holds no byte and no descriptor of a guest, and of which renderers are copies.
//!
//! OpenGL takes tens of milliseconds and some twenty MiB to start. A copy (`fork`) of a process in which it has started, and has
//! compiled what nearly every window needs, takes a few milliseconds and shares the memory. That is sound for a process with
//! one thread: so the template runs Mesa without threads, and says that it can't be copied where a driver has some.
//!
//! All copies share one layout of addresses: see `docs/THREAT-MODEL.md`.

use super::process::{Failure, end, serve};
use super::sandbox::{self, Stage};
use blinkgl::layout::texture::{ColorSpace, Format, Levels, TextureDesc};
use gl::context::{Functions, Headless};
use gl::{ResourceKey, Resources, Slice, Target, Tracker, WindowState};
use ipc::geometry::Rect;
use ipc::glass::ClassId;
use ipc::template::{FromTemplate, Share, ToTemplate};
use os::seqpacket::{self, Received, SocketError};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};
use std::process::ExitCode;
use std::sync::Arc;

/// OpenGL as it is after a first picture.
pub(super) struct Warm {
    pub(super) context: Headless,
    pub(super) tracker: Tracker,
    pub(super) gl: String,
}

impl Warm {
    /// Starts OpenGL, and draws what nearly every window needs.
    pub(super) fn new() -> Result<Warm, Failure> {
        let (context, functions): (Headless, Functions) = Headless::new()?;
        let mut tracker = Tracker::new(functions)?;
        let gl = tracker.describe();
        draw_usual(&mut tracker)?;
        sandbox::leave_root()?;
        Ok(Warm { context, tracker, gl })
    }
}

/// Draws with the usual shaders into a small target: the driver compiles them for the formats of windows.
fn draw_usual(tracker: &mut Tracker) -> Result<(), Failure> {
    let target = tracker.create_framebuffer(64, 64)?;
    let all = Rect::new(0, 0, 64, 64);
    let mut resources = Resources::default();
    let key = ResourceKey { client: 0, context: 0, oid: 1 };
    let desc = TextureDesc {
        width: 4,
        height: 4,
        format: Format::Bgra8,
        stride: 16,
        levels: Levels::Given(1),
        color_space: ColorSpace::default(),
    };
    resources.set_texture(tracker, key, &desc, None, &[0x80; 64])?;
    for text in USUAL {
        // The test below says that all are valid.
        let Some(program) = usual(text) else { continue };
        let mut state = WindowState::new(64, 64);
        state.start_callback();
        tracker.begin_slice(Slice::ENDLESS);
        let target = Target { framebuffer: &target, window: all, clip: all };
        let mut painter = tracker.begin(target, &mut state, resources.scope(0, 0));
        let mut registers = [0; blinkgl::limits::REGISTERS];
        let mut lists = jit::Lists::default();
        let environment = jit::Environment::at(0);
        let run = &mut jit::Run {
            registers: &mut registers,
            environment: &environment,
            lists: &mut lists,
            gl: &mut painter,
        };
        let _progress = program.start(jit::TierChoice::Interpreter, run);
        let _painted = painter.finish();
        tracker.end_slice();
    }
    let mut pixels = vec![0; 64 * 64 * 4];
    tracker.read_into(&target, all, &mut pixels);
    resources.remove_context(tracker, 0, 0);
    tracker.finish();
    tracker.delete_framebuffer(target);
    tracker.forget_client(0);
    let _counters = tracker.take_counters();
    Ok(())
}

/// What nearly every window draws: plain and lit triangles, lines, with and without depth, several objects of which each has
/// its own place, blended, with a texture.
const USUAL: [&str; 6] = [
    "clear_color 0.0, 0.0, 0.0, 1.0
    clear color|depth
    begin triangles
    color4 1.0, 0.0, 0.0, 1.0
    vertex2 0.0, 0.0
    vertex2 1.0, 0.0
    vertex2 0.0, 1.0
    end
    begin lines
    vertex2 0.0, 0.0
    vertex2 1.0, 1.0
    end",
    "clear color|depth
    enable depth_test
    enable lighting
    enable light0
    begin triangles
    normal3 0.0, 0.0, 1.0
    vertex3 0.0, 0.0, 0.0
    vertex3 1.0, 0.0, 0.0
    vertex3 0.0, 1.0, 0.0
    end",
    "clear color|depth
    enable depth_test
    enable cull_face
    enable lighting
    enable light0
    enable normalize
    shade_model flat
    begin triangles
    normal3 0.0, 0.0, 1.0
    vertex3 0.0, 0.0, 0.0
    vertex3 1.0, 0.0, 0.0
    vertex3 0.0, 1.0, 0.0
    end
    shade_model smooth
    begin triangles
    normal3 0.0, 0.0, 1.0
    vertex3 0.0, 0.0, 0.0
    vertex3 1.0, 0.0, 0.0
    vertex3 0.0, 1.0, 0.0
    end",
    "clear color|depth
    enable depth_test
    enable cull_face
    enable lighting
    enable light0
    enable normalize
    shade_model flat
    begin triangles
    normal3 0.0, 0.0, 1.0
    vertex3 0.0, 0.0, 0.0
    vertex3 1.0, 0.0, 0.0
    vertex3 0.0, 1.0, 0.0
    end
    shade_model smooth
    translate 0.1, 0.0, 0.0
    begin triangles
    normal3 0.0, 0.0, 1.0
    vertex3 0.0, 0.0, 0.0
    vertex3 1.0, 0.0, 0.0
    vertex3 0.0, 1.0, 0.0
    end",
    "clear color
    enable blend
    blend_func src_alpha, one_minus_src_alpha
    begin triangles
    color4 1.0, 0.0, 0.0, 0.5
    vertex2 0.0, 0.0
    vertex2 1.0, 0.0
    vertex2 0.0, 1.0
    end",
    "clear color
    enable texture_2d
    bind_texture 1
    tex_parameter min_filter, linear
    begin quads
    tex_coord2 0.0, 0.0
    vertex2 -1.0, -1.0
    tex_coord2 1.0, 0.0
    vertex2 1.0, -1.0
    tex_coord2 1.0, 1.0
    vertex2 1.0, 1.0
    tex_coord2 0.0, 1.0
    vertex2 -1.0, 1.0
    end",
];

/// A program of [`USUAL`].
fn usual(text: &str) -> Option<Arc<jit::Program>> {
    let assembled = blinkgl::asm::assemble(&format!(".callback redraw\n    {text}\n")).ok()?;
    Some(Arc::new(jit::Program::new(verifier::verify(assembled.program, blinkgl::Callback::Redraw).ok()?)))
}

/// Makes renderers until the broker hangs up.
#[must_use]
pub fn main(broker: OwnedFd) -> ExitCode {
    match run(broker) {
        Ok(None) => ExitCode::SUCCESS,
        // This process is the copy: a renderer.
        Ok(Some((socket, warm, share))) => end(serve(socket, *warm, share)),
        Err(failure) => {
            log::error!("template: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// A renderer that was made and lives.
struct Child {
    pid: Pid,
    process: OwnedFd,
}

type Copy = (OwnedFd, Box<Warm>, Share);

fn run(broker: OwnedFd) -> Result<Option<Copy>, Failure> {
    sandbox::enter(Stage::Start)?;
    let warm = Box::new(Warm::new()?);
    let forks = threads() == 1;
    say(&broker, &FromTemplate::Ready { gl: warm.gl.clone(), forks }, &[])?;
    let mut children: Vec<Child> = Vec::new();
    loop {
        let mut fds = vec![PollFd::new(&broker, PollFlags::IN)];
        fds.extend(children.iter().map(|child| PollFd::new(&child.process, PollFlags::IN)));
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ended = Vec::new();
        children.retain(|child| match rustix::process::waitpid(Some(child.pid), WaitOptions::NOHANG) {
            Ok(None) => true,
            Ok(Some((_, status))) => {
                ended.push((child.pid, describe(status)));
                false
            }
            Err(error) => {
                ended.push((child.pid, error.to_string()));
                false
            }
        });
        for (pid, status) in ended {
            say(&broker, &FromTemplate::Ended { pid: pid.as_raw_nonzero().get(), status }, &[])?;
        }
        loop {
            match seqpacket::receive(broker.as_fd())? {
                Received::Nothing => break,
                Received::Closed => return Ok(None),
                Received::Message(bytes, fds) => {
                    let Ok(ToTemplate::Fork { class, share }) = serde_json::from_slice(&bytes) else {
                        log::error!("a message of the broker makes no sense");
                        continue;
                    };
                    let Ok([socket]) = <[OwnedFd; 1]>::try_from(fds) else {
                        log::error!("the broker sent no socket for a renderer");
                        continue;
                    };
                    match fork(&broker, class, forks) {
                        Ok(Some(child)) => children.push(child),
                        // The copy. It closes what is the template's by dropping it.
                        Ok(None) => return Ok(Some((socket, warm, share))),
                        Err(reason) => say(&broker, &FromTemplate::NotForked { class, reason }, &[])?,
                    }
                }
            }
        }
    }
}

/// Makes a copy of this process. `None`: this is the copy.
fn fork(broker: &OwnedFd, class: ClassId, forks: bool) -> Result<Option<Child>, String> {
    if !forks {
        return Err("OpenGL's driver has threads, which a copy would lack".into());
    }
    // Nothing of it may be written twice.
    log::logger().flush();
    let parent = rustix::process::getpid();
    // SAFETY: this process has one thread (`threads` counted them after OpenGL's start, and nothing here starts
    // others), so the copy has all there is, and no lock is held by a thread that it lacks.
    let pid = unsafe { libc::fork() };
    let Some(pid) = Pid::from_raw(pid) else {
        if pid < 0 {
            return Err(std::io::Error::last_os_error().to_string());
        }
        // Who started the template ends it when it ends itself, and so on.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| e.to_string())?;
        // As `ps -o comm` shows it.
        rustix::thread::set_name(c"renderer").map_err(|e| e.to_string())?;
        if rustix::process::getppid() != Some(parent) {
            std::process::exit(1);
        }
        return Ok(None);
    };
    let process = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|e| e.to_string())?;
    let message = FromTemplate::Forked { class, pid: pid.as_raw_nonzero().get() };
    say(broker, &message, &[process.as_fd()]).map_err(|e| e.to_string())?;
    Ok(Some(Child { pid, process }))
}

fn say(broker: &OwnedFd, message: &FromTemplate, fds: &[BorrowedFd<'_>]) -> Result<(), Failure> {
    match serde_json::to_vec(message) {
        Ok(bytes) => match seqpacket::send(broker.as_fd(), &bytes, fds) {
            // It is gone: that is noticed where it is heard, and is no error.
            Err(SocketError::System(Errno::PIPE)) => Ok(()),
            result => Ok(result?),
        },
        Err(error) => {
            log::error!("a message to the broker can't be written: {error}");
            Ok(())
        }
    }
}

/// Threads of this process; none can be counted: as many as make copying impossible.
fn threads() -> usize {
    os::threads::count().unwrap_or(usize::MAX)
}

fn describe(status: rustix::process::WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("exit status: {code}"),
        (None, Some(signal)) => format!("signal: {signal}"),
        (None, None) => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_programs_are_valid() {
        for text in USUAL {
            assert!(usual(text).is_some(), "{text}");
        }
    }
}
