//! The device of a virtual machine, as sysfs shows it: made of files in a directory.
#![allow(missing_docs, clippy::cast_possible_truncation, reason = "a test")]

#[path = "support/machine.rs"]
mod machine;

use blink_client::transport::Transport;
use blink_client::transport::ivshmem::Ivshmem;
use blink_client::{Connection, Wake};
use blinkgl::layout::context;
use blinkgl::limits::PAGE_SIZE;
use blinkgl::shm::ShmOffset;
use machine::{BYTES, Device, Machine, REGISTERS, SLOT, good};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_device_is_found_switched_on_and_rung() {
    let machine = Machine::new();
    // Of another kind, and of the same kind but not ours.
    let other = machine.device("0000:00:01.0", good());
    fs::write(other.path.join("device"), "0x1000\n").unwrap();
    let _foreign = machine.device("0000:00:02.0", [0; 4]);
    let device = machine.device(SLOT, good());
    let transport = machine.open().unwrap();
    assert_eq!(transport.client(), 42);
    assert_eq!(transport.memory().size(), BYTES);
    assert_eq!(fs::read_to_string(device.path.join("enable")).unwrap(), "1");
    let told = transport.describe();
    assert!(told.starts_with("ivshmem:0000:00:04.0, not woken") && told.contains("no IOMMU"), "{told}");

    transport.ring();
    let mut registers = vec![0xff; PAGE_SIZE];
    // Peer 0, vector 0, as 32 bits at 12.
    registers[REGISTERS as usize + 12..][..4].fill(0);
    assert_eq!(fs::read(device.path.join("resource0")).unwrap(), registers);
}

#[test]
fn one_program_has_the_device() {
    let machine = Machine::new();
    let _device = machine.device(SLOT, good());
    let first = machine.open().unwrap();
    let error = machine.open().unwrap_err();
    assert!(matches!(&error, blink_client::Error::DeviceTaken { slot } if slot == SLOT), "{error}");
    drop(first);
    machine.open().unwrap();
}

/// A wait without wake-ups, and one with them.
fn events_end_a_wait(machine: &Machine, wake: impl FnOnce()) {
    let transport = Arc::new(machine.open().unwrap());
    let mut connection = Connection::over(Arc::clone(&transport) as Arc<dyn Transport>).unwrap();
    let _context = connection.context().unwrap();
    assert_eq!(connection.wait(Some(Duration::from_millis(20))).unwrap(), Wake::Timeout);
    transport.memory().store(ShmOffset(PAGE_SIZE + context::EVENTS_PUT), 1).unwrap();
    wake();
    assert_eq!(connection.wait(None).unwrap(), Wake::Events);
    transport.memory().store(ShmOffset(PAGE_SIZE + context::EVENTS_TAKEN), 1).unwrap();
    assert_eq!(connection.wait(Some(Duration::from_millis(20))).unwrap(), Wake::Timeout);
}

#[test]
fn without_interrupts_and_port_it_looks_itself() {
    let machine = Machine::new();
    let _device = machine.device(SLOT, good());
    events_end_a_wait(&machine, || {});
}

#[test]
fn a_serial_port_wakes() {
    let machine = Machine::new();
    let _device = machine.device(SLOT, good());
    machine.port("vport0p1", "com.redhat.spice.0");
    let port = machine.port("vport0p2", "org.blink.wake");
    let reader = fs::OpenOptions::new().read(true).write(true).open(&port).unwrap();
    let told = machine.open().unwrap().describe();
    assert!(told.contains("woken by the serial port") && told.contains("/dev/vport0p2"), "{told}");
    events_end_a_wait(&machine, || (&reader).write_all(&[1]).unwrap());
    // A wake-up without events is one too.
    let transport = machine.open().unwrap();
    (&reader).write_all(&[1; 100]).unwrap();
    assert_eq!(transport.wait(None).unwrap(), Wake::Events);
    assert_eq!(transport.wait(Some(Duration::ZERO)).unwrap(), Wake::Timeout);
}

/// The server is gone, or was started again: nobody is at the port's other end.
#[test]
fn a_port_with_nobody_at_its_end_is_no_reason_to_spin_or_to_sleep() {
    let machine = Machine::new();
    let _device = machine.device(SLOT, good());
    let port = machine.port("vport0p1", "org.blink.wake");
    let transport = machine.open().unwrap();
    drop(fs::OpenOptions::new().write(true).open(&port).unwrap());
    assert_eq!(transport.wait(Some(Duration::from_millis(20))).unwrap(), Wake::Timeout);
    drop(transport);
    events_end_a_wait(&machine, || {});
}

#[test]
fn what_is_no_aperture_is_refused() {
    let refused = |change: &dyn Fn(&Device), header: [u32; 4]| {
        let machine = Machine::new();
        let device = machine.device(SLOT, header);
        change(&device);
        machine.open().unwrap_err().to_string()
    };
    let unchanged: &dyn Fn(&Device) = &|_| {};
    let [magic, version, pages, client] = good();
    for (header, said) in [
        ([magic ^ 1, version, pages, client], "instead of `BLNK`"),
        ([magic, 2 << 16, pages, client], "version 2.0, this client knows 1"),
        ([magic, version, pages + 1, client], "it claims 257 pages"),
        ([magic, version, u32::MAX, client], "it claims 4294967295 pages"),
        ([0; 4], "instead of `BLNK`"),
    ] {
        let error = refused(unchanged, header);
        assert!(error.contains(said), "{error}");
    }
    type Change = dyn Fn(&Device);
    let changes: [(&Change, &str); 6] = [
        (&|d| d.resources(0xfebf_1000, 0xc000_0000, 4096), "4096 bytes are out of range"),
        (&|d| d.resources(0xfebf_1000, 0, 1 << 20), "region 2 of 0000:00:04.0 has no address"),
        (&|d| fs::write(d.path.join("resource"), "nonsense\n").unwrap(), "has no address"),
        (&|d| fs::remove_file(d.path.join("resource2")).unwrap(), "resource2"),
        (&|d| fs::remove_file(d.path.join("resource0")).unwrap(), "resource0"),
        (&|d| fs::write(d.path.join("vendor"), "0x8086\n").unwrap(), "no ivshmem device"),
    ];
    for (change, said) in changes {
        let error = refused(change, good());
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_machine_may_have_no_device() {
    let error = Ivshmem::open_under(Path::new("/nowhere"), None).unwrap_err().to_string();
    assert!(error.contains("blinkctl vm list"), "{error}");
    let machine = Machine::new();
    let _device = machine.device(SLOT, good());
    let error = Ivshmem::open_under(&machine.root, Some("0000:00:05.0")).unwrap_err().to_string();
    assert!(error.contains("no ivshmem device at 0000:00:05.0"), "{error}");
    assert_eq!(Ivshmem::open_under(&machine.root, Some(SLOT)).unwrap().client(), 42);
}

/// A device that a driver of the guest's has, or whose IOMMU group can't be opened, is used without interrupts.
#[test]
fn interrupts_are_left_out_with_a_reason() {
    for (files, said) in [
        (&["iommu_group"][..], "no vfio-pci, or its module is not loaded"),
        (&["iommu_group", "driver"], "the driver other has the device"),
    ] {
        let machine = Machine::new();
        let device = machine.device(SLOT, good());
        for file in files {
            let target = if *file == "driver" { "other" } else { "7" };
            symlink(format!("../../../{target}"), device.path.join(file)).unwrap();
        }
        let told = machine.open().unwrap().describe();
        assert!(told.contains(said), "{told}");
    }
}
