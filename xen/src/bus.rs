//! Where the two ends of a device are: what both write to the node `state` of their directories in XenStore.

/// `enum xenbus_state` of xen/include/public/io/xenbus.h, without what is about changing a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The device is there, and this end has not started, or starts anew.
    Initialising = 1,
    /// The backend has said what it offers, and waits for the frontend.
    InitWait = 2,
    /// The frontend has said where its pages are.
    Initialised = 3,
    /// Both use the pages.
    Connected = 4,
    /// This end is about to end.
    Closing = 5,
    /// This end has ended.
    Closed = 6,
}

impl State {
    /// As it stands in XenStore.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            State::Initialising => "1",
            State::InitWait => "2",
            State::Initialised => "3",
            State::Connected => "4",
            State::Closing => "5",
            State::Closed => "6",
        }
    }

    /// What a node says, if it is one of these. The other end may have written anything.
    #[must_use]
    pub fn of(text: &str) -> Option<State> {
        use State::{Closed, Closing, Connected, InitWait, Initialised, Initialising};
        [Initialising, InitWait, Initialised, Connected, Closing, Closed]
            .into_iter()
            .find(|state| state.text() == text)
    }

    /// Has this end ended, or is it about to?
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, State::Closing | State::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_those_of_xenbus() {
        for number in 1..=6 {
            let state = State::of(&number.to_string()).unwrap();
            assert_eq!((state as u32, state.text()), (number, number.to_string().as_str()));
            assert_eq!(state.is_end(), number >= 5);
        }
        for bad in ["", "0", "7", "x", "11", "-1", " 1", "1\n"] {
            assert_eq!(State::of(bad), None);
        }
    }
}
