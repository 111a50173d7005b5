//! What stands in XenStore about a guest's device, and what a guest writes there: docs/PROTOCOL.md, "Xen".

use blinkgl::layout::APERTURE_VERSION;
use blinkgl::limits::{MAX_APERTURE_BYTES, MIN_APERTURE_BYTES, PAGE_SIZE};
use std::str::FromStr;
use xen::store::{Store, StoreError};

/// References in a page of the grant directory.
pub const REFERENCES: usize = PAGE_SIZE / size_of::<u32>();

/// Where a server finds the devices that are its own to serve, relative to its domain's directory: one directory for each
/// guest.
pub const DEVICES: &str = "backend/blink";

/// A guest's directory of its device.
#[must_use]
pub fn frontend(guest: u16) -> String {
    format!("/local/domain/{guest}/device/blink/0")
}

/// The server's directory of a guest's device.
#[must_use]
pub fn backend(server: u16, guest: u16) -> String {
    format!("/local/domain/{server}/{DEVICES}/{guest}/0")
}

/// What a guest says about its memory. Numbers of a guest: in range, and no more than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Pages of the aperture.
    pub pages: usize,
    /// Grant reference of the root page of the directory.
    pub directory: u32,
    /// The port of the doorbell and of the wake-up.
    pub channel: u32,
    /// The port on which the guest's kernel tells that the program is gone.
    pub lifeline: u32,
}

/// Why a guest's program is not served; it reads this.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOffer {
    /// It left something out, or it is no number.
    #[error("its node `{0}` is missing or no number")]
    Node(&'static str),
    /// It knows another protocol.
    #[error("it speaks version {}.{} of the aperture, this server {}.{}; update the older one", .0 >> 16, .0 & 0xffff,
        APERTURE_VERSION >> 16, APERTURE_VERSION & 0xffff)]
    Version(u32),
    /// It writes its nodes again and again.
    #[error("it changes what it offers while that is read")]
    Restless,
    /// Out of range.
    #[error("an aperture of {pages} pages is out of range: {least} to {most} of 4 KiB are allowed here")]
    Pages {
        /// What it wants.
        pages: u64,
        /// The smallest aperture.
        least: usize,
        /// What the policy gives it, or gntdev maps.
        most: usize,
    },
}

impl Offer {
    /// Checks what a guest wrote: `node` gives a node's text. At most `most` bytes.
    ///
    /// # Errors
    /// It can't be served.
    pub fn check(node: impl Fn(&'static str) -> Option<String>, most: u64) -> Result<Offer, BadOffer> {
        fn number<T: FromStr>(text: Option<String>, name: &'static str) -> Result<T, BadOffer> {
            // `parse` would take a sign.
            let digits = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|digits| digits.parse().ok()).ok_or(BadOffer::Node(name))
        }
        let version: u32 = number(node("version"), "version")?;
        if version >> 16 != APERTURE_VERSION >> 16 {
            return Err(BadOffer::Version(version));
        }
        let wanted: u64 = number(node("pages"), "pages")?;
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(MAX_APERTURE_BYTES) / PAGE_SIZE;
        let least = MIN_APERTURE_BYTES / PAGE_SIZE;
        let pages = usize::try_from(wanted).ok().filter(|pages| (least..=most).contains(pages));
        Ok(Offer {
            pages: pages.ok_or(BadOffer::Pages { pages: wanted, least, most })?,
            directory: number(node("grant-directory"), "grant-directory")?,
            channel: number(node("event-channel"), "event-channel")?,
            lifeline: number(node("lifeline"), "lifeline")?,
        })
    }

    /// Reads it: all of it at one moment.
    ///
    /// # Errors
    /// XenStore does not answer; within, the guest's mistake.
    pub fn read(store: &mut Store, guest: u16, most: u64) -> Result<Result<Offer, BadOffer>, StoreError> {
        let directory = frontend(guest);
        let names = ["version", "pages", "grant-directory", "event-channel", "lifeline"];
        let values = match store.transaction(|store| {
            names.iter().map(|name| store.read(&format!("{directory}/{name}"))).collect::<Result<Vec<_>, _>>()
        }) {
            Err(StoreError::Busy) => return Ok(Err(BadOffer::Restless)),
            values => values?,
        };
        let value = |name: &'static str| {
            names.iter().zip(&values).find(|(known, _)| **known == name).and_then(|(_, value)| value.clone())
        };
        Ok(Offer::check(value, most))
    }
}

/// References in a page of the directory.
pub fn references(page: &[u8; PAGE_SIZE]) -> impl Iterator<Item = u32> + '_ {
    page.chunks_exact(size_of::<u32>()).map(|bytes| bytes.try_into().map_or(0, u32::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(changed: &'static str, value: Option<&str>) -> Result<Offer, BadOffer> {
        let version = APERTURE_VERSION.to_string();
        let node = |name: &'static str| match name {
            _ if name == changed => value.map(str::to_owned),
            "version" => Some(version.clone()),
            "pages" => Some("256".into()),
            "grant-directory" => Some("9".into()),
            "event-channel" => Some("10".into()),
            "lifeline" => Some("11".into()),
            _ => None,
        };
        Offer::check(node, 4 << 20)
    }

    #[test]
    fn an_offer_is_numbers_in_range() {
        let good = Offer { pages: 256, directory: 9, channel: 10, lifeline: 11 };
        assert_eq!(check("", None), Ok(good.clone()));
        assert_eq!(check("pages", Some("1024")), Ok(Offer { pages: 1024, ..good }));
        for pages in ["0", "255", "1025", "18446744073709551615"] {
            assert!(matches!(check("pages", Some(pages)), Err(BadOffer::Pages { .. })), "{pages}");
        }
        for name in ["version", "pages", "grant-directory", "event-channel", "lifeline"] {
            for bad in
                [None, Some(""), Some("-1"), Some("+1"), Some("x"), Some("1 "), Some("18446744073709551616")]
            {
                assert_eq!(check(name, bad), Err(BadOffer::Node(name)), "{name} {bad:?}");
            }
        }
        let newer = APERTURE_VERSION + (1 << 16);
        assert_eq!(check("version", Some(&newer.to_string())), Err(BadOffer::Version(newer)));
        assert!(check("version", Some(&(APERTURE_VERSION + 1).to_string())).is_ok(), "a minor one");
    }

    #[test]
    fn directories() {
        let mut page = [0; PAGE_SIZE];
        page[4..8].copy_from_slice(&[1, 2, 3, 4]);
        let found: Vec<u32> = references(&page).collect();
        assert_eq!((found.len(), found[0], found[1]), (REFERENCES, 0, 0x0403_0201));
    }
}
