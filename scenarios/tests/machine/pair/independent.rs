//! The same between two ends of smoltcp, a TCP that nobody wrote for these tests: for what needs no odd packets.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use roadblock_censor::outbox::{Command, Toward};
use roadblock_censor::{Censor, Direction, Outbox, Packet, PacketId, Policy, Verdict};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr};

use super::{Inbound, Outbound, Outcome};

/// What came of it, and what the server got.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    pub(crate) server_got: Vec<u8>,
    /// Whether the server's end is still there.
    pub(crate) server_stands: bool,
}

/// Lets one end of smoltcp ask and another answer, with a censor between them, for twelve seconds.
pub(crate) fn exchange(policy: Policy, ends: (&str, &str), request: &[u8], answer: &[u8]) -> Report {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    let (client, server) = (address(ends.0), address(ends.1));
    let (mut client, mut server) = (Host::new(client), Host::new(server));
    let mut between = Between { censor: Censor::new(policy, 1), held: HashMap::new(), next: 0 };
    server.socket().listen(443).expect("a port");
    client.connect(address(ends.1), 443);
    let (mut client_got, mut server_got) = (Vec::new(), Vec::new());
    let (mut has_asked, mut has_answered, mut was_open) = (false, false, false);
    for millis in (0..12_000_i64).step_by(5) {
        let now = Instant::from_millis(millis);
        client.poll(now);
        server.poll(now);
        let at = roadblock_censor::Instant::from_nanos(millis.unsigned_abs() * 1_000_000);
        between.carry(at, &mut client.wire, &mut server.wire);
        let socket = client.socket();
        was_open |= socket.may_send();
        if socket.can_send() && !has_asked {
            has_asked = socket.send_slice(request).expect("room") == request.len();
        }
        take(socket, &mut client_got);
        let socket = server.socket();
        take(socket, &mut server_got);
        if server_got == request && !has_answered && socket.can_send() {
            has_answered = socket.send_slice(answer).expect("room") == answer.len();
        }
    }
    let outcome = if client_got == answer {
        Outcome::Answered
    } else if client.socket().state() == tcp::State::Closed && was_open {
        Outcome::Reset
    } else {
        Outcome::Silence
    };
    let server_stands = server.socket().state() == tcp::State::Established;
    Report { outcome, server_got, server_stands }
}

fn take(socket: &mut tcp::Socket<'static>, into: &mut Vec<u8>) {
    while socket.can_recv() {
        let taken = socket.recv(|bytes| {
            into.extend_from_slice(bytes);
            (bytes.len(), bytes.len())
        });
        if taken.is_err() {
            return;
        }
    }
}

struct Host {
    interface: Interface,
    wire: Wire,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl Host {
    fn new(address: IpAddr) -> Self {
        let mut wire = Wire::default();
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| addresses.push(IpCidr::new(address.into(), 24)).expect("room"));
        match address {
            IpAddr::V4(address) => interface.routes_mut().add_default_ipv4_route(address).map(|_| ()),
            IpAddr::V6(address) => interface.routes_mut().add_default_ipv6_route(address).map(|_| ()),
        }
        .expect("room");
        let buffer = || tcp::SocketBuffer::new(vec![0; 16_384]);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(tcp::Socket::new(buffer(), buffer()));
        Self { interface, wire, sockets, handle }
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    fn connect(&mut self, to: IpAddr, port: u16) {
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.handle);
        socket.connect(self.interface.context(), (to, port), 40_001).expect("a port");
    }

    fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.wire, &mut self.sockets);
    }
}

/// The censor, and what it holds.
struct Between {
    censor: Censor,
    held: HashMap<PacketId, (Direction, Vec<u8>)>,
    next: u32,
}

impl Between {
    fn carry(&mut self, now: roadblock_censor::Instant, client: &mut Wire, server: &mut Wire) {
        let mut out = Outbox::default();
        let outbound = client.sent.drain(..).map(|bytes| (Outbound, bytes));
        let inbound = server.sent.drain(..).map(|bytes| (Inbound, bytes));
        for (direction, bytes) in outbound.chain(inbound) {
            self.next += 1;
            let id = PacketId(self.next);
            self.censor.inspect(now, Packet { id, direction, bytes: &bytes }, &mut out);
            self.held.insert(id, (direction, bytes));
        }
        self.censor.poll(now, &mut out);
        let mut deliver = |direction, bytes| match direction {
            Outbound => server.came.push_back(bytes),
            Inbound => client.came.push_back(bytes),
        };
        for command in out.commands {
            match command {
                Command::Verdict(id, verdict) => {
                    let (direction, bytes) = self.held.remove(&id).expect("one verdict each");
                    match verdict {
                        Verdict::Drop => {}
                        Verdict::Replace(bytes) => deliver(direction, bytes),
                        Verdict::Pass | Verdict::PassAndOffload | Verdict::Divert => deliver(direction, bytes),
                    }
                }
                Command::Inject(injection) => {
                    let direction = if injection.toward == Toward::Inside { Inbound } else { Outbound };
                    deliver(direction, injection.bytes);
                }
                Command::Hold(_) | Command::Recall(_) | Command::RecallAll | Command::Suspect(_) => {}
            }
        }
    }
}

/// A link of one end.
#[derive(Default)]
struct Wire {
    came: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
}

struct Taking(Vec<u8>);

struct Giving<'a>(&'a mut Vec<Vec<u8>>);

impl RxToken for Taking {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Giving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut bytes = vec![0; len];
        let written = write(&mut bytes);
        self.0.push(bytes);
        written
    }
}

impl Device for Wire {
    type RxToken<'a> = Taking;
    type TxToken<'a> = Giving<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Taking, Giving<'_>)> {
        Some((Taking(self.came.pop_front()?), Giving(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Giving<'_>> {
        Some(Giving(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}
