//! What a flow's datagrams say of a `ClientHello`, put together as they come.

use crate::dissect::tls::ClientHello;
use crate::dissect::{dtls, quic};
use crate::policy::{Decide, Reads};
use crate::reading::{DatagramsHeard, Heard};

/// A `ClientHello` of QUIC, and one of DTLS, as far as the client's datagrams have come. Nothing is kept where no rule asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatagramHellos {
    quic: Option<Box<quic::Assembly>>,
    dtls: Option<Box<dtls::Assembly>>,
    /// The first that was whole.
    first: Option<Box<ClientHello>>,
    /// Whether QUIC's began in a datagram before and may go on in the next.
    pub(crate) is_begun: bool,
}

/// Which of them some rule wants to hear.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct DatagramEar {
    pub(crate) quic: bool,
    pub(crate) dtls: bool,
}

impl DatagramHellos {
    /// Puts a datagram of the client to those before it.
    pub(crate) fn add(
        &mut self,
        datagram: &[u8],
        ear: DatagramEar,
        (reads, decide): (&Reads, Decide),
    ) -> DatagramsHeard {
        let mut heard = DatagramsHeard::default();
        if ear.quic {
            let assembly = self.quic.get_or_insert_default();
            heard.quic = assembly.add(datagram, &reads.quic).into();
            self.is_begun = assembly.is_begun(&reads.quic);
        }
        if ear.dtls {
            heard.dtls = self.dtls.get_or_insert_default().add(datagram).into();
        }
        if decide == Decide::Once {
            self.hear_first_alone(&mut heard.quic);
            self.hear_first_alone(&mut heard.dtls);
        }
        heard
    }

    /// Hears nothing where the flow's first `ClientHello` was another than this: the first decides. One that is sent again,
    /// after a Retry or with a cookie for instance, is the same.
    fn hear_first_alone(&mut self, heard: &mut Heard) {
        let Heard::Hello(hello) = heard else { return };
        let first = self.first.get_or_insert_with(|| hello.clone());
        if !first.is_repeated_by(hello) {
            *heard = Heard::Nothing;
        }
    }
}
