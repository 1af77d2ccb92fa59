//! Which characters of a text a reader cannot see. They can carry instructions to a model that its human never reads.

use std::iter;
use std::ops::RangeInclusive;

use icu_properties::CodePointSetData;
use icu_properties::props::{DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic};

use super::breaks_a_line;

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
/// Select the text or the emoji form of the character before them.
const PRESENTATION: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];
const KEYCAP: char = '\u{20e3}';
/// The flags of England, Scotland and Wales: the only sequences of tags in use.
const FLAGS: [&str; 3] = [
    "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// A character of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextChar {
    /// Its position, in bytes.
    pub at: usize,
    /// The character.
    pub c: char,
    /// Whether it would be unseen, or would move what follows it to another place: a control character, a line break, or
    /// an invisible character that is not part of an emoji or of a word in a joining script.
    pub must_be_escaped: bool,
}

/// The characters of a text. Controls, line breaks and invisible characters are marked: zero-width and bidirectional
/// characters, fillers, variation selectors and tags. Those that join an emoji or a word are not.
pub fn visible_chars(text: &str) -> impl Iterator<Item = TextChar> + '_ {
    let (mut previous, mut flag_end) = (Previous::default(), 0);
    text.char_indices().map(move |(at, c)| {
        if c == '🏴' {
            let flag = FLAGS.iter().find(|flag| text[at..].starts_with(**flag));
            flag_end = flag.map_or(flag_end, |flag| at + flag.len());
        }
        let next = || text[at + c.len_utf8()..].chars().next();
        let must_be_escaped = breaks_a_line(c) || (is_invisible(c) && at >= flag_end && !previous.is_joined(c, next()));
        previous = previous.followed_by(c, must_be_escaped);
        TextChar { at, c, must_be_escaped }
    })
}

/// The ranges of code points that have no shape of their own, and those of emoji: for clients in other languages that
/// mark characters as [`visible_chars`] does.
pub fn invisible_and_pictographic_ranges() -> [Vec<RangeInclusive<u32>>; 2] {
    let invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>().iter_ranges();
    let pictographic = CodePointSetData::new::<ExtendedPictographic>().iter_ranges();
    [invisible.chain(iter::once(0xfff9..=0xfffb)).collect(), pictographic.collect()]
}

/// Whether a character has no shape of its own.
pub(super) fn is_invisible(c: char) -> bool {
    // Interlinear annotation is invisible too, but not in the set.
    !c.is_ascii()
        && (CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) || matches!(c, '\u{fff9}'..='\u{fffb}'))
}

/// What the characters so far end in.
#[derive(Clone, Copy, Default)]
struct Previous {
    /// The last character.
    last: Option<char>,
    /// Whether it completes an emoji, to which another one can be joined.
    is_emoji: bool,
}

impl Previous {
    fn followed_by(self, c: char, is_escaped: bool) -> Self {
        let continues = PRESENTATION.contains(&c) || CodePointSetData::new::<EmojiModifier>().contains(c);
        Self { last: Some(c), is_emoji: !is_escaped && (is_pictograph(c) || (continues && self.is_emoji)) }
    }

    /// Whether an invisible character belongs to its neighbours.
    fn is_joined(self, c: char, next: Option<char>) -> bool {
        match c {
            c if PRESENTATION.contains(&c) => {
                let is_keycap = self.last.is_some_and(|last| last.is_ascii_digit() || matches!(last, '#' | '*'));
                self.last.is_some_and(is_pictograph) || (is_keycap && next == Some(KEYCAP))
            }
            ZERO_WIDTH_JOINER if self.is_emoji => next.is_some_and(is_pictograph),
            ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => {
                self.last.is_some_and(uses_joiners) && next.is_some_and(uses_joiners)
            }
            _ => false,
        }
    }
}

fn is_pictograph(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// Whether a letter is of a script that is written with joiners: Arabic, Syriac and their relatives, and the scripts of
/// India.
fn uses_joiners(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}') && !is_invisible(c)
}

#[cfg(test)]
mod tests {
    use super::super::one_line;

    #[test]
    fn d27_invisible_characters_are_visible() {
        for (hidden, shown) in [
            ("a\u{200b}b", "a\\u{200b}b"),
            ("a\u{200d}b", "a\\u{200d}b"),
            ("a\u{200c}b", "a\\u{200c}b"),
            ("a\u{feff}", "a\\u{feff}"),
            ("\u{2060}\u{2064}", "\\u{2060}\\u{2064}"),
            ("a\u{ad}b", "a\\u{ad}b"),
            ("a\u{202e}b\u{2066}c\u{200f}d\u{61c}", "a\\u{202e}b\\u{2066}c\\u{200f}d\\u{61c}"),
            ("hi\u{e0001}\u{e0068}\u{e0069}", "hi\\u{e0001}\\u{e0068}\\u{e0069}"),
            ("🏴\u{e0068}\u{e0069}\u{e007f}", "🏴\\u{e0068}\\u{e0069}\\u{e007f}"),
            ("a\u{fe0f}", "a\\u{fe0f}"),
            ("7\u{fe0f}", "7\\u{fe0f}"),
            ("😀\u{fe0f}\u{fe01}\u{e0101}", "😀\u{fe0f}\\u{fe01}\\u{e0101}"),
            ("😀\u{fe0f}\u{fe0f}", "😀\u{fe0f}\\u{fe0f}"),
            ("😀\u{200d}", "😀\\u{200d}"),
            ("😀\u{200d}x", "😀\\u{200d}x"),
            ("😀\u{200d}\u{200d}😀", "😀\\u{200d}\\u{200d}😀"),
            ("\u{200d}😀", "\\u{200d}😀"),
            ("\u{3164}\u{115f}\u{ffa0}", "\\u{3164}\\u{115f}\\u{ffa0}"),
            ("a\u{180e}\u{34f}\u{fffa}b", "a\\u{180e}\\u{34f}\\u{fffa}b"),
        ] {
            assert_eq!(one_line(hidden), shown);
            assert_eq!(one_line(shown), shown);
        }
    }

    #[test]
    fn emoji_and_words_stay_joined() {
        for text in [
            "👨‍👩‍👧‍👦",
            "👩🏽‍🔬 and 🧑🏿‍🚀",
            "❤️‍🔥 ☎️ ☎︎ ©️",
            "🏳️‍🌈 🏴‍☠️",
            "1️⃣ #️⃣ *️⃣",
            "🇩🇪 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "한국어 日本語 é e\u{301} \u{a0}x",
        ] {
            assert_eq!(one_line(text), text);
        }
    }
}
