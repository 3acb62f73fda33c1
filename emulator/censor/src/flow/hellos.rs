//! What a flow's datagrams say of a `ClientHello`, put together as they come.

use crate::dissect::{dtls, quic};
use crate::policy::Reads;
use crate::reading::DatagramsHeard;

/// A `ClientHello` of QUIC, and one of DTLS, as far as the client's datagrams have come. Nothing is kept where no rule asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatagramHellos {
    quic: Option<Box<quic::Assembly>>,
    dtls: Option<Box<dtls::Assembly>>,
}

/// Which of them some rule wants to hear.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct DatagramEar {
    pub(crate) quic: bool,
    pub(crate) dtls: bool,
}

impl DatagramHellos {
    /// Puts a datagram of the client to those before it.
    pub(crate) fn add(&mut self, datagram: &[u8], ear: DatagramEar, reads: &Reads) -> DatagramsHeard {
        let mut heard = DatagramsHeard::default();
        if ear.quic {
            heard.quic = self.quic.get_or_insert_default().add(datagram, &reads.quic).into();
        }
        if ear.dtls {
            heard.dtls = self.dtls.get_or_insert_default().add(datagram).into();
        }
        heard
    }
}
