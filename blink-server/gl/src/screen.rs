//! Framebuffers, and the server's own drawing into them.
//!
//! Nothing here looks at what guests left: each drawing sets all that it depends on. Whoever calls it forgets afterwards
//! what was set for guests ([`super::applied`]).

use super::driver::{Driver, signed};
use super::error::GlError;
use super::pixels::Pixels;
use super::state::{Area, Hard};
use ipc::geometry::Rect;
use std::cell::Cell;

/// A color texture with a depth and stencil buffer, to be drawn into.
#[derive(Debug)]
pub struct Framebuffer {
    name: glow::Framebuffer,
    color: glow::Texture,
    depth: glow::Renderbuffer,
    width: u32,
    height: u32,
    /// No program has written anything but 0 into its stencil buffer.
    blank_stencil: Cell<bool>,
}

/// Where a program may draw.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Into this.
    pub framebuffer: &'a Framebuffer,
    /// The window's content: origin and size of the program's coordinates.
    pub window: Rect,
    /// The part that may change.
    pub clip: Rect,
}

impl Framebuffer {
    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    pub(super) fn area(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// A rectangle from the upper left corner as OpenGL counts it, from the lower left.
    #[must_use]
    pub fn flip(&self, rect: &Rect) -> Area {
        let height = signed(self.height);
        Area {
            x: rect.x,
            y: height.saturating_sub(rect.bottom()),
            width: signed(rect.width),
            height: signed(rect.height),
        }
    }

    /// OpenGL's name of it.
    pub(super) fn name(&self) -> glow::Framebuffer {
        self.name
    }

    /// Makes one: black and far.
    pub(super) fn create(driver: &Driver, width: u32, height: u32) -> Result<Framebuffer, GlError> {
        // Of the formats without a size drivers take the one that is described with it, of those with one their own.
        let internal = if driver.is_embedded() { glow::RGBA8 } else { glow::RGBA };
        let color = driver.create_texture().map_err(GlError::object("texture"))?;
        driver.bind_texture(glow::TEXTURE_2D, Some(color));
        driver.tex_image(0, internal, [width, height], pixels(driver), None);
        for name in [glow::TEXTURE_MIN_FILTER, glow::TEXTURE_MAG_FILTER] {
            driver.tex_parameter_i32(glow::TEXTURE_2D, name, glow::NEAREST.cast_signed());
        }
        let depth = match driver.create_renderbuffer() {
            Ok(depth) => depth,
            Err(why) => {
                driver.delete_texture(color);
                return Err(GlError::Object { what: "renderbuffer", why });
            }
        };
        driver.bind_renderbuffer(glow::RENDERBUFFER, Some(depth));
        driver.renderbuffer_storage(
            glow::RENDERBUFFER,
            glow::DEPTH24_STENCIL8,
            signed(width),
            signed(height),
        );
        let name = match driver.create_framebuffer() {
            Ok(name) => name,
            Err(why) => {
                driver.delete_texture(color);
                driver.delete_renderbuffer(depth);
                return Err(GlError::Object { what: "framebuffer", why });
            }
        };
        let framebuffer = Framebuffer { name, color, depth, width, height, blank_stencil: Cell::new(false) };
        driver.bind_framebuffer(glow::FRAMEBUFFER, Some(name));
        driver.framebuffer_texture_2d(
            glow::FRAMEBUFFER,
            glow::COLOR_ATTACHMENT0,
            glow::TEXTURE_2D,
            Some(color),
            0,
        );
        driver.framebuffer_renderbuffer(
            glow::FRAMEBUFFER,
            glow::DEPTH_STENCIL_ATTACHMENT,
            glow::RENDERBUFFER,
            Some(depth),
        );
        if driver.check_framebuffer_status(glow::FRAMEBUFFER) != glow::FRAMEBUFFER_COMPLETE {
            framebuffer.delete(driver);
            return Err(GlError::Framebuffer { width, height });
        }
        framebuffer.fill(driver, &framebuffer.area(), [0.0, 0.0, 0.0, 1.0]);
        framebuffer.clear_depth(driver, framebuffer.area());
        Ok(framebuffer)
    }

    pub(super) fn delete(self, driver: &Driver) {
        driver.delete_framebuffer(self.name);
        driver.delete_renderbuffer(self.depth);
        driver.delete_texture(self.color);
    }

    /// Reads pixels: RGBA, top row first. What is outside of the framebuffer is left out.
    pub(super) fn read(&self, driver: &Driver, rect: Rect) -> Vec<u8> {
        let rect = rect.intersection(&self.area());
        let row = rect.width as usize * 4;
        let mut upside_down = vec![0; row * rect.height as usize];
        if upside_down.is_empty() {
            return upside_down;
        }
        let pixels = Pixels { format: glow::RGBA, kind: glow::UNSIGNED_BYTE, row: 0 };
        driver.bind_framebuffer(glow::FRAMEBUFFER, Some(self.name));
        driver.read_pixels(self.flip(&rect), pixels, &mut upside_down);
        upside_down.chunks_exact(row).rev().flatten().copied().collect()
    }

    /// Reads a rectangle into a picture as large as the framebuffer: 4 bytes a pixel, blue, green, red, alpha, the bottom row
    /// first. Only the rectangle's pixels are written. False: `picture` is too short, and nothing was read.
    pub(super) fn read_into(&self, driver: &Driver, rect: Rect, picture: &mut [u8]) -> bool {
        let rect = rect.intersection(&self.area());
        if rect.is_empty() {
            return true;
        }
        let area = self.flip(&rect);
        let row = self.width as usize * 4;
        let bottom = usize::try_from(area.y).unwrap_or(usize::MAX);
        let left = usize::try_from(area.x).unwrap_or(usize::MAX).saturating_mul(4);
        let first = row.saturating_mul(bottom).saturating_add(left);
        let length = row * (rect.height as usize - 1) + rect.width as usize * 4;
        let Some(taken) = picture.get_mut(first..).and_then(|rest| rest.get_mut(..length)) else {
            return false;
        };
        driver.bind_framebuffer(glow::FRAMEBUFFER, Some(self.name));
        driver.read_pixels(area, Pixels { row: self.width, ..pixels(driver) }, taken);
        if driver.is_embedded() {
            for row in taken.chunks_mut(row) {
                let width = row.len().min(rect.width as usize * 4);
                row[..width].chunks_exact_mut(4).for_each(|pixel| pixel.swap(0, 2));
            }
        }
        true
    }

    /// Binds it for the server's drawing, which no guest state may disturb.
    fn trusted(&self, driver: &Driver, clip: &Rect) {
        let area = self.flip(&clip.intersection(&self.area()));
        driver.bind_framebuffer(glow::FRAMEBUFFER, Some(self.name));
        driver.enable(glow::SCISSOR_TEST);
        driver.scissor(area.x, area.y, area.width, area.height);
        driver.viewport(0, 0, signed(self.width), signed(self.height));
        driver.color_mask(true, true, true, true);
        driver.depth_mask(true);
        driver.stencil_mask(u32::MAX);
        for capability in [glow::DEPTH_TEST, glow::STENCIL_TEST, glow::CULL_FACE, glow::BLEND] {
            driver.disable(capability);
        }
        if driver.has_logic_op() {
            driver.disable(glow::COLOR_LOGIC_OP);
        }
    }

    /// Fills a rectangle with a color.
    pub(super) fn fill(&self, driver: &Driver, rect: &Rect, [r, g, b, a]: [f32; 4]) {
        self.trusted(driver, rect);
        driver.clear_color(r, g, b, a);
        driver.clear(glow::COLOR_BUFFER_BIT);
    }

    /// Makes everything inside `clip` far, and its stencil 0.
    pub(super) fn clear_depth(&self, driver: &Driver, clip: Rect) {
        self.trusted(driver, &clip);
        driver.clear_depth_f32(1.0);
        driver.clear_stencil(0);
        driver.clear(glow::DEPTH_BUFFER_BIT | glow::STENCIL_BUFFER_BIT);
        if clip.intersection(&self.area()) == self.area() {
            self.blank_stencil.set(true);
        }
    }

    /// A program draws with the stencil test: its stencil buffer may become anything.
    pub(super) fn uses_stencil(&self) {
        self.blank_stencil.set(false);
    }

    /// What a program's clear of the buffers `mask` is done as: the buffers, what the stencil becomes, and which of its bits
    /// are written.
    pub(super) fn widen_clear(&self, mask: u32, stencil: i32, hard: &Hard) -> (u32, i32, u32) {
        if mask & glow::STENCIL_BUFFER_BIT != 0 {
            if stencil != 0 {
                self.blank_stencil.set(false);
            }
        } else if mask & glow::DEPTH_BUFFER_BIT != 0 && hard.depth_mask && self.blank_stencil.get() {
            // Both share their words: to clear these is much faster than to keep the stencil's bits, and where all of them
            // are 0 nobody sees it.
            return (mask | glow::STENCIL_BUFFER_BIT, 0, u32::MAX);
        }
        (mask, stencil, hard.stencil.write_mask)
    }
}

/// How pixels are read. Framebuffers are made with the same, so that drivers keep them in that order and reading is
/// a copy: 300x300 pixels take 5 us then on llvmpipe, and 27 where they must be reordered.
fn pixels(driver: &Driver) -> Pixels {
    // OpenGL ES reads no other order of bytes for sure.
    let (format, kind) = if driver.is_embedded() {
        (glow::RGBA, glow::UNSIGNED_BYTE)
    } else {
        (glow::BGRA, glow::UNSIGNED_INT_8_8_8_8_REV)
    };
    Pixels { format, kind, row: 0 }
}
