//! The pcapng format (draft-ietf-opsawg-pcapng), as far as a lab's capture needs it, as bytes.

/// Packets begin with their IP header.
const LINKTYPE_RAW: u16 = 101;
/// TLS Key Log.
const SECRETS_TLS: u32 = 0x544c_534b;
/// Nanoseconds.
const RESOLUTION: u8 = 9;

// Block types.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
const SECRETS: u32 = 10;

// Options.
const END: u16 = 0;
const COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_DESCRIPTION: u16 = 3;
const INTERFACE_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;
const STATISTICS_RECEIVED: u16 = 4;
const STATISTICS_DROPPED: u16 = 5;

/// A file that grows block by block, numbers in little-endian order.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

/// One packet of a capture file.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketBlock<'a> {
    /// The number of its interface: they are counted from 0 in the order in which they were written.
    pub(super) interface: u32,
    /// When, in nanoseconds since 1970.
    pub(super) at: u64,
    /// Whether it left by the interface; else it arrived.
    pub(super) outgoing: bool,
    /// From the first byte of the IP header.
    pub(super) bytes: &'a [u8],
    /// What is said about it.
    pub(super) comments: &'a [String],
}

impl Writer {
    /// The head of a section, first of all.
    pub(super) fn section(&mut self, application: &str, comments: &[String]) {
        self.block(SECTION, |block| {
            block.extend(0x1a2b_3c4d_u32.to_le_bytes());
            // Version 1.0, and a section as long as the file.
            block.extend([1, 0, 0, 0]);
            block.extend(u64::MAX.to_le_bytes());
            option(block, SECTION_APPLICATION, application.as_bytes());
            for comment in comments {
                option(block, COMMENT, comment.as_bytes());
            }
            option(block, END, &[]);
        });
    }

    /// An interface.
    pub(super) fn interface(&mut self, name: &str, description: &str) {
        self.block(INTERFACE, |block| {
            block.extend(LINKTYPE_RAW.to_le_bytes());
            block.extend([0, 0]);
            // No limit to the length of a packet.
            block.extend(0_u32.to_le_bytes());
            option(block, INTERFACE_NAME, name.as_bytes());
            option(block, INTERFACE_DESCRIPTION, description.as_bytes());
            option(block, INTERFACE_RESOLUTION, &[RESOLUTION]);
            option(block, END, &[]);
        });
    }

    /// What decrypts the packets that follow: lines as in the file that `SSLKEYLOGFILE` names.
    pub(super) fn tls_secrets(&mut self, lines: &str) {
        self.block(SECRETS, |block| {
            block.extend(SECRETS_TLS.to_le_bytes());
            block.extend(length(lines.len()).to_le_bytes());
            padded(block, lines.as_bytes());
        });
    }

    /// A packet.
    pub(super) fn packet(&mut self, packet: PacketBlock<'_>) {
        let PacketBlock { interface, at, outgoing, bytes, comments } = packet;
        self.block(PACKET, |block| {
            block.extend(interface.to_le_bytes());
            let [high, low] = [at >> 32, at & 0xffff_ffff];
            block.extend(u32::try_from(high).unwrap_or_default().to_le_bytes());
            block.extend(u32::try_from(low).unwrap_or_default().to_le_bytes());
            block.extend(length(bytes.len()).to_le_bytes());
            block.extend(length(bytes.len()).to_le_bytes());
            padded(block, bytes);
            // The lowest two bits: 1 for inbound, 2 for outbound.
            let flags: u32 = if outgoing { 2 } else { 1 };
            option(block, PACKET_FLAGS, &flags.to_le_bytes());
            for comment in comments {
                option(block, COMMENT, comment.as_bytes());
            }
            option(block, END, &[]);
        });
    }

    /// What an interface has seen and lost, after its packets.
    pub(super) fn statistics(&mut self, interface: u32, at: u64, received: u64, dropped: u64) {
        self.block(STATISTICS, |block| {
            block.extend(interface.to_le_bytes());
            let [high, low] = [at >> 32, at & 0xffff_ffff];
            block.extend(u32::try_from(high).unwrap_or_default().to_le_bytes());
            block.extend(u32::try_from(low).unwrap_or_default().to_le_bytes());
            option(block, STATISTICS_RECEIVED, &received.to_le_bytes());
            option(block, STATISTICS_DROPPED, &dropped.to_le_bytes());
            option(block, END, &[]);
        });
    }

    /// The file.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn block(&mut self, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.bytes.len();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend([0; 4]);
        body(&mut self.bytes);
        let total = length(self.bytes.len() - begin + 4).to_le_bytes();
        self.bytes.extend(total);
        self.bytes[begin + 4..begin + 8].copy_from_slice(&total);
    }
}

fn option(block: &mut Vec<u8>, code: u16, value: &[u8]) {
    // The length has 16 bits; nothing that is written here comes near it but a comment without measure.
    let value = &value[..value.len().min(usize::from(u16::MAX) - 3)];
    block.extend(code.to_le_bytes());
    block.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
    padded(block, value);
}

fn padded(block: &mut Vec<u8>, value: &[u8]) {
    block.extend(value);
    block.resize(block.len() + value.len().next_multiple_of(4) - value.len(), 0);
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let word = |word: &[u8]| u32::from_be_bytes(word.try_into().expect("blocks are made of words"));
        bytes.chunks(4).map(|bytes| format!("{:08x}", word(bytes))).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_block_is_as_the_draft_says() {
        let mut writer = Writer::default();
        writer.section("roadblock", &["cut".to_owned()]);
        writer.interface("tspu inside", "towards clients");
        writer.tls_secrets("CLIENT_RANDOM 00 11\n");
        let comments = ["tspu/sni-1 triggered: SNI a.b".to_owned()];
        let at = 0x0102_0304_0506_0708;
        writer.packet(PacketBlock {
            interface: 0,
            at,
            outgoing: true,
            bytes: &[0x45, 1, 2, 3, 4],
            comments: &comments,
        });
        writer.statistics(0, at, 5, 2);
        insta::assert_snapshot!(hex(&writer.into_bytes()));
    }

    /// Every block's length stands at both of its ends, and together they are the file.
    #[test]
    fn blocks_can_be_walked_either_way() {
        let mut writer = Writer::default();
        writer.section("x", &[]);
        writer.tls_secrets("abc");
        let long = ["y".repeat(70_000)];
        writer.packet(PacketBlock { interface: 0, at: 0, outgoing: false, bytes: &[0; 7], comments: &long });
        let bytes = writer.into_bytes();
        let mut rest = &bytes[..];
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().expect("four bytes"));
            let length = word(4) as usize;
            assert_eq!(word(length - 4) as usize, length);
            kinds.push(word(0));
            rest = &rest[length..];
        }
        assert_eq!(kinds, [SECTION, SECRETS, PACKET]);
    }
}
