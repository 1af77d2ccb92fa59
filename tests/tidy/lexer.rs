//! Splits Rust source into words, string literals and comments. It knows just enough of the language for these tests.

use std::iter::Peekable;
use std::str::CharIndices;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword.
    Word,
    /// The inside of a string literal, with its escapes as written.
    Text,
    /// A comment, with its slashes.
    Comment,
    /// Any other character.
    Mark,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// The line it begins on, from 1.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { source, chars: source.char_indices().peekable(), line: 1, tokens: Vec::new() };
    while lexer.token() {}
    lexer.tokens
}

struct Lexer<'a> {
    source: &'a str,
    chars: Peekable<CharIndices<'a>>,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn token(&mut self) -> bool {
        let Some((start, c)) = self.advance() else { return false };
        let line = self.line;
        let kind = match c {
            '\n' | ' ' | '\r' | '\t' => return true,
            '/' if self.at().starts_with('/') => {
                while !self.at().starts_with('\n') && self.advance().is_some() {}
                Kind::Comment
            }
            '/' if self.at().starts_with('*') => {
                self.block_comment();
                Kind::Comment
            }
            '"' => {
                self.string();
                Kind::Text
            }
            'r' | 'b' if self.starts_raw_string(start) => {
                self.raw_string();
                Kind::Text
            }
            '\'' => {
                self.char_or_lifetime();
                Kind::Mark
            }
            c if is_word(c) => {
                while self.at().starts_with(is_word) {
                    self.advance();
                }
                Kind::Word
            }
            _ => Kind::Mark,
        };
        let end = self.end();
        let text = self.source[start..end].to_owned();
        self.tokens.push(Token { kind, text, line });
        true
    }

    fn advance(&mut self) -> Option<(usize, char)> {
        let next = self.chars.next();
        if let Some((_, '\n')) = next {
            self.line += 1;
        }
        next
    }

    fn end(&mut self) -> usize {
        self.chars.peek().map_or(self.source.len(), |(at, _)| *at)
    }

    fn at(&mut self) -> &str {
        let end = self.end();
        &self.source[end..]
    }

    fn block_comment(&mut self) {
        let mut depth = 1;
        self.advance();
        while depth > 0 {
            let (opens, closes) = (self.at().starts_with("/*"), self.at().starts_with("*/"));
            depth = if opens {
                depth + 1
            } else if closes {
                depth - 1
            } else {
                depth
            };
            if opens || closes {
                self.advance();
            }
            if self.advance().is_none() {
                return;
            }
        }
    }

    fn string(&mut self) {
        while let Some((_, c)) = self.advance() {
            match c {
                '"' => return,
                '\\' => _ = self.advance(),
                _ => {}
            }
        }
    }

    fn starts_raw_string(&self, start: usize) -> bool {
        let rest = self.source[start..].trim_start_matches('b');
        rest.strip_prefix('r').is_some_and(|rest| rest.trim_start_matches('#').starts_with('"') && !rest.is_empty())
    }

    fn raw_string(&mut self) {
        while self.at().starts_with('r') {
            self.advance();
        }
        let mut hashes = 0;
        while self.at().starts_with('#') {
            self.advance();
            hashes += 1;
        }
        self.advance();
        let end = format!("\"{}", "#".repeat(hashes));
        while !self.at().starts_with(&end) && self.advance().is_some() {}
        for _ in 0..end.len() {
            self.advance();
        }
    }

    /// `'a'`, `'\n'` or `'lifetime`.
    fn char_or_lifetime(&mut self) {
        if self.at().starts_with('\\') {
            self.advance();
            self.advance();
            while !self.at().starts_with('\'') && self.advance().is_some() {}
            self.advance();
            return;
        }
        let mut ahead = self.at().chars();
        if let (Some(_), Some('\'')) = (ahead.next(), ahead.next()) {
            self.advance();
            self.advance();
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The tokens without those of items under `#[cfg(test)]`.
pub(crate) fn production(tokens: &[Token]) -> Vec<Token> {
    const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        if rest.len() >= CFG_TEST.len() && rest.iter().zip(CFG_TEST).all(|(token, text)| token.is(text)) {
            rest = after_item(&rest[CFG_TEST.len()..]);
        } else {
            kept.push(first.clone());
            rest = after;
        }
    }
    kept
}

/// What follows the first item: behind its `;` or its closing brace.
fn after_item(tokens: &[Token]) -> &[Token] {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            _ if token.kind != Kind::Mark => {}
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && token.is("}") {
                    return &tokens[at + 1..];
                }
            }
            ";" if depth == 0 => return &tokens[at + 1..],
            _ => {}
        }
    }
    &[]
}

#[test]
fn comments_strings_and_words_are_told_apart() {
    let source = "fn a<'x>() { \"s \\\" // no\"; r#\"raw \" \"#; b\"b\"; 'c'; '\\''; } // yes\n/* a /* b */ c */ d";
    let of = |kind| tokens(source).into_iter().filter(move |t| t.kind == kind).map(|t| t.text).collect::<Vec<_>>();
    assert_eq!(of(Kind::Text), ["\"s \\\" // no\"", "r#\"raw \" \"#", "\"b\""]);
    assert_eq!(of(Kind::Comment), ["// yes", "/* a /* b */ c */"]);
    assert_eq!(of(Kind::Word), ["fn", "a", "x", "b", "d"]);
}

#[test]
fn items_under_cfg_test_are_left_out() {
    let source = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\n#[cfg(test)]\nmod more;\nfn c() {}";
    let words: Vec<_> = production(&tokens(source)).into_iter().filter(|t| t.kind == Kind::Word).collect();
    assert_eq!(words.iter().map(|t| t.text.as_str()).collect::<Vec<_>>(), ["fn", "a", "fn", "c"]);
}
