//! The MTProto probe against a data centre in a few lines, and against those who break off.

use std::time::Duration;

use super::super::testing;
use super::super::timeouts::Timeouts;
use super::*;

/// The answer that a server must give to the abridged request in these bytes.
fn answer(request: &[u8], nonce: &[u8]) -> Vec<u8> {
    assert_eq!(request[..2], [0xef, 10]);
    assert_eq!(request[22..26], REQ_PQ_MULTI.to_le_bytes());
    let payload = [&[0; 20][..], &RES_PQ.to_le_bytes(), nonce, &[7; 16]].concat();
    [&[(payload.len() / 4) as u8], &payload[..]].concat()
}

#[tokio::test]
async fn an_answer_to_the_nonce_is_ok_even_in_pieces() {
    let outcome = exchange_with(|request| {
        let whole = answer(request, &request[26..42]);
        vec![whole[..9].to_vec(), whole[9..].to_vec()]
    })
    .await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Ok, None));
}

#[tokio::test]
async fn an_answer_to_another_nonce_is_none() {
    let outcome = exchange_with(|request| vec![answer(request, &[1; 16])]).await;
    assert_eq!(outcome.failure, Some(Failure::Unknown("not MTProto".to_owned())));
}

#[tokio::test]
async fn a_close_a_reset_and_silence_are_cuts() {
    let closed = exchange_with(|_| Vec::new()).await;
    assert_eq!((closed.verdict, closed.failure, closed.how.as_deref()), cut(Failure::Eof));
    let (listener, remote) = testing::listener().await;
    tokio::spawn(testing::reset_after_first_bytes(listener));
    let reset = ask(remote, MtProtoTransport::Obfuscated2).await;
    assert_eq!((reset.verdict, reset.failure, reset.how.as_deref()), cut(Failure::ConnectionReset));
    let (_listener, remote) = testing::listener().await;
    let silent = ask(remote, MtProtoTransport::Padded).await;
    assert_eq!((silent.verdict, silent.failure, silent.how.as_deref()), cut(Failure::GenericTimeout));
}

const fn cut(failure: Failure) -> (VerdictWord, Option<Failure>, Option<&'static str>) {
    (VerdictWord::Protocol, Some(failure), Some("cut"))
}

/// What the probe says of a server that writes these pieces for a request, and then closes.
async fn exchange_with(reply: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Outcome {
    let (listener, remote) = testing::listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = [0; 42];
        stream.read_exact(&mut request).await.expect("a request");
        for piece in reply(&request) {
            stream.write_all(&piece).await.expect("sent");
            stream.flush().await.expect("sent");
        }
    });
    ask(remote, MtProtoTransport::Abridged).await
}

async fn ask(remote: SocketAddr, transport: MtProtoTransport) -> Outcome {
    let timeouts = Timeouts { message: Duration::from_millis(400), ..Timeouts::default() };
    let tools = Tools { timeouts, ..testing::tools_from(testing::source()) };
    probe(&tools, DataCentre { remote, transport }).await
}
