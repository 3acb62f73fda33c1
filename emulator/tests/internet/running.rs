//! An internet that runs while a test looks at it.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use roadblock_emulator::internet::{self, Authority, InternetError, Servers, Zone};
use roadblock_scenarios::model::{Host, Listener, Page, Protocol, Service};
use tempfile::NamedTempFile;

/// Servers on a thread of their own.
pub(crate) struct Running {
    pub(crate) servers: Option<Servers>,
    thread: Option<(tokio::sync::oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Running {
    pub(crate) fn new(
        start: impl FnOnce() -> Result<Servers, InternetError> + Send + 'static,
    ) -> Result<Self, InternetError> {
        let (started, when_started) = mpsc::channel();
        let (stop, when_stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                started.send(start()).expect("the test waits");
                let _ = when_stopped.await;
            });
        });
        let servers = when_started.recv().expect("the servers start")?;
        Ok(Self { servers: Some(servers), thread: Some((stop, thread)) })
    }

    pub(crate) fn servers(&self) -> &Servers {
        self.servers.as_ref().expect("the servers run")
    }

    /// The port that is really used for a protocol at an address.
    pub(crate) fn port(&self, protocol: Protocol, address: &str) -> u16 {
        let address: IpAddr = address.parse().expect("an address");
        let mut bound = self.servers().bound().iter();
        let found = bound.find(|bound| bound.protocol == protocol && bound.wanted.ip() == address);
        found.expect("a server").actual.port()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(servers) = &self.servers
            && !std::thread::panicking()
        {
            assert_eq!(servers.problems(), []);
        }
        self.servers = None;
        if let Some((stop, thread)) = self.thread.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

/// All services, their zone and a fresh authority.
pub(crate) fn internet(services: &[Service]) -> (Running, Arc<Authority>) {
    let authority = Arc::new(Authority::new(now()).expect("an authority"));
    let zone = Arc::new(Zone::new(services));
    let (services, shared) = (services.to_vec(), Arc::clone(&authority));
    let running = Running::new(move || internet::start(&services, &zone, &shared, None)).expect("an internet");
    (running, authority)
}

/// A certificate as a file, for clients that are to trust it.
pub(crate) fn certificate_file(pem: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(pem.as_bytes()).expect("a certificate");
    file
}

/// A service of one host with these protocols, each at a port of the kernel's choice.
pub(crate) fn service(names: &[&str], addresses: &[&str], protocols: &[Protocol]) -> Service {
    let host = Host {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        addresses: addresses.iter().map(|address| address.parse().expect("an address")).collect(),
        listen: protocols.iter().map(|protocol| Listener { port: 0, protocol: *protocol }).collect(),
        page: Page { title: format!("Welcome to {}", names[0]), text: "A page of the test.".to_owned(), length: None },
        ..Host::default()
    };
    Service { id: "services/test".into(), title: "Test".to_owned(), hosts: vec![host], targets: Vec::new() }
}

pub(crate) fn socket(text: &str) -> SocketAddr {
    text.parse().expect("an address and port")
}

#[expect(clippy::disallowed_methods, reason = "real clients compare certificates with the real time")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
