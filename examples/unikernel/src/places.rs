//! Where the windows go: what the machine's command line says (QEMU: `-append "gears=20,40 clock=340,40"`).

use alloc::borrow::ToOwned;
use alloc::string::String;
use blink_client::WindowDesc;

/// A part of the command line that says nothing.
#[derive(Debug, thiserror::Error)]
#[error("the command line has `{0}`: write gears=X,Y or clock=X,Y in pixels")]
pub struct Meaningless(String);

/// A window's title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The gears.
    Gears,
    /// The clock.
    Clock,
}

impl Window {
    const ALL: [(&str, Window); 2] = [("gears", Window::Gears), ("clock", Window::Clock)];

    fn title(self) -> &'static str {
        match self {
            Window::Gears => "Gears",
            Window::Clock => "Clock",
        }
    }
}

/// The windows, at their places: those of which nothing is said go where the server likes. The command line ends at
/// its first zero.
pub fn windows(command_line: &[u8]) -> Result<[(Window, WindowDesc); 2], Meaningless> {
    let mut windows = Window::ALL.map(|(_, window)| {
        let mut desc = WindowDesc::default();
        desc.set_title(window.title());
        (window, desc)
    });
    let text = command_line.split(|&byte| byte == 0).next().unwrap_or_default();
    for word in String::from_utf8_lossy(text).split_ascii_whitespace() {
        let (window, [x, y]) = place(word).ok_or_else(|| Meaningless(word.to_owned()))?;
        for (_, desc) in windows.iter_mut().filter(|(of, _)| *of == window) {
            (desc.x, desc.y) = (x, y);
        }
    }
    Ok(windows)
}

fn place(word: &str) -> Option<(Window, [i32; 2])> {
    let (name, place) = word.split_once('=')?;
    let (x, y) = place.split_once(',')?;
    let (_, window) = Window::ALL.into_iter().find(|&(of, _)| of == name)?;
    Some((window, [x.parse().ok()?, y.parse().ok()?]))
}
