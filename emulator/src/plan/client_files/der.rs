//! DER (X.690), as far as a certificate's fields need it.

/// The bytes end too early or are not DER.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not DER")]
pub(crate) struct Malformed;

/// What is left of a run of DER elements.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element's tag and contents.
    pub(crate) fn next(&mut self) -> Result<(u8, &'a [u8]), Malformed> {
        let [tag, first, rest @ ..] = self.0 else { return Err(Malformed) };
        let (length, rest) = match *first {
            short @ 0..0x80 => (usize::from(short), rest),
            long => {
                let count = usize::from(long & 0x7f);
                let digits = rest.get(..count).filter(|_| (1..=4).contains(&count));
                let digits = digits.ok_or(Malformed)?;
                let length = digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit));
                (length, rest.get(count..).unwrap_or_default())
            }
        };
        let contents = rest.get(..length).ok_or(Malformed)?;
        self.0 = rest.get(length..).unwrap_or_default();
        Ok((*tag, contents))
    }

    /// The contents of the next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        match self.next()? {
            (found, contents) if found == tag => Ok(contents),
            _ => Err(Malformed),
        }
    }
}

/// The fields of a certificate that stand in order before its key (RFC 5280 section 4.1).
pub(crate) struct Fields<'a> {
    /// The contents of the validity.
    pub(crate) validity: &'a [u8],
    /// The contents of the subject.
    pub(crate) subject: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Those of this certificate.
    pub(crate) fn of(certificate: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Reader(Reader(certificate).expect(SEQUENCE)?);
        let mut body = Reader(outer.expect(SEQUENCE)?);
        if body.peek() == Some(VERSION) {
            body.expect(VERSION)?;
        }
        body.expect(INTEGER)?; // The serial number.
        body.expect(SEQUENCE)?; // The signature's algorithm.
        body.expect(SEQUENCE)?; // The issuer.
        Ok(Self { validity: body.expect(SEQUENCE)?, subject: body.expect(SEQUENCE)? })
    }
}

// Tags (X.680 section 8.6).
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
/// The context-specific tag 0, which carries a certificate's version.
pub(crate) const VERSION: u8 = 0xa0;
