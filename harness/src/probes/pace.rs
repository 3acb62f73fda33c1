//! Policing told from shaping by what a client's own kernel sees of a transfer: losses without delay, or delay without
//! losses (T27 and T28 of facts.md; Flach et al., SIGCOMM 2016, detect policers by the same two).
//!
//! Who sends has the truth: retransmissions, and round trips that retransmissions do not falsify. Who receives has less:
//! segments that overtake a lost one, and a round trip that also grows while the sender waits. So a receiver's round trip
//! counts only where segments came without a pause as long as a sender's time-out.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use roadblock_emulator::kernel::tcp_info::{self, TcpInfo};
use roadblock_scenarios::model::Limit;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::transfer::Way;

/// What is seen of a connection while bytes move.
#[derive(Debug)]
pub(crate) struct Pace {
    /// A descriptor of its own, because whoever moves the bytes holds the other.
    socket: OwnedFd,
    way: Way,
    began: Instant,
    series: Series,
}

impl Pace {
    /// Begins to look at a connection.
    pub(crate) fn of(stream: &TcpStream, way: Way) -> io::Result<Self> {
        let socket = stream.as_fd().try_clone_to_owned()?;
        Ok(Self { socket, way, began: Instant::now(), series: Series::default() })
    }

    /// Looks again. What the kernel does not tell is not seen.
    pub(crate) fn look(&mut self) {
        if let Ok(info) = tcp_info::read(self.socket.as_fd()) {
            self.series.note(Sample::new(self.way, &info, self.began.elapsed()));
        }
    }

    /// Whether it is clear how what comes above a rate is treated, if anything does.
    pub(crate) fn is_clear(&self) -> bool {
        self.series.limit() != Limit::Slow
    }

    /// What was seen.
    pub(crate) fn into_series(self) -> Series {
        self.series
    }
}

/// One look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Sample {
    /// When, since the first.
    at: Duration,
    /// Segments with data, in the direction that counts.
    segments: u32,
    /// How many were lost, as far as this end can tell.
    lost: u32,
    /// The shortest that there was, and what it is now; each where it is known.
    shortest: Option<Duration>,
    round_trip: Option<Duration>,
    /// The sender's, where this end sends.
    window: Option<u32>,
}

impl Sample {
    fn new(way: Way, info: &TcpInfo, at: Duration) -> Self {
        let known = |round_trip: Duration| (!round_trip.is_zero()).then_some(round_trip);
        let shortest = known(info.shortest_round_trip);
        match way {
            Way::Down => Self {
                at,
                shortest,
                segments: info.data_segments_in,
                lost: info.out_of_order,
                round_trip: known(info.receiver_round_trip),
                window: None,
            },
            Way::Up => Self {
                at,
                shortest,
                segments: info.data_segments_out,
                lost: info.retransmitted.saturating_sub(info.needlessly),
                round_trip: known(info.round_trip),
                window: Some(info.congestion_window),
            },
        }
    }
}

/// What all looks together saw.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Series {
    last: Option<Sample>,
    /// When segments were last seen to be more.
    moved: Duration,
    shortest: Option<Duration>,
    /// The longest round trip and the longest pause: before anything was lost, where this end receives.
    longest: Duration,
    pause: Duration,
    /// The smallest congestion window.
    window: Option<u32>,
}

impl Series {
    fn note(&mut self, sample: Sample) {
        let sends = sample.window.is_some();
        let before = self.last.replace(sample);
        if before.is_none_or(|before| sample.segments > before.segments) {
            if sample.lost == 0 && before.is_some() {
                self.pause = self.pause.max(sample.at.saturating_sub(self.moved));
            }
            self.moved = sample.at;
        }
        self.shortest = [self.shortest, sample.shortest, sample.round_trip].into_iter().flatten().min();
        if sends || sample.lost == 0 {
            self.longest = self.longest.max(sample.round_trip.unwrap_or_default());
        }
        self.window = self.window.into_iter().chain(sample.window).min();
    }

    /// How what comes above a rate is treated, of a transfer that was too slow.
    pub(crate) fn limit(&self) -> Limit {
        let Some(last) = self.last else { return Limit::Slow };
        let grew = self.shortest.is_some_and(|shortest| self.longest >= (shortest * 4).max(shortest + QUEUE));
        let sends = last.window.is_some();
        if grew && (sends || self.pause < TIME_OUT) {
            Limit::Shaped
        } else if last.lost * 100 >= last.segments.max(1) {
            Limit::Policed
        } else {
            Limit::Slow
        }
    }

    /// The numbers behind it.
    pub(crate) fn evidence(&self) -> serde_json::Value {
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        serde_json::json!({
            "data_segments": self.last.map(|last| last.segments),
            "lost": self.last.map(|last| last.lost),
            "shortest_round_trip_milliseconds": self.shortest.map(milliseconds),
            "longest_round_trip_milliseconds": milliseconds(self.longest),
            "smallest_congestion_window": self.window,
        })
    }
}

/// A queue that delays by less is nobody's rate limit.
const QUEUE: Duration = Duration::from_millis(150);
/// After such a pause a sender's retransmission timer may have run out (RFC 6298; Linux waits no shorter).
const TIME_OUT: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    /// What was seen of looks at these moments: milliseconds, segments, lost, round trip in milliseconds.
    fn limit(way: Way, looks: &[(u64, u32, u32, u32)]) -> Limit {
        let mut series = Series::default();
        for (at, segments, lost, round_trip) in looks.iter().copied() {
            let round_trip = Duration::from_millis(round_trip.into());
            let info = match way {
                Way::Down => TcpInfo {
                    data_segments_in: segments,
                    out_of_order: lost,
                    receiver_round_trip: round_trip,
                    ..TcpInfo::default()
                },
                Way::Up => TcpInfo {
                    data_segments_out: segments,
                    retransmitted: lost,
                    round_trip,
                    congestion_window: 10,
                    ..TcpInfo::default()
                },
            };
            series.note(Sample::new(way, &info, Duration::from_millis(at)));
        }
        series.limit()
    }

    #[test]
    fn losses_without_delay_are_policing() {
        assert_eq!(
            limit(Way::Down, &[(0, 2, 0, 1), (20, 9, 1, 1), (230, 11, 3, 210), (900, 20, 8, 400)]),
            Limit::Policed
        );
        assert_eq!(limit(Way::Up, &[(0, 2, 0, 1), (20, 12, 2, 1), (900, 30, 12, 2)]), Limit::Policed);
    }

    #[test]
    fn delay_without_losses_is_shaping() {
        let even = [(0, 2, 0, 1), (90, 3, 0, 90), (180, 4, 0, 180), (270, 5, 0, 270), (360, 6, 0, 360)];
        assert_eq!(limit(Way::Down, &even), Limit::Shaped);
        assert_eq!(limit(Way::Up, &even), Limit::Shaped);
        let overflow = [&even[..], &[(450, 8, 2, 360), (540, 9, 4, 360)]].concat();
        assert_eq!(limit(Way::Down, &overflow), Limit::Shaped, "a queue that is full drops, too");
        assert_eq!(limit(Way::Up, &overflow), Limit::Shaped);
    }

    /// Its pauses look like a longer round trip to who receives.
    #[test]
    fn a_slow_server_is_neither() {
        assert_eq!(limit(Way::Down, &[(0, 2, 0, 1), (400, 3, 0, 400), (800, 4, 0, 400)]), Limit::Slow);
        assert_eq!(limit(Way::Up, &[(0, 2, 0, 1), (400, 3, 0, 2), (800, 4, 0, 2)]), Limit::Slow);
        assert_eq!(limit(Way::Down, &[]), Limit::Slow);
    }

    #[test]
    fn a_round_trip_that_is_long_from_the_beginning_is_no_queue() {
        let far = [(0, 2, 0, 300), (300, 4, 0, 310), (600, 8, 0, 300)];
        assert_eq!(limit(Way::Up, &far), Limit::Slow);
    }
}
