//! Benchmark of the store on this disk: appends per second beside the raw sync rate, and opening a million channels.
//!
//! `cargo bench -p rogerrat-store`; it uses the temporary directory, or the folder named after `--`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

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

/// Duration of each measurement.
const MEASURED_MS: u64 = 2000;
const CHANNELS: u64 = 1_000_000;

fn main() {
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let dir = argument.map_or_else(std::env::temp_dir, PathBuf::from).join("rogerrat-bench");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let fresh = || {
        let _ = fs::remove_dir_all(&dir);
        dir.as_path()
    };
    println!("4 KiB syncs/s: {}", raw_syncs(fresh()));
    println!("appenders  appends/s  writer CPU per append");
    for appenders in [1, 16, 64, 256] {
        let (rate, cpu_us) = runtime.block_on(appends(fresh(), appenders));
        println!("{appenders:>9}  {rate:>9}  {cpu_us:>6.1} us");
    }
    runtime.block_on(million_channels(fresh()));
    fresh();
}

/// The sync rate of the disk: appends a page to a file and syncs it, in a loop.
fn raw_syncs(dir: &Path) -> u64 {
    fs::create_dir_all(dir).expect("the directory can be made");
    let mut file = File::create(dir.join("raw")).expect("a file can be made");
    let clock = Clock::start();
    let mut syncs = 0;
    while clock.uptime_ms() < MEASURED_MS {
        file.write_all(&[1; 4096]).and_then(|()| file.sync_data()).expect("the disk works");
        syncs += 1;
    }
    fs::remove_dir_all(dir).expect("the directory can be removed");
    syncs * 1000 / MEASURED_MS
}

fn created() -> Entry {
    let settings = Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("token"), 5) };
    Entry::Created { settings: Arc::new(settings) }
}

fn sent(id: u64) -> Entry {
    let text = "x".repeat(200);
    let json = format!(r#"{{"id":{id},"from":"ann","to":"all","text":"{text}","at":{id}}}"#);
    let message = Message::from_json(id, 1, None, json.as_bytes()).expect("it is a message");
    Entry::Sent { message: Arc::new(message), to: "all".into(), key: None, task: None }
}

fn record(channel: &ChannelId, seq: u64, entry: Entry) -> Record {
    Record {
        channel: channel.clone(),
        seq,
        fence: 0,
        rid: seq.into(),
        at_ms: seq,
        entries: vec![entry],
        transcript: vec![],
        due: vec![],
    }
}

/// Appends messages to `appenders` channels, each as soon as its previous append is done. Returns the appends per second,
/// and the CPU time of the writer's thread for each in microseconds.
async fn appends(dir: &Path, appenders: u64) -> (u64, f64) {
    let store = &Store::open(dir, StoreOptions::default()).expect("the store opens");
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

/// CPU time of the writer's thread, in microseconds.
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

/// Opens a database with a million channels, and loads channels that are not cached.
async fn million_channels(dir: &Path) {
    let store = Store::open(dir, StoreOptions::default()).expect("the store opens");
    let model = ChannelId::parse("model").expect("it is an id");
    assert_eq!(store.append(record(&model, 1, created())).await, AppendResult::Done);
    drop(store);
    let database = dir.join("hub.db");
    multiply_channel(&Connection::open(&database).expect("it opens")).expect("it can be multiplied");
    let bytes = fs::metadata(&database).map_or(0, |metadata| metadata.len());
    let before_mib = resident_mib();
    let clock = Clock::start();
    let store = Store::open(dir, StoreOptions::default()).expect("the store opens");
    let opened_ms = clock.uptime_ms();
    let channels = store.count().await.expect("it is known");
    println!("{channels} channels in {} MiB: open after {opened_ms} ms", bytes >> 20);
    let mut slowest = Duration::ZERO;
    for n in [3, 500_000, 999_999, 123_456, 777_777] {
        let channel = ChannelId::parse(&format!("channel-{n}")).expect("it is an id");
        let begun = tokio_now();
        assert!(store.find(&channel).await.expect("it can be read").is_some());
        let stored = store.take(&channel).await.expect("it can be read");
        slowest = slowest.max(begun.elapsed());
        assert_eq!((stored.seq, stored.backlog.len()), (1, 3));
    }
    println!(
        "first load of a channel: {:.2} ms at most; {} MiB resident, {before_mib} before",
        slowest.as_secs_f64() * 1000.0,
        resident_mib()
    );
}

#[expect(clippy::disallowed_methods, reason = "the benchmark measures microseconds")]
fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Copies the one channel into a million, each with its record and three messages.
fn multiply_channel(connection: &Connection) -> rusqlite::Result<()> {
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
