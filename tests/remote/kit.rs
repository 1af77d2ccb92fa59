//! A remote control as tests use it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rogerrat_testkit::{Agent, Channel, HttpTarget, Reply, Request};
use serde_json::{Value, json};

/// Opens remote control.
#[track_caller]
pub(crate) fn open(hub: HttpTarget, body: &Value) -> Value {
    try_open(hub).json(body).send().ok()
}

pub(crate) fn try_open(hub: HttpTarget) -> Request {
    hub.post("/api/remote-control")
}

/// The channel of a remote control.
pub(crate) fn channel(hub: HttpTarget, remote: &Value) -> Channel {
    Channel::new(hub, text(&remote["channel_id"]), text(&remote["channel_token"]))
}

/// Joins as the agent or the phone, with the owner password.
pub(crate) fn join(hub: HttpTarget, remote: &Value, who: &str) -> Agent {
    let channel = channel(hub, remote);
    let joined = try_join(&channel, &remote[who], &remote["owner_password"]).ok();
    assert_eq!(joined["trust_posture"], "trusted-authorized", "{joined}");
    Agent::from_join(&channel, &joined)
}

pub(crate) fn try_join(channel: &Channel, identity: &Value, owner_password: &Value) -> Reply {
    channel.try_join(&json!({"identity_key": identity["identity_key"], "owner_password": owner_password}))
}

/// The public description of a channel.
pub(crate) fn about(channel: &Channel) -> Value {
    channel.target.get(&format!("/api/channels/{}", channel.id)).send().ok()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The origin, the channel and the parts of the fragment of a link.
pub(crate) fn parts(link: &Value) -> (String, String, BTreeMap<String, String>) {
    let (page, fragment) = text(link).split_once('#').unwrap();
    let (origin, channel) = page.split_once("/remote/").unwrap();
    let parts = url::form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
    (origin.to_owned(), channel.to_owned(), parts)
}

/// The text of the QR code in an image of half blocks, in which a set half has the colour `dark`.
pub(crate) fn decode_blocks(lines: &str, dark: bool) -> String {
    let rows: Vec<Vec<char>> = lines.lines().map(|line| line.chars().collect()).collect();
    let is_set = |x: usize, y: usize| match rows.get(y / 2).map_or(' ', |row| row[x]) {
        '█' => true,
        '▀' => y.is_multiple_of(2),
        '▄' => y % 2 == 1,
        ' ' => false,
        other => panic!("{other:?} in a QR code"),
    };
    let side = rows[0].len();
    decode(side * 4, |x, y| is_set(x / 4, y / 4) == dark)
}

/// The text of the QR code in a PNG image.
pub(crate) fn decode_data_url(url: &str) -> String {
    let bytes = STANDARD.decode(url.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let side = reader.next_frame(&mut pixels).unwrap().width as usize;
    decode(side, |x, y| pixels[y * side + x] == 0)
}

/// The text of the QR code in rows of modules.
pub(crate) fn decode_rows(rows: &[Value]) -> String {
    let module = |n: usize| (n / 4).checked_sub(4).filter(|n| *n < rows.len());
    let is_dark = |x, y| module(x).zip(module(y)).is_some_and(|(x, y)| text(&rows[y]).as_bytes()[x] == b'1');
    decode((rows.len() + 8) * 4, is_dark)
}

fn decode(side: usize, is_dark: impl FnMut(usize, usize) -> bool) -> String {
    let mut image = rqrr::PreparedImage::prepare_from_bitmap(side, side, is_dark);
    image.detect_grids().first().expect("an image with a QR code").decode().unwrap().1
}
