//! One style of imports: a file imports from a module once, with braces (`use crate::a::{B, C};`).

use std::collections::BTreeMap;

use crate::lexer::{Kind, Token, tokens};
use crate::workspace::{none, rust_files};

#[test]
fn a_file_imports_from_a_module_once() {
    let mut violations = Vec::new();
    for file in rust_files() {
        let mut lines = BTreeMap::<String, usize>::new();
        for (module, line) in imports(file.tokens()) {
            if let Some(first) = lines.insert(module.clone(), line) {
                violations.push(format!("{}:{line}: `{module}` is imported from on line {first} too", file.path));
            }
        }
    }
    none("imports to merge", &violations);
}

/// The modules that the outermost `use` items import from, with their visibility and attributes, and the line.
fn imports(tokens: &[Token]) -> Vec<(String, usize)> {
    let code: Vec<_> = tokens.iter().filter(|token| token.kind != Kind::Comment).collect();
    let (mut found, mut depth, mut item) = (Vec::new(), 0, 0);
    for (at, token) in code.iter().enumerate() {
        match token.text.as_str() {
            "use" if depth == 0 && token.kind == Kind::Word => {
                let path: Vec<_> = code[at + 1..].iter().map(|token| &*token.text).take_while(|t| *t != ";").collect();
                let end = path.iter().position(|text| *text == "{").map_or(path.len() - 1, |brace| brace);
                let end = path[..end].iter().rposition(|text| *text == ":").map_or(0, |colon| colon + 1);
                let before: String = code[item..at].iter().map(|token| &*token.text).collect();
                // `use serde;` and `use serde::Serialize;` cannot be one item of the same module.
                if end > 0 {
                    found.push((format!("{before} {}", path[..end].concat().trim_end_matches(':')), token.line));
                }
            }
            _ if token.kind != Kind::Mark => {}
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                item = at + 1;
            }
            ";" => item = at + 1,
            _ => {}
        }
    }
    found
}

#[test]
fn imports_of_one_module_are_found() {
    let source = "use a::b::C;\nuse a::b::{D, E};\npub use a::b::F;\nfn f() { use a::b::G; }\nuse a::b as c;";
    let modules: Vec<_> = imports(&tokens(source)).into_iter().map(|(module, _)| module).collect();
    assert_eq!(modules, [" a::b", " a::b", "pub a::b", " a"]);
}
