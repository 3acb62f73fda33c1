//! The thread that takes packets from the taps and keeps them.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::kernel::packet_tap::{Tap, Tapped, Unfinished};

/// How many bytes of packets are kept of each hop.
pub(super) const LIMIT: usize = 64 << 20;

/// Whether a packet is of interest, by its bytes.
pub(super) type Wanted = Box<dyn Fn(&[u8]) -> bool + Send>;

/// A tap and what is kept of what it gives.
pub(super) struct Station {
    /// The tap.
    pub(super) tap: Tap,
    /// The index of the interface towards the internet.
    pub(super) up: u32,
    /// The number of the point towards the clients.
    pub(super) inside: usize,
    /// The number of the point towards the internet, where that is captured.
    pub(super) outside: Option<usize>,
    /// What is kept.
    pub(super) wanted: Wanted,
    budget: Budget,
    /// How many packets were lost because they came too fast.
    lost: u64,
}

/// How much of a hop's packets is kept.
#[derive(Debug)]
struct Budget {
    left: usize,
    /// How many packets were not kept because there were too many.
    cut: u64,
}

impl Budget {
    /// Whether a packet of this length is kept. After the first that is not, none is: a capture has no holes.
    fn admits(&mut self, length: usize) -> bool {
        let left = self.left.checked_sub(length).filter(|_| self.cut == 0);
        if let Some(left) = left {
            self.left = left;
        } else {
            self.cut += 1;
        }
        left.is_some()
    }
}

/// A packet, as it was seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The number of the point.
    pub(super) point: usize,
    /// Whether it left by the point's interface; else it arrived.
    pub(super) outgoing: bool,
    /// When, by the wall clock, since 1970.
    pub(super) at: Duration,
    /// What the kernel has left undone.
    pub(super) unfinished: Unfinished,
    /// From the first byte of the IP header.
    pub(super) bytes: Vec<u8>,
}

/// What was kept, and what not.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The packets so far, in the order of each tap.
    pub(super) packets: Vec<Seen>,
    /// For each station: how many packets were not kept, and how many were lost.
    pub(super) missing: Vec<(u64, u64)>,
}

impl Station {
    /// A station that has seen nothing yet.
    pub(super) fn new(
        tap: Tap,
        up: u32,
        points: (usize, Option<usize>),
        wanted: impl Fn(&[u8]) -> bool + Send + 'static,
    ) -> Self {
        let (inside, outside) = points;
        Self { tap, up, inside, outside, wanted: Box::new(wanted), budget: Budget { left: LIMIT, cut: 0 }, lost: 0 }
    }

    fn take(&mut self, packets: &mut Vec<Seen>) -> io::Result<()> {
        let Self { tap, up, inside, outside, wanted, budget, .. } = self;
        tap.take(|tapped| {
            let Tapped { interface, outgoing, at, unfinished, bytes } = tapped;
            let point = if interface == *up { *outside } else { Some(*inside) };
            let Some(point) = point.filter(|_| wanted(bytes)) else { return };
            if budget.admits(bytes.len()) {
                packets.push(Seen { point, outgoing, at, unfinished, bytes: bytes.to_vec() });
            }
        })
    }

    /// Adds what was lost since the last time.
    fn count_lost(&mut self) -> io::Result<()> {
        self.lost += u64::from(self.tap.lost()?);
        Ok(())
    }
}

/// The handle of the thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Recorder {
    orders: Option<mpsc::Sender<mpsc::Sender<io::Result<Kept>>>>,
    wake: Arc<EventFd>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Recorder {
    /// Starts to take packets.
    pub(super) fn start(stations: Vec<Station>) -> io::Result<Self> {
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let (orders, inbox) = mpsc::channel();
        let woken = Arc::clone(&wake);
        let thread = thread::Builder::new().name("capture".to_owned()).spawn(move || {
            let mut worker = Worker { stations, packets: Vec::new(), failure: None };
            worker.work(&woken, &inbox);
        })?;
        Ok(Self { orders: Some(orders), wake, thread: Some(thread) })
    }

    /// All packets so far, whether they were taken yet or not; the next time there will be only newer ones.
    pub(super) fn kept(&self) -> io::Result<Kept> {
        let gone = || io::Error::other("the capture's thread has ended");
        let (tell, told) = mpsc::channel();
        self.orders.as_ref().ok_or_else(gone)?.send(tell).map_err(|_| gone())?;
        self.wake.write(1)?;
        told.recv().map_err(|_| gone())?
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.orders.take());
        let woken = self.wake.write(1).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

struct Worker {
    stations: Vec<Station>,
    packets: Vec<Seen>,
    failure: Option<io::Error>,
}

impl Worker {
    fn work(&mut self, wake: &EventFd, inbox: &mpsc::Receiver<mpsc::Sender<io::Result<Kept>>>) {
        loop {
            if let Err(cause) = self.wait(wake).and_then(|()| self.take_all()) {
                self.failure.get_or_insert(cause);
                // Whoever asks is told; until then there is nothing to do.
                if wait_for(wake).is_err() {
                    return;
                }
            }
            loop {
                match inbox.try_recv() {
                    // Whoever asked and did not wait needs no answer.
                    Ok(tell) => drop(tell.send(self.told())),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
        }
    }

    /// Waits until there is something to take or to tell.
    fn wait(&self, wake: &EventFd) -> io::Result<()> {
        let taps = self.stations.iter().flat_map(|station| station.tap.fds());
        let mut waiting: Vec<PollFd<'_>> =
            taps.chain([wake.as_fd()]).map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut waiting, PollTimeout::NONE) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(cause) => return Err(cause.into()),
        }
        match wake.read() {
            Ok(_) | Err(nix::Error::EAGAIN) => Ok(()),
            Err(cause) => Err(cause.into()),
        }
    }

    fn take_all(&mut self) -> io::Result<()> {
        let Self { stations, packets, .. } = self;
        stations.iter_mut().try_for_each(|station| station.take(packets))
    }

    fn told(&mut self) -> io::Result<Kept> {
        if let Some(cause) = self.failure.take() {
            return Err(cause);
        }
        self.take_all()?;
        let mut missing = Vec::new();
        for station in &mut self.stations {
            station.count_lost()?;
            missing.push((station.budget.cut, station.lost));
        }
        Ok(Kept { packets: std::mem::take(&mut self.packets), missing })
    }
}

fn wait_for(wake: &EventFd) -> io::Result<()> {
    let mut waiting = [PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
    match poll(&mut waiting, PollTimeout::NONE) {
        Ok(_) | Err(nix::Error::EINTR) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn what_comes_after_the_limit_is_counted_and_not_kept() {
        let mut budget = Budget { left: 100, cut: 0 };
        assert_eq!([60, 40, 1, 0].map(|length| budget.admits(length)), [true, true, false, false]);
        assert_eq!((budget.left, budget.cut), (0, 2));
        let mut budget = Budget { left: 100, cut: 0 };
        assert_eq!([60, 60, 10].map(|length| budget.admits(length)), [true, false, false], "no holes");
    }
}
