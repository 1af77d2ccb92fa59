//! The files of `web/dist`, compiled in and served below a hash of all of them, so that a browser never asks again.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header::EntityTag;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// Every file, sorted by path.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/static_files.rs"));
/// Shorter files are not compressed.
const MIN_BYTES: usize = 512;

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::new);

/// All files.
pub(crate) struct Assets {
    hash: String,
    files: Vec<Asset>,
}

/// One file.
pub(crate) struct Asset {
    path: &'static str,
    content: &'static [u8],
    /// Its media type.
    pub(crate) kind: &'static str,
    tag: OnceLock<String>,
    gzip: OnceLock<Option<Bytes>>,
}

/// All files, hashed at the first call.
pub(crate) fn assets() -> &'static Assets {
    &ASSETS
}

impl Assets {
    fn new() -> Self {
        let mut all = Sha256::new();
        for (path, content) in FILES {
            all.update(format!("{path}\n{}\n", content.len()));
            all.update(content);
        }
        let files = FILES.iter().map(|(path, content)| Asset::of(path, kind(path), content));
        Self { hash: short(&all.finalize()), files: files.collect() }
    }

    /// The hash of all files, a segment of their URLs.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// The path below which all files are.
    pub(crate) fn prefix(&self) -> String {
        format!("/static/{}", self.hash)
    }

    /// A file by its path below `web/dist`.
    pub(crate) fn find(&self, path: &str) -> Option<&Asset> {
        let at = self.files.binary_search_by(|file| file.path.cmp(path)).ok()?;
        self.files.get(at)
    }

    /// The elements that load a module and, at the same time, all modules that it imports.
    pub(crate) fn module_tags(&self, entry: &str) -> String {
        let prefix = self.prefix();
        let mut tags = String::new();
        for path in self.imports_of(entry) {
            let _ = writeln!(tags, "<link rel=\"modulepreload\" href=\"{prefix}/{path}\">");
        }
        let _ = write!(tags, "<script type=\"module\" src=\"{prefix}/{entry}\"></script>");
        tags
    }

    /// The modules that a module imports statically, directly or through others.
    fn imports_of(&self, entry: &str) -> BTreeSet<String> {
        let (mut found, mut open) = (BTreeSet::new(), vec![entry.to_owned()]);
        while let Some(path) = open.pop() {
            let Some(file) = self.find(&path) else { continue };
            for import in static_imports(&String::from_utf8_lossy(file.content)) {
                let target = resolve(&path, import);
                if target != entry && found.insert(target.clone()) {
                    open.push(target);
                }
            }
        }
        found
    }
}

impl Asset {
    /// A file, hashed and compressed at its first use.
    pub(crate) const fn of(path: &'static str, kind: &'static str, content: &'static [u8]) -> Self {
        Self { path, content, kind, tag: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        self.path
    }

    /// The content.
    pub(crate) fn content(&self) -> Bytes {
        Bytes::from_static(self.content)
    }

    /// The content compressed with gzip, if that is worth it; compressed once, at the first call.
    pub(crate) fn gzip(&self) -> Option<Bytes> {
        let compress = || {
            if self.content.len() < MIN_BYTES {
                return None;
            }
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(self.content).ok()?;
            let compressed = encoder.finish().ok()?;
            (compressed.len() < self.content.len()).then(|| compressed.into())
        };
        self.gzip.get_or_init(compress).clone()
    }

    /// The ETag of the content.
    pub(crate) fn tag(&self) -> EntityTag {
        EntityTag::new_strong(self.tag.get_or_init(|| short(&Sha256::digest(self.content))).clone())
    }
}

/// The first 64 bits of a hash, as hexadecimal digits.
pub(crate) fn short(hash: &[u8]) -> String {
    hash.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// The relative paths of the static imports of a module. Those in comments, and `import(…)`, do not count.
fn static_imports(text: &str) -> Vec<&str> {
    let is_comment = |line: &str| ["//", "*", "/*"].iter().any(|mark| line.trim_start().starts_with(mark));
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !is_comment(line)) {
        // `import` comes before a path only where nothing is imported by name.
        let mut rest = line;
        while let Some(at) = ["from", "import"].iter().filter_map(|word| Some(rest.find(word)? + word.len())).min() {
            rest = &rest[at..];
            let Some(quoted) = rest.trim_start().strip_prefix(['"', '\'']) else { continue };
            let path = quoted.split(['"', '\'']).next().unwrap_or_default();
            if path.starts_with('.') && path.ends_with(".js") {
                found.push(path);
            }
        }
    }
    found
}

/// Resolves a relative import of a module.
fn resolve(module: &str, import: &str) -> String {
    let mut parts: Vec<Cow<'_, str>> = module.split('/').map(Cow::from).collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part.into()),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_type_and_every_import_leads_to_a_file() {
        for file in &assets().files {
            assert_ne!(file.kind, "application/octet-stream", "{}", file.path);
            assert_eq!(assets().find(file.path).map(|found| found.path), Some(file.path));
            if file.path.ends_with(".js") {
                for import in static_imports(&String::from_utf8_lossy(file.content)) {
                    assert!(assets().find(&resolve(file.path, import)).is_some(), "{}: {import}", file.path);
                }
            }
        }
    }

    #[test]
    fn static_imports_are_found_in_code_only() {
        let module = "// from \"./a.js\"\n/** @import {X} from \"./b.js\" */\nimport { y } from \"../c.js\";\n\
            import{z}from'./d.js';import \"./e.js\";\nawait import(\"./f.js\");\nexport * from \"./g.js\";";
        assert_eq!(static_imports(module), ["../c.js", "./d.js", "./e.js", "./g.js"]);
        assert_eq!(resolve("chat/view/log.js", "../../lib/api.js"), "lib/api.js");
    }

    #[test]
    fn a_page_preloads_what_its_modules_import() {
        let prefix = assets().prefix();
        // A page loads one script, the chat a second one; the rest is loaded when it is used.
        for page in ["landing", "chat", "room", "account", "admin", "docs", "policy"] {
            let preload = format!("<link rel=\"modulepreload\" href=\"{prefix}/chunks/chat.js\">\n");
            let script = format!("<script type=\"module\" src=\"{prefix}/{page}/main.js\"></script>");
            let expected = if ["chat", "room"].contains(&page) { preload + &script } else { script };
            assert_eq!(assets().module_tags(&format!("{page}/main.js")), expected);
        }
    }
}
