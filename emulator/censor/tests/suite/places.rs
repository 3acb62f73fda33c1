//! Where in the packet what matched stands: an event points at the bytes.

use crate::support::*;

use roadblock_censor::policy::{BoxPolicy, Condition, Content, Fate, HttpQuestion, Rule};

/// The bytes that the only event about a rule points at.
fn pointed_at(world: &World, packet: &[u8]) -> Option<Vec<u8>> {
    let event = world.out.events.iter().find(|event| event.rule.is_some()).expect("an event");
    event.bytes.clone().map(|place| packet[place].to_vec())
}

fn drops(when: Condition) -> Rule {
    Rule { trigger: fate(Fate::Drop), ..rule("drop", when) }
}

/// The name in a `ClientHello`, over IPv4 and IPv6, and the part of it that the last segment holds where it comes in two.
#[test]
fn a_server_name() {
    for mut connection in [Connection::new(4000), Connection::v6(4000)] {
        let mut world = World::new(policy([in_path(vec![drops(sni(&["whatsapp.com"]))])]));
        world.open(&mut connection);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        world.send(Outbound, &hello);
        assert_eq!(pointed_at(&world, &hello).as_deref(), Some(b"web.whatsapp.com".as_slice()));
    }
    let middle = WHATSAPP_HELLO.windows(8).position(|part| part == b"whatsapp").expect("the name");
    let boxes = BoxPolicy { tcp: joining(Some(4096)), ..in_path(vec![drops(sni(&["whatsapp.com"]))]) };
    let mut world = World::new(policy([boxes]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let first = connection.segment(Outbound, DATA, &WHATSAPP_HELLO[..middle]);
    world.send(Outbound, &first);
    let second = connection.segment(Outbound, DATA, &WHATSAPP_HELLO[middle..]);
    world.send(Outbound, &second);
    assert_eq!(pointed_at(&world, &second).as_deref(), Some(b"whatsapp.com".as_slice()));
}

/// The question of a query, and a request.
#[test]
fn a_question_and_a_request() {
    let mut world = World::new(policy([in_path(vec![drops(Condition::qname(names(&["instagram.com"])))])]));
    let query = datagram(Outbound, 5353, 53, INSTAGRAM_QUERY);
    world.send(Outbound, &query);
    assert_eq!(pointed_at(&world, &query).as_deref(), Some(b"\x09instagram\x03com\0\0\x01\0\x01".as_slice()));

    let when = Condition::Content(Content::Http(HttpQuestion::Host(names(&["blocked.example"]))));
    let mut world = World::new(policy([in_path(vec![drops(when)])]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let request = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n";
    let segment = connection.segment(Outbound, DATA, request);
    world.send(Outbound, &segment);
    assert_eq!(pointed_at(&world, &segment).as_deref(), Some(request.as_slice()));
}
