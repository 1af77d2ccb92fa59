//! Completions in bash, and man pages.

use std::fs;
use std::process::Command;

use super::kit::Shell;

/// The completions that bash offers for the last word.
fn offered(shell: &Shell, words: &[&str]) -> Vec<String> {
    let script = shell.home().join("completions");
    fs::write(&script, shell.ok(&["completions", "bash"])).unwrap();
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let ask = format!(
        "source '{}'\nCOMP_WORDS=({})\nCOMP_CWORD={}\n$(complete -p rogerrat | sed 's/.*-F \\([^ ]*\\).*/\\1/') rogerrat '{}' '{}'\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.to_str().unwrap().replace('\'', "'\\''"),
        quoted.join(" "),
        words.len() - 1,
        words.last().unwrap(),
        words[words.len() - 2],
    );
    let output = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).filter(|word| !word.is_empty()).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let shell = Shell::with(&[]);
    assert_eq!(offered(&shell, &["rogerrat", "listen"]), ["listen", "listen-here"]);
    assert_eq!(offered(&shell, &["rogerrat", "send", "--prio"]), ["--priority"]);
    assert_eq!(offered(&shell, &["rogerrat", "send", "all", "--priority", "u"]), ["urgent"]);
    assert_eq!(offered(&shell, &["rogerrat", "profile", "sh"]), ["show"]);
    for other in ["zsh", "fish"] {
        assert!(shell.ok(&["completions", other]).contains("receive-recipe"), "{other}");
    }
    assert_eq!(shell.run(&["completions", "cmd"]).code, Some(2));
}

#[test]
fn every_command_has_a_page_that_man_understands() {
    let shell = Shell::with(&[]);
    let folder = shell.home().join("man pages");
    shell.ok(&["man", "--dir", folder.to_str().unwrap()]);
    let pages: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let names: Vec<_> = pages.iter().map(|page| page.file_name().unwrap().to_str().unwrap()).collect();
    for name in
        ["rogerrat.1", "rogerrat-send.1", "rogerrat-listen-here.1", "rogerrat-serve.1", "rogerrat-profile-show.1"]
    {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    for page in &pages {
        let Ok(shown) = Command::new("man").args(["-l", "--warnings"]).arg(page).env("MANWIDTH", "80").output() else {
            // Without `man`, the pages are only generated.
            return;
        };
        let (out, err) = (String::from_utf8_lossy(&shown.stdout), String::from_utf8_lossy(&shown.stderr));
        assert!(shown.status.success() && err.is_empty() && out.contains("SYNOPSIS"), "{page:?}: {err}{out}");
    }
    let send = fs::read_to_string(folder.join("rogerrat-send.1")).unwrap();
    assert!(send.contains("\\-\\-attach") && send.contains("standard input"), "{send}");
    assert!(shell.ok(&["man"]).contains("rogerrat"));
}
