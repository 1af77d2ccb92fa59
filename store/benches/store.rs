//! How fast the store is on this disk: appends a second beside the raw rate of syncs, and a hub of a million channels.
//!
//! `cargo bench -p rogerrat-store`; the folder is that of temporary files, or the one named after `--`.

#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Clock, Log as _};
use rogerrat_domain::{ChannelId, Durability, Entry, Message, Record, Settings, TokenHash};
use rogerrat_store::{Store, StoreOptions};
use rusqlite::{Connection, params};

/// How long each measurement takes, in milliseconds.
const MEASURED_MS: u64 = 2000;
const CHANNELS: u64 = 1_000_000;

fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder = named.map_or_else(std::env::temp_dir, PathBuf::from).join("rogerrat-bench");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let fresh = || {
        let _ = fs::remove_dir_all(&folder);
        folder.as_path()
    };
    println!("syncs of 4 KiB a second: {}", raw_syncs(fresh()));
    println!("appenders  appends/s  writer's CPU an append");
    for appenders in [1, 16, 64, 256] {
        let (rate, cpu_us) = runtime.block_on(appends(fresh(), appenders));
        println!("{appenders:>9}  {rate:>9}  {cpu_us:>6.1} us");
    }
    runtime.block_on(million(fresh()));
    fresh();
}

/// What the disk can do: a file that grows by a page and is synced, one after the other.
fn raw_syncs(folder: &Path) -> u64 {
    fs::create_dir_all(folder).expect("the folder can be made");
    let mut file = File::create(folder.join("raw")).expect("a file can be made");
    let clock = Clock::start();
    let mut syncs = 0;
    while clock.uptime_ms() < MEASURED_MS {
        file.write_all(&[1; 4096]).and_then(|()| file.sync_data()).expect("the disk works");
        syncs += 1;
    }
    fs::remove_dir_all(folder).expect("the folder can be removed");
    syncs * 1000 / MEASURED_MS
}

fn created() -> Entry {
    let settings = Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("token"), 5) };
    Entry::Created { settings: Arc::new(settings) }
}

fn sent(id: u64) -> Entry {
    let text = "x".repeat(200);
    let json = format!(r#"{{"id":{id},"from":"ann","to":"all","text":"{text}","at":{id}}}"#);
    let message = Message::stored(id, 1, None, json.as_bytes()).expect("it is a message");
    Entry::Sent { message: Arc::new(message), to: "all".into(), key: None }
}

fn record(channel: &ChannelId, seq: u64, entry: Entry) -> Record {
    Record {
        channel: channel.clone(),
        seq,
        rid: seq.into(),
        at_ms: seq,
        entries: vec![entry],
        transcript: vec![],
        due: vec![],
    }
}

/// So many channels, each of which appends a message as soon as the one before is kept. Appends a second, and
/// microseconds of the writer's thread for each.
async fn appends(folder: &Path, appenders: u64) -> (u64, f64) {
    let store = &Store::open(folder, StoreOptions::default()).expect("the store opens");
    let clock = Clock::start();
    let started = clock.now().at_ms;
    let append = async |n: u64| {
        let channel = ChannelId::parse(&format!("bench-{n}")).expect("it is an id");
        assert_eq!(store.append(record(&channel, 1, created())).await, AppendResult::Done);
        let mut seq = 1;
        while clock.uptime_ms() < MEASURED_MS {
            seq += 1;
            assert_eq!(store.append(record(&channel, seq, sent(started + seq))).await, AppendResult::Done);
        }
        seq
    };
    let before_us = writer_us();
    let appended = join_all((0..appenders).map(append)).await.into_iter().sum::<u64>();
    (appended * 1000 / MEASURED_MS, (writer_us() - before_us) / appended as f64)
}

/// Microseconds of CPU the writer's thread took.
fn writer_us() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten().map(|task| task.path());
    let is_writer =
        |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "store-writer");
    let stat = tasks.filter(is_writer).find_map(|task| fs::read_to_string(task.join("schedstat")).ok());
    let nanoseconds = stat.and_then(|stat| stat.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1000.0
}

fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

/// Opens a hub of a million channels, and asks for one nobody asked for before.
async fn million(folder: &Path) {
    let store = Store::open(folder, StoreOptions::default()).expect("the store opens");
    let model = ChannelId::parse("model").expect("it is an id");
    assert_eq!(store.append(record(&model, 1, created())).await, AppendResult::Done);
    drop(store);
    let database = folder.join("hub.db");
    multiply(&Connection::open(&database).expect("it opens")).expect("it can be multiplied");
    let bytes = fs::metadata(&database).map_or(0, |metadata| metadata.len());
    let before_mib = resident_mib();
    let clock = Clock::start();
    let store = Store::open(folder, StoreOptions::default()).expect("the store opens");
    let opened_ms = clock.uptime_ms();
    let channels = store.count().await.expect("it is known");
    println!("{channels} channels in {} MiB: open after {opened_ms} ms", bytes >> 20);
    let mut slowest = Duration::ZERO;
    for n in [3, 500_000, 999_999, 123_456, 777_777] {
        let channel = ChannelId::parse(&format!("channel-{n}")).expect("it is an id");
        let begun = tokio_now();
        assert!(store.find(&channel).await.expect("it can be read").is_some());
        let kept = store.load(&channel).await.expect("it can be read");
        slowest = slowest.max(begun.elapsed());
        assert_eq!((kept.seq, kept.backlog.len()), (1, 3));
    }
    println!(
        "first look at a channel: {:.2} ms at most; {} MiB resident, {before_mib} before",
        slowest.as_secs_f64() * 1000.0,
        resident_mib()
    );
}

#[expect(clippy::disallowed_methods, reason = "microseconds are measured here, and decide nothing")]
fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Makes a million channels of one, each with its record and three messages.
fn multiply(connection: &Connection) -> rusqlite::Result<()> {
    let numbers = format!("WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {CHANNELS})");
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN")?;
    connection.execute_batch(&format!(
        "{numbers} INSERT INTO channels SELECT n, 'channel-' || n, settings, 5, 5 FROM n, channels WHERE no = 1;
         {numbers} INSERT INTO records SELECT n, 1, rid, body FROM n, records WHERE channel = 1;
         UPDATE hub SET value = {CHANNELS} WHERE name = 'channels';"
    ))?;
    let json = format!(r#"{{"id":7,"from":"ann","to":"all","text":"{}","at":7}}"#, "x".repeat(200));
    let messages = format!(
        "{numbers}, id(id) AS (VALUES (7), (8), (9)) INSERT INTO messages SELECT n, id, 1, NULL, NULL, NULL, NULL, ?1 FROM n, id"
    );
    connection.execute(&messages, params![json.as_bytes()])?;
    connection.execute_batch("COMMIT")
}
