//! Capture files, pcap and pcapng, packet by packet.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pcap_parser::pcapng::{Block, EnhancedPacketBlock, InterfaceDescriptionBlock, PcapNGOption};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    /// The file cannot be opened or read.
    #[error("failed to read `{}`: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no capture: it begins neither as pcap nor as pcapng does", path.display())]
    NoCapture {
        /// The file.
        path: PathBuf,
    },
    /// Something in it is not as the format has it.
    #[error("`{}` is damaged after packet {after}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How many packets could be read.
        after: usize,
        /// What is wrong.
        what: String,
    },
}

/// A part of a capture file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// What is said of the file, or of a section of it.
    Comment(&'a str),
    /// A packet.
    Packet(Captured<'a>),
    /// The file ends in the middle of a packet, as it does where whoever wrote it was killed.
    CutOff,
}

/// A packet as a file has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Captured<'a> {
    /// Its number, from 1, as Wireshark counts.
    pub(super) number: usize,
    /// When, in nanoseconds since 1970.
    pub(super) at: u64,
    /// The name of its interface, where the file tells.
    pub(super) interface: Option<&'a str>,
    /// Whether it arrived by that interface (else it left by it), where the file tells.
    pub(super) arrived: Option<bool>,
    /// What it begins with (`LINKTYPE_…`).
    pub(super) link: i32,
    /// What was kept of it.
    pub(super) bytes: &'a [u8],
}

/// Reads a file from its beginning to its end.
pub(super) fn read(path: &Path, each: impl FnMut(Part<'_>)) -> Result<(), CaptureError> {
    let refused = |cause| CaptureError::Io { path: path.to_owned(), cause };
    let file = File::open(path).map_err(refused)?;
    // A folder opens like a file, and says what it is only when it is read.
    if file.metadata().map_err(refused)?.is_dir() {
        return Err(refused(io::ErrorKind::IsADirectory.into()));
    }
    read_from(path, file, each)
}

fn read_from(path: &Path, file: impl Read + Send, each: impl FnMut(Part<'_>)) -> Result<(), CaptureError> {
    let no_capture = || CaptureError::NoCapture { path: path.to_owned() };
    let mut reader = create_reader(CAPACITY, file).map_err(|_| no_capture())?;
    let mut walk = Walk { each, format: Format::default(), packets: 0, last: 0 };
    let damaged = |after, what: &str| CaptureError::Damaged { path: path.to_owned(), after, what: what.to_owned() };
    let mut capacity = CAPACITY;
    loop {
        let trouble = match reader.next() {
            Ok((length, block)) => {
                walk.block(block);
                reader.consume(length);
                continue;
            }
            Err(trouble) => trouble.to_owned_vec(),
        };
        match trouble {
            PcapError::Eof => return Ok(()),
            PcapError::Incomplete(_) if !reader.reader_exhausted() => {
                let refilled = reader.refill().map_err(|error| error.to_string());
                refilled.map_err(|what| damaged(walk.packets, &what))?;
            }
            PcapError::Incomplete(_) | PcapError::UnexpectedEof => {
                (walk.each)(Part::CutOff);
                return Ok(());
            }
            PcapError::BufferTooSmall if capacity < MAX_CAPACITY => {
                capacity *= 2;
                reader.grow(capacity);
            }
            PcapError::BufferTooSmall => return Err(damaged(walk.packets, "a block of it is longer than 64 MiB")),
            PcapError::ReadError => {
                return Err(CaptureError::Io {
                    path: path.to_owned(),
                    cause: io::Error::other("it cannot be read on"),
                });
            }
            _ => return Err(damaged(walk.packets, "what follows is not as the format has it")),
        }
    }
}

/// How much of a file is held at first.
const CAPACITY: usize = 1 << 18;
/// How much of a file is held at most: a block with the TLS keys of a long run may be long.
const MAX_CAPACITY: usize = 64 << 20;

/// What earlier parts of the file say about later ones.
#[derive(Debug, Default)]
struct Format {
    interfaces: Vec<Interface>,
}

/// An interface of pcapng; a pcap file is as one without a name.
#[derive(Clone, Debug)]
struct Interface {
    name: Option<String>,
    link: i32,
    units: Units,
    /// Seconds that are added to every time.
    offset: i64,
}

/// How many units of a file's clock a second has.
#[derive(Clone, Copy, Debug)]
struct Units(u128);

impl Units {
    /// From `if_tsresol`: a power of ten, or of two where the highest bit is set.
    fn of(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
        Self(base.checked_pow(exponent).unwrap_or(u128::MAX))
    }

    /// In nanoseconds.
    fn nanoseconds(self, raw: u64, offset: i64) -> u64 {
        let (whole, rest) = (u128::from(raw) / self.0, u128::from(raw) % self.0);
        // What is finer than a nanosecond is lost, and what is coarser does not overflow.
        let rest = rest.checked_mul(NANOSECONDS).map_or(0, |scaled| scaled / self.0);
        let nanoseconds = whole.saturating_mul(NANOSECONDS).saturating_add(rest);
        let offset = i128::from(offset).saturating_mul(1_000_000_000);
        let moved = i128::try_from(nanoseconds).unwrap_or(i128::MAX).saturating_add(offset);
        u64::try_from(moved.max(0)).unwrap_or(u64::MAX)
    }
}

const NANOSECONDS: u128 = 1_000_000_000;

struct Walk<F> {
    each: F,
    format: Format,
    packets: usize,
    /// The time of the last packet: those of a simple block have none of their own.
    last: u64,
}

impl<F: FnMut(Part<'_>)> Walk<F> {
    fn block(&mut self, block: PcapBlockOwned<'_>) {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let units = Units::of(if header.is_nanosecond_precision() { 9 } else { 6 });
                // The two upper bits of pairs say how long a frame check sequence is.
                let link = header.network.0 & 0xffff;
                self.format.interfaces = vec![Interface { name: None, link, units, offset: 0 }];
            }
            PcapBlockOwned::Legacy(packet) => {
                let units = self.format.interfaces.first().map_or(Units::of(6), |interface| interface.units);
                let seconds = u64::from(packet.ts_sec).saturating_mul(1_000_000_000);
                let at = seconds.saturating_add(units.nanoseconds(u64::from(packet.ts_usec), 0));
                let kept = usize::try_from(packet.caplen).unwrap_or(usize::MAX).min(packet.data.len());
                self.packet(0, Some(at), None, &packet.data[..kept]);
            }
            PcapBlockOwned::NG(block) => self.block_of_pcapng(&block),
        }
    }

    fn block_of_pcapng(&mut self, block: &Block<'_>) {
        match block {
            Block::SectionHeader(section) => {
                self.format.interfaces.clear();
                for comment in section.options.iter().filter(|option| option.code.0 == COMMENT) {
                    if let Ok(comment) = comment.as_str() {
                        (self.each)(Part::Comment(comment));
                    }
                }
            }
            Block::InterfaceDescription(described) => self.format.interfaces.push(Interface::of(described)),
            Block::EnhancedPacket(packet) => self.enhanced(packet),
            Block::SimplePacket(packet) => self.packet(0, None, None, packet.packet_data()),
            _ => {}
        }
    }

    fn enhanced(&mut self, packet: &EnhancedPacketBlock<'_>) {
        let number = usize::try_from(packet.if_id).unwrap_or(usize::MAX);
        let at = self.format.interfaces.get(number).map(|interface| {
            let raw = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            interface.units.nanoseconds(raw, interface.offset)
        });
        let arrived = flags(&packet.options, packet.big_endian()).and_then(|flags| match flags & 3 {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        });
        self.packet(number, at, arrived, packet.packet_data());
    }

    fn packet(&mut self, interface: usize, at: Option<u64>, arrived: Option<bool>, bytes: &[u8]) {
        self.packets += 1;
        let interface = self.format.interfaces.get(interface);
        let at = at.unwrap_or(self.last);
        self.last = at;
        (self.each)(Part::Packet(Captured {
            number: self.packets,
            at,
            interface: interface.and_then(|interface| interface.name.as_deref()),
            arrived,
            link: interface.map_or(UNKNOWN_LINK, |interface| interface.link),
            bytes,
        }));
    }
}

/// The code of a comment, in every block.
const COMMENT: u16 = 1;
/// The code of the flags of a packet.
const FLAGS: u16 = 2;
/// Of a packet whose interface the file does not describe.
const UNKNOWN_LINK: i32 = -1;

impl Interface {
    fn of(described: &InterfaceDescriptionBlock<'_>) -> Self {
        Self {
            name: described.if_name().and_then(Result::ok).map(str::to_owned),
            link: described.linktype.0,
            units: Units::of(described.if_tsresol),
            offset: described.if_tsoffset,
        }
    }
}

fn flags(options: &[PcapNGOption<'_>], big_endian: bool) -> Option<u32> {
    let option = options.iter().find(|option| option.code.0 == FLAGS)?;
    let bytes: [u8; 4] = option.as_bytes().ok()?.try_into().ok()?;
    Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
