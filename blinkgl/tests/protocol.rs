//! docs/PROTOCOL.md says what the code does: offsets, codes, limits, and the example's bytes.
#![allow(missing_docs, reason = "test")]

use blinkgl::Callback;
use blinkgl::layout::{
    self, APERTURE_MAGIC, APERTURE_VERSION, EventKind, ObjectError, ObjectType, WindowDesc, aperture,
    context, cursor, slot, texture,
};
use blinkgl::local::{self, Answer, Hello};
use blinkgl::{limits, wire};
use std::fmt::Write as _;

const PAGE: &str = include_str!("../../docs/PROTOCOL.md");

/// The rows of the table whose head has these cells, each as its cells.
fn table(head: &[&str]) -> Vec<Vec<&'static str>> {
    // A bar inside of a cell is written `\|`.
    let cells = |line: &'static str| -> Vec<&'static str> {
        let bars = line.match_indices('|').map(|(i, _)| i).filter(|&i| !line[..i].ends_with('\\'));
        let bars: Vec<usize> = bars.collect();
        bars.windows(2).map(|pair| line[pair[0] + 1..pair[1]].trim()).collect()
    };
    let mut lines = PAGE.lines();
    lines
        .find(|line| line.starts_with("| ") && cells(line) == head)
        .unwrap_or_else(|| panic!("there is no table {head:?}"));
    lines.skip(1).take_while(|line| line.starts_with("| ")).map(cells).collect()
}

/// `0x10` or `16`.
fn number(text: &str) -> usize {
    let text = text.trim_matches('`');
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// The name in code at the start of a description: `` `NAME`: ... ``.
fn name(text: &str) -> &str {
    text.split('`').nth(1).unwrap_or_else(|| panic!("{text} names nothing"))
}

macro_rules! constants {
    ($module:ident: $($NAME:ident),* $(,)?) => { vec![ $( (stringify!($NAME), $module::$NAME as u64) ),* ] };
}

/// Names of the constants that a source defines at some depth of indentation.
fn defined(source: &str, indentation: &str) -> Vec<String> {
    let start = format!("{indentation}pub const ");
    let names = source.lines().filter_map(|line| line.strip_prefix(start.as_str()));
    names
        .filter(|rest| !rest.starts_with("fn "))
        .filter_map(|rest| Some(rest.split_once(':')?.0.to_string()))
        .collect()
}

#[test]
fn limits_are_all_there_with_their_values() {
    let expected = constants!(limits:
        REGISTERS, MAX_PROGRAM_WORDS, MAX_CONTEXT_PROGRAM_WORDS, MAX_OPERANDS, PAGE_SIZE, MIN_APERTURE_BYTES, MAX_APERTURE_BYTES, DEFAULT_APERTURE_BYTES, MAX_CONTEXTS, MAX_OBJECTS, MAX_EXTENTS, EVENT_RING_ENTRIES, MAX_WINDOWS, MAX_TITLE_BYTES, MAX_WINDOW_SIZE, MIN_WINDOW_SIZE, MAX_TEXTURE_SIZE, MAX_CURSOR_SIZE, MAX_LISTS, MAX_LIST_NESTING, MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK, MAX_TEXTURE_UNITS, MAX_CLIP_PLANES, ATTRIB_STACK, MAX_LIGHTS, MAX_FUEL, MAX_VERTICES, MAX_CALLS, MAX_UPLOAD_BYTES, MAX_DRAWS, MAX_NOTIFICATIONS, MAX_ARRAY_ELEMENTS,
    );
    let names: Vec<&str> = expected.iter().map(|&(name, _)| name).collect();
    assert_eq!(
        defined(include_str!("../src/limits.rs"), ""),
        names,
        "write new limits into this test and the table of docs/PROTOCOL.md"
    );
    let rows = table(&["name", "value", "what"]);
    let found: Vec<(&str, u64)> =
        rows.iter().map(|r| (r[0].trim_matches('`'), number(r[1]) as u64)).collect();
    assert_eq!(found, expected);
}

#[test]
fn offsets_are_those_of_the_layout() {
    let check = |head: &[&str], expected: Vec<(&str, u64)>| {
        let rows = table(head);
        let named: Vec<(&str, u64)> = rows
            .iter()
            .filter(|row| row.last().is_some_and(|text| text.starts_with('`')))
            .map(|row| (name(row[row.len() - 1]), number(row[0].split('-').next().unwrap_or("")) as u64))
            .collect();
        assert_eq!(named, expected);
    };
    check(
        &["offset", "written by", "aperture header"],
        constants!(aperture: MAGIC, VERSION, PAGES, CLIENT, DIRECTORY),
    );
    check(
        &["offset", "directory entry"],
        constants!(aperture: ENTRY_GENERATION, ENTRY_FIRST_PAGE, ENTRY_PAGES, ENTRY_LAST_GENERATION),
    );
    check(
        &["offset", "written by", "context header"],
        constants!(context:
            COMMIT, SLOTS, EVENTS_TAKEN, WANT_PRESENTED, SCANNED, SERVER_EPOCH, EVENTS_PUT, EVENTS_DROPPED,
            CLOCK_SEQUENCE, CLOCK_NOW, CLOCK_NEXT_PRESENT, CLOCK_REFRESH, CLOCK_FRAME,
        ),
    );
    check(&["word", "slot"], constants!(slot: VERSION, OID, TYPE, BYTES, EXTENTS, PARAMS, EXTENT_LIST));

    // Each constant of these modules is in one of the tables above, or in the text.
    let source = include_str!("../src/layout.rs");
    for name in defined(source, "    ") {
        let in_text =
            ["ENTRY_BYTES", "FORMAT", "WIDTH", "HEIGHT", "STRIDE", "COLOR_SPACE", "HOT_X", "HOT_Y", "ALL"];
        assert!(
            PAGE.contains(&format!("`{name}`")) || in_text.contains(&name.as_str()),
            "{name} is not described"
        );
    }
    assert_eq!(aperture::ENTRY_BYTES, 16);
    assert!(PAGE.contains(&format!("{} entries of {} bytes", limits::MAX_CONTEXTS, aperture::ENTRY_BYTES)));
    assert!(PAGE.contains(&format!("`ENTRY_PAGES`: its pages, more than {}", layout::DATA_PAGE)));
    assert!(PAGE.contains("the bytes `BLNK`") && APERTURE_MAGIC.to_le_bytes() == *b"BLNK");
    let rows = table(&["pages", "content"]);
    assert_eq!(rows[1][0], format!("{}-{}", layout::RING_PAGE, layout::ARRAY_PAGE - 1));
    assert_eq!(rows[2][0], format!("{}-{}", layout::ARRAY_PAGE, layout::DATA_PAGE - 1));
    assert_eq!(rows[3][0], format!("from {}", layout::DATA_PAGE));
    assert_eq!(
        rows[1][1],
        format!("event ring: {} events of {} bytes", limits::EVENT_RING_ENTRIES, layout::EVENT_BYTES)
    );
    assert!(rows[2][1].starts_with(&format!(
        "array of {} slots of {} bytes",
        limits::MAX_OBJECTS,
        layout::SLOT_BYTES
    )));
}

#[test]
fn objects_events_and_errors_have_their_codes() {
    let codes = |head: &[&str]| -> Vec<(usize, String)> {
        table(head).iter().map(|row| (number(row[0]), row[1].to_string())).collect()
    };
    let types: Vec<_> = ObjectType::ALL.iter().map(|&t| (t as usize, t.name().to_string())).collect();
    assert_eq!(codes(&["type", "name", "`BYTES`", "parameters"]), types);

    let callbacks: Vec<_> = Callback::ALL.iter().map(|&c| (c as usize, format!("`{c}`"))).collect();
    assert_eq!(codes(&["code", "callback", "when the server runs it"]), callbacks);

    // `ProcedureRejected` is "procedure rejected" here.
    let spaced = |debug: String| {
        let mut text = String::new();
        for c in debug.chars() {
            if c.is_uppercase() && !text.is_empty() {
                text.push(' ');
            }
            text.extend(c.to_lowercase());
        }
        text.replace("oid", "OID")
    };
    let kinds: Vec<_> = EventKind::ALL.iter().map(|&k| (k as usize, spaced(format!("{k:?}")))).collect();
    assert_eq!(codes(&["kind", "name", "a", "b", "c", "d"]), kinds);

    let rows = table(&["error", "name", "c", "d", "meaning"]);
    for (row, error) in rows.iter().zip(ObjectError::ALL) {
        assert_eq!(number(row[0]), error as usize);
        assert_eq!(row[1], spaced(format!("{error:?}")));
        assert_eq!(row[4], error.message());
    }
    assert_eq!(rows.len(), ObjectError::ALL.len());

    let formats: Vec<usize> =
        codes(&["format", "name", "layout", "bytes"]).into_iter().map(|(code, _)| code).collect();
    assert_eq!(formats, texture::Format::ALL.map(|format| format as usize));
    assert!(
        (0..).map_while(texture::ColorSpace::from_code).count() == 4
            && PAGE.contains("3 = BT.709 full range")
    );
}

#[test]
fn parameters_and_sizes_are_those_of_the_types() {
    let rows = table(&["type", "name", "`BYTES`", "parameters"]);
    let parameters = |row: usize| rows[row][3].to_string();
    let expected = |list: &[(usize, &str)]| {
        list.iter().map(|(number, name)| format!("{number}: {name}")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(rows[0][2], (layout::WINDOW_WORDS * 4).to_string());
    assert_eq!(rows[5][2], (limits::REGISTERS * 4).to_string());
    assert_eq!(
        parameters(2),
        expected(&[
            (texture::FORMAT, "format"),
            (texture::WIDTH, "width"),
            (texture::HEIGHT, "height"),
            (texture::STRIDE, "stride"),
            (texture::COLOR_SPACE, "color space"),
            (texture::LEVELS, "levels"),
            (texture::BASE_VERSION, "base version"),
            (texture::ROWS, "changed rows"),
        ])
    );
    assert_eq!(
        parameters(6),
        expected(&[
            (cursor::WIDTH, "width"),
            (cursor::HEIGHT, "height"),
            (cursor::HOT_X, "hot spot from the left"),
            (cursor::HOT_Y, "hot spot from the top"),
        ])
    );
}

/// Each field of a window is at the word that the table says: found by changing the fields one by one.
#[test]
fn windows_have_their_fields_at_their_words() {
    let base = WindowDesc::default();
    let mut changed: Vec<(&str, WindowDesc)> = vec![];
    macro_rules! change {
        ($($field:ident = $value:expr),* $(,)?) => {
            $( changed.push((stringify!($field), WindowDesc { $field: $value, ..base.clone() })); )*
        };
    }
    change!(
        x = 1,
        y = 1,
        width = 1,
        height = 1,
        min_width = 1,
        min_height = 1,
        max_width = 1,
        max_height = 1,
        parent = 1,
        procedures = [1; 5],
        registers = 1,
        cursor = 1,
        update_serial = 1,
        title_bytes = 1,
        title = [1; limits::MAX_TITLE_BYTES],
    );
    let rows = table(&["word", "window"]);
    let mut described: Vec<&str> =
        rows.iter().map(|r| r[1]).filter(|text| text.starts_with('`')).map(name).collect();
    for (field, desc) in changed {
        let words: Vec<usize> = (base.encode().iter().zip(desc.encode()).enumerate())
            .filter(|(_, (a, b))| **a != *b)
            .map(|(i, _)| i)
            .collect();
        let (first, last) = (words[0], words[words.len() - 1]);
        let place = if first == last { first.to_string() } else { format!("{first}-{last}") };
        let row = rows.iter().find(|r| r[1].starts_with(&format!("`{field}`")));
        assert_eq!(row.map(|r| r[0]), Some(place.as_str()), "{field}");
        described.retain(|name| *name != field);
    }
    assert_eq!(described, [] as [&str; 0], "the table has fields that windows do not have");
    let flags = |offscreen, popup| WindowDesc { offscreen, popup, ..base.clone() }.encode()[8];
    assert_eq!([flags(true, false), flags(false, true)], [1, 2]);
    assert_eq!(layout::PLACE_ANYWHERE.cast_unsigned(), 0x8000_0000);
}

#[test]
fn versions_are_the_current_ones() {
    let rows = table(&["what", "where", "now", "who decides"]);
    assert_eq!(rows[0][2], format!("{APERTURE_VERSION:#010x}"));
    assert_eq!(rows[1][2], format!("{:#010x}", wire::version_word()));
    assert!(PAGE.contains(&format!("the bytes `BGL1`: {:#010x}", wire::MAGIC)));
}

/// The text between a fence of this language and its end.
fn fenced(language: &str) -> &'static str {
    let start = PAGE.find(&format!("```{language}\n")).expect("is there") + language.len() + 4;
    let length = PAGE[start..].find("```").expect("ends");
    &PAGE[start..start + length]
}

#[test]
fn the_example_assembles_to_its_bytes() {
    let program = blinkgl::asm::assemble(fenced("bgl")).expect("assembles").program;
    let mut expected = String::new();
    for (i, word) in program.untrusted_words().iter().enumerate() {
        let [a, b, c, d] = word.to_le_bytes();
        let _ = writeln!(expected, "{:02x}  {a:02x} {b:02x} {c:02x} {d:02x}", i * 4);
    }
    let found: String =
        fenced("hex").lines().map(|line| format!("{}\n", line.get(..15).unwrap_or(line))).collect();
    assert_eq!(found, expected);
    assert!(PAGE.contains(&format!("Its {} words", program.untrusted_words().len())));
}

#[test]
fn messages_of_the_local_transport_have_their_fields_at_their_places() {
    // Every value is another byte pattern, found again where the table says.
    let name = "n".repeat(local::NAME_BYTES);
    let hello =
        Hello { version_min: 0x1111_1111, version_max: 0x2222_2222, bytes: 0x3333_3333_3333_3333, name };
    let rows = table(&["offset", "size", "Hello"]);
    let field = |packet: &[u8], row: usize, rows: &[Vec<&str>]| {
        let (at, size) = (number(rows[row][0]), number(rows[row][1]));
        packet[at..at + size].to_vec()
    };
    let packet = hello.encode();
    let expected: [&[u8]; 6] =
        [b"BLKL", &[0x11; 4], &[0x22; 4], &[64, 0, 0, 0], &[0x33; 8], &[b'n'; local::NAME_BYTES]];
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in expected.iter().enumerate() {
        assert_eq!(field(&packet, row, &rows), *expected, "{}", rows[row][2]);
    }
    let covered: usize = rows.iter().map(|row| number(row[1])).sum();
    assert_eq!(covered, local::HELLO_BYTES);

    let rows = table(&["offset", "size", "Welcome", "Refused"]);
    let welcome =
        Answer::Welcome { version: 0x1111_1111, client: 0x2222_2222, bytes: 0x3333_3333_3333_3333 }.encode();
    let refused = Answer::Refused { reason: "r".repeat(local::TEXT_BYTES) }.encode();
    let text = [b'r'; local::TEXT_BYTES];
    let length = [232, 0, 0, 0];
    let expected: [[&[u8]; 2]; 6] = [
        [b"BLKL", b"BLKL"],
        [&[1, 0, 0, 0], &[2, 0, 0, 0]],
        [&[0x11; 4], &length],
        [&[0x22; 4], &[0; 4]],
        [&[0x33; 8], &[0; 8]],
        [&[0; local::TEXT_BYTES], &text],
    ];
    assert_eq!(rows.len(), expected.len());
    for (row, [in_welcome, in_refused]) in expected.iter().enumerate() {
        assert_eq!(field(&welcome, row, &rows), *in_welcome, "{}", rows[row][2]);
        assert_eq!(field(&refused, row, &rows), *in_refused, "{}", rows[row][3]);
    }
    let rows = table(&["offset", "size", "Part"]);
    let part = Answer::Part {
        version: 0x1111_1111,
        client: 0x2222_2222,
        bytes: 0x3333_3333_3333_3333,
        offset: 0x4444_4444_4444_4444,
        first_page: 0x5555_5555,
        pages: 0x6666_6666,
        entry: 0x7777_7777,
    };
    let packet = part.encode();
    let expected: [&[u8]; 10] = [
        b"BLKL",
        &[3, 0, 0, 0],
        &[0x11; 4],
        &[0x22; 4],
        &[0x33; 8],
        &[0x44; 8],
        &[0x55; 4],
        &[0x66; 4],
        &[0x77; 4],
        &[0; 212],
    ];
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in expected.iter().enumerate() {
        assert_eq!(field(&packet, row, &rows), *expected, "{}", rows[row][2]);
    }
    let covered: usize = rows.iter().map(|row| number(row[1])).sum();
    assert_eq!(covered, local::ANSWER_BYTES);
    assert!(PAGE.contains(&format!("The answer has {} bytes", local::ANSWER_BYTES)));
    assert!(PAGE.contains(&format!("within {} seconds", local::HELLO_SECONDS)));
    assert!(PAGE.contains(&format!("`{}`", local::DISPLAY_VARIABLE)));
    assert!(PAGE.contains(&format!("`$XDG_RUNTIME_DIR/{0}`, else `/tmp/blink-UID/{0}`", local::SOCKET_NAME)));
}
