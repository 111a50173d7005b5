//! Texture objects: their images stay here until a commit hands them to the server.

use crate::display::{Display, Pending};
use crate::error::Mistake;
use crate::export::calls;
use crate::params::enumerant;
use crate::pixels::{Base, PixelFormat, Unpack, halved, power_of_two, scaled, side};
use crate::state::{State, read, write};
use crate::value::Number;
use blink_client::{Format, ObjectId, TextureInfo};
use blinkgl::limits::MAX_TEXTURE_UNITS;
use blinkgl::ops::Op;
use std::collections::BTreeMap;
use std::ffi::c_void;

/// `GL_TEXTURE_2D`.
const TEXTURE_2D: u32 = 0x0de1;
/// `GL_GENERATE_MIPMAP`.
const GENERATE_MIPMAP: u32 = 0x8191;

/// A level of detail.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// Width and height.
    pub size: [usize; 2],
    /// Texels of the texture's base format, first row first, without gaps.
    pub texels: Vec<u8>,
}

/// A texture object.
#[derive(Clone, Debug)]
pub struct Texture {
    /// Its object at the server, once something named it.
    pub oid: Option<ObjectId>,
    /// What its texels have.
    pub base: Base,
    /// Its levels.
    pub levels: BTreeMap<u32, Level>,
    /// `GL_GENERATE_MIPMAP`.
    pub generate: bool,
    /// It changed since the last commit.
    changed: bool,
}

impl Default for Texture {
    fn default() -> Texture {
        Texture { oid: None, base: Base::Rgba, levels: BTreeMap::new(), generate: false, changed: false }
    }
}

impl Texture {
    /// What is published of it: levels from 0 on as far as they are there and fit.
    pub fn published(&self) -> (TextureInfo, Vec<u8>) {
        let format = match self.base {
            Base::Alpha => Format::Alpha8,
            Base::Luminance => Format::Luminance8,
            Base::LuminanceAlpha => Format::LuminanceAlpha8,
            Base::Rgb => Format::Rgb8,
            Base::Rgba => Format::Rgba8,
        };
        let Some(first) = self.levels.get(&0) else {
            return (TextureInfo::new(format, 0, 0), Vec::new());
        };
        let [width, height] = first.size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let info = TextureInfo::new(format, width, height);
        if self.generate {
            return (info.generate_mipmaps(), first.texels.clone());
        }
        let mut texels = Vec::new();
        let mut count = 0;
        let mut wanted = Some(first.size);
        for (&number, level) in &self.levels {
            if number != count || wanted != Some(level.size) {
                break;
            }
            texels.extend_from_slice(&level.texels);
            count += 1;
            wanted = (level.size != [1, 1]).then(|| level.size.map(|side| (side / 2).max(1)));
        }
        (info.with_levels(count), texels)
    }

    /// It has something to publish.
    fn has_image(&self) -> bool {
        self.levels.get(&0).is_some_and(|level| !level.texels.is_empty())
    }
}

/// All texture objects.
#[derive(Debug, Default)]
pub struct Textures {
    /// By name. 0 is the texture that every OpenGL has.
    objects: BTreeMap<u32, Texture>,
    last: u32,
    /// Bound to each unit.
    bound: [u32; MAX_TEXTURE_UNITS],
    /// How pixels are read.
    pub unpack: Unpack,
}

impl Textures {
    /// Has the commit that is to come what changed.
    pub fn hand_over(&mut self, display: &mut Display) {
        for texture in self.objects.values_mut() {
            if let (Some(oid), true) = (texture.oid, texture.changed && texture.has_image()) {
                display.pending.insert(oid, Pending::Texture(texture.clone()));
            }
            texture.changed &= texture.oid.is_none() || !texture.has_image();
        }
    }

    /// The texture bound to a unit.
    pub fn bound(&self, unit: usize) -> u32 {
        self.bound.get(unit).copied().unwrap_or(0)
    }
}

fn target(target: u32) -> Result<(), Mistake> {
    if target == TEXTURE_2D { Ok(()) } else { Err(Mistake::name("texture target", target)) }
}

impl State {
    /// The active unit, from 0.
    pub fn unit(&mut self) -> Result<usize, Mistake> {
        let unit = self.recording()?.selected.unit;
        Ok(usize::try_from(unit.wrapping_sub(0x84c0)).unwrap_or(0).min(MAX_TEXTURE_UNITS - 1))
    }

    /// The texture object that image calls are about.
    fn texture(&mut self) -> Result<&mut Texture, Mistake> {
        if self.recording()?.list.is_some() {
            return Err(Mistake::operation("textures are made outside of display lists"));
        }
        let unit = self.unit()?;
        let name = self.textures.bound(unit);
        if name == 0 && self.textures.objects.get(&0).is_none_or(|t| t.oid.is_none()) {
            // Nothing was bound: now there is something to bind.
            let oid = self.texture_oid(0)?;
            self.put(Op::BindTexture, &[oid.into()])?;
        }
        Ok(self.textures.objects.entry(name).or_default())
    }

    /// The server's name for a texture.
    fn texture_oid(&mut self, name: u32) -> Result<u32, Mistake> {
        let oid = match self.textures.objects.get(&name).and_then(|texture| texture.oid) {
            Some(oid) => oid,
            None => {
                let oid = self.display()?.context.reserve()?;
                self.textures.objects.entry(name).or_default().oid = Some(oid);
                oid
            }
        };
        Ok(oid.number())
    }

    fn bind(&mut self, name: u32) -> Result<(), Mistake> {
        let oid = match self.textures.objects.get(&name) {
            None | Some(Texture { oid: None, .. }) if name == 0 => 0,
            Some(_) | None => self.texture_oid(name)?,
        };
        self.put(Op::BindTexture, &[oid.into()])?;
        if self.recording()?.list.is_none() {
            let unit = self.unit()?;
            self.textures.bound[unit] = name;
        }
        Ok(())
    }

    fn set_level(&mut self, level: u32, base: Base, image: Level) -> Result<(), Mistake> {
        let texture = self.texture()?;
        if level == 0 && texture.base != base {
            texture.levels.clear();
        }
        if level > 0 && texture.base != base && !texture.levels.is_empty() {
            return Err(Mistake::operation("all levels of a texture have one internal format in Blink"));
        }
        texture.base = base;
        texture.levels.insert(level, image);
        texture.changed = true;
        Ok(())
    }
}

fn parameter<T: Number>(s: &mut State, of: u32, name: u32, value: T) -> Result<(), Mistake> {
    target(of)?;
    if name == GENERATE_MIPMAP {
        let texture = s.texture()?;
        texture.generate = value.number() != 0.0;
        texture.changed = true;
        return Ok(());
    }
    s.put(Op::TexParameter, &[name.into(), enumerant(value).into()])
}

fn level_of(level: i32) -> Result<u32, Mistake> {
    u32::try_from(level)
        .ok()
        .filter(|level| *level < 13)
        .ok_or_else(|| Mistake::value(format!("level {level}")))
}

calls! {
    fn glGenTextures(s, count: i32, names: *mut u32) {
        let count = u32::try_from(count).map_err(|_| Mistake::value(format!("{count} textures")))?;
        let mut made = Vec::new();
        while made.len() < usize::try_from(count).unwrap_or(0) {
            s.textures.last = s.textures.last.wrapping_add(1).max(1);
            let name = s.textures.last;
            if !s.textures.objects.contains_key(&name) && !made.contains(&name) {
                made.push(name);
            }
        }
        write("the array of names", names, &made)?;
        for name in made {
            s.textures.objects.insert(name, Texture::default());
        }
        Ok(())
    }
    fn glDeleteTextures(s, count: i32, names: *const u32) {
        for i in 0..usize::try_from(count).map_err(|_| Mistake::value(format!("{count} textures")))? {
            let [name] = read("the array of names", names.wrapping_add(i))?;
            if name == 0 {
                continue;
            }
            if let Some(Texture { oid: Some(oid), .. }) = s.textures.objects.remove(&name) {
                s.display()?.pending.insert(oid, Pending::Remove);
            }
            for bound in &mut s.textures.bound {
                if *bound == name {
                    *bound = 0;
                }
            }
        }
        Ok(())
    }
    fn glIsTexture(s, name: u32) -> u8 {
        Ok(u8::from(name != 0 && s.textures.objects.get(&name).is_some_and(|t| t.oid.is_some())))
    }
    fn glBindTexture(s, of: u32, name: u32) {
        target(of)?;
        s.bind(name)
    }
    fn glPixelStorei(s, name: u32, value: i32) {
        let number = usize::try_from(value).map_err(|_| Mistake::value(format!("{value} for pixel storage")))?;
        match name {
            0x0cf5 if [1, 2, 4, 8].contains(&number) => s.textures.unpack.alignment = number,
            0x0cf5 => return Err(Mistake::value(format!("an alignment of {number}: it is 1, 2, 4 or 8"))),
            0x0cf2 => s.textures.unpack.row_length = number,
            other => return Err(Mistake::name("pixel storage parameter", other)),
        }
        Ok(())
    }
    fn glTexImage2D(
        s, of: u32, level: i32, internal: i32, width: i32, height: i32, border: i32, format: u32, kind: u32,
        pixels: *const c_void,
    ) {
        target(of)?;
        if border != 0 {
            return Err(Mistake::value("textures have no border in Blink"));
        }
        let (level, base) = (level_of(level)?, Base::of_internal(internal)?);
        let size = [side(width)?, side(height)?];
        let format = PixelFormat::new(format, kind)?;
        let texels = if pixels.is_null() {
            vec![0; size[0] * size[1] * base.size()]
        } else {
            s.textures.unpack.read(format, base, size, pixels.cast())?
        };
        s.set_level(level, base, Level { size, texels })
    }
    fn glTexSubImage2D(
        s, of: u32, level: i32, x: i32, y: i32, width: i32, height: i32, format: u32, kind: u32,
        pixels: *const c_void,
    ) {
        target(of)?;
        let level = level_of(level)?;
        let (at, size) = ([side(x)?, side(y)?], [side(width)?, side(height)?]);
        let (format, unpack) = (PixelFormat::new(format, kind)?, s.textures.unpack);
        let texture = s.texture()?;
        let base = texture.base;
        let image = texture.levels.get_mut(&level).ok_or_else(|| Mistake::operation("the texture has no such level"))?;
        if at[0] + size[0] > image.size[0] || at[1] + size[1] > image.size[1] {
            return Err(Mistake::value("the area is not inside the texture"));
        }
        let texels = unpack.read(format, base, size, pixels.cast())?;
        let (row, whole) = (size[0] * base.size(), image.size[0] * base.size());
        for (line, from) in texels.chunks_exact(row.max(1)).enumerate() {
            let to = (at[1] + line) * whole + at[0] * base.size();
            image.texels[to..to + row].copy_from_slice(from);
        }
        texture.changed = true;
        Ok(())
    }
    fn glTexParameterf(s, of: u32, name: u32, value: f32) { parameter(s, of, name, value) }
    fn glTexParameteri(s, of: u32, name: u32, value: i32) { parameter(s, of, name, value) }
    fn glTexParameterfv(s, of: u32, name: u32, from: *const f32) {
        parameter(s, of, name, read::<_, 1>("the parameter", from)?[0])
    }
    fn glTexParameteriv(s, of: u32, name: u32, from: *const i32) {
        parameter(s, of, name, read::<_, 1>("the parameter", from)?[0])
    }
    fn gluBuild2DMipmaps(
        s, of: u32, internal: i32, width: i32, height: i32, format: u32, kind: u32, pixels: *const c_void,
    ) -> i32 {
        target(of)?;
        let (base, from) = (Base::of_internal(internal)?, [side(width)?, side(height)?]);
        if from.contains(&0) {
            return Err(Mistake::value("an image without pixels"));
        }
        let texels = s.textures.unpack.read(PixelFormat::new(format, kind)?, base, from, pixels.cast())?;
        let mut size = from.map(power_of_two);
        let mut texels = if size == from { texels } else { scaled(&texels, from, size, base.size()) };
        for level in 0.. {
            let next = halved(&texels, size, base.size());
            s.set_level(level, base, Level { size, texels })?;
            if size == [1, 1] {
                break;
            }
            (texels, size) = next;
        }
        Ok(0)
    }
}
