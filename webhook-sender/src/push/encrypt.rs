//! Encrypts the payload of a push message for one browser: RFC 8291, with the content coding `aes128gcm` of RFC 8188.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use rogerrat_domain::push::{AUTH_BYTES, P256DH_BYTES, PushKeys};

/// The record size of the only record, which push services must support (RFC 8030, 7.2).
const RECORD_BYTES: usize = 4096;
const SALT_BYTES: usize = 16;
/// Salt, record size, length of the key id, and the key id: our public key.
const HEADER_BYTES: usize = SALT_BYTES + 4 + 1 + P256DH_BYTES;
const CEK_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// The longest payload. One byte more ends the content.
pub(crate) const PAYLOAD_BYTES: usize = RECORD_BYTES - HEADER_BYTES - TAG_BYTES - 1;
/// Payloads are padded to multiples of this, so that their length tells little about the text.
const PAD_BYTES: usize = 256;

/// A fresh key pair and salt, and the secret that it shares with the browser.
struct Exchange<'a> {
    shared: &'a [u8],
    ours: &'a [u8],
    theirs: &'a [u8; P256DH_BYTES],
    auth: &'a [u8; AUTH_BYTES],
    salt: [u8; SALT_BYTES],
}

/// Encrypts a payload for a browser, with a new key pair.
///
/// # Errors
/// If the browser's key is no point of the curve, or the payload is longer than [`PAYLOAD_BYTES`].
pub(crate) fn encrypt(payload: &[u8], keys: &PushKeys) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let private = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let ours = private.compute_public_key()?;
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &keys.p256dh);
    let padded_bytes = (payload.len() + 1).next_multiple_of(PAD_BYTES).min(PAYLOAD_BYTES + 1);
    agree_ephemeral(private, &theirs, |shared| {
        let exchange = Exchange { shared, ours: ours.as_ref(), theirs: &keys.p256dh, auth: &keys.auth, salt };
        seal(payload, padded_bytes, &exchange)
    })?
}

/// Whether a payload could be encrypted with these keys.
pub(crate) fn is_usable(keys: &PushKeys) -> bool {
    encrypt(b"", keys).is_ok()
}

/// Encrypts a payload, padded to `padded_bytes` with its delimiter.
fn seal(payload: &[u8], padded_bytes: usize, exchange: &Exchange<'_>) -> Result<Vec<u8>, Unspecified> {
    let Exchange { shared, ours, theirs, auth, salt } = exchange;
    if payload.len() > PAYLOAD_BYTES {
        return Err(Unspecified);
    }
    let secret = Salt::new(HKDF_SHA256, &auth[..]).extract(shared);
    let input = expand::<32>(&secret, &[b"WebPush: info\0", &theirs[..], ours])?;
    let secret = Salt::new(HKDF_SHA256, salt).extract(&input);
    let key: [u8; CEK_BYTES] = expand(&secret, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; NONCE_LEN] = expand(&secret, &[b"Content-Encoding: nonce\0"])?;
    let mut record = payload.to_vec();
    // The delimiter of the last record, then the padding.
    record.push(2);
    record.resize(padded_bytes.max(record.len()), 0);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
    let record_bytes = (RECORD_BYTES as u32).to_be_bytes();
    Ok([&salt[..], &record_bytes, &[P256DH_BYTES as u8], ours, &record].concat())
}

/// The length of the output of a key derivation.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(secret: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut output = [0; N];
    secret.expand(info, Length(N))?.fill(&mut output)?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    /// The example of RFC 8291, section 5 and appendix A, from the shared secret on.
    #[test]
    fn the_example_of_the_specification_is_encrypted_to_the_same_bytes() {
        let ours: [u8; 65] =
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let exchange = Exchange {
            shared: &bytes::<32>("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            ours: &ours,
            theirs: &bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            auth: &bytes("BTBZMqHH6r4Tts7J_aSIgg"),
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw"),
        };
        let payload = b"When I grow up, I want to be a watermelon";
        let message = seal(payload, payload.len() + 1, &exchange).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6\
                        TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a\
                        -fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(message), expected);
    }

    fn keys() -> PushKeys {
        let point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        PushKeys { p256dh: bytes(point), auth: [7; 16] }
    }

    #[test]
    fn a_message_is_padded_and_has_its_own_salt() {
        let message = |bytes: usize| encrypt(&vec![b'x'; bytes], &keys()).unwrap();
        for (payload, record) in [(0, 256), (255, 256), (256, 512), (PAYLOAD_BYTES, PAYLOAD_BYTES + 1)] {
            assert_eq!(message(payload).len(), HEADER_BYTES + record + TAG_BYTES, "{payload}");
        }
        assert_eq!(message(PAYLOAD_BYTES).len(), RECORD_BYTES);
        assert_ne!(message(10), message(10));
        assert!(encrypt(&[0; PAYLOAD_BYTES + 1], &keys()).is_err());
    }

    #[test]
    fn only_points_of_the_curve_are_usable() {
        assert!(is_usable(&keys()));
        let PushKeys { mut p256dh, auth } = keys();
        p256dh[40] ^= 1;
        assert!(!is_usable(&PushKeys { p256dh, auth }));
        assert!(!is_usable(&PushKeys { p256dh: [0; 65], auth }));
    }
}
