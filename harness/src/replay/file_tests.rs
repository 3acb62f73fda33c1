use proptest::prelude::*;

use super::*;

/// A packet: number, time, interface, whether it arrived there, link type, bytes.
type ToldPacket = (usize, u64, Option<String>, Option<bool>, i32, Vec<u8>);

/// What a file holds.
#[derive(Debug, Default, PartialEq)]
struct Told {
    packets: Vec<ToldPacket>,
    comments: Vec<String>,
    cut_off: bool,
}

fn told(bytes: &[u8]) -> Result<Told, CaptureError> {
    let mut told = Told::default();
    read_from(Path::new("test.pcap"), bytes, |part| match part {
        Part::Comment(comment) => told.comments.push(comment.to_owned()),
        Part::Packet(Captured { number, at, interface, arrived, link, bytes }) => {
            told.packets.push((number, at, interface.map(str::to_owned), arrived, link, bytes.to_vec()));
        }
        Part::CutOff => told.cut_off = true,
    })?;
    Ok(told)
}

/// A pcap file with one packet of the bytes 1, 2, 3, at 7 seconds and 5 units.
fn pcap(magic: u32, order: fn(u32) -> [u8; 4], half: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let head = [&order(magic)[..], &half(2), &half(4), &order(0), &order(0), &order(65_535), &order(101)].concat();
    let packet = [&order(7)[..], &order(5), &order(3), &order(90), &[1, 2, 3]].concat();
    [head, packet].concat()
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(12 + body.len().next_multiple_of(4)).expect("short").to_le_bytes();
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    [&kind.to_le_bytes()[..], &length, &padded, &length].concat()
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("short").to_le_bytes();
    let mut option = [&code.to_le_bytes()[..], &length, value].concat();
    option.resize(option.len().next_multiple_of(4), 0);
    option
}

fn section() -> Vec<u8> {
    let fixed = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &u64::MAX.to_le_bytes()].concat();
    block(0x0a0d_0d0a, &[fixed, option(1, b"hello"), option(0, &[])].concat())
}

fn interface(resolution: u8, offset: i64) -> Vec<u8> {
    let options =
        [option(2, b"here inside"), option(9, &[resolution]), option(14, &offset.to_le_bytes()), option(0, &[])];
    block(1, &[vec![101, 0, 0, 0, 0, 0, 0, 0], options.concat()].concat())
}

fn packet(interface: u32, at: u64) -> Vec<u8> {
    let [high, low] = [at >> 32, at & 0xffff_ffff].map(|half| u32::try_from(half).expect("half").to_le_bytes());
    let lengths = [3_u32.to_le_bytes(), 90_u32.to_le_bytes()].concat();
    let head = [&interface.to_le_bytes()[..], &high, &low, &lengths, &[1, 2, 3, 0]].concat();
    block(6, &[head, option(2, &1_u32.to_le_bytes()), option(0, &[])].concat())
}

#[test]
fn pcap_is_read_in_either_order_of_bytes_and_with_either_clock() {
    let little = (u32::to_le_bytes as fn(u32) -> [u8; 4], u16::to_le_bytes as fn(u16) -> [u8; 2]);
    let big = (u32::to_be_bytes as fn(u32) -> [u8; 4], u16::to_be_bytes as fn(u16) -> [u8; 2]);
    for (magic, nanoseconds) in [(0xa1b2_c3d4, 5000), (0xa1b2_3c4d, 5)] {
        for (order, half) in [little, big] {
            let told = told(&pcap(magic, order, half)).expect("a capture");
            assert_eq!(told.packets, [(1, 7_000_000_000 + nanoseconds, None, None, 101, vec![1, 2, 3])]);
            assert!(!told.cut_off);
        }
    }
}

#[test]
fn times_of_pcapng_count_in_the_interfaces_own_units() {
    for (resolution, offset, raw, at) in [
        (6, 0, 7_000_005, 7_000_005_000),
        (9, 0, 7_000_000_005, 7_000_000_005),
        (9, 3, 7_000_000_005, 10_000_000_005),
        (0, 0, 7, 7_000_000_000),
        // Halves of a second, and thousands of them.
        (0x81, 0, 15, 7_500_000_000),
        (0x8a, 0, 7168, 7_000_000_000),
        // What cannot be is no danger.
        (9, -100, 7_000_000_005, 0),
        (127, 0, 7, 0),
        (0xff, 0, u64::MAX, 0),
        (0, i64::MAX, u64::MAX, u64::MAX),
    ] {
        let told = told(&[section(), interface(resolution, offset), packet(0, raw)].concat()).expect("a capture");
        let expected = (1, at, Some("here inside".to_owned()), Some(true), 101, vec![1, 2, 3]);
        assert_eq!(told.packets, [expected], "{resolution} {offset}");
        assert_eq!(told.comments, ["hello"]);
    }
}

#[test]
fn a_packet_of_no_interface_and_one_without_a_time_are_told_too() {
    let simple = block(3, &[&90_u32.to_le_bytes()[..], &[1, 2, 3, 4]].concat());
    let told = told(&[section(), interface(9, 0), packet(0, 77), packet(5, 99), simple].concat()).expect("a capture");
    let times: Vec<(usize, u64, i32)> = told.packets.iter().map(|packet| (packet.0, packet.1, packet.4)).collect();
    assert_eq!(times, [(1, 77, 101), (2, 77, UNKNOWN_LINK), (3, 77, 101)]);
}

#[test]
fn a_file_that_ends_too_early_gives_what_it_has() {
    let whole = [section(), interface(9, 0), packet(0, 77), packet(0, 78)].concat();
    let told = told(&whole[..whole.len() - 5]).expect("a capture");
    assert_eq!((told.packets.len(), told.cut_off), (1, true));
}

#[test]
fn what_is_no_capture_and_what_is_damaged_is_said() {
    assert!(matches!(told(b"GET / HTTP/1.1\r\n\r\n, and so on, and so on"), Err(CaptureError::NoCapture { .. })));
    assert!(matches!(told(b""), Err(CaptureError::NoCapture { .. })));
    // The second length of a block does not agree with the first.
    let mut damaged = [section(), interface(9, 0), packet(0, 77), packet(0, 78)].concat();
    let last = damaged.len() - 4;
    damaged[last] ^= 0xff;
    let Err(error) = told(&damaged) else { panic!("it is damaged") };
    assert_eq!(error.to_string(), "`test.pcap` is damaged after packet 1: what follows is not as the format has it");
}

proptest! {
    #[test]
    fn no_bytes_are_a_danger(
        changes in proptest::collection::vec((0_usize..400, any::<u8>()), 0..8),
        length in 0_usize..400,
    ) {
        let mut bytes = [section(), interface(9, 0), packet(0, 77), packet(0, 78), packet(1, 79)].concat();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(length);
        let _ = told(&bytes);
    }
}
