//! The STUN probe against servers that answer, answer others, and keep silent.

use std::time::Duration;

use super::super::testing;
use super::super::timeouts::Timeouts;
use super::*;

#[test]
fn addresses_of_both_families_are_unmasked() {
    // RFC 5769 sections 2.2 and 2.3, the XOR-MAPPED-ADDRESS of the sample responses.
    let transaction = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
    let four = [0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
    assert_eq!(unmasked(&four, transaction), Some("192.0.2.1:32853".parse().expect("an address")));
    let six = [
        0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2,
        0xb9, 0xd9,
    ];
    let expected = "[2001:db8:1234:5678:11:2233:4455:6677]:32853";
    assert_eq!(unmasked(&six, transaction), Some(expected.parse().expect("an address")));
    assert_eq!(unmasked(&six[..12], transaction), None);
}

#[tokio::test]
async fn an_answer_to_the_request_is_ok_and_others_are_passed_over() {
    let outcome = ask(|request| vec![response(&[9; 12]), response(&request[8..20])]).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Ok, None));
}

#[tokio::test]
async fn silence_is_a_cut_and_a_closed_port_is_refused() {
    let outcome = ask(|_| vec![response(&[9; 12])]).await;
    let seen = (outcome.verdict, outcome.failure, outcome.how.as_deref());
    assert_eq!(seen, (VerdictWord::Protocol, Some(Failure::GenericTimeout), Some("STUN cut")));
    let closed = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket").local_addr().expect("its address");
    let outcome = probe(&tools(), closed).await;
    assert_eq!((outcome.failure, outcome.how), (Some(Failure::ConnectionRefused), None));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_response_or_none(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
        let head = [&[0x01, 0x01, 0, 0][..], &COOKIE, &[9; 12], &bytes].concat();
        let _ = (mapped_address(&bytes, [9; 12]), mapped_address(&head, [9; 12]));
    }
}

/// What the probe says of a server that answers so.
async fn ask(reply: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Outcome {
    let socket = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let remote = socket.local_addr().expect("its address");
    tokio::spawn(async move {
        let mut buffer = [0; 100];
        let (length, client) = socket.recv_from(&mut buffer).await.expect("a request");
        assert_eq!((length, &buffer[..8]), (20, &[0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42][..]));
        for answer in reply(&buffer[..length]) {
            socket.send_to(&answer, client).await.expect("sent");
        }
        std::future::pending::<()>().await;
    });
    probe(&tools(), remote).await
}

fn tools() -> Tools {
    let timeouts = Timeouts { message: Duration::from_millis(200), ..Timeouts::default() };
    Tools { timeouts, ..testing::tools_from(testing::source()) }
}

/// A binding response, with an attribute before the one that counts.
pub(in crate::probes) fn response(transaction: &[u8]) -> Vec<u8> {
    let software = [0x80, 0x22, 0, 3, b'l', b'a', b'b', 0];
    let mapped = [0x00, 0x20, 0, 8, 0, 1, 0x21, 0x13, 0x5e, 0x12, 0xa4, 0x40];
    [&[0x01, 0x01, 0, 20][..], &COOKIE, transaction, &software, &mapped].concat()
}
