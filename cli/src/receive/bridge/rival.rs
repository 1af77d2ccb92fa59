//! Another bridge of the same member. Clients start a server twice, once to look at it and once to use it, and the hub
//! gives the stream of a consumer to the newest. The other waits until that one has gone, so that they never replace each
//! other in turn.

use std::time::Duration;

use rand::random_range;
use rogerrat_client::{ChannelClient, ClientError};
use tokio::time::sleep;

/// The first pause is between this and twice as long, and later ones double.
const FIRST_PAUSE_MS: u64 = 2_000;
/// The longest pause is between this and twice as long.
const LONGEST_PAUSE_MS: u64 = 12_000;

/// Waits until no other reader has the consumer's stream. It looks twice before it returns: the other may be about to
/// connect again. Returns at once when the hub refuses to tell.
pub(super) async fn gone(client: &mut ChannelClient) {
    let (mut pause_ms, mut times_absent) = (FIRST_PAUSE_MS, 0);
    while times_absent < 2 {
        let ms = if times_absent == 0 { pause_ms } else { FIRST_PAUSE_MS };
        sleep(Duration::from_millis(random_range(ms..=2 * ms))).await;
        pause_ms = (2 * pause_ms).min(LONGEST_PAUSE_MS);
        times_absent = match client.consumer().await {
            Ok(consumer) if consumer.as_ref().is_some_and(|consumer| consumer.waiting) => 0,
            Ok(_) => times_absent + 1,
            Err(ClientError::Temporary { .. }) => {
                client.forget_address();
                0
            }
            Err(_) => return,
        };
    }
}
