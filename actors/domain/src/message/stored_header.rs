//! The header of a message: how an entry of the log stores it, without its body.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kind, Message, is_message};
use crate::ids::{MemberNo, MessageId};

#[derive(Serialize, Deserialize)]
struct StoredHeader {
    id: MessageId,
    at_ms: u64,
    from: MemberNo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<MemberNo>,
    #[serde(default, skip_serializing_if = "is_message")]
    kind: Kind,
    bytes: usize,
}

pub(crate) fn serialize<S: Serializer>(message: &Arc<Message>, s: S) -> Result<S::Ok, S::Error> {
    let Message { id, at_ms, from, to, kind, .. } = **message;
    StoredHeader { id, at_ms, from, to, kind, bytes: message.weight_bytes() }.serialize(s)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Arc<Message>, D::Error> {
    let StoredHeader { id, at_ms, from, to, kind, bytes } = StoredHeader::deserialize(d)?;
    Ok(Arc::new(Message {
        id,
        at_ms,
        from,
        to,
        kind,
        thread: None,
        wants: None,
        has_attachments: false,
        frame: Bytes::new(),
        json_end: 0,
        weight_bytes: bytes,
    }))
}
