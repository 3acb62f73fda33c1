//! Ranges of ports, from the profile through the kernel to the machine and back.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use roadblock_censor::EventKind;
use roadblock_emulator::lab::{Lab, LabOptions};

use crate::support::{SCENARIO, at, client, lab_with, seen};

/// A Binding request without attributes (RFC 8489 section 5).
const BINDING: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// RU-CALL-1: Telegram's relays at 597, inside the range 596-599, die after the packets that the profile lets pass; what lies
/// beside the ranges is neither queued nor touched.
pub(crate) fn ru_call_1_a_range_of_ports_is_cut() {
    let text = SCENARIO.replacen("services/whatsapp", "services/telegram\", \"services/whatsapp", 1).replacen(
        "sni-1 = [",
        "call-relays = [\"91.108.0.0/16\"]\nsni-1 = [",
        1,
    );
    let lab = lab_with(&text, LabOptions::default());
    assert_eq!(answers(&lab, "91.108.9.113:597", 4), 2, "two requests and two answers are four packets");
    let events = lab.events().since(0);
    let cut = events.iter().map(|each| &each.event).find(|event| event.kind == EventKind::Dropped).expect("it was cut");
    assert_eq!(cut.by().as_deref(), Some("tspu/call-relay"));
    assert_eq!(cut.flow.server_port, 597);
    let before = seen(&lab);
    for beside in ["91.108.9.113:595", "91.108.9.113:600", "91.108.9.113:3479"] {
        assert_eq!(answers(&lab, beside, 1), 0, "nobody is there");
    }
    assert_eq!(seen(&lab), before, "what lies beside the ranges was queued");
}

/// How many of so many requests are answered.
fn answers(lab: &Lab, to: &str, requests: usize) -> usize {
    let client = client(lab);
    let to: SocketAddr = to.parse().expect("a literal");
    at(lab, "inside", move || {
        let socket = UdpSocket::bind((client.v4, 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(300))).expect("a time-out");
        let ask = |_: &usize| socket.send_to(&BINDING, to).is_ok() && socket.recv(&mut [0; 1500]).is_ok();
        (0..requests).filter(ask).count()
    })
}
