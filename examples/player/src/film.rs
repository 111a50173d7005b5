//! A film as one line of pictures in presentation time: seconds after the window's epoch. Repeats and
//! jumps in the file are jumps of an offset, so time in the window only goes forward.

use crate::decode::{DecodeError, Decoder, Picture};

/// A film that is being played.
#[derive(Debug)]
pub struct Film {
    decoder: Decoder,
    /// Presentation time less file time.
    offset: f64,
    /// Starts again at its end.
    repeat: bool,
    /// The file was read to its end.
    ended: bool,
    /// When the last picture ends, in file time.
    end: f64,
    /// The file has pictures: it can be repeated.
    any: bool,
}

impl Film {
    /// A film whose start is presented at 0.
    #[must_use]
    pub fn new(decoder: Decoder, repeat: bool) -> Film {
        Film { decoder, offset: 0.0, repeat, ended: false, end: 0.0, any: false }
    }

    /// The next picture, with its presentation time; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read or decoded.
    pub fn next_picture(&mut self) -> Result<Option<Picture>, DecodeError> {
        if self.ended {
            return Ok(None);
        }
        let mut picture = self.decoder.next_picture()?;
        if picture.is_none() && self.repeat && self.any {
            self.decoder.seek(0.0)?;
            let first = self.decoder.next_picture()?;
            if let Some(first) = &first {
                // It follows the last one at once.
                self.offset += self.end - first.time;
            }
            picture = first;
        }
        let Some(mut picture) = picture else {
            self.ended = true;
            return Ok(None);
        };
        self.any = true;
        self.end = picture.time + picture.duration;
        picture.time += self.offset;
        Ok(Some(picture))
    }

    /// Did the file end?
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// When the last picture that was decoded ends.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.end + self.offset
    }

    /// The place in the file that is presented at `now`.
    #[must_use]
    pub fn place(&self, now: f64) -> f64 {
        now - self.offset
    }

    /// Goes to a place in the file, which is presented at `at`.
    ///
    /// # Errors
    /// The file cannot be read from there.
    pub fn seek(&mut self, place: f64, at: f64) -> Result<(), DecodeError> {
        let last = self.decoder.duration().map_or(f64::INFINITY, |duration| (duration - 0.1).max(0.0));
        let place = place.clamp(0.0, last);
        self.decoder.seek(place)?;
        self.offset = at - place;
        self.ended = false;
        Ok(())
    }

    /// All that comes is presented `by` seconds later (earlier if negative).
    pub fn delay(&mut self, by: f64) {
        self.offset += by;
    }
}
