//! The first step of the key exchange (<https://core.telegram.org/mtproto/auth_key>), in TL's binary form.

/// The answer to a client's unencrypted payload; `None` where it is not the first step. `server_nonce` must be fresh.
pub(super) fn answer(payload: &[u8], server_nonce: [u8; 16]) -> Option<Vec<u8>> {
    let (key_id, rest) = payload.split_first_chunk::<8>()?;
    let (message_id, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let data = rest.get(..length)?;
    let (constructor, rest) = data.split_first_chunk::<4>()?;
    let nonce = rest.first_chunk::<16>()?;
    let asks = [REQ_PQ_MULTI, REQ_PQ].contains(&u32::from_le_bytes(*constructor));
    (*key_id == [0; 8] && asks).then(|| unencrypted(answer_id(*message_id), &res_pq(nonce, server_nonce)))
}

/// The transport error that says that there is no such key.
pub(super) fn no_such_key() -> Vec<u8> {
    NO_SUCH_KEY.to_le_bytes().to_vec()
}

/// A server's message identifier that answers a client's is 1 modulo 4.
fn answer_id(client: [u8; 8]) -> u64 {
    (u64::from_le_bytes(client) & !3) | 1
}

fn unencrypted(message_id: u64, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_le_bytes();
    [&[0; 8], message_id.to_le_bytes().as_slice(), &length, data].concat()
}

/// `resPQ nonce:int128 server_nonce:int128 pq:string server_public_key_fingerprints:Vector<long>`.
fn res_pq(nonce: &[u8; 16], server_nonce: [u8; 16]) -> Vec<u8> {
    let mut data = Vec::with_capacity(72);
    data.extend_from_slice(&RES_PQ.to_le_bytes());
    data.extend_from_slice(nonce);
    data.extend_from_slice(&server_nonce);
    // A string has its length before it and is filled up to whole words.
    data.push(8);
    data.extend_from_slice(&PQ.to_be_bytes());
    data.extend_from_slice(&[0; 3]);
    data.extend_from_slice(&VECTOR.to_le_bytes());
    data.extend_from_slice(&1_u32.to_le_bytes());
    data.extend_from_slice(&FINGERPRINT.to_le_bytes());
    data
}

const REQ_PQ: u32 = 0x6046_9778;
const REQ_PQ_MULTI: u32 = 0xbe7e_8ef1;
const RES_PQ: u32 = 0x0516_2463;
const VECTOR: u32 = 0x1cb5_c415;
/// The documentation's example, 1229739323 * 1402015859.
const PQ: u64 = 0x17ed_4894_1a08_f981;
/// Of the RSA key that Telegram's clients have had since 2021 (recalled).
const FINGERPRINT: u64 = 0xd09d_1d85_de64_fd85;
const NO_SUCH_KEY: i32 = -404;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `req_pq_multi` with a message identifier and the documentation's nonce.
    fn request(key_id: u64, constructor: u32) -> Vec<u8> {
        let nonce = 0x3e05_4982_8cca_27e9_66b3_01a4_8fec_e2fc_u128.to_be_bytes();
        let data = [constructor.to_le_bytes().as_slice(), &nonce].concat();
        [key_id.to_le_bytes().as_slice(), &0x51e5_7ac4_2770_964a_u64.to_le_bytes(), &20_u32.to_le_bytes(), &data]
            .concat()
    }

    #[test]
    fn the_first_step_is_answered_as_documented() {
        let answer = answer(&request(0, REQ_PQ_MULTI), [0xa5; 16]).expect("an answer");
        assert_eq!(answer.len(), 84);
        assert_eq!(answer[..8], [0; 8]);
        assert_eq!(u64::from_le_bytes(answer[8..16].try_into().expect("8 bytes")) % 4, 1);
        assert_eq!(answer[16..20], 64_u32.to_le_bytes());
        assert_eq!(answer[20..24], [0x63, 0x24, 0x16, 0x05]);
        assert_eq!(answer[24..40], request(0, REQ_PQ)[24..40]);
        assert_eq!(answer[40..56], [0xa5; 16]);
        assert_eq!(answer[56..68], [8, 0x17, 0xed, 0x48, 0x94, 0x1a, 0x08, 0xf9, 0x81, 0, 0, 0]);
        assert_eq!(answer[68..76], [0x15, 0xc4, 0xb5, 0x1c, 1, 0, 0, 0]);
    }

    #[test]
    fn the_older_request_is_answered_and_others_are_not() {
        assert!(answer(&request(0, REQ_PQ), [0; 16]).is_some());
        assert!(answer(&request(7, REQ_PQ_MULTI), [0; 16]).is_none());
        assert!(answer(&request(0, RES_PQ), [0; 16]).is_none());
        let whole = request(0, REQ_PQ_MULTI);
        for length in 0..whole.len() {
            assert!(answer(&whole[..length], [0; 16]).is_none(), "{length}");
        }
    }

    #[test]
    fn pq_is_the_product_of_two_primes() {
        assert_eq!(PQ, 1_229_739_323 * 1_402_015_859);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_or_not(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = answer(&bytes, [0; 16]);
        }
    }
}
