//! From a file to pictures in the layout of a texture: planar YUV 4:2:0, with times.

use blinkgl::layout::texture::ColorSpace;
use blinkgl::limits::MAX_TEXTURE_SIZE;
use ffmpeg::codec::threading;
use ffmpeg::format::Pixel;
use ffmpeg::software::scaling::{Context as Scaler, Flags};
use ffmpeg::{Packet, Rational, codec, color, decoder, format, frame, media};
use ffmpeg_next as ffmpeg;
use std::path::Path;

/// A file that cannot be played.
#[derive(Debug)]
pub enum DecodeError {
    /// FFmpeg cannot open it: no such file, or no format that it knows.
    Open(ffmpeg::Error),
    /// It has no video stream.
    NoVideo,
    /// FFmpeg has no decoder for its video.
    Decoder(ffmpeg::Error),
    /// The file cannot be read further.
    Read(ffmpeg::Error),
    /// It cannot be put to another place.
    Seek(ffmpeg::Error),
    /// Its pixels cannot be converted to YUV 4:2:0.
    Convert(ffmpeg::Error),
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DecodeError::Open(error) => write!(f, "cannot be opened: {error}"),
            DecodeError::NoVideo => f.write_str("has no video stream"),
            DecodeError::Decoder(error) => write!(f, "its video cannot be decoded: {error}"),
            DecodeError::Read(error) => write!(f, "cannot be read further: {error}"),
            DecodeError::Seek(error) => write!(f, "cannot be put to another place: {error}"),
            DecodeError::Convert(error) => write!(f, "its pixels cannot be converted: {error}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// How the pixels of all pictures of a file lie, and what they mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Texels.
    pub width: u32,
    /// Texels.
    pub height: u32,
    /// What the YUV values mean.
    pub color_space: ColorSpace,
    /// Width of a picture by its height as it is to be shown: texels need not be square.
    pub aspect: f32,
}

/// A decoded picture.
pub struct Picture {
    /// When it is shown, in seconds from the start of the file.
    pub time: f64,
    /// How long, in seconds.
    pub duration: f64,
    /// Three planes of the layout's size.
    frame: frame::Video,
}

impl Picture {
    /// The rows of plane 0, 1 or 2 (Y, U, V), and the bytes from one to the next.
    #[must_use]
    pub fn rows(&self, plane: usize) -> (&[u8], usize) {
        (self.frame.data(plane), self.frame.stride(plane))
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("time", &self.time)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// An open file.
pub struct Decoder {
    input: format::context::Input,
    stream: usize,
    /// Seconds of a unit of the stream's time stamps.
    tick: f64,
    /// The stream's first time stamp.
    start: i64,
    decoder: decoder::Video,
    /// Seconds from picture to picture where the file does not say.
    interval: f64,
    layout: Layout,
    scaler: Option<Scaler>,
    /// When the next picture is shown if it has no time stamp.
    expected: f64,
    /// Pictures that end before this are not wanted: after a seek.
    wanted: f64,
    /// The decoder was told that the file is at its end.
    draining: bool,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("stream", &self.stream)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// Opens a file.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn open(path: &Path) -> Result<Decoder, DecodeError> {
        ffmpeg::init().map_err(DecodeError::Open)?;
        // FFmpeg's remarks about single damaged packets would fill the terminal.
        ffmpeg::log::set_level(ffmpeg::log::Level::Error);
        let input = format::input(path).map_err(DecodeError::Open)?;
        let stream = input.streams().best(media::Type::Video).ok_or(DecodeError::NoVideo)?;
        let index = stream.index();
        let tick = seconds(stream.time_base()).unwrap_or(1.0 / 90_000.0);
        let start = if stream.start_time() == ffmpeg::ffi::AV_NOPTS_VALUE { 0 } else { stream.start_time() };
        let interval = [stream.avg_frame_rate(), stream.rate()]
            .into_iter()
            .find_map(|rate| seconds(rate.invert()))
            .unwrap_or(1.0 / 25.0);

        let mut context =
            codec::context::Context::from_parameters(stream.parameters()).map_err(DecodeError::Decoder)?;
        // Small pictures are decoded within a fraction of a frame: threads would only switch contexts.
        let parameters = context.decoder().video().map_err(DecodeError::Decoder)?;
        let pixels = u64::from(parameters.width()) * u64::from(parameters.height());
        drop(parameters);
        context =
            codec::context::Context::from_parameters(stream.parameters()).map_err(DecodeError::Decoder)?;
        if pixels > 1280 * 720 {
            context.set_threading(threading::Config::kind(threading::Type::Frame));
        }
        let decoder = context.decoder().video().map_err(DecodeError::Decoder)?;
        let layout = layout(&decoder)?;
        Ok(Decoder {
            stream: index,
            tick,
            start,
            interval,
            layout,
            decoder,
            input,
            scaler: None,
            expected: 0.0,
            wanted: f64::NEG_INFINITY,
            draining: false,
        })
    }

    /// How the pictures lie.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Seconds of the whole file; `None` where it does not say.
    #[must_use]
    pub fn duration(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "microseconds of a film fit a double")]
        let duration = self.input.duration() as f64 / f64::from(ffmpeg::ffi::AV_TIME_BASE);
        (duration > 0.0).then_some(duration)
    }

    /// The next picture; `None` at the end of the file. Damaged packets are left out.
    ///
    /// # Errors
    /// The file cannot be read, or its pixels cannot be converted.
    pub fn next_picture(&mut self) -> Result<Option<Picture>, DecodeError> {
        loop {
            let mut decoded = frame::Video::empty();
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => {
                    let (time, duration) = self.time(&decoded);
                    if time + duration <= self.wanted {
                        continue;
                    }
                    self.wanted = f64::NEG_INFINITY;
                    let frame = self.planes(decoded)?;
                    return Ok(Some(Picture { time, duration, frame }));
                }
                Err(ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => self.feed()?,
                Err(ffmpeg::Error::Eof) => return Ok(None),
                // A picture that cannot be decoded: the next may be.
                Err(_) if !self.draining => self.feed()?,
                Err(error) => return Err(DecodeError::Read(error)),
            }
        }
    }

    /// Goes to the picture that is shown at `time` seconds from the start of the file.
    ///
    /// # Errors
    /// The file cannot be read from another place.
    pub fn seek(&mut self, time: f64) -> Result<(), DecodeError> {
        let time = time.max(0.0);
        #[allow(clippy::cast_precision_loss, reason = "time stamps of a film fit a double")]
        let stamp = (self.start as f64).mul_add(self.tick, time) * f64::from(ffmpeg::ffi::AV_TIME_BASE);
        #[allow(clippy::cast_possible_truncation, reason = "`as` from float to integer saturates")]
        let stamp = stamp as i64;
        // To the last place before from which decoding can begin.
        self.input.seek(stamp, ..stamp).map_err(DecodeError::Seek)?;
        self.decoder.flush();
        self.draining = false;
        self.expected = time;
        self.wanted = time;
        Ok(())
    }

    /// Gives the decoder the next packet of the stream, or the end.
    fn feed(&mut self) -> Result<(), DecodeError> {
        loop {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream => {
                    return match self.decoder.send_packet(&packet) {
                        Ok(()) | Err(ffmpeg::Error::InvalidData) => Ok(()),
                        Err(error) => Err(DecodeError::Read(error)),
                    };
                }
                // Another stream's packet, or a damaged one.
                Ok(()) | Err(ffmpeg::Error::InvalidData) => {}
                Err(ffmpeg::Error::Eof) => {
                    self.draining = true;
                    return match self.decoder.send_eof() {
                        Ok(()) | Err(ffmpeg::Error::Eof) => Ok(()),
                        Err(error) => Err(DecodeError::Read(error)),
                    };
                }
                Err(error) => return Err(DecodeError::Read(error)),
            }
        }
    }

    /// When a frame is shown, and how long.
    fn time(&mut self, decoded: &frame::Video) -> (f64, f64) {
        #[allow(clippy::cast_precision_loss, reason = "time stamps of a film fit a double")]
        let in_seconds = |stamp: i64| stamp as f64 * self.tick;
        let time =
            decoded.timestamp().map_or(self.expected, |stamp| in_seconds(stamp.saturating_sub(self.start)));
        let duration =
            Some(in_seconds(decoded.packet().duration)).filter(|d| *d > 0.0).unwrap_or(self.interval);
        self.expected = time + duration;
        (time, duration)
    }

    /// The frame itself if it has the planes of the layout, else one that the scaler makes of it.
    fn planes(&mut self, decoded: frame::Video) -> Result<frame::Video, DecodeError> {
        let Layout { width, height, .. } = self.layout;
        let direct = matches!(decoded.format(), Pixel::YUV420P | Pixel::YUVJ420P)
            && (decoded.width(), decoded.height()) == (width, height)
            // Rows from the bottom up have a negative distance, which this type shows as a huge one.
            && decoded.planes() == 3
            && (0..3).all(|plane| i32::try_from(decoded.stride(plane)).is_ok());
        if direct {
            return Ok(decoded);
        }
        // The frame's own size and format: either may change within a stream.
        let (format, from_width, from_height) = (decoded.format(), decoded.width(), decoded.height());
        let fits = |scaler: &Scaler| {
            let from = scaler.input();
            (from.format, from.width, from.height) == (format, from_width, from_height)
        };
        let mut scaler = match self.scaler.take().filter(fits) {
            Some(scaler) => scaler,
            None => {
                Scaler::get(format, from_width, from_height, Pixel::YUV420P, width, height, Flags::BILINEAR)
                    .map_err(DecodeError::Convert)?
            }
        };
        let mut scaled = frame::Video::empty();
        scaler.run(&decoded, &mut scaled).map_err(DecodeError::Convert)?;
        self.scaler = Some(scaler);
        Ok(scaled)
    }
}

/// Layout of the textures for what a decoder gives.
fn layout(decoder: &decoder::Video) -> Result<Layout, DecodeError> {
    let (width, height) = (decoder.width(), decoder.height());
    if width == 0 || height == 0 {
        return Err(DecodeError::Decoder(ffmpeg::Error::InvalidData));
    }
    // What the video itself says; a container that says otherwise is not asked.
    let texel = seconds(decoder.aspect_ratio()).unwrap_or(1.0);
    #[allow(clippy::cast_possible_truncation, reason = "a ratio of sizes: an f32 is precise enough")]
    let aspect = (f64::from(width) / f64::from(height) * texel) as f32;
    let largest = width.max(height);
    // What no texture can hold is scaled down.
    let fit = |size: u32| {
        let scaled = u64::from(size) * u64::from(MAX_TEXTURE_SIZE) / u64::from(largest);
        if largest <= MAX_TEXTURE_SIZE {
            size
        } else {
            u32::try_from(scaled).unwrap_or(MAX_TEXTURE_SIZE).max(1)
        }
    };
    Ok(Layout { width: fit(width), height: fit(height), color_space: color_space(decoder), aspect })
}

/// What the YUV values mean, after conversion to `YUV420P` if that is needed.
fn color_space(decoder: &decoder::Video) -> ColorSpace {
    let pixel = decoder.format();
    let yuv = !matches!(decoder.color_space(), color::Space::RGB)
        && pixel.descriptor().is_some_and(|d| d.name().starts_with("yuv") || d.name().starts_with("nv"));
    if !yuv {
        // The scaler's choice for everything that is no YUV.
        return ColorSpace::Bt601Limited;
    }
    let unknown = matches!(decoder.color_space(), color::Space::Unspecified | color::Space::Reserved);
    let large = decoder.width() >= 1280 || decoder.height() > 576;
    let hd =
        matches!(decoder.color_space(), color::Space::BT709 | color::Space::SMPTE240M) || unknown && large;
    // `YUVJ420P` is taken as it is; the scaler makes the others of its kind limited.
    let limited_by_scaler =
        matches!(pixel, Pixel::YUVJ411P | Pixel::YUVJ422P | Pixel::YUVJ440P | Pixel::YUVJ444P);
    let full = pixel == Pixel::YUVJ420P || !limited_by_scaler && decoder.color_range() == color::Range::JPEG;
    match (hd, full) {
        (false, false) => ColorSpace::Bt601Limited,
        (false, true) => ColorSpace::Bt601Full,
        (true, false) => ColorSpace::Bt709Limited,
        (true, true) => ColorSpace::Bt709Full,
    }
}

/// A ratio that is neither 0 nor infinite.
fn seconds(ratio: Rational) -> Option<f64> {
    (ratio.numerator() > 0 && ratio.denominator() > 0).then(|| f64::from(ratio))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips::{Directory, ffmpeg_makes};

    /// The planes one after the other, rows without padding.
    fn packed(picture: &Picture) -> Vec<u8> {
        let mut packed = Vec::new();
        for plane in 0..3 {
            let (rows, stride) = picture.rows(plane);
            let width = picture.frame.plane_width(plane) as usize;
            packed.extend(rows.chunks_exact(stride).flat_map(|row| &row[..width]));
        }
        packed
    }

    fn all(decoder: &mut Decoder) -> Vec<Picture> {
        std::iter::from_fn(|| decoder.next_picture().unwrap()).collect()
    }

    #[test]
    fn planes_are_those_of_ffmpeg_itself() {
        let directory = Directory::new("planes");
        // Sides that are not even: planes of chroma are rounded up.
        let clip = directory.make(
            "clip.avi",
            "testsrc2=size=352x194:rate=25:duration=2",
            &["-vf", "scale=175:97", "-c:v", "mpeg4", "-vtag", "DIVX", "-bf", "2"],
        );
        let raw = directory.0.join("raw.yuv");
        ffmpeg_makes(&["-i", clip.to_str().unwrap()], &["-f", "rawvideo", "-pix_fmt", "yuv420p"], &raw);
        let raw = std::fs::read(raw).unwrap();

        let mut decoder = Decoder::open(&clip).unwrap();
        let layout = decoder.layout();
        assert_eq!((layout.width, layout.height, layout.color_space), (175, 97, ColorSpace::Bt601Limited));
        let pictures = all(&mut decoder);
        assert_eq!(pictures.len(), 50);
        let bytes = 175 * 97 + 2 * 88 * 49;
        assert_eq!(bytes * 50, raw.len());
        for (i, (picture, raw)) in pictures.iter().zip(raw.chunks_exact(bytes)).enumerate() {
            assert!(packed(picture) == raw, "picture {i} differs");
            assert!((picture.duration - 0.04).abs() < 1e-9);
        }
        for pair in pictures.windows(2) {
            assert!(
                (pair[1].time - pair[0].time - 0.04).abs() < 1e-9,
                "{} then {}",
                pair[0].time,
                pair[1].time
            );
        }
    }

    #[test]
    fn a_seek_finds_the_picture_of_a_time() {
        let directory = Directory::new("seek");
        let clip = directory.make(
            "clip.avi",
            "testsrc2=size=64x48:rate=25:duration=4",
            &["-c:v", "mpeg4", "-g", "12"],
        );
        let mut decoder = Decoder::open(&clip).unwrap();
        let pictures = all(&mut decoder);
        assert!(decoder.next_picture().unwrap().is_none(), "the end stays the end");
        for wanted in [2.01, 0.0, 3.99, 0.5, -7.0] {
            decoder.seek(wanted).unwrap();
            let found = decoder.next_picture().unwrap().unwrap();
            let expected = pictures.iter().find(|p| p.time + p.duration > wanted).unwrap();
            assert!(
                packed(&found) == packed(expected) && found.time == expected.time,
                "{} instead of {} for {wanted}",
                found.time,
                expected.time
            );
        }
        decoder.seek(2.0).unwrap();
        assert_eq!(all(&mut decoder).last().unwrap().time, pictures.last().unwrap().time);
    }

    #[test]
    fn other_pixels_are_converted_and_texels_need_not_be_square() {
        let directory = Directory::new("convert");
        let red = "color=c=red:size=96x64:rate=10:duration=0.5";
        for (name, arguments, color_space) in [
            ("rgb.avi", &["-c:v", "rawvideo", "-pix_fmt", "bgr24"][..], ColorSpace::Bt601Limited),
            ("444.mkv", &["-c:v", "ffv1", "-pix_fmt", "yuv444p"], ColorSpace::Bt601Limited),
            (
                "709.mkv",
                &["-c:v", "mpeg4", "-q:v", "1", "-colorspace", "bt709", "-vf", "setsar=4/3"],
                ColorSpace::Bt709Limited,
            ),
            ("full.avi", &["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"], ColorSpace::Bt601Full),
        ] {
            let mut decoder = Decoder::open(&directory.make(name, red, arguments)).unwrap();
            let layout = decoder.layout();
            assert_eq!(layout.color_space, color_space, "{name}");
            let aspect = if name == "709.mkv" { 2.0 } else { 1.5 };
            assert!((layout.aspect - aspect).abs() < 1e-6, "{name}: {}", layout.aspect);
            let pictures = all(&mut decoder);
            assert_eq!(pictures.len(), 5, "{name}");
            let [y, u, v] = [0, 1, 2].map(|plane| pictures[2].rows(plane).0[0]);
            let near = |value: u8, wanted: u8| value.abs_diff(wanted) <= 3;
            // Red in BT.601 (the pattern's own matrix), limited or full range.
            let red = if color_space == ColorSpace::Bt601Full { [76, 85, 255] } else { [81, 90, 240] };
            assert!(near(y, red[0]) && near(u, red[1]) && near(v, red[2]), "{name}: {y} {u} {v}");
        }
    }

    #[test]
    fn what_is_no_film_is_refused() {
        assert!(matches!(Decoder::open(Path::new("/nonexistent")), Err(DecodeError::Open(_))));
        assert!(matches!(Decoder::open(Path::new("/dev/null")), Err(DecodeError::Open(_))));
        let directory = Directory::new("sound");
        let sound = directory.make("sound.wav", "sine=duration=0.2", &[]);
        assert!(matches!(Decoder::open(&sound), Err(DecodeError::NoVideo)));
    }
}
