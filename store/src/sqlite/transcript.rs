//! Reading a transcript. A damaged line is left out, so that it does not hide the others.

use rogerrat_actors::{TRANSCRIPT_PAGE_BYTES, TRANSCRIPT_PAGE_LINES, TranscriptPage, TranscriptPart};
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{ChannelId, limits};
use rusqlite::{Connection, Row, params};
use serde_json::value::RawValue;

use super::error::log_error;
use super::reader::{Read, channel_number};
use super::sqlite_int::{get_u64, to_sqlite};

/// Reads a page.
pub(super) fn page(connection: &Connection, channel: &ChannelId, part: TranscriptPart) -> Read<TranscriptPage> {
    let tx = connection.unchecked_transaction().map_err(log_error)?;
    let Some(no) = channel_number(&tx, channel).map_err(log_error)? else { return Ok(TranscriptPage::default()) };
    let (from, upto) = match part {
        TranscriptPart::Numbered { from, upto } => (from, upto),
        TranscriptPart::Last(lines) => {
            let last = last_number(&tx, no).map_err(log_error)?;
            // Numbers have no holes.
            ((last + 1).saturating_sub(lines.min(limits::TRANSCRIPT_LINES) as u64), last)
        }
    };
    let mut find = tx
        .prepare_cached(
            "SELECT n, from_no, to_no, json FROM transcript WHERE channel = ?1 AND n BETWEEN ?2 AND ?3 ORDER BY n",
        )
        .map_err(log_error)?;
    let mut rows = find.query(params![no, to_sqlite(from), to_sqlite(upto)]).map_err(log_error)?;
    let mut page = TranscriptPage::default();
    let mut bytes = 0;
    while let Some(row) = rows.next().map_err(log_error)? {
        let n = get_u64(row, 0).map_err(log_error)?;
        match line(row) {
            Some(line) => {
                bytes += line.json.get().len();
                page.lines.push(line);
            }
            None => page.damaged += 1,
        }
        if n < upto && (bytes >= TRANSCRIPT_PAGE_BYTES || page.lines.len() >= TRANSCRIPT_PAGE_LINES) {
            page.rest = Some(TranscriptPart::Numbered { from: n + 1, upto });
            break;
        }
    }
    if page.damaged > 0 {
        let lines = page.damaged;
        log::error!(channel:display, lines; "left out damaged lines of a transcript; `rogerrat verify` names them");
    }
    Ok(page)
}

fn last_number(connection: &Connection, no: i64) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(n), 0) FROM transcript WHERE channel = ?1")?
        .query_row([no], |row| get_u64(row, 0))
}

/// Decodes a line. None if it is damaged.
fn line(row: &Row<'_>) -> Option<TranscriptLine> {
    let dm_members = match (row.get(1).ok()?, row.get(2).ok()?) {
        (None, None) => None,
        (Some(from), Some(to)) => Some((from, to)),
        // Nobody can tell who may see it.
        _ => return None,
    };
    let json = str::from_utf8(row.get_ref(3).ok()?.as_bytes().ok()?).ok()?;
    let json = RawValue::from_string(json.to_owned()).ok()?;
    json.get().starts_with('{').then_some(TranscriptLine { dm_members, json })
}
