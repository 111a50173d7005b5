//! A virtual machine's `sys` and `dev`, made of files in a directory.
#![allow(dead_code, reason = "each test uses its part")]

use blink_client::Error;
use blink_client::transport::ivshmem::Ivshmem;
use blinkgl::layout::{APERTURE_MAGIC, APERTURE_VERSION, aperture};
use blinkgl::limits::PAGE_SIZE;
use rustix::fs::{FileType, MemfdFlags, Mode, SealFlags, fcntl_add_seals, memfd_create, mknodat};
use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub const BYTES: usize = 1 << 20;
pub const SLOT: &str = "0000:00:04.0";
/// Where the registers start in their page.
pub const REGISTERS: u64 = 0x300;

/// A machine's `sys` and `dev`.
pub struct Machine {
    pub root: PathBuf,
}

impl Machine {
    pub fn new() -> Machine {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("blink-pci-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("dev")).unwrap();
        Machine { root }
    }

    /// A device whose memory starts with these words.
    pub fn device(&self, slot: &str, header: [u32; 4]) -> Device {
        self.device_of(slot, header, BYTES)
    }

    /// The same with so many bytes.
    pub fn device_of(&self, slot: &str, header: [u32; 4], bytes: usize) -> Device {
        let path = self.root.join("sys/bus/pci/devices").join(slot);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("vendor"), "0x1af4\n").unwrap();
        fs::write(path.join("device"), "0x1110\n").unwrap();
        fs::write(path.join("enable"), "0\n").unwrap();
        fs::write(path.join("resource0"), vec![0xff; PAGE_SIZE]).unwrap();
        let memory =
            fs::File::from(memfd_create("device", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap());
        memory.set_len(bytes as u64).unwrap();
        fcntl_add_seals(&memory, SealFlags::SHRINK).unwrap();
        for (word, at) in
            header.into_iter().zip([aperture::MAGIC, aperture::VERSION, aperture::PAGES, aperture::CLIENT])
        {
            memory.write_all_at(&word.to_le_bytes(), at as u64).unwrap();
        }
        let fd = std::os::fd::AsRawFd::as_raw_fd(&memory);
        symlink(format!("/proc/self/fd/{fd}"), path.join("resource2")).unwrap();
        let device = Device { path, _memory: memory };
        device.resources(0xfebf_1000 + REGISTERS, 0xc000_0000, bytes as u64);
        device
    }

    pub fn open(&self) -> Result<Ivshmem, Error> {
        Ivshmem::open_under(&self.root, None)
    }

    /// A serial port of this name; whoever holds what is given is at its other end.
    pub fn port(&self, file: &str, name: &str) -> PathBuf {
        let class = self.root.join("sys/class/virtio-ports").join(file);
        fs::create_dir_all(&class).unwrap();
        fs::write(class.join("name"), format!("{name}\n")).unwrap();
        let path = self.root.join("dev").join(file);
        mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        path
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.root).unwrap();
    }
}

pub struct Device {
    pub path: PathBuf,
    _memory: fs::File,
}

impl Device {
    pub fn resources(&self, registers: u64, memory: u64, bytes: u64) {
        let line = |start: u64, bytes: u64| format!("{start:#018x} {:#018x} 0x0\n", start + bytes - 1);
        let unused = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
        let table =
            [line(registers, 256), line(0xfebf_2000, 4096), line(memory, bytes), unused.into()].concat();
        fs::write(self.path.join("resource"), table).unwrap();
    }
}

pub fn good() -> [u32; 4] {
    [APERTURE_MAGIC, APERTURE_VERSION, (BYTES / PAGE_SIZE) as u32, 42]
}
