//! The records of TLS (RFC 8446 section 5.1), one after the other.

/// Types of content.
pub mod content {
    #![expect(missing_docs, reason = "the names are RFC 8446's")]
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const APPLICATION_DATA: u8 = 23;
}

/// How long a record's header is, in bytes.
pub const RECORD_HEADER_LEN: usize = 5;
/// The longest plaintext of a record, in bytes.
const MAX_RECORD_LEN: usize = 1 << 14;
/// How much longer a protected record may be (RFC 5246 section 6.2.3), in bytes.
const MAX_EXPANSION: usize = 2048;

/// A record's header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordHeader {
    /// What it carries: one of [`content`].
    pub content: u8,
    /// The version that it states, `0x0301` for instance.
    pub version: u16,
    /// How many bytes follow.
    pub length: usize,
}

/// What lies next in a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Record<'a> {
    /// A whole record, and where in the stream its fragment begins.
    Whole {
        /// Its header.
        header: RecordHeader,
        /// What it carries.
        fragment: &'a [u8],
        /// How many bytes of the stream lie before the fragment.
        at: usize,
    },
    /// The beginning of a record: what there is of its fragment, nothing where its header is not whole.
    Cut {
        /// Its header, once that is whole.
        header: Option<RecordHeader>,
        /// What is there of what it carries.
        fragment: &'a [u8],
    },
    /// No record.
    Other,
}

/// Which versions a record may state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RecordVersion {
    /// Whatever begins like one: 3, then 0 to 4. A server ignores it.
    #[default]
    Any,
    /// TLS 1.0 or 1.2, which all clients state; to others the box is blind (weakness `tlsminor` of nfqws).
    Strict,
}

/// Takes one record after the other off a stream.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    stream: &'a [u8],
    taken: usize,
    version: RecordVersion,
}

impl<'a> Records<'a> {
    /// From the beginning of a stream.
    pub fn new(stream: &'a [u8], version: RecordVersion) -> Self {
        Self { stream, taken: 0, version }
    }

    /// How many bytes of the stream the whole records so far took.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// The next record, where its type of content is one of these. Each byte is judged as soon as it is there, so that
    /// other protocols are known for what they are at once. A record that is cut, and what is no record, is not passed.
    pub fn next_of(&mut self, contents: &[u8]) -> Record<'a> {
        let rest = &self.stream[self.taken..];
        let looks_right = |at: usize, right: &dyn Fn(u8) -> bool| rest.get(at).is_none_or(|byte| right(*byte));
        let minor_is_right = |minor| match self.version {
            RecordVersion::Any => minor <= 4,
            RecordVersion::Strict => minor == 1 || minor == 3,
        };
        if !looks_right(0, &|content| contents.contains(&content))
            || !looks_right(1, &|major| major == 3)
            || !looks_right(2, &minor_is_right)
        {
            return Record::Other;
        }
        let Some(([content, major, minor, high, low], body)) = rest.split_first_chunk::<RECORD_HEADER_LEN>() else {
            return Record::Cut { header: None, fragment: &[] };
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let header = RecordHeader { content: *content, version: u16::from_be_bytes([*major, *minor]), length };
        let longest = match *content {
            content::APPLICATION_DATA => MAX_RECORD_LEN + MAX_EXPANSION,
            _ => MAX_RECORD_LEN,
        };
        if length == 0 || length > longest {
            return Record::Other;
        }
        let Some(fragment) = body.get(..length) else {
            return Record::Cut { header: Some(header), fragment: body };
        };
        let at = self.taken + RECORD_HEADER_LEN;
        self.taken = at + length;
        Record::Whole { header, fragment, at }
    }
}
