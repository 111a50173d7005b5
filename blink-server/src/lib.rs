//! The Blink display server: one binary, whose processes each have a crate of their own. `docs/ARCHITECTURE.md` is the map.

pub mod keeper;
pub mod together;

pub use ipc::{geometry, options, vm};
pub use os::seqpacket as socket;
pub use {broker, budget, gl, glass, ipc, renderer};

#[cfg(test)]
mod tests {
    const PAGE: &str = include_str!("../../docs/PROTOCOL.md");

    macro_rules! constants {
        ($module:path: $($NAME:ident),* $(,)?) => {{
            use $module as limits;
            vec![ $( (stringify!($NAME), u64::try_from(limits::$NAME).unwrap()) ),* ]
        }};
    }

    /// docs/PROTOCOL.md has the server's own limits, with their values, and no others.
    #[test]
    fn limits_are_all_there_with_their_values() {
        let mut expected = constants!(jit::limits:
            MAX_COMPILE_COST, COMPILE_MILLISECONDS, MAX_WAITING_COMPILES, MAX_LATE_COMPILES,
            MAX_CLIENT_LATE_COMPILES, MAX_CLIENT_NATIVE_PROGRAMS, MAX_NATIVE_FRAME_BYTES,
            MAX_CACHED_PROGRAM_BYTES,
        );
        expected.extend(constants!(ipc::limits:
            MAX_CLIENT_PROGRAM_BYTES, MAX_SCAN_RETRIES, MAX_GRANTED_PAGES, MAX_CLIENTS,
            MAX_VERTEX_CACHE_BYTES, MAX_SPARE_VERTEX_BYTES, MAX_ARRAY_BYTES, MAX_SHADERS, FREE_SHADERS,
            FREE_SHADER_SECONDS, MAX_OFFSCREEN_PIXELS, MAX_LIST_BYTES, MAX_FRAME_FUEL, MAX_FRAME_VERTICES,
            MAX_SCAN_BYTES, PROCEDURE_BYTE_COST, MIPMAP_BYTE_COST, MIPMAP_LEVEL_BYTES, MAX_LOG_LINES,
            PLACEMENT_MILLISECONDS, PLACEMENTS_AT_ONCE, FRAME_PARTS, MIN_SLICE_MICROSECONDS,
            REST_AFTER_WHOLE, SLOW_SECONDS, FIRST_SLOW_SECONDS, STRIKES, STRIKE_SECONDS,
            MAX_SUSPENDED_REDRAWS, STEP_MICROSECONDS, LATE_MICROSECONDS, LATE_FRAMES, MIN_STEP_FRAGMENTS,
            MAX_OPEN_FRAGMENTS, MAX_SLOW_STEP_FRAGMENTS, MAX_STEP_FRAGMENTS, DRAW_FRAGMENTS,
            VERTEX_FRAGMENTS, OUTLINE_VERTEX_FRAGMENTS,
        ));
        expected.sort_unstable();
        let (_, table) =
            PAGE.split_once("| name | value | of the server |\n").expect("there is such a table");
        let rows = table.lines().skip(1).take_while(|line| line.starts_with("| "));
        let mut found: Vec<(&str, u64)> = rows
            .map(|row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                (cells[1].trim_matches('`'), cells[2].parse().expect("a number"))
            })
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected);
        // Of those that stand here for the glass, guests' have their row in the table before.
        for source in [include_str!("../ipc/src/limits.rs"), include_str!("../../jit/src/limits.rs")] {
            for line in source.lines().filter_map(|line| line.strip_prefix("pub const ")) {
                let name = line.split(':').next().unwrap_or_default();
                assert!(
                    PAGE.contains(&format!("| `{name}` |")),
                    "{name}: write new limits into this test and the table"
                );
            }
        }
    }
}
