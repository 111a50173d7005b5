//! The frame around a window: colored border, label with the VM's name, close button. It is drawn by
//! the server after the window's content and outside of it, so no client can touch or cover its own;
//! what a client draws that looks like one stays inside a real one.

use font8x8::UnicodeFonts;
use ipc::geometry::Rect;

/// Pixels of the border on each side.
pub const BORDER: i32 = 3;
/// Pixels of the label above the content, border not included.
pub const LABEL: i32 = 18;
/// Pixels of a popup's border.
pub const POPUP_BORDER: i32 = 2;
/// Width of a character of the label in pixels.
const CHARACTER: usize = 8;

/// How a window is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Border and label.
    TopLevel,
    /// Border only.
    Popup,
}

/// What a point of a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The client's.
    Content,
    /// The label: moves the window.
    Label,
    /// The close button.
    Close,
    /// The border: resizes the window on these sides.
    Border {
        /// -1 left, 1 right, 0 neither.
        horizontal: i32,
        /// -1 top, 1 bottom, 0 neither.
        vertical: i32,
    },
}

impl Style {
    /// The frame of a content.
    #[must_use]
    pub fn frame(self, content: &Rect) -> Rect {
        match self {
            Style::TopLevel => content.grown(BORDER, BORDER + LABEL, BORDER, BORDER),
            Style::Popup => content.grown(POPUP_BORDER, POPUP_BORDER, POPUP_BORDER, POPUP_BORDER),
        }
    }

    /// The label of a content; empty where there is none.
    #[must_use]
    pub fn label(self, content: &Rect) -> Rect {
        match self {
            Style::TopLevel => {
                let top = content.y.saturating_sub(LABEL);
                Rect::between(content.x, top, content.right(), content.y)
            }
            Style::Popup => Rect::default(),
        }
    }

    /// The close button of a content; empty where there is none.
    #[must_use]
    pub fn close_button(self, content: &Rect) -> Rect {
        let label = self.label(content);
        Rect::between(
            label.right().saturating_sub(LABEL).max(label.x),
            label.y,
            label.right(),
            label.bottom(),
        )
    }

    /// What the point is; `None` outside the frame.
    #[must_use]
    pub fn part(self, content: &Rect, x: i32, y: i32) -> Option<Part> {
        if content.contains(x, y) {
            return Some(Part::Content);
        }
        if !self.frame(content).contains(x, y) {
            return None;
        }
        if self.close_button(content).contains(x, y) {
            return Some(Part::Close);
        }
        if self.label(content).contains(x, y) || self == Style::Popup {
            return Some(Part::Label);
        }
        // A corner counts for both of its sides, some pixels along each.
        let reach = 12;
        let side = |value: i32, low: i32, high: i32| {
            if value < low.saturating_add(reach) {
                -1
            } else if value >= high.saturating_sub(reach) {
                1
            } else {
                0
            }
        };
        let frame = self.frame(content);
        Some(Part::Border {
            horizontal: side(x, frame.x, frame.right()),
            vertical: side(y, frame.y, frame.bottom()),
        })
    }

    /// The border's rectangles, label not included; they don't overlap.
    #[must_use]
    pub fn border(self, content: &Rect) -> Vec<Rect> {
        let mut rects = Vec::with_capacity(5);
        let inner = content.union(&self.label(content));
        self.frame(content).subtract(&inner, |part| rects.push(part));
        rects
    }
}

/// The label's colors and text, as an image of `width * LABEL` RGBA pixels.
///
/// The VM's name stands first, on the VM's color, and is the server's word; the title is the client's
/// and stands behind it on dark ground, so that no title can pass for a name.
#[must_use]
pub fn label_image(width: u32, color: [u8; 3], name: &str, title: &str, focus: bool) -> Vec<u8> {
    let width = width as usize;
    let height = LABEL.unsigned_abs() as usize;
    let ground = shade(color, focus);
    let dark = if focus { [48, 48, 52] } else { [32, 32, 34] };
    let name = format!(" {name} ");
    let name_width = (name.chars().count() * CHARACTER).min(width);
    let mut image = Vec::with_capacity(width * height * 4);
    for _ in 0..height {
        for x in 0..width {
            let [r, g, b] = if x < name_width { ground } else { dark };
            image.extend_from_slice(&[r, g, b, 255]);
        }
    }
    let light = u32::from(ground[0]) * 3 + u32::from(ground[1]) * 6 + u32::from(ground[2]) > 1280;
    let ink = if light { [0, 0, 0] } else { [255, 255, 255] };
    let button = width.saturating_sub(height);
    text(&mut image, width, 0, button, &name, ink);
    text(&mut image, width, name_width + CHARACTER, button, title, [208, 208, 208]);
    cross(&mut image, width, button, height);
    image
}

/// A border's color: the VM's, dimmed without focus.
#[must_use]
pub fn shade(color: [u8; 3], focus: bool) -> [u8; 3] {
    if focus { color } else { color.map(|c| c / 5 * 3) }
}

fn text(image: &mut [u8], width: usize, left: usize, right: usize, text: &str, ink: [u8; 3]) {
    let mut x = left;
    for character in text.chars() {
        if x + CHARACTER > right {
            break;
        }
        let glyph = glyph(character);
        for (row, bits) in glyph.into_iter().enumerate() {
            for column in 0..CHARACTER {
                if bits >> column & 1 != 0 {
                    // Rows are doubled: 8 x 16 pixels are easier to read.
                    for y in [1 + 2 * row, 2 + 2 * row] {
                        put(image, width, x + column, y, ink);
                    }
                }
            }
        }
        x += CHARACTER;
    }
}

/// A character's eight rows, lowest bit left; a box for what the font lacks.
fn glyph(character: char) -> [u8; 8] {
    const MISSING: [u8; 8] = [0x7e, 0x42, 0x42, 0x42, 0x42, 0x42, 0x7e, 0];
    font8x8::BASIC_FONTS.get(character).or_else(|| font8x8::LATIN_FONTS.get(character)).unwrap_or(MISSING)
}

fn cross(image: &mut [u8], width: usize, left: usize, side: usize) {
    for i in 5..side.saturating_sub(5) {
        for x in [i, i + 1] {
            put(image, width, left + x, i, [208, 208, 208]);
            put(image, width, left + side - 1 - x, i, [208, 208, 208]);
        }
    }
}

fn put(image: &mut [u8], width: usize, x: usize, y: usize, [r, g, b]: [u8; 3]) {
    if x >= width {
        return;
    }
    if let Some(pixel) = image.get_mut((y * width + x) * 4..).and_then(|rest| rest.get_mut(..4)) {
        pixel.copy_from_slice(&[r, g, b, 255]);
    }
}

/// A client's title as it may be shown: printable, one line.
#[must_use]
pub fn clean_title(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|&c| is_shown(c)).take(64).collect()
}

/// Neither a control character nor one that only changes how others are shown (their direction, say): such
/// would make a title read as something else in a list.
fn is_shown(c: char) -> bool {
    let format = ['\u{ad}', '\u{61c}', '\u{feff}'];
    let formats = [
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{e0000}'..='\u{e007f}',
    ];
    !c.is_control() && !format.contains(&c) && !formats.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_frame_tile_it() {
        for (style, content) in [
            (Style::TopLevel, Rect::new(50, 60, 100, 80)),
            (Style::Popup, Rect::new(10, 10, 30, 20)),
            (Style::TopLevel, Rect::new(50, 60, 16, 16)),
        ] {
            let frame = style.frame(&content);
            for y in frame.y - 2..frame.bottom() + 2 {
                for x in frame.x - 2..frame.right() + 2 {
                    let part = style.part(&content, x, y);
                    assert_eq!(part.is_some(), frame.contains(x, y));
                    assert_eq!(part == Some(Part::Content), content.contains(x, y));
                    let owners = style.border(&content).iter().filter(|r| r.contains(x, y)).count()
                        + usize::from(style.label(&content).contains(x, y))
                        + usize::from(content.contains(x, y));
                    assert_eq!(owners, usize::from(frame.contains(x, y)), "{x}, {y}");
                }
            }
        }
    }

    #[test]
    fn titles_cannot_pass_for_names() {
        let color = [200, 40, 40];
        let plain = label_image(200, color, "work", "", true);
        let spoof = label_image(200, color, "work", "  banking ", true);
        // The name's part is the same whatever the title says.
        let name_pixels = " work ".len() * CHARACTER * 4;
        for (a, b) in plain.chunks(200 * 4).zip(spoof.chunks(200 * 4)) {
            assert_eq!(a[..name_pixels], b[..name_pixels]);
        }
        assert_ne!(plain, spoof);
        assert_eq!(clean_title(b"a\nb\x07\xff"), "ab\u{fffd}");
        assert_eq!(clean_title("\u{202e}gnp.\u{2066}x\u{feff}é".as_bytes()), "gnp.xé");
        for width in 0..60 {
            assert_eq!(label_image(width, color, "long name", "title", false).len(), width as usize * 18 * 4);
        }
    }
}
