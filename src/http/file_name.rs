//! The file name of a download: what the sender chose, as far as it is safe.

use std::borrow::Cow;
use std::fmt::Write as _;

use rogerrat_domain::text::one_line;

/// Extensions that a desktop system runs or renders when the file is opened. A text gets another one behind it.
const ACTIVE: [&str; 28] = [
    "app", "bat", "cmd", "com", "cpl", "desktop", "exe", "hta", "htm", "html", "jar", "js", "jse", "lnk", "msi", "pif",
    "ps1", "reg", "scr", "shtml", "svg", "url", "vbe", "vbs", "wsf", "xht", "xhtml", "xml",
];
/// The longest extension that is taken for one.
const EXTENSION_BYTES: usize = 12;
/// The extensions of each media type, the first one for names without any.
const EXTENSIONS: [(&str, &[&str]); 5] = [
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/png", &["png"]),
    ("image/webp", &["webp"]),
    ("image/gif", &["gif"]),
    ("application/pdf", &["pdf"]),
];

/// The value of `Content-Disposition` for a file that a peer has named.
pub(super) fn content_disposition(name: Option<&str>, mime: &str, n: usize) -> String {
    let name = safe_name(name.unwrap_or_default(), mime, n);
    let ascii: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{ascii}\"");
    if ascii != name {
        value += "; filename*=UTF-8''";
        for byte in name.bytes() {
            let _ = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => write!(value, "{}", char::from(byte)),
                _ => write!(value, "%{byte:02X}"),
            };
        }
    }
    value
}

/// A name without folders, control characters and what systems reserve, with an extension that fits its media type.
fn safe_name(name: &str, mime: &str, n: usize) -> String {
    let is_bad = |c: char| must_be_escaped(c) || "/\\:*?\"<>|;".contains(c);
    let name: String = name.chars().map(|c| if is_bad(c) { '_' } else { c }).collect();
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let name = if name.is_empty() { format!("attachment-{n}") } else { name.to_owned() };
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let extension = extension.filter(|it| it.len() <= EXTENSION_BYTES && it.bytes().all(|b| b.is_ascii_alphanumeric()));
    let fits = |expected: &[&str]| extension.as_deref().is_some_and(|extension| expected.contains(&extension));
    match EXTENSIONS.iter().find(|(of, _)| *of == mime) {
        Some((_, expected)) if fits(expected) => name,
        Some((_, expected)) => format!("{name}.{}", expected.first().unwrap_or(&"bin")),
        None if extension.is_none() || fits(&ACTIVE) => format!("{name}.{}", extension_of_text(mime)),
        None => name,
    }
}

fn extension_of_text(mime: &str) -> &'static str {
    match mime {
        "text/markdown" => "md",
        "text/x-diff" => "diff",
        "application/json" => "json",
        _ => "txt",
    }
}

/// Control characters and those without a shape, which could hide an extension.
fn must_be_escaped(c: char) -> bool {
    matches!(one_line(c.encode_utf8(&mut [0; 4])), Cow::Owned(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a13_the_name_of_a_download_is_safe() {
        for (name, mime, expected) in [
            (Some("a.png"), "image/png", "attachment; filename=\"a.png\""),
            (None, "image/png", "attachment; filename=\"attachment-1.png\""),
            (Some("../../etc/passwd"), "text/plain", "attachment; filename=\"_.._etc_passwd.txt\""),
            (Some("a\"; filename=\"b.exe"), "application/pdf", "attachment; filename=\"a__ filename=_b.exe.pdf\""),
            (Some("x\r\nSet-Cookie: a"), "image/gif", "attachment; filename=\"x__Set-Cookie_ a.gif\""),
            (Some("run.bat"), "text/plain", "attachment; filename=\"run.bat.txt\""),
            (Some("page.HTML"), "text/markdown", "attachment; filename=\"page.HTML.md\""),
            (Some("main.rs"), "text/plain", "attachment; filename=\"main.rs\""),
            (Some("...."), "text/x-diff", "attachment; filename=\"attachment-1.diff\""),
            (
                Some("ä b.json"),
                "application/json",
                "attachment; filename=\"_ b.json\"; filename*=UTF-8''%C3%A4%20b.json",
            ),
            (Some("gnp.\u{202e}exe"), "image/png", "attachment; filename=\"gnp._exe.png\""),
        ] {
            let value = content_disposition(name, mime, 1);
            assert_eq!(value, expected);
            assert!(actix_web::http::header::HeaderValue::from_str(&value).is_ok());
        }
    }
}
