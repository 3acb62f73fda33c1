//! The DNS probe against resolvers that answer, lie, inject and keep silent.

use std::net::Ipv4Addr;
use std::time::Duration;

use hickory_proto::rr::{Record, rdata};

use tokio::net::UdpSocket;

use super::super::lab_time::LabTime;
use super::super::testing::{self, Authority};
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn the_first_of_several_answers_counts_and_all_are_seen() {
    let resolver = resolver(|query| vec![forged(query, [10, 10, 34, 35]), forged(query, TRUE)]).await;
    let outcome = ask(resolver, DnsTransport::Udp).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Dns, Some(Failure::DnsBogon)));
    assert_eq!((outcome.addresses, outcome.answers), (vec![IpAddr::from([10, 10, 34, 35])], 2));
}

#[tokio::test]
async fn whoever_is_patient_believes_the_last_and_waits_on_the_labs_clock() {
    let resolver = resolver(|query| vec![forged(query, [10, 10, 34, 35]), forged(query, TRUE)]).await;
    let mut question = question(resolver, DnsTransport::Udp);
    question.patience = DnsPatience { within: Duration::from_secs(3_600), last: true };
    let tools = Tools { time: LabTime::alone(), ..testing::tools_from(testing::source()) };
    let (before, began) = (tools.time.now(), tokio::time::Instant::now());
    let measuring = tools.time.join();
    let outcome = probe(&tools, &question, &Truth::OnlyOf(vec![IpAddr::from(TRUE)])).await;
    drop(measuring);
    assert_eq!((outcome.verdict, outcome.failure, outcome.answers), (VerdictWord::Ok, None, 2));
    assert!(tools.time.now().saturating_since(before) >= Duration::from_secs(3_600));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_wrong_address_is_a_verdict_without_a_failure() {
    let outcome = ask(resolver(|query| vec![forged(query, [1, 2, 3, 4])]).await, DnsTransport::Udp).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Dns, None));
}

#[tokio::test]
async fn the_truth_is_ok_over_udp_and_a_pinned_answer_may_be_a_bogon() {
    let outcome = ask(resolver(|query| vec![forged(query, TRUE)]).await, DnsTransport::Udp).await;
    assert_eq!((outcome.verdict, outcome.failure, outcome.answers), (VerdictWord::Ok, None, 1));
    let pinned = Truth::AllOf(vec![IpAddr::from([10, 10, 34, 35])]);
    assert_eq!(pinned.judge(&[IpAddr::from([10, 10, 34, 35])]), Ok(()));
    assert_eq!(pinned.judge(&[IpAddr::from(TRUE)]), Err(None));
    assert_eq!(Truth::Public.judge(&[IpAddr::from([1, 2, 3, 4])]), Ok(()));
    assert_eq!(Truth::Public.judge(&[IpAddr::from([10, 10, 34, 35])]), Err(Some(Failure::DnsBogon)));
}

#[tokio::test]
async fn each_response_code_has_its_failure() {
    let mut table = Vec::new();
    for code in [
        ResponseCode::NXDomain,
        ResponseCode::Refused,
        ResponseCode::ServFail,
        ResponseCode::NotImp,
        ResponseCode::NoError,
    ] {
        let resolver = resolver(move |query| {
            let mut answer = query.clone().into_response();
            answer.metadata.response_code = code;
            vec![answer]
        })
        .await;
        let failure = ask(resolver, DnsTransport::Udp).await.failure.expect("a failure");
        table.push(format!("{code:?} -> {failure}"));
    }
    insta::assert_snapshot!(table.join("\n"), @r"
    NXDomain -> dns_nxdomain_error
    Refused -> dns_refused_error
    ServFail -> dns_servfail_error
    NotImp -> dns_server_misbehaving
    NoError -> dns_no_answer
    ");
}

#[tokio::test]
async fn an_answer_to_another_question_is_passed_over() {
    let resolver = resolver(|query| {
        let mut other = forged(query, [9, 9, 9, 9]);
        other.metadata.id = other.metadata.id.wrapping_add(1);
        vec![other, forged(query, TRUE)]
    })
    .await;
    assert_eq!(ask(resolver, DnsTransport::Udp).await.verdict, VerdictWord::Ok);
}

#[tokio::test]
async fn silence_times_out_and_a_closed_port_refuses() {
    assert_eq!(ask(resolver(|_| Vec::new()).await, DnsTransport::Udp).await.failure, Some(Failure::GenericTimeout));
    let closed = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket").local_addr().expect("its address");
    assert_eq!(ask(closed, DnsTransport::Udp).await.failure, Some(Failure::ConnectionRefused));
}

#[tokio::test]
async fn a_reset_over_tcp_is_a_failure_to_resolve() {
    let (listener, address) = testing::listener().await;
    tokio::spawn(testing::reset_after_first_bytes(listener));
    let outcome = ask(address, DnsTransport::Tcp).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Dns, Some(Failure::ConnectionReset)));
}

async fn ask(resolver: SocketAddr, transport: DnsTransport) -> Outcome {
    let authority = Authority::new();
    ask_with(&authority, resolver, transport).await
}

fn question(resolver: SocketAddr, transport: DnsTransport) -> Question {
    Question {
        name: "web.whatsapp.com".to_owned(),
        family: Family::V4,
        resolver,
        transport,
        server_name: Some("dns.example".to_owned()),
        patience: DnsPatience::default(),
    }
}

async fn ask_with(authority: &Authority, resolver: SocketAddr, transport: DnsTransport) -> Outcome {
    let question = question(resolver, transport);
    let timeouts =
        Timeouts { dns: Duration::from_millis(300), late_answers: Duration::from_millis(30), ..Timeouts::default() };
    let truth = Truth::OnlyOf(vec![IpAddr::from(TRUE)]);
    probe(&testing::tools(&authority.trust(), timeouts), &question, &truth).await
}

async fn resolver(reply: impl Fn(&Message) -> Vec<Message> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let address = socket.local_addr().expect("its address");
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        let (length, asker) = socket.recv_from(&mut buffer).await.expect("a query");
        let query = Message::from_vec(&buffer[..length]).expect("a message");
        for answer in reply(&query) {
            socket.send_to(&answer.to_vec().expect("bytes"), asker).await.expect("sent");
        }
        // The socket stays open: a closed one would refuse the next datagram.
        std::future::pending::<()>().await;
    });
    address
}

fn forged(query: &Message, address: [u8; 4]) -> Message {
    let mut answer = query.clone().into_response();
    let data = RData::A(rdata::A(Ipv4Addr::from(address)));
    answer.add_answer(Record::from_rdata(query.queries[0].name().clone(), 300, data));
    answer
}

const TRUE: [u8; 4] = [157, 240, 0, 60];
