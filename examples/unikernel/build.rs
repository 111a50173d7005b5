//! How a program is linked that nothing loads but a machine's firmware.

fn main() {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("link.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    println!("cargo:rustc-link-arg-bins=-T{}", script.display());
    for argument in [
        // Neither a C library nor its start code, and at the addresses of the script.
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        // Headers of the file in memory, and gaps up to a page of 2 MiB, would only be more to load.
        "-Wl,-z,max-page-size=4096",
        "-Wl,--build-id=none",
        "-Wl,-z,norelro",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
