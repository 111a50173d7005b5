//! What the example clients are made of, for themselves and for tests and benchmarks that draw the
//! same pictures.

pub mod client;
pub mod control;
pub mod cube;
pub mod mirror;
pub mod process;
pub mod show;
pub mod spot;
pub mod teapot;

pub use pictures::{Picture, Procedures, clock, gears};

#[cfg(test)]
mod tests {
    #[test]
    fn the_client_in_the_readme_is_the_one_that_compiles() {
        let (_, code) = include_str!("bin/hello.rs").split_once("\n\n").expect("a heading, then code");
        assert!(include_str!("../../README.md").contains(code.trim()), "copy hello.rs into README.md");
    }
}
