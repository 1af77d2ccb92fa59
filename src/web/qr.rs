//! QR codes: for pages as rows of modules, for terminals as block characters, and as a PNG image. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Width and height of an image, in pixels.
const IMAGE_PIXELS: usize = 512;
/// Light modules around the code (ISO/IEC 18004).
const QUIET_MODULES: usize = 4;

/// A QR code as rows of modules.
#[derive(Serialize, ToSchema)]
pub(crate) struct QrRows {
    /// Modules in a row, and rows.
    size: usize,
    /// The rows from the top, without a quiet zone: `1` is a dark module, `0` a light one. Draw 4 light modules around them.
    rows: Vec<String>,
}

/// A QR code. It is read from screens, which have no damaged parts, so that it has the lowest error correction: fewer
/// and larger modules.
pub(crate) struct Qr(QrCode);

impl Qr {
    /// Encodes a text; none if it is too long for any QR code.
    pub(crate) fn of(text: &str) -> Option<Self> {
        QrCode::with_error_correction_level(text, EcLevel::L).ok().map(Self)
    }

    /// Its rows.
    pub(crate) fn rows(&self) -> QrRows {
        let size = self.0.width();
        let row = |y: usize| (0..size).map(|x| if self.is_dark(x, y) { '1' } else { '0' }).collect();
        QrRows { size, rows: (0..size).map(row).collect() }
    }

    /// Lines of block characters without escape sequences, for a terminal with light text on a dark background.
    pub(crate) fn plain(&self) -> String {
        self.0.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build()
    }

    /// Lines of block characters with escape sequences that make them black on white, whatever the colours of the
    /// terminal.
    pub(crate) fn ansi(&self) -> String {
        let lines = self.0.render::<Dense1x2>().build();
        let lines = lines.lines().map(|line| format!("\x1b[30;107m{line}\x1b[0m"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A PNG image as a data URL.
    pub(crate) fn data_url(&self) -> Option<String> {
        let scale = IMAGE_PIXELS / (self.0.width() + 2 * QUIET_MODULES);
        let margin = (IMAGE_PIXELS - scale * self.0.width()) / 2;
        let is_dark = |x: usize, y: usize| {
            let module = |pixel: usize| Some(pixel.checked_sub(margin)? / scale).filter(|n| *n < self.0.width());
            module(x).zip(module(y)).is_some_and(|(x, y)| self.is_dark(x, y))
        };
        let byte = |x: usize, y: usize| (0..8).fold(0, |byte: u8, bit| byte << 1 | u8::from(!is_dark(x + bit, y)));
        let rows = (0..IMAGE_PIXELS).flat_map(|y| (0..IMAGE_PIXELS).step_by(8).map(move |x| (x, y)));
        let pixels: Vec<u8> = rows.map(|(x, y)| byte(x, y)).collect();
        let side = u32::try_from(IMAGE_PIXELS).ok()?;
        let mut image = Vec::new();
        let mut encoder = png::Encoder::new(&mut image, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder.write_header().ok()?.write_image_data(&pixels).ok()?;
        Some(format!("data:image/png;base64,{}", STANDARD.encode(image)))
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.0[(x, y)] == qrcode::Color::Dark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "http://192.168.1.5:7424/remote/quiet-otter-3a8f#t=abc&k=rr_id_x&cs=ann&p=000123";

    /// Decodes an image of modules or pixels.
    fn decoded(side: usize, is_dark: impl FnMut(usize, usize) -> bool) -> String {
        let mut image = rqrr::PreparedImage::prepare_from_bitmap(side, side, is_dark);
        image.detect_grids().first().unwrap().decode().unwrap().1
    }

    /// Decodes lines of half blocks, in which a set half has the colour `dark`.
    fn of_blocks(lines: &[&str], dark: bool) -> String {
        let cells: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
        let side = cells[0].len();
        let is_set = |x: usize, y: usize| match (cells.get(y / 2).map(|row| row[x]), y % 2) {
            (Some('█'), _) | (Some('▀'), 0) | (Some('▄'), 1) => true,
            (Some(' ' | '▀' | '▄'), _) => false,
            other => panic!("{other:?}"),
        };
        decoded(side * 4, |x, y| is_set(x / 4, y / 4) == dark)
    }

    #[test]
    fn every_form_is_decoded_to_the_text() {
        for text in [LINK, "a", &"é".repeat(512)] {
            let qr = Qr::of(text).unwrap();
            let QrRows { size, rows } = qr.rows();
            assert_eq!((rows.len(), rows[0].len()), (size, size));
            let module = |n: usize| (n / 4).checked_sub(QUIET_MODULES).filter(|n| *n < size);
            let is_dark = |x, y| module(x).zip(module(y)).is_some_and(|(x, y)| rows[y].as_bytes()[x] == b'1');
            assert_eq!(decoded((size + 2 * QUIET_MODULES) * 4, is_dark), text);
            let plain = qr.plain();
            assert_eq!(of_blocks(&plain.lines().collect::<Vec<_>>(), false), text);
            let ansi = qr.ansi();
            let inner = ansi
                .lines()
                .map(|line| line.strip_prefix("\x1b[30;107m").and_then(|line| line.strip_suffix("\x1b[0m")).unwrap());
            assert_eq!(of_blocks(&inner.collect::<Vec<_>>(), true), text);
            assert!(!plain.contains('\x1b'));
        }
    }

    #[test]
    fn the_image_is_a_small_png_of_512_pixels() {
        for text in [LINK, &"x".repeat(1024)] {
            let url = Qr::of(text).unwrap().data_url().unwrap();
            let bytes = STANDARD.decode(url.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
            assert!(bytes.len() < 8192, "{}", bytes.len());
            let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
            decoder.set_transformations(png::Transformations::EXPAND);
            let mut reader = decoder.read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height), (512, 512));
            assert_eq!(decoded(512, |x, y| pixels[y * 512 + x] == 0), text);
        }
        assert!(Qr::of(&"x".repeat(3000)).is_none());
    }
}
