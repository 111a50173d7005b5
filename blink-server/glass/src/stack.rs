//! The order of the windows, from the lowest to the highest.

/// Names a window inside the glass: its place in the desk's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub usize);

/// Windows, lowest first.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    order: Vec<Key>,
}

impl Stack {
    /// Windows, lowest first.
    pub fn order(&self) -> &[Key] {
        &self.order
    }

    /// Puts a window below the lowest one for which `is_higher` says so; on top, if there is none.
    pub fn push_below(&mut self, key: Key, is_higher: impl FnMut(&Key) -> bool) {
        let at = self.order.iter().position(is_higher).unwrap_or(self.order.len());
        self.order.insert(at, key);
    }

    /// Takes a window out.
    pub fn remove(&mut self, key: Key) {
        self.order.retain(|&other| other != key);
    }

    /// Brings a family to the top, in its own order. False: it is there already.
    pub fn raise(&mut self, family: &[Key]) -> bool {
        let top = self.order.len().saturating_sub(family.len());
        if self.order.iter().skip(top).all(|key| family.contains(key)) {
            return false;
        }
        let (raised, mut others): (Vec<Key>, Vec<Key>) =
            self.order.iter().partition(|key| family.contains(key));
        others.extend(raised);
        self.order = others;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(keys: &[usize]) -> Stack {
        Stack { order: keys.iter().copied().map(Key).collect() }
    }

    #[test]
    fn families_move_together() {
        let mut stack = stack(&[1, 5, 2, 6, 3]);
        assert!(stack.raise(&[Key(2), Key(1)]));
        assert_eq!(stack.order(), [5, 6, 3, 1, 2].map(Key));
        assert!(!stack.raise(&[Key(2), Key(1)]));
        stack.push_below(Key(8), |_| false);
        stack.push_below(Key(9), |&key| key == Key(3));
        assert_eq!(stack.order(), [5, 6, 9, 3, 1, 2, 8].map(Key));
        stack.remove(Key(5));
        assert_eq!(stack.order().first(), Some(&Key(6)));
    }
}
