//! Translators that run, and who is behind what they let out.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use roadblock_censor::FlowKey;

use super::LabError;
use crate::kernel::namespace::Namespace;
use crate::kernel::nftables;
use crate::kernel::sysctl;
use crate::kernel::tun::Tun;
use crate::plan::nat::{NatPlan, TUN};
use crate::translate::{Mapping, Translator};

/// Takes packets from a NAT64's device, and gives them back as those of the other family, for as long as the lab lives.
pub(super) fn translate_headers(
    namespace: &Namespace,
    mapping: Mapping,
    failed: impl FnOnce(&io::Error) + Send + 'static,
) -> Result<(), LabError> {
    let started = namespace.block_on(async move {
        let tun = Tun::open(TUN)?;
        tokio::spawn(async move {
            if let Err(cause) = translate_from(&tun, Translator::new(mapping)).await {
                failed(&cause);
            }
        });
        Ok(())
    });
    started.and_then(|started: io::Result<()>| started).map_err(LabError::system("start a NAT64"))
}

async fn translate_from(tun: &Tun, mut translator: Translator) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = tun.read(&mut buffer).await?;
        // What has no equivalent is lost, as RFC 7915 has it.
        if let Ok(packet) = translator.translate(&buffer[..length]) {
            tun.write(&packet)?;
        }
    }
}

/// The translators that a vantage's clients are behind, from the internet inwards.
#[derive(Clone, Debug)]
pub struct Translators {
    outside: Ipv4Addr,
    tables: Arc<Vec<Mutex<File>>>,
}

impl Translators {
    /// Starts them: `namespaces` are theirs, each with its plan, the nearest to the client first.
    pub(super) fn start(translators: &[(&Namespace, NatPlan)]) -> Result<Option<Self>, LabError> {
        let Some((_, outermost)) = translators.last() else { return Ok(None) };
        let mut tables = Vec::new();
        for (namespace, plan) in translators.iter().rev() {
            let doing = |what: &str| format!("{what} {}", plan.namespace);
            let plan = plan.clone();
            let loaded = namespace.block_on(async move {
                sysctl::pin_tracking()?;
                Ok((nftables::nat::load(&plan), File::open(TABLE)?))
            });
            let loaded: io::Result<_> = loaded.and_then(|loaded| loaded);
            let (loaded, table) = loaded.map_err(LabError::system(doing("prepare")))?;
            loaded.map_err(|cause| LabError::Translator { namespace: outermost.namespace.to_string(), cause })?;
            tables.push(Mutex::new(table));
        }
        Ok(Some(Self { outside: outermost.outside, tables: Arc::new(tables) }))
    }

    /// The address that all behind them have outside.
    pub fn outside(&self) -> Ipv4Addr {
        self.outside
    }

    /// Who inside began a flow that was seen outside: address and port. `None`: nobody, or it was forgotten.
    pub(super) fn origin(&self, flow: &FlowKey) -> Option<(IpAddr, u16)> {
        let mut inside = (flow.client, flow.client_port);
        for table in self.tables.iter() {
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            table.rewind().ok()?;
            let mut text = String::new();
            table.read_to_string(&mut text).ok()?;
            let seen = FlowKey { client: inside.0, client_port: inside.1, ..*flow };
            inside = text.lines().find_map(|line| origin(line, &seen))?;
        }
        Some(inside)
    }
}

/// Where the kernel lists the connections that it tracks, in the namespace of the thread that opens it.
const TABLE: &str = "/proc/thread-self/net/nf_conntrack";

/// Who began the connection of this line, if it is this flow: `ipv4 2 tcp 6 431999 ESTABLISHED src=… dst=… sport=… dport=…
/// src=… dst=… sport=… dport=… …`, first as seen inside, then the answers as seen outside. A flow without ports, as of what
/// the kernel's log shows of a fragment, is that of anybody with the same ends.
fn origin(line: &str, flow: &FlowKey) -> Option<(IpAddr, u16)> {
    let mut words = line.split_whitespace();
    let protocol: u8 = words.nth(3)?.parse().ok()?;
    let values = |key: &'static str| line.split_whitespace().filter_map(move |word| word.strip_prefix(key));
    let address = |key, nth| values(key).nth(nth).and_then(|value| value.parse::<IpAddr>().ok());
    let port = |key, nth| values(key).nth(nth).and_then(|value| value.parse::<u16>().ok()).unwrap_or_default();
    let is_port = |seen: u16, port: u16| seen == 0 || seen == port;
    let is_it = protocol == flow.protocol
        && address("src=", 1) == Some(flow.server)
        && address("dst=", 1) == Some(flow.client)
        && is_port(flow.server_port, port("sport=", 1))
        && is_port(flow.client_port, port("dport=", 1));
    let inside = address("src=", 0)?;
    is_it.then(|| (inside, if flow.client_port == 0 { 0 } else { port("sport=", 0) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "ipv4     2 tcp      6 431999 ESTABLISHED src=192.168.1.12 dst=1.1.1.1 sport=40000 dport=443 \
                       src=1.1.1.1 dst=95.167.0.10 sport=443 dport=40001 [ASSURED] mark=0 zone=0 use=2";
    const PING: &str = "ipv4     2 icmp     1 29 src=192.168.1.13 dst=1.1.1.1 type=8 code=0 id=7 [UNREPLIED] src=1.1.1.1 \
                        dst=95.167.0.10 type=0 code=0 id=7 mark=0 zone=0 use=2";

    fn flow(protocol: u8, client_port: u16, server_port: u16) -> FlowKey {
        let (client, server) = ([95, 167, 0, 10].into(), [1, 1, 1, 1].into());
        FlowKey { protocol, client, client_port, server, server_port }
    }

    #[test]
    fn a_connection_is_known_by_what_it_looks_like_outside() {
        assert_eq!(origin(TCP, &flow(6, 40001, 443)), Some(([192, 168, 1, 12].into(), 40000)));
        assert_eq!(origin(TCP, &flow(6, 40000, 443)), None);
        assert_eq!(origin(TCP, &flow(17, 40001, 443)), None);
        assert_eq!(origin(TCP, &flow(6, 0, 0)), Some(([192, 168, 1, 12].into(), 0)));
        assert_eq!(origin(PING, &flow(1, 0, 0)), Some(([192, 168, 1, 13].into(), 0)));
    }

    #[test]
    fn no_line_is_a_danger() {
        for line in ["", "ipv4", "ipv4 2 tcp 6", "ipv4 2 tcp six src=1.1.1.1 dst=", "ipv6 10 tcp 6 1 src=::1"] {
            assert_eq!(origin(line, &flow(6, 1, 2)), None, "{line}");
        }
    }
}
