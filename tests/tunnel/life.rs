//! The life of a tunnel's program: missing, slow, refused, left behind by a killed hub, and ended with the hub.

use std::{fs, thread};

use rogerrat_testkit::{Hub, run, wait_until};

use super::program::{Program, is_running};

const HOST: &str = "calm-blue-otter-runs.trycloudflare.com";

fn serve(program: &Program, flags: &[&str]) -> (Option<i32>, String, String) {
    let path = program.search_path();
    let output = run(&[&["serve", "--port", "0"], flags].concat(), &program.env(&path));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a26_a_missing_program_is_a_usage_error_that_names_its_source() {
    let other = Program::named("something", "", &[]);
    for (name, source) in [("cloudflared", "developers.cloudflare.com"), ("ngrok", "https://ngrok.com/download")] {
        let (code, stdout, stderr) = serve(&other, &["--tunnel", name]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.contains(name) && stderr.contains(source), "{stderr}");
    }
    let (code, _, stderr) = serve(&other, &["--tunnel", "carrier-pigeon"]);
    assert!(code == Some(2) && stderr.contains("cloudflared or ngrok"), "{stderr}");
    for (flags, reason) in [
        (&["--tunnel", "ngrok", "--no-tcp", "--socket", "s"][..], "needs the TCP port"),
        (&["--tunnel", "ngrok", "--host", "192.0.2.1", "--token", "correct-horse"], "listens on 127.0.0.1"),
        (&["--tunnel", "ngrok", "--tls-cert", "c", "--tls-key", "k"], "plain http"),
    ] {
        let (code, _, stderr) = serve(&other, flags);
        assert!(code == Some(2) && stderr.contains(reason), "{stderr}");
    }
    let path = other.search_path();
    let hub = Hub::with(&["--tunnel", "cloudflared", "--tunnel-optional"], &other.env(&path));
    assert!(hub.log().contains("without a tunnel"), "{}", hub.log());
}

#[test]
fn a26_a_tunnel_that_is_refused_ends_the_start_with_its_last_lines() {
    let program = Program::named("cloudflared", "refused", &[HOST]);
    let (code, stdout, stderr) = serve(&program, &["--tunnel", "cloudflared"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(!stdout.contains("trycloudflare"), "the address of the service is not that of the tunnel: {stdout}");
    assert!(stderr.contains("the tunnel could not be opened"), "{stderr}");
    assert!(stderr.contains("failed to request quick Tunnel") && stderr.contains("i/o timeout"), "{stderr}");
    assert_eq!(program.arguments().len(), 1, "it is not tried again");
    let hub = program.hub(&["--tunnel-optional"], &[]);
    assert!(!hub.banner.contains("trycloudflare") && hub.log().contains("without a tunnel"), "{}", hub.banner);
}

#[test]
fn a26_the_banner_waits_for_a_slow_tunnel_and_requests_do_not() {
    let program = Program::named("cloudflared", "waits", &[HOST]);
    let hub = thread::scope(|scope| {
        let starting = scope.spawn(|| program.hub(&[], &[("ROGERRAT_SERVER__TOKEN", "correct-horse-battery")]));
        wait_until("the program runs", || program.arguments().len() == 1);
        assert!(!starting.is_finished(), "the banner waits");
        program.control("announce");
        starting.join().unwrap()
    });
    assert!(hub.banner.contains(HOST), "{}", hub.banner);
    let arguments = &program.arguments()[0];
    let port = hub.origin().rsplit(':').next().unwrap().to_owned();
    let expected = format!("tunnel --config /dev/null --no-autoupdate --protocol auto --url http://127.0.0.1:{port}");
    assert_eq!(*arguments, expected);
    assert!(
        program.variables().is_empty(),
        "the tokens of the hub are not in its environment: {:?}",
        program.variables()
    );
}

#[test]
fn a26_the_program_ends_with_the_hub_and_one_that_was_left_behind_at_the_next_start() {
    let program = Program::named("ngrok", "", &["a.ngrok-free.app", "b.ngrok-free.app", "c.ngrok-free.app"]);
    let command = program.path();
    let flags = ["--tunnel-command", command.to_str().unwrap()];
    let mut hub = program.hub(&flags, &[]);
    let file = hub.data().join("tunnel.pid");
    assert!(fs::read_to_string(&file).unwrap().contains(&program.pids()[0]));
    hub.kill();
    assert!(is_running(&program.pids()[0]), "it was not ended");
    let path = program.search_path();
    hub.start_again(&[&["--tunnel", "ngrok"][..], &flags].concat(), &program.env(&path));
    assert!(hub.banner.contains("https://b.ngrok-free.app\n"), "{}", hub.banner);
    assert!(!is_running(&program.pids()[0]) && is_running(&program.pids()[1]));
    assert!(hub.log().contains("ending the tunnel of a hub that was killed"), "{}", hub.log());
    hub.stop();
    assert!(!is_running(&program.pids()[1]) && !file.exists());
    // Another process may have the number meanwhile: it is left alone.
    let stranger = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    fs::write(&file, format!(r#"{{"pid":{},"arguments":["http"]}}"#, stranger.id())).unwrap();
    hub.start_again(&[&["--tunnel", "ngrok"][..], &flags].concat(), &program.env(&path));
    let mut stranger = stranger;
    assert!(stranger.try_wait().unwrap().is_none(), "it runs");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains(&stranger.id().to_string()));
}
