//! What a live renderer and a live glass can still ask of the kernel, found out from outside: the test takes a thread by `ptrace`,
//! lets it make a system call in the place where it waits, and looks at what comes of it.
//!
//! The test is the broker: it starts template and glass itself, and asks for a new renderer after each call that ended one.
//! As root it does all this twice: for processes that root starts, and for those of another user.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a test, of registers"
)]

#[path = "support/process.rs"]
mod process;

use blink_client::{TextureInfo, Wake, WindowDesc};
use blink_server::ipc::glass::{ClassId, FromGlass};
use blink_server::ipc::template::{FromTemplate, Share, ToTemplate};
use blink_server::ipc::{Command as Ask, Input, ToBroker};
use blink_server::renderer::sandbox::{ALLOWED, REFUSED};
use blink_server::socket::{self, Received};
use blinkgl::gl::{Capability, ClearMask, Primitive};
use blinkgl::{Callback, Recorder};
use process::{PATIENCE, Server, is_red, raw_socket, red_window, send_signal, until};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A user who is neither root nor the one that root's processes become.
const OTHER: u32 = 65_533;
/// Private memory of the renderers here.
const MEMORY: u64 = 512 << 20;
/// A call that is not refused may wait for something.
const CALL_TIME: Duration = Duration::from_secs(2);

// ---- Processes of the server -------------------------------------------------------------------

/// Who runs a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    /// The test's user.
    Same,
    /// [`OTHER`]; only root can start a process so.
    Other,
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The users whose processes can be tried.
fn users() -> Vec<User> {
    if is_root() { vec![User::Same, User::Other] } else { vec![User::Same] }
}

/// A copy of the server that every user can start, wherever the build directory is.
struct Program(PathBuf);

impl Program {
    fn new(name: &str) -> Program {
        let path = std::env::temp_dir().join(format!("blink-{name}-{}", std::process::id()));
        std::fs::copy(env!("CARGO_BIN_EXE_blink-server"), &path).expect("a copy of blink-server");
        Program(path)
    }

    /// Starts it in a role, with the other end of a socket as its standard input.
    fn start(&self, user: User, arguments: &[&str]) -> (Child, OwnedFd) {
        let (ours, theirs) = pair();
        let mut command = Command::new(&self.0);
        command.args(arguments).stdin(Stdio::from(theirs)).stdout(Stdio::null());
        // As the broker does it.
        command.env("LP_NUM_THREADS", "0").env("MESA_SHADER_CACHE_DISABLE", "true");
        if user == User::Other {
            command.uid(OTHER).gid(OTHER);
        }
        // What the test's own starter left open is not to be found in the server's processes.
        // SAFETY: between fork and exec, only a system call is made, without memory.
        unsafe {
            command.pre_exec(|| {
                libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int);
                Ok(())
            });
        }
        (command.spawn().expect("blink-server starts"), ours)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("the copy is there");
    }
}

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("a socket pair")
}

/// The next message on a socket, and its descriptors.
fn next(socket: &OwnedFd, who: &str) -> (Vec<u8>, Vec<OwnedFd>) {
    let time = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    let polled = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&time));
    assert_eq!(polled, Ok(1), "{who} says nothing");
    match socket::receive(socket.as_fd()).expect("a message") {
        Received::Message(bytes, fds) => (bytes, fds),
        Received::Nothing => panic!("{who}: ready without a message"),
        Received::Closed => panic!("{who} hung up"),
    }
}

/// A process whose threads are tried.
struct Subject {
    pid: i32,
    /// What holds it: a renderer's sockets to us and to a glass that nobody plays, a glass's process.
    _socket: OwnedFd,
    child: Option<Child>,
}

impl Subject {
    fn threads(&self) -> Vec<i32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid)).expect("the process lives");
        let mut threads: Vec<i32> = tasks
            .map(|task| {
                task.expect("a thread").file_name().to_str().expect("a number").parse().expect("a number")
            })
            .collect();
        threads.sort_unstable();
        threads
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // The probe may have seen its end, and waited for it.
            let (_killed, _waited) = (child.kill(), child.wait());
        }
    }
}

/// What makes processes that are tried.
trait Source {
    fn name(&self) -> &'static str;
    /// A new one, that waits for messages.
    fn make(&mut self) -> Subject;
    /// One of the last [`make`](Source::make) was ended by the filter: does who watches it hear so?
    fn ended(&mut self, pid: i32);
}

struct Template {
    child: Child,
    socket: OwnedFd,
    classes: u32,
}

impl Template {
    fn start(program: &Program, user: User) -> Template {
        let (child, socket) = program.start(user, &["template"]);
        let (ready, _) = next(&socket, "the template");
        let FromTemplate::Ready { forks, gl } = serde_json::from_slice(&ready).expect("a message") else {
            panic!("no ready: {}", String::from_utf8_lossy(&ready))
        };
        assert!(forks, "{gl} has threads: renderers are no copies of a template here");
        Template { child, socket, classes: 0 }
    }
}

impl Source for Template {
    fn name(&self) -> &'static str {
        "renderer"
    }

    fn make(&mut self) -> Subject {
        let (ours, theirs) = pair();
        self.classes += 1;
        let fork = ToTemplate::Fork { class: ClassId(self.classes), share: Share { memory: MEMORY } };
        let fork = serde_json::to_vec(&fork).expect("JSON");
        socket::send(self.socket.as_fd(), &fork, &[theirs.as_fd()]).expect("the template listens");
        drop(theirs);
        let pid = loop {
            let (said, _pidfd) = next(&self.socket, "the template");
            match serde_json::from_slice(&said).expect("a message") {
                FromTemplate::Forked { pid, .. } => break pid,
                FromTemplate::NotForked { reason, .. } => panic!("no renderer: {reason}"),
                FromTemplate::Ready { .. } | FromTemplate::Ended { .. } => {}
            }
        };
        let (ready, _) = next(&ours, "the renderer");
        let ready = serde_json::from_slice(&ready).expect("a message");
        assert!(matches!(ready, ToBroker::Ready { .. }), "{ready:?}");
        Subject { pid, _socket: ours, child: None }
    }

    fn ended(&mut self, pid: i32) {
        loop {
            let (said, _) = next(&self.socket, "the template");
            if let FromTemplate::Ended { pid: of, status } = serde_json::from_slice(&said).expect("a message")
                && of == pid
            {
                assert!(status.contains("31"), "{pid} ended by {status}, not by SIGSYS");
                return;
            }
        }
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

struct Glasses<'a> {
    program: &'a Program,
    user: User,
}

impl Source for Glasses<'_> {
    fn name(&self) -> &'static str {
        "glass"
    }

    fn make(&mut self) -> Subject {
        let (child, socket) = self.program.start(self.user, &["glass", "--headless", "640x480@60"]);
        let (ready, _) = next(&socket, "the glass");
        let ready = serde_json::from_slice(&ready).expect("a message");
        assert!(matches!(ready, FromGlass::Ready { .. }), "{ready:?}");
        Subject { pid: child.id() as i32, _socket: socket, child: Some(child) }
    }

    fn ended(&mut self, _pid: i32) {}
}

// ---- The probe ---------------------------------------------------------------------------------

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The kernel answered: a value, or a negative error number.
    Returned(i64),
    /// The process is dead, by this signal.
    Died(i32),
    /// The call was made, and a signal came of it, which would end the process.
    Signalled(i32),
    /// The call was made, and the thread is elsewhere now: `rt_sigreturn`.
    Elsewhere,
    /// The process ended by itself.
    Exited,
    /// It still waits for something.
    Waits,
}

impl Outcome {
    /// The call did not reach what it is for. An error such as `EFAULT` or `EBADF` says that it did: only its arguments were bad.
    fn is_refused(self) -> bool {
        match self {
            Outcome::Returned(value) => value == -i64::from(libc::EPERM) || value == -i64::from(libc::EACCES),
            Outcome::Died(signal) => signal == libc::SIGSYS,
            Outcome::Signalled(_) | Outcome::Elsewhere | Outcome::Exited | Outcome::Waits => false,
        }
    }
}

fn ptrace(request: libc::c_uint, thread: i32, address: u64, data: u64) -> std::io::Result<i64> {
    // SAFETY: none of the requests here writes to this process's memory, but for `PTRACE_GETREGS`, whose caller passes a valid
    // address of registers as `data`.
    let result = unsafe { libc::ptrace(request, thread, address, data) };
    if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}

fn registers(thread: i32) -> libc::user_regs_struct {
    let mut registers = std::mem::MaybeUninit::uninit();
    ptrace(libc::PTRACE_GETREGS, thread, 0, registers.as_mut_ptr() as u64)
        .expect("registers of a stopped thread");
    // SAFETY: the call succeeded, and fills all of it.
    unsafe { registers.assume_init() }
}

fn set_registers(thread: i32, registers: &libc::user_regs_struct) {
    ptrace(libc::PTRACE_SETREGS, thread, 0, std::ptr::from_ref(registers) as u64).expect("a stopped thread");
}

/// The next thing that happens to a traced thread; `None`: nothing does for a while.
fn wait(thread: i32, time: Duration) -> Option<i32> {
    let end = Instant::now() + time;
    loop {
        let mut status = 0;
        // SAFETY: `status` is valid for the call.
        let waited = unsafe { libc::waitpid(thread, &raw mut status, libc::__WALL | libc::WNOHANG) };
        assert!(waited >= 0, "{thread}: {}", std::io::Error::last_os_error());
        if waited == thread {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// `syscall`, as the processor reads it.
const SYSCALL: u16 = 0x050f;
/// `int 0x80`, the way of 32-bit programs.
const INT_80: u16 = 0x80cd;

/// A thread that is stopped in a system call, and can be made to make others.
struct Traced {
    thread: i32,
    /// As they were.
    registers: libc::user_regs_struct,
    /// Where its `syscall` instruction is.
    at: u64,
    /// Memory of its stack that it does not use.
    scratch: u64,
}

impl Traced {
    /// Takes a thread as soon as it waits in a system call.
    fn attach(thread: i32) -> Traced {
        // A renderer or glass under test does not outlive the test.
        let options = libc::PTRACE_O_EXITKILL as u64;
        ptrace(libc::PTRACE_SEIZE, thread, 0, options).expect("to trace, as root or as its ancestor");
        let end = Instant::now() + PATIENCE;
        loop {
            ptrace(libc::PTRACE_INTERRUPT, thread, 0, 0).expect("a traced thread");
            let status = wait(thread, PATIENCE).expect("it stops");
            assert!(libc::WIFSTOPPED(status), "{thread} is gone: {status:#x}");
            let registers = registers(thread);
            let is_call = registers.orig_rax as i64 >= 0;
            let at = registers.rip.wrapping_sub(2);
            if is_call
                && ptrace(libc::PTRACE_PEEKTEXT, thread, at, 0).is_ok_and(|word| word as u16 == SYSCALL)
            {
                // Below what code may use without saying so (128 bytes).
                let scratch = (registers.rsp - 2048) & !0xf;
                return Traced { thread, registers, at, scratch };
            }
            assert!(Instant::now() < end, "{thread} never waits");
            ptrace(libc::PTRACE_CONT, thread, 0, 0).expect("a stopped thread");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Puts words into its memory.
    fn write(&self, at: u64, bytes: &[u8]) {
        for (index, chunk) in bytes.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let at = at + 8 * index as u64;
            ptrace(libc::PTRACE_POKEDATA, self.thread, at, u64::from_le_bytes(word)).expect("its stack");
        }
    }

    /// Makes a call.
    fn call(&self, number: i64, arguments: [u64; 6]) -> Outcome {
        let [rdi, rsi, rdx, r10, r8, r9] = arguments;
        // `orig_rax`: the call in which it was is not started again.
        let orig_rax = u64::MAX;
        let (rip, rax) = (self.at, number as u64);
        // 32-bit programs pass arguments elsewhere.
        let (rbx, rcx) = (rdi, rsi);
        let call = libc::user_regs_struct {
            orig_rax,
            rip,
            rax,
            rdi,
            rsi,
            rdx,
            r10,
            r8,
            r9,
            rbx,
            rcx,
            ..self.registers
        };
        set_registers(self.thread, &call);
        ptrace(libc::PTRACE_SINGLESTEP, self.thread, 0, 0).expect("a stopped thread");
        let Some(status) = wait(self.thread, CALL_TIME) else { return Outcome::Waits };
        if libc::WIFSIGNALED(status) {
            return Outcome::Died(libc::WTERMSIG(status));
        }
        if libc::WIFEXITED(status) {
            return Outcome::Exited;
        }
        let signal = libc::WSTOPSIG(status);
        if signal != libc::SIGTRAP {
            return Outcome::Signalled(signal);
        }
        let after = registers(self.thread);
        if after.rip != self.at + 2 {
            return Outcome::Elsewhere;
        }
        Outcome::Returned(after.rax as i64)
    }

    /// Makes its instruction another one, in its own copy of the page.
    fn set_instruction(&self, instruction: u16) {
        let word = ptrace(libc::PTRACE_PEEKTEXT, self.thread, self.at, 0).expect("its code");
        let word = word as u64 & !0xffff | u64::from(instruction);
        ptrace(libc::PTRACE_POKETEXT, self.thread, self.at, word).expect("its code");
    }
}

/// A call that must be refused.
struct Forbidden {
    name: &'static str,
    number: i64,
    arguments: [u64; 6],
    /// It may be answered with `EPERM`; all others end the process.
    is_answered: bool,
}

/// The calls. `scratch`: where the thread has what [`strings`] writes; `broker`: the process that started it.
/// Arguments are such that a call that is made all the same does no harm.
fn forbidden(scratch: u64, broker: u64) -> Vec<Forbidden> {
    let [passwd, shadow, new, root, zeros] = [0, 16, 32, 64, 128].map(|at| scratch + at);
    let here = libc::AT_FDCWD as u64;
    let none = u64::MAX;
    let write = (libc::O_WRONLY | libc::O_CREAT) as u64;
    let (anonymous, page) = ((libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64, 4096);
    let own = scratch & !0xfff;
    let family = |family: i32, kind: i32| [family as u64, kind as u64, 0, 0, 0, 0];
    let (stream, datagram) = (libc::SOCK_STREAM, libc::SOCK_DGRAM);
    let a = |arguments: &[u64]| std::array::from_fn(|i| arguments.get(i).copied().unwrap_or(0));
    let deadly: &[(&'static str, i64, [u64; 6])] = &[
        // Files.
        ("open /etc/passwd", libc::SYS_open, a(&[passwd, 0])),
        ("open /etc/shadow", libc::SYS_open, a(&[shadow, 0])),
        ("openat /etc/passwd", libc::SYS_openat, a(&[here, passwd, 0])),
        ("openat /etc/shadow", libc::SYS_openat, a(&[here, shadow, 0])),
        ("openat2 /etc/passwd", libc::SYS_openat2, a(&[here, passwd, zeros, 24])),
        ("openat of a new file", libc::SYS_openat, a(&[here, new, write, 0o600])),
        ("creat", libc::SYS_creat, a(&[new, 0o600])),
        ("symlink", libc::SYS_symlink, a(&[passwd, new])),
        ("link", libc::SYS_link, a(&[passwd, new])),
        ("unlink", libc::SYS_unlink, a(&[new])),
        ("rename", libc::SYS_rename, a(&[new, new])),
        ("mkdir", libc::SYS_mkdir, a(&[new, 0o700])),
        ("chmod", libc::SYS_chmod, a(&[new, 0o777])),
        ("readlink", libc::SYS_readlink, a(&[new, zeros, 1])),
        ("name_to_handle_at", libc::SYS_name_to_handle_at, a(&[here, passwd, zeros, zeros, 0])),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, a(&[here, zeros, 0])),
        ("memfd_secret", libc::SYS_memfd_secret, a(&[0])),
        ("inotify_init1", libc::SYS_inotify_init1, a(&[0])),
        ("fanotify_init", libc::SYS_fanotify_init, a(&[0, 0])),
        // Sockets, and other ways to others.
        ("socket INET", libc::SYS_socket, family(libc::AF_INET, stream)),
        ("socket INET, datagrams", libc::SYS_socket, family(libc::AF_INET, datagram)),
        ("socket INET6", libc::SYS_socket, family(libc::AF_INET6, stream)),
        ("socket UNIX", libc::SYS_socket, family(libc::AF_UNIX, stream)),
        ("socket NETLINK", libc::SYS_socket, family(libc::AF_NETLINK, datagram)),
        ("socket PACKET", libc::SYS_socket, family(libc::AF_PACKET, datagram)),
        ("socket VSOCK", libc::SYS_socket, family(libc::AF_VSOCK, stream)),
        ("socket ALG", libc::SYS_socket, family(libc::AF_ALG, libc::SOCK_SEQPACKET)),
        ("socketpair", libc::SYS_socketpair, a(&[libc::AF_UNIX as u64, stream as u64, 0, zeros])),
        ("connect", libc::SYS_connect, a(&[none, zeros, 16])),
        ("bind", libc::SYS_bind, a(&[none, zeros, 16])),
        ("listen", libc::SYS_listen, a(&[none, 1])),
        ("accept4", libc::SYS_accept4, a(&[none, 0, 0, 0])),
        ("sendto", libc::SYS_sendto, a(&[none, zeros, 1, 0, 0, 0])),
        ("pipe2", libc::SYS_pipe2, a(&[zeros, 0])),
        ("shmget", libc::SYS_shmget, a(&[0, page, 0o1600])),
        ("msgget", libc::SYS_msgget, a(&[0, 0o1600])),
        ("mq_open", libc::SYS_mq_open, a(&[root, 0])),
        ("dup", libc::SYS_dup, a(&[2])),
        ("dup2", libc::SYS_dup2, a(&[2, 100])),
        // Other processes.
        ("ptrace", libc::SYS_ptrace, a(&[u64::from(libc::PTRACE_PEEKDATA), broker, zeros, zeros])),
        ("kill of the broker", libc::SYS_kill, a(&[broker, 0])),
        ("tkill", libc::SYS_tkill, a(&[broker, 0])),
        ("tgkill of the broker", libc::SYS_tgkill, a(&[broker, broker, 0])),
        ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, a(&[broker, 0, zeros])),
        ("pidfd_open", libc::SYS_pidfd_open, a(&[broker, 0])),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, a(&[none, 0, 0])),
        ("pidfd_send_signal", libc::SYS_pidfd_send_signal, a(&[none, 0, 0, 0])),
        ("process_vm_readv", libc::SYS_process_vm_readv, a(&[broker, zeros, 1, zeros, 1, 0])),
        ("process_vm_writev", libc::SYS_process_vm_writev, a(&[broker, zeros, 0, zeros, 0, 0])),
        ("kcmp", libc::SYS_kcmp, a(&[broker, broker, 0, 0, 0])),
        ("execve", libc::SYS_execve, a(&[new, 0, 0])),
        ("execveat", libc::SYS_execveat, a(&[here, new, 0, 0, 0])),
        ("fork", libc::SYS_fork, a(&[])),
        ("vfork", libc::SYS_vfork, a(&[])),
        ("clone", libc::SYS_clone, a(&[libc::SIGCHLD as u64, 0])),
        ("clone3", libc::SYS_clone3, a(&[zeros, 64])),
        ("prlimit64 of the broker", libc::SYS_prlimit64, a(&[broker, libc::RLIMIT_CORE.into(), 0, zeros])),
        ("setpriority", libc::SYS_setpriority, a(&[0, 0, 0])),
        ("sched_setaffinity", libc::SYS_sched_setaffinity, a(&[0, 0, zeros])),
        // Rights.
        ("setuid(0)", libc::SYS_setuid, a(&[0])),
        ("setresuid(0, 0, 0)", libc::SYS_setresuid, a(&[0, 0, 0])),
        ("setgid(0)", libc::SYS_setgid, a(&[0])),
        ("setgroups", libc::SYS_setgroups, a(&[0, 0])),
        ("capset", libc::SYS_capset, a(&[zeros, zeros])),
        ("prctl, dumpable", libc::SYS_prctl, a(&[libc::PR_SET_DUMPABLE as u64, 1])),
        ("prctl, tracer", libc::SYS_prctl, a(&[libc::PR_SET_PTRACER as u64, none])),
        ("seccomp", libc::SYS_seccomp, a(&[0, 0, 0])),
        ("personality", libc::SYS_personality, a(&[libc::READ_IMPLIES_EXEC as u64])),
        ("keyctl", libc::SYS_keyctl, a(&[0, 0])),
        ("add_key", libc::SYS_add_key, a(&[zeros, zeros, 0, 0, 0])),
        ("request_key", libc::SYS_request_key, a(&[zeros, zeros, 0, 0])),
        // The machine, and large parts of the kernel.
        ("bpf", libc::SYS_bpf, a(&[0, zeros, 8])),
        ("perf_event_open", libc::SYS_perf_event_open, a(&[zeros, 0, none, none, 0])),
        ("unshare", libc::SYS_unshare, a(&[libc::CLONE_NEWUSER as u64])),
        ("setns", libc::SYS_setns, a(&[none, 0])),
        ("mount", libc::SYS_mount, a(&[zeros, new, zeros, 0, 0])),
        ("umount2", libc::SYS_umount2, a(&[new, 0])),
        ("pivot_root", libc::SYS_pivot_root, a(&[new, new])),
        ("chroot", libc::SYS_chroot, a(&[root])),
        ("chdir", libc::SYS_chdir, a(&[root])),
        ("io_uring_setup", libc::SYS_io_uring_setup, a(&[1, zeros])),
        ("io_uring_enter", libc::SYS_io_uring_enter, a(&[none, 0, 0, 0, 0, 0])),
        ("userfaultfd", libc::SYS_userfaultfd, a(&[0])),
        ("reboot", libc::SYS_reboot, a(&[0, 0, 0])),
        ("swapon", libc::SYS_swapon, a(&[new, 0])),
        ("init_module", libc::SYS_init_module, a(&[zeros, 0, zeros])),
        ("finit_module", libc::SYS_finit_module, a(&[none, zeros, 0])),
        ("kexec_load", libc::SYS_kexec_load, a(&[0, none, 0, 0])),
        ("quotactl", libc::SYS_quotactl, a(&[none, 0, 0, 0])),
        ("syslog", libc::SYS_syslog, a(&[none, 0, 0])),
        ("acct", libc::SYS_acct, a(&[new])),
        ("iopl", libc::SYS_iopl, a(&[9])),
        ("modify_ldt", libc::SYS_modify_ldt, a(&[none, 0, 0])),
        ("settimeofday", libc::SYS_settimeofday, a(&[none, none])),
        ("sethostname", libc::SYS_sethostname, a(&[none, 1])),
        ("landlock_restrict_self", libc::SYS_landlock_restrict_self, a(&[none, 0])),
        // Calls of which some requests are allowed.
        ("fcntl F_SETOWN", libc::SYS_fcntl, a(&[2, libc::F_SETOWN as u64, broker])),
        ("fcntl F_SETSIG", libc::SYS_fcntl, a(&[2, 10, libc::SIGURG as u64])),
        ("fcntl F_SETFL", libc::SYS_fcntl, a(&[2, libc::F_SETFL as u64, libc::O_ASYNC as u64])),
        ("fcntl F_DUPFD", libc::SYS_fcntl, a(&[2, libc::F_DUPFD as u64, 0])),
        ("ioctl TIOCSTI", libc::SYS_ioctl, a(&[2, libc::TIOCSTI, zeros])),
        ("ioctl TIOCLINUX", libc::SYS_ioctl, a(&[2, libc::TIOCLINUX, zeros])),
        // The calls of another table: bit 30 says x32.
        ("x32 socket", libc::SYS_socket | 1 << 30, family(libc::AF_INET, stream)),
    ];
    let rwx = (libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC) as u64;
    let rx = (libc::PROT_READ | libc::PROT_EXEC) as u64;
    let wx = (libc::PROT_WRITE | libc::PROT_EXEC) as u64;
    let answered: &[(&'static str, i64, [u64; 6])] = &[
        ("mmap, writable and executable", libc::SYS_mmap, a(&[0, page, rwx, anonymous, none, 0])),
        ("mmap, executable", libc::SYS_mmap, a(&[0, page, rx, anonymous, none, 0])),
        // Of bits above the 32 that the kernel looks at, and of those that mean something else.
        (
            "mmap, writable and executable, 64 bits",
            libc::SYS_mmap,
            a(&[0, page, rwx | 1 << 32, anonymous, none, 0]),
        ),
        ("mprotect, all", libc::SYS_mprotect, a(&[own, page, rwx])),
        ("mprotect, written and executable", libc::SYS_mprotect, a(&[own, page, wx])),
        ("mprotect, growing stack", libc::SYS_mprotect, a(&[own, page, rwx | libc::PROT_GROWSDOWN as u64])),
    ];
    let all = |calls: &[(&'static str, i64, [u64; 6])], is_answered| -> Vec<Forbidden> {
        let call = |&(name, number, arguments)| Forbidden { name, number, arguments, is_answered };
        calls.iter().map(call).collect()
    };
    let mut calls = all(answered, true);
    calls.extend(all(deadly, false));
    calls.push(Forbidden {
        name: "pkey_mprotect, all",
        number: libc::SYS_pkey_mprotect,
        arguments: a(&[own, page, rwx, none]),
        is_answered: false,
    });
    calls
}

/// What the calls point at.
fn strings(traced: &Traced) {
    let texts = [(0, "/etc/passwd"), (16, "/etc/shadow"), (32, "/nowhere/blink-forbidden"), (64, "/")];
    traced.write(traced.scratch, &[0; 256]);
    for (at, text) in texts {
        traced.write(traced.scratch + at, text.as_bytes());
    }
}

/// Asks for each forbidden call from each thread: how many were asked for.
fn try_all(source: &mut dyn Source) -> usize {
    let broker = u64::from(std::process::id());
    let (mut asked, mut thread) = (0, 0);
    loop {
        let mut subject: Option<(Subject, Traced)> = None;
        let mut threads = 0;
        let mut index = 0;
        loop {
            let (of, traced) = subject.get_or_insert_with(|| {
                let of = source.make();
                let all = of.threads();
                threads = all.len();
                let traced = Traced::attach(all[thread]);
                strings(&traced);
                (of, traced)
            });
            let calls = forbidden(traced.scratch, broker);
            let Some(call) = calls.get(index) else { break };
            index += 1;
            asked += 1;
            let outcome = traced.call(call.number, call.arguments);
            let what = format!("{} of thread {thread} of a {}: {outcome:?}", call.name, source.name());
            assert!(outcome.is_refused(), "{what}");
            assert!(call.is_answered || matches!(outcome, Outcome::Died(_)), "{what}");
            if let Outcome::Died(_) = outcome {
                let pid = of.pid;
                subject = None;
                source.ended(pid);
            }
        }
        // 32-bit calls: `socketcall` (102) would make a socket.
        let of = source.make();
        let traced = Traced::attach(of.threads()[thread]);
        traced.set_instruction(INT_80);
        let outcome = traced.call(102, [1, traced.scratch, 0, 0, 0, 0]);
        assert_eq!(
            outcome,
            Outcome::Died(libc::SIGSYS),
            "a 32-bit call of thread {thread} of a {}",
            source.name()
        );
        let pid = of.pid;
        drop(of);
        source.ended(pid);
        asked += 1;
        thread += 1;
        if thread == threads {
            println!("{}: {asked} calls of {threads} threads refused", source.name());
            return asked;
        }
    }
}

/// The probe finds what is allowed: on a process that gave up nothing, the same calls are made. So a refusal means something.
#[test]
fn the_probe_finds_what_is_allowed() {
    let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep");
    // It must have started: before that it is a copy of this process.
    let name = format!("/proc/{}/comm", child.id());
    until("sleep", || std::fs::read_to_string(&name).is_ok_and(|name| name == "sleep\n").then_some(()));
    let traced = Traced::attach(child.id() as i32);
    strings(&traced);
    let made =
        ["openat /etc/passwd", "socket INET", "socket UNIX", "pipe2", "mmap, writable and executable", "dup"];
    let broker = u64::from(std::process::id());
    let mut found = 0;
    for call in forbidden(traced.scratch, broker) {
        if made.contains(&call.name) {
            let outcome = traced.call(call.number, call.arguments);
            assert!(matches!(outcome, Outcome::Returned(0..)), "{}: {outcome:?}", call.name);
            assert!(!outcome.is_refused());
            found += 1;
        }
        // Calls with arguments that make no sense are seen to be made, too.
        if ["connect", "setns", "kill of the broker", "execve"].contains(&call.name) {
            let outcome = traced.call(call.number, call.arguments);
            assert!(!outcome.is_refused(), "{}: {outcome:?}", call.name);
            found += 1;
        }
    }
    assert_eq!(found, made.len() + 4);
    child.kill().expect("our child");
    child.wait().expect("our child");
}

/// Fails if a filter, for one thread, lets a call through, answers one that should end the process, or if the filter comes too late
/// for a thread.
#[test]
fn forbidden_calls_are_refused_to_each_thread_of_a_renderer() {
    let program = Program::new("sandbox-renderer");
    for user in users() {
        let mut template = Template::start(&program, user);
        let subject = template.make();
        // One draws, and the compiler's were there before the filter.
        assert!(subject.threads().len() > 1, "the compiler has no threads");
        drop(subject);
        assert!(try_all(&mut template) >= 2 * 40);
    }
}

/// Fails if the glass's filter lets a call through.
#[test]
fn forbidden_calls_are_refused_to_the_glass() {
    if !is_root() {
        println!("the glass lets itself be traced only by root: not tried");
        return;
    }
    let program = Program::new("sandbox-glass");
    for user in users() {
        assert!(try_all(&mut Glasses { program: &program, user }) >= 40);
    }
}

// ---- What the process is -----------------------------------------------------------------------

/// Checks who a process is, thread by thread, and what memory and descriptors it has. `allowed`: of descriptors, by what
/// `/proc` calls them, each with how many there may be.
fn check_process(subject: &Subject, name: &str, allowed: &[(&str, usize)]) {
    let read = |file: &str| {
        let path = format!("/proc/{}/{file}", subject.pid);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    for thread in subject.threads() {
        let status = read(&format!("task/{thread}/status"));
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.unwrap_or_else(|| panic!("{name} in {status}")).trim()
        };
        for ids in ["Uid", "Gid"] {
            assert!(field(ids).split_whitespace().all(|id| id != "0"), "{name}: {ids} {}", field(ids));
        }
        assert!(field("Groups").split_whitespace().all(|id| id != "0"), "{name}: groups {}", field("Groups"));
        for capabilities in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
            let held = u64::from_str_radix(field(capabilities), 16).expect("a number");
            assert_eq!(held, 0, "{name}: {capabilities}");
        }
        assert_eq!((field("NoNewPrivs"), field("Seccomp")), ("1", "2"), "{name}, thread {thread}");
    }
    for line in read("maps").lines() {
        let rights = line.split_whitespace().nth(1).expect("rights");
        assert!(!(rights.contains('w') && rights.contains('x')), "{name}: {line}");
    }
    let core = read("limits").lines().find(|line| line.starts_with("Max core file size")).map(str::to_owned);
    let core = core.expect("a limit");
    assert!(core.split_whitespace().rev().skip(1).take(2).all(|limit| limit == "0"), "{name}: {core}");

    let mut left: Vec<(&str, usize)> = allowed.to_vec();
    for entry in std::fs::read_dir(format!("/proc/{}/fd", subject.pid)).expect("descriptors") {
        let entry = entry.expect("a descriptor");
        let number = entry.file_name();
        let target = std::fs::read_link(entry.path()).expect("a descriptor");
        let target = target.to_str().expect("text").to_owned();
        if number == "0" {
            assert_eq!(target, "/dev/null", "{name}: standard input");
        }
        // Standard output and error are those of the test, whatever they are.
        if number == "1" || number == "2" {
            continue;
        }
        let place = left.iter_mut().find(|(prefix, count)| target.starts_with(prefix) && *count > 0);
        place.unwrap_or_else(|| panic!("{name} has {number:?}: {target}; expected: {allowed:?}")).1 -= 1;
    }
    assert!(left.iter().all(|&(_, count)| count == 0), "{name} lacks descriptors: {left:?}");
}

/// Fails if a process is root, or could become so, or has descriptors or memory that it does not need: for example the template's
/// socket, or those of the renderer before.
#[test]
fn neither_is_root_and_neither_has_more_than_it_needs() {
    let program = Program::new("sandbox-state");
    for user in users() {
        let mut template = Template::start(&program, user);
        let _before = template.make();
        let subject = template.make();
        // Standard input; the broker's socket; two sets of descriptors to watch, of sockets and of doorbells.
        let needed = [("/dev/null", 1), ("socket:", 1), ("anon_inode:[eventpoll]", 2)];
        check_process(&subject, "renderer", &needed);
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", subject.pid)).expect("limits");
        let data = limits.lines().find(|line| line.starts_with("Max data size")).expect("a limit");
        assert!(data.contains(&format!(" {MEMORY} ")), "{data}");
        if is_root() {
            // Standard input; the broker's socket; what it watches; its timer.
            let needed = [
                ("/dev/null", 1),
                ("socket:", 1),
                ("anon_inode:[eventpoll]", 1),
                ("anon_inode:[timerfd]", 1),
            ];
            check_process(&Glasses { program: &program, user }.make(), "glass", &needed);
        }
    }
}

// ---- Calls that nobody needs -------------------------------------------------------------------

/// The last number that is asked for: above all that Linux has.
const LAST_CALL: i64 = 480;

/// All calls that do not end a process.
fn calls_of(source: &mut dyn Source) -> BTreeSet<i64> {
    let mut allowed = BTreeSet::new();
    let mut subject: Option<(Subject, Traced)> = None;
    for number in 0..LAST_CALL {
        let (of, traced) = subject.get_or_insert_with(|| {
            let of = source.make();
            let traced = Traced::attach(of.pid);
            (of, traced)
        });
        // Arguments of which nothing comes; of `fcntl`, a request that is allowed (F_GET_SEALS).
        let mut arguments = [u64::MAX; 6];
        if number == libc::SYS_fcntl {
            arguments[1] = 1034;
        }
        match traced.call(number, arguments) {
            Outcome::Died(libc::SIGSYS) => {
                let pid = of.pid;
                subject = None;
                source.ended(pid);
            }
            Outcome::Returned(_) => {
                allowed.insert(number);
            }
            Outcome::Died(_)
            | Outcome::Signalled(_)
            | Outcome::Elsewhere
            | Outcome::Exited
            | Outcome::Waits => {
                allowed.insert(number);
                subject = None;
            }
        }
    }
    // Linux lets these through every filter since 6.14. They do something only in code that the kernel itself put there for a
    // probe of somebody with rights, and send SIGILL elsewhere.
    for probe in UPROBES {
        allowed.remove(&probe);
    }
    allowed
}

/// `uretprobe` and `uprobe`.
const UPROBES: [i64; 2] = [335, 336];

/// The filter is the table that people read, call by call: fails if either has one more.
#[test]
fn a_renderers_filter_allows_what_its_table_says() {
    let program = Program::new("sandbox-table");
    let mut template = Template::start(&program, User::Same);
    let found = calls_of(&mut template);
    let mut said: BTreeSet<i64> =
        ALLOWED.iter().chain(REFUSED).flat_map(|(_, calls, _)| *calls).copied().collect();
    if Path::new("/dev/xen/gntdev").exists() {
        // What more there is for guests of Xen; `ioctl` of nothing is none of it.
        said.insert(libc::SYS_read);
    }
    assert_eq!(found, said);
}

/// Watches all threads of a process: which calls they make.
fn watch(pid: i32, ready: &AtomicBool) -> BTreeSet<i64> {
    let options = (libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE) as u64;
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it lives");
    let mut threads = BTreeSet::new();
    for task in tasks {
        let thread: i32 =
            task.expect("a thread").file_name().to_str().expect("a number").parse().expect("a number");
        ptrace(libc::PTRACE_SEIZE, thread, 0, options).expect("to trace, as root or as its ancestor");
        ptrace(libc::PTRACE_INTERRUPT, thread, 0, 0).expect("a traced thread");
        threads.insert(thread);
    }
    let (mut seen, mut stopped) = (BTreeSet::new(), BTreeSet::new());
    while !threads.is_empty() {
        let mut status = 0;
        // Only this thread's: the test has children too.
        // SAFETY: `status` is valid for the call.
        let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD) };
        assert!(thread > 0, "{}", std::io::Error::last_os_error());
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            threads.remove(&thread);
            continue;
        }
        threads.insert(thread);
        stopped.insert(thread);
        if stopped.len() == threads.len() {
            ready.store(true, Ordering::SeqCst);
        }
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        let mut deliver = 0;
        if signal == libc::SIGTRAP | 0x80 {
            seen.insert(registers(thread).orig_rax as i64);
        } else if event == 0 {
            deliver = signal as u64;
        }
        // One that was killed meanwhile is heard of next.
        let _gone = ptrace(libc::PTRACE_SYSCALL, thread, 0, deliver);
    }
    seen
}

/// Watches a glass from its start to its end: which calls it makes once its filter is there.
fn watch_birth(program: &Program) -> BTreeSet<i64> {
    let (ours, theirs) = pair();
    let mut command = Command::new(&program.0);
    command.args(["glass", "--headless", "640x480@60"]).stdin(Stdio::from(theirs)).stdout(Stdio::null());
    // SAFETY: between fork and exec, only a system call is made, without memory.
    unsafe {
        command.pre_exec(|| {
            libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
            Ok(())
        });
    }
    let pid = command.spawn().expect("blink-server starts").id() as i32;
    let mut ours = Some(ours);
    let mut seen = BTreeSet::new();
    let mut filters = 0;
    let mut is_first = true;
    loop {
        let status = wait(pid, PATIENCE).expect("something happens");
        if !libc::WIFSTOPPED(status) {
            assert!(libc::WIFEXITED(status), "the glass is dead: {status:#x}; its calls: {seen:?}");
            return seen;
        }
        if std::mem::take(&mut is_first) {
            let options = (libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL) as u64;
            ptrace(libc::PTRACE_SETOPTIONS, pid, 0, options).expect("a stopped process");
        }
        let mut deliver = 0;
        if libc::WSTOPSIG(status) == libc::SIGTRAP | 0x80 {
            let call = registers(pid).orig_rax as i64;
            if call == libc::SYS_seccomp {
                filters += 1;
                seen.clear();
            } else if filters > 0 {
                seen.insert(call);
                // It waits for messages: the broker hangs up.
                if call == libc::SYS_epoll_pwait {
                    ours.take();
                }
            }
        } else if libc::WSTOPSIG(status) != libc::SIGTRAP {
            deliver = libc::WSTOPSIG(status) as u64;
        }
        ptrace(libc::PTRACE_SYSCALL, pid, 0, deliver).expect("a stopped process");
    }
}

/// A client that comes, draws, is resized, errs, and goes; while another one stays. Then the server ends.
fn workload(server: &Server) {
    let mut connection = server.connect("busy").expect("the server takes clients");
    let mut context = connection.context().expect("a context");
    let mut redraw = Recorder::new();
    redraw.clear_color(0.0, 0.0, 1.0, 1.0);
    redraw.clear(ClearMask::COLOR);
    // Work for the compiler.
    let [angle, height] = [redraw.alloc(), redraw.alloc()];
    redraw.time_mod(angle, 1.0);
    redraw.mul(angle, angle, 360.0);
    redraw.sin(height, angle);
    for _ in 0..8 {
        redraw.mul(height, height, 0.5);
        redraw.add(height, height, angle);
    }
    redraw.translate(0.0, height, 0.0);
    redraw.rotate(angle, 0.0, 0.0, 1.0);
    // Work for the driver: a mode that the template did not draw with.
    redraw.enable(Capability::Fog);
    redraw.primitive(Primitive::Triangles, |p| {
        p.vertex2(0.0, 0.0);
        p.vertex2(1.0, 0.0);
        p.vertex2(0.0, 1.0);
    });
    redraw.request_frame();
    let mut commit = context.commit();
    let procedure = commit.procedure(Callback::Redraw, &redraw.finish().expect("a recording")).expect("room");
    let pixels = vec![0x55; 256 * 256 * 4];
    commit.texture(&TextureInfo::bgra(256, 256), &pixels).expect("room");
    let mut desc = WindowDesc { x: 150, y: 60, width: 80, height: 60, ..WindowDesc::default() };
    desc.procedures[Callback::Redraw as usize] = procedure.into();
    let window = commit.window(&desc).expect("room");
    commit.finish().expect("a commit");
    let id = format!("{}.0.{window}", connection.client());
    until("native code", || (server.window(&id)?["procedures"][0]["tier"] == "native").then_some(()));
    until("frames", || server.window(&id)?["redraws"].as_u64().filter(|&redraws| redraws > 5));
    for size in [["100", "90"], ["140", "120"], ["60", "50"]] {
        let redraws = || server.window(&id).and_then(|window| window["redraws"].as_u64());
        let before = redraws().expect("the window is there");
        server.blinkctl(&["resize", &id, size[0], size[1]]).expect("the window is there");
        until("frames", || redraws().filter(|&now| now > before + 5));
    }
    // A mistake: a procedure for another callback than its window wants it for, which the log tells.
    let mut commit = context.commit();
    let input =
        commit.procedure(Callback::Input, &Recorder::new().finish().expect("a recording")).expect("room");
    desc.procedures[Callback::Redraw as usize] = input.into();
    commit.window(&desc).expect("room");
    commit.finish().expect("a commit");
    until("the scan", || context.is_seen().then_some(()));
    server.blinkctl(&["stats"]).expect("stats");
    assert_ne!(connection.wait(Some(Duration::ZERO)).expect("a connection"), Wake::ServerGone);
    drop(context);
    drop(connection);
    until("its end", || server.window(&id).is_none().then_some(()));
    server.blinkctl(&["quit"]).expect("the server ends");
}

fn named(calls: &BTreeSet<i64>, of: impl Fn(i64) -> bool) -> Vec<i64> {
    calls.iter().copied().filter(|&call| of(call)).collect()
}

/// Fails if a renderer is allowed a call that none of its work needs.
#[test]
fn a_renderer_makes_each_call_that_it_is_allowed() {
    let server = Server::start();
    let mut resident = server.connect("stays").expect("the server takes clients");
    let mut context = resident.context().expect("a context");
    red_window(&mut context);
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    let pid = server.renderer() as i32;
    let ready = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(pid, &ready));
        until("the tracer", || ready.load(Ordering::SeqCst).then_some(()));
        workload(&server);
        watching.join().expect("the tracer")
    });
    let allowed: BTreeSet<i64> = ALLOWED.iter().flat_map(|(_, calls, _)| *calls).copied().collect();
    let refused: BTreeSet<i64> = REFUSED.iter().flat_map(|(_, calls, _)| *calls).copied().collect();
    let exceptions = BTreeSet::from(RENDERER_EXCEPTIONS.map(|(call, _)| call));
    let unneeded = named(&allowed, |call| !seen.contains(&call) && !exceptions.contains(&call));
    assert!(unneeded.is_empty(), "calls that nobody needs: {unneeded:?}; seen: {seen:?}");
    let unknown = named(&seen, |call| !allowed.contains(&call) && !refused.contains(&call));
    assert!(unknown.is_empty(), "calls that should have ended it: {unknown:?}");
}

/// Calls that the workload does not show, and why they are needed.
const RENDERER_EXCEPTIONS: [(i64, &str); 1] = [(
    libc::SYS_clock_gettime,
    "the clock is read without a call, but for domains of Xen, and where the kernel finds its counter unreliable",
)];

/// Fails if the glass is allowed a call that none of its work needs. Its table is its own; so the filter is asked, call by call.
#[test]
fn a_glass_makes_each_call_that_it_is_allowed() {
    if !is_root() {
        println!("the glass lets itself be traced only by root: not tried");
        return;
    }
    let program = Program::new("sandbox-glass-table");
    let allowed = calls_of(&mut Glasses { program: &program, user: User::Same });
    assert!(allowed.len() <= GLASS_CALLS, "{}: {allowed:?}", allowed.len());

    let server = Server::start();
    let mut resident = server.connect("stays").expect("the server takes clients");
    let mut context = resident.context().expect("a context");
    red_window(&mut context);
    until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
    let pid = server.glass() as i32;
    let ready = AtomicBool::new(false);
    let mut seen = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(pid, &ready));
        until("the tracer", || ready.load(Ordering::SeqCst).then_some(()));
        // A picture goes out in memory that the glass makes; a long message comes in such.
        assert!(is_red(&server, [20, 40, 100, 80]));
        let events = vec![Input::Motion { x: 100.0, y: 50.0 }; 2000];
        let long = serde_json::to_vec(&Ask::Input { events }).expect("JSON");
        assert!(long.len() > socket::MAX_PACKET);
        let control = raw_socket(&server.directory.join("s.control"));
        socket::send(control.as_fd(), &long, &[]).expect("the broker listens");
        let (answer, _) = next(&control, "the broker");
        assert!(answer.starts_with(b"{\"Ok\""), "{}", String::from_utf8_lossy(&answer));
        // A renderer that comes, and one that goes.
        let old = server.renderer();
        send_signal(old, Signal::KILL);
        server.next_renderer(old);
        until("the picture", || is_red(&server, [20, 40, 100, 80]).then_some(()));
        workload(&server);
        watching.join().expect("the tracer")
    });
    seen.extend(watch_birth(&program));
    let exceptions = BTreeSet::from(GLASS_EXCEPTIONS.map(|(call, _)| call));
    let unneeded = named(&allowed, |call| !seen.contains(&call) && !exceptions.contains(&call));
    assert!(unneeded.is_empty(), "calls that nobody needs: {unneeded:?}; seen: {seen:?}");
    let unknown = named(&seen, |call| !allowed.contains(&call));
    assert!(unknown.is_empty(), "calls that should have ended it: {unknown:?}");
}

/// Calls that a glass without a desktop is allowed, those included that are answered with an error.
const GLASS_CALLS: usize = 23;

/// Calls that the workload does not show, and why they are needed.
const GLASS_EXCEPTIONS: [(i64, &str); 4] = [
    (
        libc::SYS_clock_gettime,
        "the clock is read without a call, until the kernel finds its counter unreliable",
    ),
    (libc::SYS_mremap, "large blocks of the heap that grow: answers about very many windows"),
    (libc::SYS_mprotect, "the heap of a thread that is not the first: the glass in a test of its crate"),
    (libc::SYS_rt_sigreturn, "the runtime's handler tells of an overflow of the stack, and returns to it"),
];

/// What whoever starts the server left open does not reach a process that could be taken over: a file of the user's that a
/// script has open, say.
#[test]
fn descriptors_of_who_starts_the_server_reach_no_renderer() {
    use std::os::fd::AsRawFd;
    let program = Program::new("sandbox-left-open");
    let secret = std::fs::File::open("/proc/self/maps").expect("a file");
    let number = secret.as_raw_fd();
    let (ours, theirs) = pair();
    let mut command = Command::new(&program.0);
    command.arg("template").stdin(Stdio::from(theirs)).stdout(Stdio::null());
    command.env("LP_NUM_THREADS", "0").env("MESA_SHADER_CACHE_DISABLE", "true");
    // SAFETY: between fork and exec, only a system call is made, without memory.
    unsafe {
        command.pre_exec(move || {
            libc::fcntl(number, libc::F_SETFD, 0);
            Ok(())
        });
    }
    let child = command.spawn().expect("blink-server starts");
    let (_ready, _) = next(&ours, "the template");
    let mut template = Template { child, socket: ours, classes: 0 };
    let subject = template.make();
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", subject.pid)).expect("descriptors");
    let leaked: Vec<PathBuf> = descriptors
        .filter_map(|entry| std::fs::read_link(entry.expect("a descriptor").path()).ok())
        .filter(|target| target.ends_with("maps"))
        .collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}
