//! How many first packets of flows the machine judges in a second, on one core.
//!
//! The budget: a million packets, SYN and `ClientHello` of each flow.

use std::net::IpAddr;

use divan::Bencher;
use divan::counter::ItemsCount;
use roadblock_censor::policy::{BoxPolicy, Condition, Fate, Policy, Response, Rule, TcpFlags};
use roadblock_censor::wire::build::{self, TcpHeader};
use roadblock_censor::wire::ip::Addresses;
use roadblock_censor::{Censor, Direction, Instant, NamePattern, NameSet, Outbox, Packet, PacketId};

fn main() {
    divan::main();
}

const CLIENT_HELLO: &[u8] = include_bytes!("../tests/data/openssl-client-hello.bin");
const FLOWS: u16 = 8192;

/// A box that drops flows for one of so many names; the `ClientHello`s here are for none of them.
fn censor(names: usize) -> Censor {
    let names: NameSet =
        (0..names).filter_map(|number| format!("name{number}.com").parse::<NamePattern>().ok()).collect();
    let rule = Rule {
        id: "sni".into(),
        when: Condition::sni(names),
        trigger: Response { fate: Fate::Drop, inject: vec![] },
        ..Rule::default()
    };
    let policy = BoxPolicy { name: "box".into(), rules: vec![rule], ..BoxPolicy::default() };
    Censor::new(Policy { boxes: vec![policy] }, 1)
}

fn packets() -> Vec<Vec<u8>> {
    let addresses = Addresses::new(IpAddr::from([10, 0, 0, 1]), IpAddr::from([157, 240, 1, 60])).expect("one family");
    (0..FLOWS)
        .flat_map(|flow| {
            let header = |sequence, flags| TcpHeader {
                source_port: 10_000 + flow,
                destination_port: 443,
                sequence,
                acknowledgement: 5,
                flags,
                window: 64240,
            };
            let data = TcpFlags(TcpFlags::PSH.0 | TcpFlags::ACK.0);
            [(1, TcpFlags::SYN, &[][..]), (2, data, CLIENT_HELLO)]
                .map(|(sequence, flags, payload)| build::tcp(&addresses, &header(sequence, flags), payload))
        })
        .collect()
}

#[divan::bench(args = [1_000, 1_000_000], sample_count = 20, sample_size = 1)]
fn syn_and_client_hello(bencher: Bencher<'_, '_>, names: usize) {
    let packets = packets();
    bencher
        .counter(ItemsCount::new(packets.len()))
        .with_inputs(|| (censor(names), Outbox::default()))
        .bench_local_refs(|(censor, out)| {
            for (id, bytes) in (0..).zip(&packets) {
                let packet = Packet { id: PacketId(id), direction: Direction::Outbound, bytes };
                censor.inspect(Instant::ZERO, packet, out);
                out.commands.clear();
            }
        });
}
