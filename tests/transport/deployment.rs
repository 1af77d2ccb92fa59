//! Deployment: the hosted configuration, the systemd unit, the Caddyfile, the Dockerfile and `cargo install`.
//!
//! The test that builds the hub again runs only when `ROGERRAT_TEST_DEPLOY` is set, as in CI. Then Caddy must be installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rogerrat_testkit::{Caddy, Hub, executable, run};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The value of a key of the unit file.
fn setting<'a>(unit: &'a str, key: &str) -> Option<&'a str> {
    unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

/// The instructions of the Dockerfile, with continuation lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = read("deploy/Dockerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split_once(' ').unwrap()).map(|(what, rest)| (what.into(), rest.trim().into())).collect()
}

fn of<'a>(all: &'a [(String, String)], what: &str) -> Vec<&'a str> {
    all.iter().filter(|(name, _)| name == what).map(|(_, rest)| rest.as_str()).collect()
}

#[test]
fn the_hosted_configuration_is_valid_and_every_key_is_explained() {
    let path = root().join("config/hosted.toml");
    let output = run(&["check", "--config", path.to_str().unwrap()], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("server.trusted_proxies = [\"127.0.0.1/32\",\"::1/128\"]"), "{shown}");
    let text = read("config/hosted.toml");
    let bare = text
        .lines()
        .zip(text.lines().skip(1))
        .find(|(above, line)| line.contains(" = ") && !line.starts_with('#') && !above.starts_with('#'));
    assert_eq!(bare, None, "a key is not explained");
}

#[test]
fn the_unit_allows_a_full_drain_and_restricts_the_service() {
    let unit = read("deploy/rogerrat.service");
    for (key, value) in [
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
        ("NoNewPrivileges", "yes"),
        ("LimitNOFILE", "1048576"),
        ("StateDirectory", "rogerrat"),
        ("KillSignal", "SIGTERM"),
        ("Restart", "on-failure"),
    ] {
        assert_eq!(setting(&unit, key), Some(value), "{key}");
    }
    let hosted: toml::Table = read("config/hosted.toml").parse().unwrap();
    let drain_ms = hosted["server"]["drain_ms"].as_integer().unwrap();
    let stop_seconds: i64 = setting(&unit, "TimeoutStopSec").unwrap().parse().unwrap();
    assert!(stop_seconds * 1000 > 1000 + 2 * drain_ms);
}

#[test]
fn systemd_accepts_the_unit() {
    let folder = std::env::temp_dir().join(format!("rogerrat-unit-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    // systemd-analyze checks that the executable exists.
    let unit = read("deploy/rogerrat.service").replace("/usr/local/bin/rogerrat", executable().to_str().unwrap());
    let path = folder.join("rogerrat.service");
    fs::write(&path, unit).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&path).output();
    fs::remove_dir_all(&folder).unwrap();
    match verified {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            let ours: Vec<_> = errors.lines().filter(|line| line.contains("rogerrat.service")).collect();
            assert!(ours.is_empty(), "{errors}");
        }
        Err(error) => eprintln!("skipped: systemd-analyze: {error}"),
    }
}

#[test]
fn the_caddyfile_forwards_without_buffering() {
    for file in ["deploy/Caddyfile", "deploy/cluster/Caddyfile"] {
        forwards_without_buffering(file);
    }
}

fn forwards_without_buffering(file: &str) {
    let caddyfile = read(file);
    for line in ["flush_interval -1", "header_up X-Forwarded-For {remote_host}", "header_up Host {host}"] {
        assert!(caddyfile.lines().any(|other| other.trim() == line), "{file}: {line}");
    }
    if Caddy::is_installed() {
        let mut caddy = Command::new("caddy");
        let output = caddy.args(["validate", "--adapter", "caddyfile", "--config"]).arg(root().join(file)).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_cluster_has_a_synchronous_standby_and_its_secrets_in_files() {
    let compose = read("deploy/cluster/compose.yml");
    for line in [
        "ROGERRAT_CLUSTER__URL: http://hub-1:7425",
        "ROGERRAT_CLUSTER__URL: http://hub-2:7425",
        "- ./secrets/hub.key:/var/lib/rogerrat/hub.key:ro",
        "POSTGRES_PASSWORD_FILE: /run/secrets/superuser_password",
    ] {
        assert!(compose.lines().any(|other| other.trim() == line), "{line}");
    }
    let services = ["primary", "standby", "hub-1", "hub-2", "proxy"];
    assert!(services.iter().all(|service| compose.contains(&format!("\n  {service}:\n"))));
    // Each value of a secret is read from its file by a script.
    let secrets: Vec<_> = compose.lines().filter_map(|line| line.trim().split_once(": { file: ./secrets/")).collect();
    assert_eq!(secrets.len(), 4, "{secrets:?}");
    let scripts = ["hub", "primary", "standby"].map(|name| format!("deploy/cluster/{name}.sh"));
    let texts = scripts.each_ref().map(|script| read(script));
    assert!(
        texts[1].contains("synchronous_standby_names = 'standby'") && texts[2].contains("application_name=standby")
    );
    assert!(texts[0].contains("target_session_attrs=read-write"));
    for (name, _) in secrets.iter().filter(|(name, _)| *name != "superuser_password") {
        assert!(texts.iter().any(|text| text.contains(&format!("$secrets/{name}"))), "{name} is not used");
    }
    for script in &scripts {
        let checked = Command::new("bash").arg("-n").arg(root().join(script)).output().unwrap();
        assert!(checked.status.success(), "{script}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn the_image_runs_as_an_unprivileged_user_and_drains() {
    let all = instructions();
    let user = of(&all, "USER");
    assert!(user.len() == 1 && !user[0].starts_with('0') && user[0] != "root", "{user:?}");
    assert_eq!((of(&all, "STOPSIGNAL"), of(&all, "ENTRYPOINT")), (vec!["SIGTERM"], vec!["[\"rogerrat\"]"]));
    assert_eq!(of(&all, "FROM").len(), 2, "the build stage is not shipped");
    for source in of(&all, "COPY").into_iter().filter(|copy| !copy.starts_with("--from")) {
        assert_eq!(source, ". .");
    }
}

/// Runs the health check as written in the Dockerfile.
#[test]
fn the_health_check_of_the_image_reports_the_hubs_state() {
    let all = instructions();
    let check = of(&all, "HEALTHCHECK")[0].split_once("CMD ").unwrap().1;
    let words: Vec<String> = serde_json::from_str(check).unwrap();
    let healthy = |port: u16| {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env("ROGERRAT_SERVER__PORT", port.to_string()).stderr(Stdio::null());
        command.status().unwrap().success()
    };
    let hub = Hub::start();
    let port = hub.0.port();
    assert!(healthy(port));
    drop(hub);
    assert!(!healthy(port));
}

/// Runs the build stage in a shell and then installs the hub, which is not compiled again. In a clean checkout, as in CI, the
/// build has the files that `COPY . .` copies.
#[test]
fn the_image_is_built_and_cargo_install_installs_the_hub() {
    let Some(folder) = build_folder() else { return };
    let (out, built) = (folder.join("out"), folder.join("target"));
    // The profile of the tests, whose compiled dependencies are used again. The executable of the tests is not replaced.
    let status = |command: &mut Command| {
        // Variables that cargo sets for this test: with other values, build scripts run again.
        for (name, _) in std::env::vars().filter(|(name, _)| {
            name == "OUT_DIR" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            command.env_remove(name);
        }
        command.env("CARGO_BUILD_BUILD_DIR", target()).env("CARGO_TARGET_DIR", &built).status().unwrap()
    };
    let all = instructions();
    let runs = of(&all, "RUN");
    assert!(runs.iter().any(|run| run.contains("--profile dist --locked")), "the image builds with the lock file");
    for run in runs {
        let run = run.replace("--profile dist", "--profile dev").replace("/dist/", "/debug/");
        let run = run.replace("/out/", &format!("{}/", out.display()));
        assert!(status(Command::new("sh").args(["-euc", &run]).current_dir(root())).success(), "{run}");
    }
    let version = Command::new(out.join("rogerrat")).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("rogerrat "));

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["install", "--profile", "dev", "--locked", "--quiet", "--path"]).arg(root());
    assert!(status(cargo.arg("--root").arg(&folder)).success());
    let installed: Vec<_> = fs::read_dir(folder.join("bin")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(installed, ["rogerrat"]);
    fs::remove_dir_all(&folder).unwrap();
}

/// A directory for the build; none when such tests are disabled.
fn build_folder() -> Option<PathBuf> {
    if std::env::var_os("ROGERRAT_TEST_DEPLOY").is_none() {
        eprintln!("skipped: ROGERRAT_TEST_DEPLOY is not set");
        return None;
    }
    let folder = std::env::temp_dir().join(format!("rogerrat-deployment-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

/// The target directory of these tests.
fn target() -> PathBuf {
    Path::new(executable()).ancestors().nth(2).unwrap().to_owned()
}
