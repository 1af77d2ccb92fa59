//! The only source of randomness.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
#[cfg(not(test))]
use rand::RngExt as _;
#[cfg(test)]
pub(crate) use rand::{RngExt, SeedableRng, rngs::StdRng};
use rogerrat_domain::limits::PIN_DIGITS;

#[cfg(test)]
thread_local! {
    static SEEDED: std::cell::RefCell<Option<StdRng>> = const { std::cell::RefCell::new(None) };
}

/// Makes the random numbers, record ids and nonces of this thread follow from a seed.
#[cfg(test)]
pub(crate) fn seed(seed: u64) {
    SEEDED.set(Some(StdRng::seed_from_u64(seed)));
}

/// Calls a function with the generator of this thread.
fn with_rng<T>(draw: impl FnOnce(&mut dyn rand::Rng) -> T) -> T {
    #[cfg(test)]
    if SEEDED.with_borrow(Option::is_some) {
        return SEEDED.with_borrow_mut(|seeded| draw(seeded.as_mut().expect("it is seeded")));
    }
    draw(&mut rand::rng())
}

/// A random number.
#[must_use]
pub fn random_u64() -> u64 {
    with_rng(|rng| rng.next_u64())
}

/// A record id: 128 random bits.
pub(crate) fn record_id() -> u128 {
    with_rng(|rng| rng.random())
}

/// A nonce for encryption.
pub(crate) fn nonce() -> [u8; rogerrat_domain::NONCE_BYTES] {
    with_rng(|rng| rng.random())
}

/// The bytes of a webhook's secret.
pub(crate) fn secret_bytes() -> [u8; 24] {
    rand::rng().random()
}

/// A secret of 24 random bytes, base64url: 32 characters.
#[must_use]
pub fn random_token() -> String {
    let mut bytes = [0; 24];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The secret of a link in an e-mail: a prefix, and 32 random bytes as base64url.
#[must_use]
pub(crate) fn random_link(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random_key()))
}

/// A generated owner password: 16 hexadecimal digits.
#[must_use]
pub fn random_password() -> String {
    format!("{:016x}", random_u64())
}

/// A generated PIN or code: six decimal digits.
#[must_use]
pub(crate) fn random_pin() -> String {
    format!("{:0width$}", rand::rng().random_range(0..10_u32.pow(PIN_DIGITS as u32)), width = PIN_DIGITS)
}

/// A key of 32 random bytes.
#[must_use]
pub fn random_key() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_16_hexadecimal_digits() {
        let password = random_password();
        assert!(password.len() == 16 && password.bytes().all(|b| b.is_ascii_hexdigit()), "{password}");
    }

    #[test]
    fn a_pin_is_six_digits() {
        for _ in 0..100 {
            let pin = random_pin();
            assert!(pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit()), "{pin}");
        }
    }
}
