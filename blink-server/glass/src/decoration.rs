//! The frame around a window: colored border, label with the VM's name, close button. It is outside of the content, so
//! no client can touch or cover its own; what a client draws that looks like one stays inside a real one.

use font8x8::UnicodeFonts;
use ipc::geometry::Rect;

/// Pixels of the border on each side.
pub const BORDER: i32 = 3;
/// Pixels of the label above the content, border not included.
pub const LABEL: i32 = 18;
/// Pixels of a popup's border.
pub const POPUP_BORDER: i32 = 2;
/// Width of a character of the label in pixels.
pub const CHARACTER: usize = 8;

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
    pub fn frame(self, content: &Rect) -> Rect {
        match self {
            Style::TopLevel => content.grown(BORDER, BORDER + LABEL, BORDER, BORDER),
            Style::Popup => content.grown(POPUP_BORDER, POPUP_BORDER, POPUP_BORDER, POPUP_BORDER),
        }
    }

    /// The label of a content; empty where there is none.
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
    pub fn close_button(self, content: &Rect) -> Rect {
        let label = self.label(content);
        Rect::between(
            label.right().saturating_sub(LABEL).max(label.x),
            label.y,
            label.right(),
            label.bottom(),
        )
    }

    /// What tells whose window a content belongs to: the label with the border around it.
    pub fn head(self, content: &Rect) -> Rect {
        let frame = self.frame(content);
        match self {
            Style::TopLevel => Rect::between(frame.x, frame.y, frame.right(), content.y),
            Style::Popup => Rect::default(),
        }
    }

    /// What the point is; `None` outside the frame.
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
    pub fn border(self, content: &Rect) -> Vec<Rect> {
        let mut rects = Vec::with_capacity(5);
        let inner = content.union(&self.label(content));
        self.frame(content).subtract(&inner, |part| rects.push(part));
        rects
    }
}

/// What a label says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// The server's word: the client's name, and what else people are to know of it.
    pub trusted: String,
    /// The client's word.
    pub title: String,
    /// The color of the VM.
    pub color: [u8; 3],
    /// The window has the keyboard focus.
    pub focus: bool,
}

impl Caption {
    /// Pixels that the trusted words need.
    pub fn trusted_width(&self) -> u32 {
        text_width(self.trusted.chars().count())
    }
}

/// Pixels of so many characters with a space at each side.
pub fn text_width(characters: usize) -> u32 {
    u32::try_from((characters + 2) * CHARACTER).unwrap_or(u32::MAX)
}

/// A label's picture.
#[derive(Clone, Debug)]
pub struct Label {
    made_of: (u32, Caption),
    pixels: Vec<u32>,
}

impl Label {
    /// A label of `width` pixels, [`LABEL`] high.
    ///
    /// The VM's name stands first, on the VM's color, and is the server's word; the title is the client's
    /// and stands behind it on dark ground, so that no title can pass for a name.
    pub fn new(width: u32, caption: Caption) -> Label {
        let mut picture = Picture { width: width as usize, pixels: Vec::new() };
        let height = LABEL.unsigned_abs() as usize;
        let ground = shade(caption.color, caption.focus);
        let dark = if caption.focus { [48, 48, 52] } else { [32, 32, 34] };
        let name_width = (caption.trusted_width() as usize).min(picture.width);
        for _ in 0..height {
            picture.pixels.resize(picture.pixels.len() + name_width, opaque(ground));
            picture.pixels.resize(picture.pixels.len() + picture.width - name_width, opaque(dark));
        }
        let light = u32::from(ground[0]) * 3 + u32::from(ground[1]) * 6 + u32::from(ground[2]) > 1280;
        let ink = if light { [0, 0, 0] } else { [255, 255, 255] };
        let button = picture.width.saturating_sub(height);
        picture.text(CHARACTER, button, &caption.trusted, ink);
        picture.text(name_width + CHARACTER, button, &caption.title, [208, 208, 208]);
        picture.cross(button, height);
        Label { made_of: (width, caption), pixels: picture.pixels }
    }

    /// Is it what `new` would make?
    pub fn is(&self, width: u32, caption: &Caption) -> bool {
        self.made_of.0 == width && self.made_of.1 == *caption
    }

    /// Pixels of the row `y` from the top: `0xAARRGGBB`.
    pub fn row(&self, y: u32) -> &[u32] {
        let width = self.made_of.0 as usize;
        self.pixels.get(y as usize * width..(y as usize + 1) * width).unwrap_or_default()
    }
}

/// A color as a pixel of a picture.
pub fn opaque([r, g, b]: [u8; 3]) -> u32 {
    u32::from_le_bytes([b, g, r, 255])
}

/// A border's color: the VM's, dimmed without focus.
pub fn shade(color: [u8; 3], focus: bool) -> [u8; 3] {
    if focus { color } else { color.map(|c| c / 5 * 3) }
}

struct Picture {
    width: usize,
    pixels: Vec<u32>,
}

impl Picture {
    fn text(&mut self, left: usize, right: usize, text: &str, ink: [u8; 3]) {
        let mut x = left;
        for character in text.chars() {
            if x + CHARACTER > right {
                break;
            }
            for (row, bits) in glyph(character).into_iter().enumerate() {
                for column in (0..CHARACTER).filter(|column| bits >> column & 1 != 0) {
                    // Rows are doubled: 8 x 16 pixels are easier to read.
                    self.put(x + column, 1 + 2 * row, ink);
                    self.put(x + column, 2 + 2 * row, ink);
                }
            }
            x += CHARACTER;
        }
    }

    fn cross(&mut self, left: usize, side: usize) {
        for i in 5..side.saturating_sub(5) {
            for x in [i, i + 1] {
                self.put(left + x, i, [208, 208, 208]);
                self.put(left + side - 1 - x, i, [208, 208, 208]);
            }
        }
    }

    fn put(&mut self, x: usize, y: usize, color: [u8; 3]) {
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = opaque(color);
        }
    }
}

/// A character's eight rows, lowest bit left; a box for what the font lacks.
fn glyph(character: char) -> [u8; 8] {
    const MISSING: [u8; 8] = [0x7e, 0x42, 0x42, 0x42, 0x42, 0x42, 0x7e, 0];
    font8x8::BASIC_FONTS.get(character).or_else(|| font8x8::LATIN_FONTS.get(character)).unwrap_or(MISSING)
}

/// A client's title as it may be shown: printable, one line.
pub fn clean_title(text: &str) -> String {
    text.chars().filter(|&c| is_shown(c)).take(64).collect()
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
        let caption = |title: &str| Caption {
            trusted: "work".into(),
            title: title.into(),
            color: [200, 40, 40],
            focus: true,
        };
        let plain = Label::new(200, caption(""));
        let spoof = Label::new(200, caption("  banking "));
        // The name's part is the same whatever the title says.
        let name_pixels = caption("").trusted_width() as usize;
        for y in 0..LABEL.unsigned_abs() {
            assert_eq!(plain.row(y)[..name_pixels], spoof.row(y)[..name_pixels]);
        }
        assert_ne!(plain.pixels, spoof.pixels);
        assert!(plain.is(200, &caption("")) && !plain.is(200, &caption("x")) && !plain.is(201, &caption("")));
        assert_eq!(clean_title("a\nb\x07"), "ab");
        assert_eq!(clean_title("\u{202e}gnp.\u{2066}x\u{feff}é"), "gnp.xé");
        for width in 0..60 {
            assert_eq!(Label::new(width, caption("title")).pixels.len(), width as usize * 18);
        }
    }
}
