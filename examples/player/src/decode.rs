//! From a file to pictures in the layout of a texture: planar YUV 4:2:0, with times.

use blinkgl::layout::texture::{ColorSpace, Format};
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

impl Layout {
    /// Bytes of a picture: rows of `width` bytes of Y, then U and V, rows without padding.
    #[must_use]
    pub fn bytes(&self) -> usize {
        Format::Yuv420.bytes(self.width, self.height).unwrap_or(usize::MAX)
    }
}

/// A decoded picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// When it is shown, in seconds from the start of the file.
    pub time: f64,
    /// How long, in seconds.
    pub duration: f64,
    /// [`Layout::bytes`] bytes.
    pub bytes: Vec<u8>,
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
    scaled: frame::Video,
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
            scaled: frame::Video::empty(),
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
        let mut decoded = frame::Video::empty();
        loop {
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => {
                    let (time, duration) = self.time(&decoded);
                    if time + duration <= self.wanted {
                        continue;
                    }
                    self.wanted = f64::NEG_INFINITY;
                    let bytes = self.pack(&decoded)?;
                    return Ok(Some(Picture { time, duration, bytes }));
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

    /// The planes of a frame, rows without padding.
    fn pack(&mut self, decoded: &frame::Video) -> Result<Vec<u8>, DecodeError> {
        let Layout { width, height, .. } = self.layout;
        let direct = matches!(decoded.format(), Pixel::YUV420P | Pixel::YUVJ420P)
            && (decoded.width(), decoded.height()) == (width, height)
            // Rows from the bottom up have a negative distance, which this type shows as a huge one.
            && decoded.planes() == 3
            && (0..3).all(|plane| i32::try_from(decoded.stride(plane)).is_ok());
        if direct {
            return Ok(pack_planes(decoded, self.layout.bytes()));
        }
        // The frame's own size and format: either may change within a stream.
        let fits = |scaler: &Scaler| {
            let from = scaler.input();
            (from.format, from.width, from.height) == (decoded.format(), decoded.width(), decoded.height())
        };
        if !self.scaler.as_ref().is_some_and(fits) {
            self.scaler = Some(
                Scaler::get(
                    decoded.format(),
                    decoded.width(),
                    decoded.height(),
                    Pixel::YUV420P,
                    width,
                    height,
                    Flags::BILINEAR,
                )
                .map_err(DecodeError::Convert)?,
            );
        }
        if let Some(scaler) = &mut self.scaler {
            scaler.run(decoded, &mut self.scaled).map_err(DecodeError::Convert)?;
        }
        Ok(pack_planes(&self.scaled, self.layout.bytes()))
    }
}

/// The three planes, rows without padding.
fn pack_planes(from: &frame::Video, bytes: usize) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes);
    for plane in 0..3 {
        let used = usize::try_from(from.plane_width(plane)).unwrap_or(0);
        for row in from.data(plane).chunks_exact(from.stride(plane)) {
            packed.extend_from_slice(&row[..used]);
        }
    }
    packed
}

/// Layout of the textures for what a decoder gives.
fn layout(decoder: &decoder::Video) -> Result<Layout, DecodeError> {
    let (width, height) = (decoder.width(), decoder.height());
    if width == 0 || height == 0 {
        return Err(DecodeError::Decoder(ffmpeg::Error::InvalidData));
    }
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
