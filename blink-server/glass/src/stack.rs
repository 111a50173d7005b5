//! The windows on the output, from the lowest to the highest, and which has the focus.

use super::decoration::{Part, Style};
use ipc::WindowId;
use ipc::geometry::{Rect, Region};
use ipc::limits::{MAX_WINDOW_SIZE, MIN_WINDOW_SIZE};

/// Pixels of a window's label that must stay on the output, so that it can be fetched back.
const REACHABLE: i32 = 40;

/// A window as the compositor sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Whose.
    pub id: WindowId,
    /// Its content.
    pub content: Rect,
    /// How it is framed.
    pub style: Style,
    /// The window that it stays above and moves with.
    pub parent: Option<WindowId>,
}

impl View {
    /// Content and frame.
    #[must_use]
    pub fn frame(&self) -> Rect {
        self.style.frame(&self.content)
    }
}

/// All windows, lowest first.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    views: Vec<View>,
    focus: Option<WindowId>,
    /// Counts places given to new windows, for the cascade.
    placed: u32,
}

impl Stack {
    /// All windows, lowest first.
    #[must_use]
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// The window with the keyboard focus.
    #[must_use]
    pub fn focus(&self) -> Option<WindowId> {
        self.focus
    }

    /// A window.
    #[must_use]
    pub fn get(&self, id: WindowId) -> Option<&View> {
        self.views.iter().find(|v| v.id == id)
    }

    /// Adds a window above all others, a popup above its parent and what belongs to that; one that is there
    /// already is left alone.
    pub fn add(&mut self, view: View) {
        if self.get(view.id).is_some() {
            return;
        }
        // A window in the background can't come to the top by a popup.
        let parent = view.parent.filter(|_| view.style == Style::Popup);
        let family = parent.and_then(|parent| self.views.iter().rposition(|v| self.is_family(v, parent)));
        let at = family.map_or(self.views.len(), |highest| highest + 1);
        self.views.insert(at, view);
    }

    /// Removes a window. Its children become top-level windows, as without a label the user could not
    /// reach them. The focus goes to the highest window left.
    pub fn remove(&mut self, id: WindowId) -> Option<View> {
        let index = self.views.iter().position(|v| v.id == id)?;
        let view = self.views.remove(index);
        if self.focus == Some(id) {
            self.focus = self.views.iter().rev().find(|v| v.style == Style::TopLevel).map(|v| v.id);
        }
        for child in self.views.iter_mut().filter(|v| v.parent == Some(id)) {
            child.parent = None;
            child.style = Style::TopLevel;
        }
        Some(view)
    }

    /// Gives the focus. False: no such window, or it has it already.
    pub fn set_focus(&mut self, id: Option<WindowId>) -> bool {
        if self.focus == id || id.is_some_and(|id| self.get(id).is_none()) {
            return false;
        }
        self.focus = id;
        true
    }

    /// Raises a window to the top, and its children with it, in their order.
    pub fn raise(&mut self, id: WindowId) {
        let (family, mut others): (Vec<View>, Vec<View>) =
            self.views.iter().copied().partition(|v| self.is_family(v, id));
        others.extend(family);
        self.views = others;
    }

    /// Is the window `id` or a descendant of it?
    fn is_family(&self, view: &View, id: WindowId) -> bool {
        let mut at = *view;
        for _ in 0..=self.views.len() {
            if at.id == id {
                return true;
            }
            match at.parent.and_then(|p| self.get(p)) {
                Some(parent) => at = *parent,
                None => return false,
            }
        }
        false
    }

    /// Orders windows as `order` says, lowest first; those that it doesn't name stay above.
    pub fn restore_order(&mut self, order: impl Fn(WindowId) -> Option<u32>) {
        self.views.sort_by_key(|v| order(v.id).unwrap_or(u32::MAX));
    }

    /// Places a window's content, and moves its children with it.
    pub fn place(&mut self, id: WindowId, content: Rect) {
        let Some(old) = self.get(id).map(|v| v.content) else { return };
        let (dx, dy) = (content.x.saturating_sub(old.x), content.y.saturating_sub(old.y));
        let family: Vec<WindowId> =
            self.views.iter().filter(|v| v.id != id && self.is_family(v, id)).map(|v| v.id).collect();
        for view in &mut self.views {
            if view.id == id {
                view.content = content;
            } else if family.contains(&view.id) {
                view.content = view.content.translated(dx, dy);
            }
        }
    }

    /// The window and part under a point.
    #[must_use]
    pub fn at(&self, x: i32, y: i32) -> Option<(WindowId, Part)> {
        self.views.iter().rev().find_map(|v| Some((v.id, v.style.part(&v.content, x, y)?)))
    }

    /// The part of a window's frame that no window above covers.
    #[must_use]
    pub fn visible(&self, id: WindowId, output: &Rect) -> Region {
        let Some(index) = self.views.iter().position(|v| v.id == id) else { return Region::default() };
        let mut region = Region::default();
        let mut above = self.views[index..].iter();
        if let Some(view) = above.next() {
            region.add(view.frame().intersection(output));
        }
        for view in above {
            region.remove(&view.frame());
        }
        region
    }

    /// Where a new top-level window without a wish goes: a cascade over the output.
    pub fn cascade(&mut self, width: u32, height: u32, output: &Rect) -> Rect {
        let step = self.placed;
        self.placed = self.placed.wrapping_add(1);
        let room = |side: u32, size: u32| {
            i32::try_from(side.saturating_sub(size.saturating_add(60)).max(1)).unwrap_or(1)
        };
        let offset = i32::try_from(step % 1000).unwrap_or(0) * 40;
        let x = output.x.saturating_add(20 + offset % room(output.width, width));
        let y = output.y.saturating_add(40 + offset % room(output.height, height));
        Rect::new(x, y, width, height)
    }
}

/// A content's place and size, so that the user can reach the window and see whose it is.
///
/// No window is larger than the output: its frame could lie outside of it, and nothing would tell what is
/// inside from another client's windows. A popup, which has no label, lies on the output with all of its frame.
#[must_use]
pub fn confine(style: Style, content: Rect, output: &Rect) -> Rect {
    let side = |wish: u32, most: u32| wish.min(MAX_WINDOW_SIZE).min(most).max(MIN_WINDOW_SIZE);
    let border = super::decoration::POPUP_BORDER;
    let (width, height) = match style {
        Style::TopLevel => (side(content.width, output.width), side(content.height, output.height)),
        Style::Popup => {
            let frame = 2 * border.unsigned_abs();
            let most = [output.width, output.height].map(|most| most.saturating_sub(frame));
            (side(content.width, most[0]), side(content.height, most[1]))
        }
    };
    if style == Style::Popup {
        let place = |wish: i32, low: i32, high: i32, size: u32| {
            let low = low.saturating_add(border);
            wish.clamp(low, high.saturating_sub(border).saturating_sub_unsigned(size).max(low))
        };
        let x = place(content.x, output.x, output.right(), width);
        let y = place(content.y, output.y, output.bottom(), height);
        return Rect { x, y, width, height };
    }
    let reach = i32::try_from(width).unwrap_or(i32::MAX).min(REACHABLE);
    let left = output.x.saturating_sub(i32::try_from(width).unwrap_or(i32::MAX)).saturating_add(reach);
    let right = output.right().saturating_sub(reach).max(left);
    let top = output.y.saturating_add(super::decoration::LABEL + super::decoration::BORDER);
    let bottom = output.bottom().max(top);
    Rect { x: content.x.clamp(left, right), y: content.y.clamp(top, bottom), width, height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc::ClientId;

    fn id(oid: u32) -> WindowId {
        WindowId { client: ClientId(1), context: 0, oid }
    }

    fn view(oid: u32, parent: Option<u32>) -> View {
        let style = if parent.is_some() { Style::Popup } else { Style::TopLevel };
        View { id: id(oid), content: Rect::new(100, 100, 50, 50), style, parent: parent.map(id) }
    }

    fn order(stack: &Stack) -> Vec<u32> {
        stack.views().iter().map(|v| v.id.oid).collect()
    }

    #[test]
    fn children_follow_their_parent() {
        let mut stack = Stack::default();
        for v in [view(1, None), view(2, Some(1)), view(3, Some(2)), view(4, None)] {
            stack.add(v);
        }
        stack.raise(id(1));
        assert_eq!(order(&stack), [4, 1, 2, 3]);
        stack.place(id(1), Rect::new(110, 90, 50, 50));
        assert_eq!(stack.get(id(3)).unwrap().content, Rect::new(110, 90, 50, 50));
        assert_eq!(stack.get(id(4)).unwrap().content, Rect::new(100, 100, 50, 50));
        stack.set_focus(Some(id(1)));
        stack.remove(id(1));
        assert_eq!(stack.focus(), Some(id(4)), "popups don't inherit the focus");
        assert_eq!(stack.get(id(2)).map(|v| (v.style, v.parent)), Some((Style::TopLevel, None)));
        assert_eq!(stack.get(id(3)).map(|v| v.style), Some(Style::Popup));
    }

    #[test]
    fn popups_come_no_higher_than_their_parents() {
        let mut stack = Stack::default();
        for v in [view(1, None), view(2, None), view(3, Some(1)), view(4, Some(3)), view(5, Some(1))] {
            stack.add(v);
        }
        assert_eq!(order(&stack), [1, 3, 4, 5, 2]);
    }

    #[test]
    fn parents_in_a_circle_end() {
        let mut stack = Stack::default();
        stack.add(view(1, Some(2)));
        stack.add(view(2, Some(1)));
        stack.raise(id(1));
        stack.place(id(1), Rect::new(0, 0, 20, 20));
        assert_eq!(stack.views().len(), 2);
    }

    #[test]
    fn windows_stay_reachable() {
        let output = Rect::new(0, 0, 640, 480);
        for wild in [
            Rect::new(i32::MIN, i32::MIN, 300, 300),
            Rect::new(i32::MAX, i32::MAX, u32::MAX, 0),
            Rect::new(-5000, 9000, 8192, 8192),
        ] {
            let popup = confine(Style::Popup, wild, &output);
            assert!(output.contains_rect(&Style::Popup.frame(&popup)), "{popup:?}");
            let content = confine(Style::TopLevel, wild, &output);
            assert!(content.width <= 640 && content.height <= 480);
            let label = Style::TopLevel.label(&content);
            let seen = label.intersection(&output);
            assert!(seen.width >= 16 && seen.height >= 18, "{content:?}");
        }
        let mut stack = Stack::default();
        assert_eq!(stack.cascade(u32::MAX, u32::MAX, &output).width, u32::MAX, "confined by its caller");
        for _ in 0..100 {
            let place = stack.cascade(300, 300, &output);
            assert!(output.contains_rect(&Style::TopLevel.frame(&place)), "{place:?}");
        }
    }
}
