//! Every technique of the tools against censors, with the weakness that it lives on and without.
//!
//! Each test sends what the tool would send: with the weakness the server gets all of the request and the client its answer,
//! without it they do not. The censor drops what it recognises, and all that follows on the connection, so that what is
//! answered was not recognised.

mod datagrams;
mod http;
mod insertion;
mod ip;
mod state;
mod stream;
mod symptoms;
mod tls;

use roadblock_censor::Policy;

use crate::facts::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::inline;
use crate::pair::craft::{ACK, PSH, Segment};
use crate::pair::{Connection, Outbound, Outcome, Pair};

const ANSWER: &[u8] = b"an answer";

/// A row of the survey and the tests that stand for it.
type Row = (&'static str, &'static [fn()]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("multisplit, tpws --split-pos / -s,--split / -e -f --native-frag, --frag-by-sni / split-mode sni,chunk,first-byte,random / fragment{tcp:8:True}", &[stream::segments, stream::beyond_the_limit]),
    ("multidisorder / -d,--disorder (TTL=1 then retransmit) / --reverse-frag / disorder=true / fragment{..False}", &[stream::disorder]),
    ("seqovl (split-seqovl, pattern)", &[stream::overlap, stream::left_of_the_window]),
    ("fake + low TTL / --fake -t / --set-ttl, --auto-ttl / fake-count / tamper{IP:ttl}", &[insertion::few_hops]),
    ("fake badsum / --wrong-chksum / chksum:corrupt", &[insertion::wrong_checksum]),
    ("fake badseq (-10000 / 0x80000000), badack / --wrong-seq / ack:corrupt", &[insertion::wrong_sequence, insertion::wrong_acknowledgement]),
    ("fake md5sig / -S / options-md5header", &[insertion::md5]),
    ("fake datanoack / tcp-flags-set/unset / flags:FREACN", &[insertion::no_acknowledgement, insertion::odd_flags]),
    ("fake ts (TSval -600000)", &[insertion::old_timestamp]),
    ("dataofs corrupt, IP len mismatch, wscale/uto corrupt (Geneva)", &[insertion::corrupt_header]),
    ("fakedsplit/fakeddisorder/hostfakesplit (fake host text + altorder), fake-tls-mod rndsni/dupsid/padencap, -n --fake-sni, --fake-with-sni, --fake-from-hex, --fake-gen, fakeknown", &[insertion::first_name_decides, insertion::first_name_decides_in_a_stream, insertion::fake_pieces]),
    ("rst / rstack / Geneva RST,FIN,RA teardown", &[state::teardown, state::teardown_check, state::resynchronised]),
    ("synack, synack-split, syndata, TFO / [S]-duplicate load corrupt, flags SA", &[state::roles, state::data_in_a_syn]),
    ("orig-ttl=1 on handshake ACK", &[state::no_acknowledgement_seen]),
    ("oob / disoob (-o,-q, tpws --oob)", &[stream::urgent_byte]),
    ("tlsrec (-r, tpws --tlsrec)", &[tls::two_records]),
    ("tlsminor -m", &[tls::odd_version]),
    ("wsize/wssize 1:6, --mss, GoodbyeDPI -f window shrink", &[tls::small_window_of_the_server, tls::small_window_of_the_client]),
    ("IPv4/IPv6 ipfrag1/ipfrag2", &[ip::fragments]),
    ("v6 hopbyhop/destopt", &[ip::extension_headers]),
    ("udplen, udp fake (-a, fake-count, quic fake repeats), tamper(DHT)", &[datagrams::junk_in_front, datagrams::another_length]),
    ("QUIC: fake initial, CH split across CRYPTO frames/packets (Chrome/kyber), unusual DCID/version", &[datagrams::quic_in_two_datagrams, datagrams::quic_versions, datagrams::quic_frames]),
    ("ip-id seq/zero/rnd", &[symptoms::known_by_the_identification]),
    ("passive DPI filter (GoodbyeDPI -p; iptables)", &[symptoms::resets_are_ignored]),
    ("--hostcase/hoSt -r -m, domcase, hostnospace -s, hosttab, hostdot, methodspace -a, methodeol, unixeol, hostpad", &[http::odd_requests, http::padding]),
    ("keepalive trick -k", &[http::second_request]),
    ("DNS: --dns-addr alt port 1253, DoH/DoT/DoQ, EDNS, TCP/53", &[datagrams::dns_elsewhere, datagrams::dns_over_tcp]),
    ("dup, autottl, \"DPI hunts for fakes and blocks suspicious connections by TTL difference\" (readme.en)", &[symptoms::fakes_are_hunted]),
    ("-g def-ttl, -Y drop-sack, --auto=torst,redirect,ssl_err (byedpi auto mode: switches strategy after RST/timeout, off-domain redirect, non-ServerHello)", &[symptoms::each_has_its_own]),
];

/// No row of the survey is left out, and none is there that it does not have.
#[test]
fn every_row_has_a_test() {
    let rows: Vec<&str> = include_str!("rows.txt").lines().collect();
    let tested: Vec<&str> = ROWS.iter().map(|(row, _)| *row).collect();
    assert_eq!(tested, rows);
    assert!(ROWS.iter().all(|(_, tests)| !tests.is_empty()));
}

/// A censor whose box is as these keys say and that drops what this condition names, with all that follows on its connection.
fn drops_when(box_keys: &str, when: &str) -> Policy {
    inline(&format!(
        "[box]\nplace = \"in-path\"\n{box_keys}\n[[rule]]\nid = \"listed\"\nwhen = {{ {when} }}\ntrigger = \"drop\"\n\
         then = {{ both = \"drop\" }}\nkey = \"4t\"\nlast = \"60s\"\n"
    ))
}

/// One that drops every `ClientHello` for whatsapp.com.
fn drops(box_keys: &str) -> Policy {
    drops_when(box_keys, "tls.sni = [\"whatsapp.com\"]")
}

/// How it goes when a `ClientHello` is sent in this way on a new connection.
fn hello_by(policy: Policy, technique: impl FnOnce(&mut Pair, Connection)) -> Outcome {
    request_by(Pair::new(policy), WHATSAPP_HELLO, technique)
}

/// How it goes when a request is sent in this way on a new connection.
fn request_by(mut pair: Pair, request: &[u8], technique: impl FnOnce(&mut Pair, Connection)) -> Outcome {
    let connection = pair.connect(443);
    assert!(pair.is_open(connection), "the handshake is let through");
    pair.client_takes(connection, request);
    technique(&mut pair, connection);
    pair.answer(connection, request, ANSWER)
}

/// Holds a technique to what it does with the weakness, where it gets through, and without, where it does not.
fn with_and_without(with: &str, without: &str, technique: impl Fn(&mut Pair, Connection)) {
    assert_eq!(hello_by(drops(with), &technique), Outcome::Answered, "with {with}");
    assert_eq!(hello_by(drops(without), &technique), Outcome::Silence, "without, that is with {without}");
    // What nobody mangles is recognised by both, so that it is the technique that gets through.
    for keys in [with, without] {
        assert_eq!(hello_by(drops(keys), send_all), Outcome::Silence, "a plain ClientHello with {keys}");
    }
}

/// Sends what the client was given as it is.
fn send_all(pair: &mut Pair, connection: Connection) {
    send_cut(pair, connection, &[]);
}

/// Sends what the client was given, cut at these places.
fn send_cut(pair: &mut Pair, connection: Connection, cuts: &[usize]) {
    for range in pair.cut(connection, cuts) {
        let packet = pair.part(connection, range).bytes();
        pair.send(Outbound, packet);
    }
}

/// A segment at the place of the `ClientHello` that names a server which nobody blocks.
fn fake(pair: &Pair, connection: Connection) -> Segment {
    let place = pair.part(connection, 0..0);
    Segment { flags: PSH | ACK, payload: INSTAGRAM_HELLO.to_vec(), ..place }
}

/// Sends this fake, and then what the client was given as it is.
fn fake_first(change: impl Fn(Segment) -> Segment) -> impl Fn(&mut Pair, Connection) {
    move |pair, connection| {
        let packet = change(fake(pair, connection)).bytes();
        pair.send(Outbound, packet);
        send_all(pair, connection);
    }
}

/// Where in the `ClientHello` the middle of the name lies, as zapret's `midsld`.
fn middle_of_the_name() -> usize {
    let name = b"whatsapp.com";
    let at = WHATSAPP_HELLO.windows(name.len()).position(|window| window == name).expect("a name");
    at + b"whatsapp".len() / 2
}
