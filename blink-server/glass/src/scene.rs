//! Which pixel shows what: the layers from the top to the bottom, and rows of equal spans.
//!
//! The rows between two edges of layers form a band; in all rows of a band the same layers show. A band is worked out once,
//! from the top, until all of its pixels have an owner. So the work is that of the edges and of what can be seen, whatever
//! lies beneath, and it is done at most once a frame.

use crate::decoration::{LABEL, Part, text_width};
use crate::desk::Desk;
use crate::heads::Heads;
use crate::stack::Key;
use ipc::geometry::Rect;

/// What a layer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A window with its frame.
    Window,
    /// The name tag of a window whose label does not show the name.
    Tag,
}

/// A rectangle of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The pixels that it covers.
    pub rect: Rect,
    /// The window that it belongs to.
    pub key: Key,
    /// What it shows.
    pub what: What,
}

/// Pixels `left..right` of each row of a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first pixel.
    pub left: i32,
    /// One past the last pixel.
    pub right: i32,
    /// Index of the layer that shows; `None`: the background.
    pub layer: Option<usize>,
}

/// Rows `top..bottom`.
#[derive(Clone, Copy, Debug)]
struct Band {
    top: i32,
    bottom: i32,
    /// Indices of its spans.
    spans: (usize, usize),
}

/// The picture's structure.
#[derive(Debug, Default)]
pub struct Scene {
    /// The highest first.
    layers: Vec<Layer>,
    /// From the top to the bottom.
    bands: Vec<Band>,
    spans: Vec<Span>,
    /// The desk's state that `layers` and `bands` are of.
    layers_of: Option<u64>,
    bands_of: Option<u64>,
}

impl Scene {
    /// The layers, the highest first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Follows the desk. What changed because name tags came, went or moved is damaged.
    pub fn follow_layers(&mut self, desk: &mut Desk, heads: &Heads) {
        if self.layers_of == Some(desk.version()) {
            return;
        }
        self.layers_of = Some(desk.version());
        let before = std::mem::replace(&mut self.layers, layers(desk, heads));
        let tags = |layers: &[Layer]| -> Vec<Layer> {
            layers.iter().copied().filter(|layer| layer.what == What::Tag).collect()
        };
        let (before, after) = (tags(&before), tags(&self.layers));
        if before != after {
            before.iter().chain(&after).for_each(|tag| desk.damage(tag.rect));
        }
    }

    /// Follows the desk, and tells it which contents can be seen. Once a frame.
    pub fn follow(&mut self, desk: &mut Desk, heads: &Heads) {
        self.follow_layers(desk, heads);
        if self.bands_of == Some(desk.version()) {
            return;
        }
        self.bands_of = Some(desk.version());
        self.build_bands(heads);
        let mut seen = vec![false; self.layers.len()];
        for band in &self.bands {
            for span in self.spans.get(band.spans.0..band.spans.1).unwrap_or_default() {
                let Some(index) = span.layer else { continue };
                let Some(layer) = self.layers.get(index).filter(|layer| layer.what == What::Window) else {
                    continue;
                };
                let block = Rect::between(span.left, band.top, span.right, band.bottom);
                if let Some(seen) = seen.get_mut(index)
                    && !*seen
                {
                    *seen = desk.get(layer.key).is_some_and(|window| window.content.intersects(&block));
                }
            }
        }
        for (layer, seen) in self.layers.iter().zip(seen) {
            if layer.what == What::Window {
                desk.set_visible(layer.key, seen);
            }
        }
    }

    fn build_bands(&mut self, heads: &Heads) {
        self.bands.clear();
        self.spans.clear();
        let bounds = heads.bounds();
        // Layers that can be seen at all, with their index.
        let layers: Vec<(usize, Rect)> = (0..)
            .zip(&self.layers)
            .map(|(index, layer)| (index, layer.rect.intersection(&bounds)))
            .filter(|(_, rect)| !rect.is_empty())
            .collect();
        let mut starts: Vec<(i32, usize)> = layers.iter().map(|&(i, rect)| (rect.y, i)).collect();
        let mut ends: Vec<(i32, usize)> = layers.iter().map(|&(i, rect)| (rect.bottom(), i)).collect();
        starts.sort_unstable();
        ends.sort_unstable();
        let edges = starts.iter().chain(&ends).map(|edge| edge.0);
        let of_heads = heads.all().iter().flat_map(|head| [head.area().y, head.area().bottom()]);
        let mut edges: Vec<i32> = edges.chain(of_heads).collect();
        edges.sort_unstable();
        edges.dedup();
        let (mut starts, mut ends) = (starts.into_iter().peekable(), ends.into_iter().peekable());
        // Indices of the layers that meet the band, so the highest first.
        let mut active: Vec<usize> = Vec::new();
        for pair in edges.windows(2) {
            let &[top, bottom] = pair else { continue };
            while let Some((_, index)) = ends.next_if(|&(y, _)| y <= top) {
                if let Ok(at) = active.binary_search(&index) {
                    active.remove(at);
                }
            }
            while let Some((_, index)) = starts.next_if(|&(y, _)| y <= top) {
                if let Err(at) = active.binary_search(&index) {
                    active.insert(at, index);
                }
            }
            self.build_band(top, bottom, &active, heads);
        }
    }

    fn build_band(&mut self, top: i32, bottom: i32, active: &[usize], heads: &Heads) {
        let first = self.spans.len();
        let on_heads =
            heads.all().iter().filter(|head| head.area().y <= top && head.area().bottom() >= bottom);
        // What has no owner yet, from the left.
        let mut gaps: Vec<(i32, i32)> = on_heads.map(|head| (head.area().x, head.area().right())).collect();
        for &index in active {
            if gaps.is_empty() {
                break;
            }
            let Some(rect) = self.layers.get(index).map(|layer| layer.rect) else { continue };
            let (left, right) = (rect.x, rect.right());
            let from = gaps.partition_point(|gap| gap.1 <= left);
            let to = gaps.partition_point(|gap| gap.0 < right);
            let Some(met) = gaps.get(from..to).filter(|met| !met.is_empty()) else { continue };
            let mut rest = Vec::new();
            for &(start, end) in met {
                let (inside_start, inside_end) = (start.max(left), end.min(right));
                self.spans.push(Span { left: inside_start, right: inside_end, layer: Some(index) });
                rest.extend([(start, inside_start), (inside_end, end)].iter().filter(|gap| gap.0 < gap.1));
            }
            gaps.splice(from..to, rest);
        }
        self.spans.extend(gaps.into_iter().map(|(left, right)| Span { left, right, layer: None }));
        if let Some(spans) = self.spans.get_mut(first..) {
            spans.sort_unstable_by_key(|span| span.left);
        }
        self.bands.push(Band { top, bottom, spans: (first, self.spans.len()) });
    }

    /// Calls `each` with the blocks of a rectangle, each of one layer.
    pub fn blocks(&self, rect: &Rect, mut each: impl FnMut(Rect, Option<&Layer>)) {
        let first = self.bands.partition_point(|band| band.bottom <= rect.y);
        for band in self.bands.iter().skip(first).take_while(|band| band.top < rect.bottom()) {
            let spans = self.spans.get(band.spans.0..band.spans.1).unwrap_or_default();
            let first = spans.partition_point(|span| span.right <= rect.x);
            for span in spans.iter().skip(first).take_while(|span| span.left < rect.right()) {
                let block = Rect::between(span.left, band.top, span.right, band.bottom).intersection(rect);
                each(block, span.layer.and_then(|index| self.layers.get(index)));
            }
        }
    }

    /// The window and its part that shows at a point. Needs [`Scene::follow_layers`].
    pub fn at(&self, desk: &Desk, x: i32, y: i32) -> Option<(Key, Part)> {
        let layer = self.layers.iter().find(|layer| layer.rect.contains(x, y))?;
        let part = match layer.what {
            What::Window => {
                let window = desk.get(layer.key)?;
                window.style.part(&window.content, x, y)?
            }
            What::Tag if x >= layer.rect.right().saturating_sub(LABEL) => Part::Close,
            What::Tag => Part::Label,
        };
        Some((layer.key, part))
    }

    /// The name tag of a window, if it has one.
    pub fn tag(&self, key: Key) -> Option<Rect> {
        let tag = self.layers.iter().find(|layer| layer.what == What::Tag && layer.key == key);
        tag.map(|layer| layer.rect)
    }
}

/// The layers of a desk, the highest first: a name tag lies above its window and the popups of that.
fn layers(desk: &Desk, heads: &Heads) -> Vec<Layer> {
    let order = desk.stack().order();
    let mut layers = Vec::with_capacity(order.len());
    let mut tagged = vec![false; desk.capacity()];
    for &key in order.iter().rev() {
        let root = desk.root(key);
        if let Some(done) = tagged.get_mut(root.0)
            && !*done
        {
            *done = true;
            layers.extend(tag(desk, heads, root));
        }
        if let Some(window) = desk.get(key) {
            layers.push(Layer { rect: window.frame(), key, what: What::Window });
        }
    }
    layers
}

/// The name tag that a top-level window needs if its label does not show all of its client's name: it may be off the
/// output, too narrow, or covered by the window's own popups.
fn tag(desk: &Desk, heads: &Heads, key: Key) -> Option<Layer> {
    let window = desk.get(key)?;
    let label = window.style.label(&window.content);
    let area = heads.home(&label);
    let height = LABEL.unsigned_abs();
    let wanted = text_width(desk.trusted_characters(key));
    let width = wanted.saturating_add(height).min(area.width);
    let name = Rect { width: width.saturating_sub(height), ..label };
    let room = Rect { width: label.width.saturating_sub(height), ..label }.intersection(&area);
    let is_covered = || {
        let popups = desk.popups(key);
        popups.iter().any(|&popup| desk.get(popup).is_some_and(|popup| popup.frame().intersects(&name)))
    };
    if room.contains_rect(&name) && !is_covered() {
        return None;
    }
    let right = area.right().saturating_sub_unsigned(width).max(area.x);
    let bottom = area.bottom().saturating_sub(LABEL).max(area.y);
    let rect = Rect::new(label.x.clamp(area.x, right), label.y.clamp(area.y, bottom), width, height);
    Some(Layer { rect, key, what: What::Tag })
}
