//! What is counted, from what connections carried until they stood still.

use super::*;

fn run(end: End, (packets_in, packets_out): (u32, u32), (bytes_in, bytes_out): (u64, u64)) -> Run {
    Run { end, carried: Carried { packets_in, packets_out, bytes_in, bytes_out } }
}

/// As seen in ru/l4-25: 25 packets of both directions, down and up, long and short.
#[test]
fn packets_of_both_directions() {
    let runs = [
        run(End::Stands, (15, 14), (16_000, 700)),
        run(End::Stands, (17, 12), (4_500, 700)),
        run(End::Stands, (12, 13), (2_900, 9_600)),
        run(End::Stands, (13, 13), (2_900, 2_700)),
    ];
    let limit = counted(&runs).expect("a limit");
    assert_eq!((limit.counts, limit.direction, limit.passes), (Counts::Packets, Sees::Both, 27));
    let found = FreezeFound {
        limit: Some(limit),
        kilobytes: Some(15),
        spared: Some(true),
        runs: runs.map(|run| (Way::Down, false, run)).to_vec(),
    };
    assert_eq!(found.said(), "freezes after 27 packets, both directions counted: about 15 KB of the download");
    let wanted = FreezeFinds {
        counts: Some(Counts::Packets),
        direction: Some(Sees::Both),
        packets: Some(24..=30),
        kilobytes: Some(12..=20),
        spared: Some(true),
    };
    assert!(found.is(&wanted));
    assert!(!found.is(&FreezeFinds { packets: Some(10..=20), ..wanted.clone() }));
    assert!(!found.is(&FreezeFinds { spared: Some(false), ..wanted.clone() }));
    assert!(!FreezeFound::default().is(&FreezeFinds { packets: None, kilobytes: None, spared: None, ..wanted }));
}

#[test]
fn bytes_that_come() {
    let runs = [
        run(End::Stands, (14, 10), (16_400, 700)),
        run(End::Stands, (64, 36), (16_200, 700)),
        run(End::Whole, (60, 60), (3_000, 66_000)),
    ];
    let limit = counted(&runs).expect("a limit");
    assert_eq!((limit.counts, limit.direction), (Counts::Bytes, Sees::Inbound));
}

/// What one connection carried is as much in packets as in bytes.
#[test]
fn one_connection_tells_nothing() {
    assert_eq!(counted(&[run(End::Stands, (14, 10), (16_400, 700))]), None);
    assert_eq!(counted(&[]), None);
    let unlike = [run(End::Stands, (14, 10), (16_400, 700)), run(End::Stands, (900, 500), (900_000, 70_000))];
    assert_eq!(counted(&unlike), None);
}
