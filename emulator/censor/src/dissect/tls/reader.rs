//! Taking fields off the front of some bytes.

/// The rest of a message, and how far from its beginning it lies. What is not there is `None`, and then the rest is as it
/// was, or shorter by a length that lied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes of the message lie before what is left.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        self.part(len).map(|part| part.rest)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    pub(crate) fn array<const LEN: usize>(&mut self) -> Option<[u8; LEN]> {
        self.take(LEN)?.first_chunk().copied()
    }

    /// What an 8-bit length counts.
    pub(crate) fn vector8(&mut self) -> Option<Self> {
        let len = self.u8()?;
        self.part(len.into())
    }

    /// What a 16-bit length counts.
    pub(crate) fn vector16(&mut self) -> Option<Self> {
        let len = self.u16()?;
        self.part(len.into())
    }

    /// What a 24-bit length counts.
    pub(crate) fn vector24(&mut self) -> Option<Self> {
        let len = self.u24()?;
        self.part(usize::try_from(len).ok()?)
    }

    /// The 16-bit numbers that are left; an odd byte at the end is none.
    pub(crate) fn numbers(self) -> Vec<u16> {
        self.rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    fn part(&mut self, len: usize) -> Option<Self> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        let part = Self { rest: taken, at: self.at };
        *self = Self { rest, at: self.at + len };
        Some(part)
    }
}
