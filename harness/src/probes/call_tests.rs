//! The call probe against a relay in a few lines that hears only some packets.

use super::super::lab_time::LabTime;
use super::super::testing;
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn a_call_holds_for_a_minute_that_does_not_pass() {
    let began = Instant::now();
    let (outcome, lab_time) = call(|_| true).await;
    assert_eq!((outcome.verdict, outcome.how), (VerdictWord::Ok, None));
    assert_eq!(outcome.test_keys["packets_heard"], 300);
    assert!(lab_time >= Duration::from_secs(59) && began.elapsed() < Duration::from_secs(10), "{lab_time:?}");
}

#[tokio::test]
async fn a_call_that_is_cut_says_after_which_packet() {
    let (outcome, _) = call(|number| number <= 7).await;
    let seen = (outcome.verdict, outcome.failure, outcome.how.as_deref());
    assert_eq!(seen, (VerdictWord::Protocol, Some(Failure::GenericTimeout), Some("cut after 7 packets")));
    let (outcome, _) = call(|_| false).await;
    assert_eq!((outcome.verdict, outcome.how.as_deref()), (VerdictWord::Protocol, Some("no sound")));
}

#[tokio::test]
async fn a_call_that_loses_a_third_croaks_and_one_that_loses_a_tenth_does_not() {
    let (outcome, _) = call(|number| number % 3 != 0).await;
    assert_eq!((outcome.verdict, outcome.how.as_deref()), (VerdictWord::Throttled, Some("croaks")));
    let (outcome, _) = call(|number| number % 10 != 0).await;
    assert_eq!(outcome.verdict, VerdictWord::Ok);
    assert_eq!(outcome.test_keys["packets_heard"], 270);
}

#[tokio::test]
async fn without_stun_there_is_no_call() {
    let socket = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let relay = socket.local_addr().expect("its address");
    let outcome = probe(&tools(), Call { relay, lasts: Duration::from_secs(60) }).await;
    assert_eq!((outcome.verdict, outcome.how.as_deref()), (VerdictWord::Protocol, Some("no call (STUN cut)")));
}

#[test]
fn a_packet_of_sound_is_rtp() {
    let bytes = packet(0x0102);
    assert_eq!((bytes.len(), number(&bytes)), (172, Some(0x0102)));
    assert_eq!(bytes[4..8], (0x0102_u32 * 160).to_be_bytes());
    for other in [&[0x40; 20][..], &[0x80; 11], &[]] {
        assert_eq!(number(other), None);
    }
}

/// What the probe says of a relay that sends back what it hears, and how far the lab's clock went.
async fn call(hears: impl Fn(u16) -> bool + Send + 'static) -> (Outcome, Duration) {
    let socket = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let relay = socket.local_addr().expect("its address");
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (length, client) = socket.recv_from(&mut buffer).await.expect("a datagram");
            let received = &buffer[..length];
            match number(received) {
                Some(number) if hears(number) => {
                    socket.send_to(received, client).await.expect("sent");
                }
                Some(_) => {}
                None => {
                    let answer = stun::tests::response(&received[8..20]);
                    socket.send_to(&answer, client).await.expect("sent");
                }
            }
        }
    });
    let tools = tools();
    let measuring = tools.time.join();
    let began = tools.time.now();
    let outcome = probe(&tools, Call { relay, lasts: Duration::from_secs(60) }).await;
    let lab_time = tools.time.now().saturating_since(began);
    drop(measuring);
    (outcome, lab_time)
}

fn tools() -> Tools {
    let timeouts = Timeouts { message: Duration::from_millis(200), ..Timeouts::default() };
    Tools { timeouts, time: LabTime::alone(), ..testing::tools_from(testing::source()) }
}
