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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips::Directory;

    fn film(directory: &Directory, repeat: bool) -> Film {
        let clip = directory.make(
            "clip.avi",
            "testsrc2=size=64x48:rate=25:duration=1",
            &["-c:v", "mpeg4", "-g", "5"],
        );
        Film::new(Decoder::open(&clip).unwrap(), repeat)
    }

    fn times(film: &mut Film, count: usize) -> Vec<f64> {
        (0..count).map_while(|_| film.next_picture().unwrap()).map(|picture| picture.time).collect()
    }

    #[test]
    fn repeats_without_a_gap() {
        let directory = Directory::new("repeats");
        let mut film = film(&directory, true);
        let times = times(&mut film, 80);
        assert_eq!(times.len(), 80);
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0] - 0.04).abs() < 1e-6, "{} then {}", pair[0], pair[1]);
        }
        assert!(!film.ended());
    }

    #[test]
    fn ends_once() {
        let directory = Directory::new("ends");
        let mut film = film(&directory, false);
        let times = times(&mut film, 80);
        assert_eq!(times.len(), 25);
        assert!(film.ended());
        assert!((film.end() - times[24] - 0.04).abs() < 1e-6);
        assert!(film.next_picture().unwrap().is_none());
    }

    #[test]
    fn goes_to_other_places_but_never_back_in_time() {
        let directory = Directory::new("places");
        let mut film = film(&directory, false);
        assert_eq!(times(&mut film, 80).len(), 25);
        // At presentation time 7 the place is 0.5: what comes is presented from then on.
        film.seek(0.5, 7.0).unwrap();
        assert!((film.place(7.1) - 0.6).abs() < 1e-9);
        let rest = times(&mut film, 80);
        assert!((12..=13).contains(&rest.len()) && (rest[0] - 7.0).abs() <= 0.04, "{rest:?}");
        film.seek(99.0, 9.0).unwrap();
        assert!(!film.ended());
        film.delay(0.25);
        let last = times(&mut film, 80);
        assert!(!last.is_empty() && last[0] > 9.2 && last[0] <= 9.3, "{last:?}");
    }
}
