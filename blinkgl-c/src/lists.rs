//! Display lists: names, bases, and arrays of names.

use crate::error::Mistake;
use crate::export::calls;
use crate::recording::{Needs, Selected};
use crate::state::{State, bytes};
use crate::value::Value;
use blinkgl::limits::MAX_LISTS;
use blinkgl::ops::{Callback, Op};
use std::collections::BTreeMap;
use std::ffi::c_void;

/// `GL_COMPILE`.
const COMPILE: u32 = 0x1300;
/// `GL_COMPILE_AND_EXECUTE`.
const COMPILE_AND_EXECUTE: u32 = 0x1301;

/// The window's lists, as far as this side knows.
#[derive(Debug, Default)]
pub struct Lists {
    /// Names that are taken, and for those that are defined, what they rely on.
    taken: BTreeMap<u32, Option<Needs>>,
    base: u32,
    /// The list that is to be called when it ends.
    execute: bool,
}

impl Lists {
    /// `GL_LIST_BASE`.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// `count` names in a row that are free.
    fn generate(&mut self, count: u32) -> Option<u32> {
        let mut first = 1;
        for &taken in self.taken.keys() {
            if taken.checked_sub(first)? >= count {
                break;
            }
            first = taken + 1;
        }
        let end = first.checked_add(count).filter(|end| *end <= MAX_LISTS + 1)?;
        self.taken.extend((first..end).map(|name| (name, None)));
        Some(first)
    }
}

/// Bytes of a name, and how they become a number.
type NameType = (usize, fn(&[u8]) -> u32);

/// How names are written for `glCallLists`.
fn name_type(kind: u32) -> Result<NameType, Mistake> {
    let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte));
    Ok(match kind {
        0x1400 => (1, |b| i32::from(i8::from_ne_bytes([b[0]])).cast_unsigned()),
        0x1401 => (1, |b| u32::from(b[0])),
        0x1402 => (2, |b| i32::from(i16::from_ne_bytes([b[0], b[1]])).cast_unsigned()),
        0x1403 => (2, |b| u32::from(u16::from_ne_bytes([b[0], b[1]]))),
        0x1404 | 0x1405 => (4, |b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]])),
        0x1406 => (4, |b| crate::params::enumerant(f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))),
        0x1407 => (2, big_endian),
        0x1408 => (3, big_endian),
        0x1409 => (4, big_endian),
        other => return Err(Mistake::name("type of list names", other)),
    })
}

/// `glCallList`. OpenGL ignores a list that is not defined; so does the server, and what can't be defined is one.
fn call_list(s: &mut State, name: u32) -> Result<(), Mistake> {
    if !(1..=MAX_LISTS).contains(&name) {
        return Ok(());
    }
    let needs = s.lists.taken.get(&name).copied().flatten().unwrap_or_default();
    let call = s.call;
    let recording = s.recording()?;
    let (selected, plain) = (recording.selected, Selected::default());
    // OpenGL would run the list with what is selected here. Where that makes no difference, Blink may.
    if needs.matrix_mode && selected.matrix_mode != plain.matrix_mode {
        return Err(Mistake::operation(format!("list {name} changes matrices: call it in GL_MODELVIEW")));
    }
    if needs.unit && selected.unit != plain.unit {
        return Err(Mistake::operation(format!(
            "list {name} changes textures: call it with GL_TEXTURE0 active"
        )));
    }
    recording.check(Op::CallList)?;
    recording.select(call, plain)?;
    recording.put(call, Op::CallList, &[name.into()])?;
    recording.select(call, selected)?;
    if let Some(list) = &mut recording.list {
        list.add(needs);
    }
    Ok(())
}

calls! {
    fn glGenLists(s, count: i32) -> u32 {
        let Ok(wanted) = u32::try_from(count) else {
            return Err(Mistake::value(format!("{count} lists")));
        };
        if wanted == 0 {
            return Ok(0);
        }
        s.lists.generate(wanted).ok_or_else(|| {
            Mistake::new(
                crate::error::gl::OUT_OF_MEMORY,
                format!("no {wanted} names in a row are left: a window has {MAX_LISTS} lists"),
            )
        })
    }
    fn glNewList(s, name: u32, mode: u32) {
        if !(1..=MAX_LISTS).contains(&name) {
            return Err(Mistake::value(format!("list {name}: lists are 1 to {MAX_LISTS}")));
        }
        if mode != COMPILE && mode != COMPILE_AND_EXECUTE {
            return Err(Mistake::name("list mode", mode));
        }
        s.begin_aside()?;
        let put = s.put(Op::NewList, &[name.into()]);
        if put.is_err() {
            s.end_aside();
        }
        put?;
        s.lists.execute = mode == COMPILE_AND_EXECUTE;
        Ok(())
    }
    fn glEndList(s) {
        let list = s.recording()?.list;
        s.put(Op::EndList, &[])?;
        s.end_aside();
        let Some(list) = list else {
            return Err(Mistake::operation("there was no glNewList"));
        };
        s.lists.taken.insert(list.name, Some(list.needs));
        if std::mem::take(&mut s.lists.execute) { call_list(s, list.name) } else { Ok(()) }
    }
    fn glCallList(s, name: u32) {
        call_list(s, name)
    }
    fn glCallLists(s, count: i32, kind: u32, names: *const c_void) {
        let (size, decode) = name_type(kind)?;
        let count = usize::try_from(count).map_err(|_| Mistake::value(format!("{count} lists")))?;
        let names = bytes("the array of names", names.cast(), count.saturating_mul(size))?;
        for name in names.chunks_exact(size) {
            let name = s.lists.base.wrapping_add(decode(name));
            call_list(s, name)?;
        }
        Ok(())
    }
    fn glListBase(s, base: u32) {
        s.lists.base = base;
        Ok(())
    }
    fn glDeleteLists(s, first: u32, count: i32) {
        let count = u32::try_from(count).map_err(|_| Mistake::value(format!("{count} lists")))?;
        let gone: Vec<_> =
            s.lists.taken.range(first..first.saturating_add(count)).map(|(&n, needs)| (n, needs.is_some())).collect();
        for (name, defined) in gone {
            // The server keeps what is defined: an empty list takes no memory, and draws nothing.
            if defined {
                s.begin_aside()?;
                let put = s.put(Op::NewList, &[Value::from(name)]).and_then(|()| s.put(Op::EndList, &[]));
                s.end_aside();
                put?;
            }
            s.lists.taken.remove(&name);
        }
        Ok(())
    }
    fn glIsList(s, name: u32) -> u8 {
        Ok(u8::from(s.lists.taken.contains_key(&name)))
    }
}

impl State {
    /// Display lists are defined in `init`: in a GLUT program's display function what follows is recorded there.
    fn begin_aside(&mut self) -> Result<(), Mistake> {
        let drawing =
            self.recording.as_ref().is_some_and(|r| r.callback == Callback::Redraw && r.list.is_none());
        if drawing && self.recording.as_ref().is_some_and(|r| r.in_begin) {
            return Err(Mistake::operation("not between glBegin and glEnd"));
        }
        if let Some(glut) = self.glut.as_mut()
            && drawing
        {
            glut.suspended = self.recording.take();
            self.recording = Some(crate::recording::Recording::new(Callback::Init));
        }
        Ok(())
    }

    /// Back to the display function.
    fn end_aside(&mut self) {
        if let Some(glut) = self.glut.as_mut()
            && let Some(drawing) = glut.suspended.take()
        {
            let aside = self.recording.replace(drawing);
            if let Some(aside) = aside
                && let Err(mistake) = glut.keep(aside)
            {
                self.tell(mistake);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_rows() {
        let mut lists = Lists::default();
        assert_eq!(lists.generate(3), Some(1));
        assert_eq!(lists.generate(2), Some(4));
        lists.taken.remove(&2);
        assert_eq!(lists.generate(1), Some(2));
        assert_eq!(lists.generate(MAX_LISTS - 5), Some(6));
        assert_eq!(lists.generate(1), None);
    }

    #[test]
    fn names_have_types() {
        let decode = |kind, bytes: &[u8]| {
            let (size, decode) = name_type(kind).ok()?;
            assert_eq!(size, bytes.len());
            Some(decode(bytes))
        };
        assert_eq!(decode(0x1400, &[0xff]), Some(u32::MAX), "bytes have signs");
        assert_eq!(decode(0x1401, b"A"), Some(65));
        assert_eq!(decode(0x1406, &7.0_f32.to_ne_bytes()), Some(7));
        assert_eq!(decode(0x1408, &[1, 2, 3]), Some(0x0001_0203));
        assert!(name_type(0x140a).is_err());
    }
}
