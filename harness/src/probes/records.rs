//! A TLS client's connection whose `ClientHello` leaves in several records (RFC 8446 section 5.1 allows it).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that cuts the first record that is written to it.
#[derive(Debug)]
pub(crate) struct Records<S> {
    stream: S,
    /// Byte offsets of the first record's content.
    cuts: Vec<u16>,
    first: First,
}

/// What became of the first record.
#[derive(Debug)]
enum First {
    /// So much of it was written.
    Gathered(Vec<u8>),
    /// It was cut, and so much of it is still to be sent.
    Sending(Vec<u8>),
    /// It was sent.
    Sent,
}

impl<S> Records<S> {
    /// A connection of whose first record the content is cut at these offsets, each greater than the one before.
    pub(crate) fn cut_at(stream: S, cuts: &[u16]) -> Self {
        let first = if cuts.is_empty() { First::Sent } else { First::Gathered(Vec::new()) };
        Self { stream, cuts: cuts.to_vec(), first }
    }
}

impl<S: AsyncWrite + Unpin> Records<S> {
    /// Sends what was held back.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let First::Sending(left) = &mut self.first {
            if left.is_empty() {
                self.first = First::Sent;
                break;
            }
            match ready!(Pin::new(&mut self.stream).poll_write(context, left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(left.drain(..written)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Records<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.as_mut().get_mut();
        if let First::Gathered(gathered) = &mut this.first {
            let wanted = wanted(gathered).min(bytes.len());
            gathered.extend_from_slice(bytes.get(..wanted).unwrap_or_default());
            if self::wanted(gathered) == 0 {
                this.first = First::Sending(cut(gathered, &this.cuts));
                // What cannot be sent now is sent before anything else is.
                if let Poll::Ready(Err(error)) = this.poll_send(context) {
                    return Poll::Ready(Err(error));
                }
            }
            return Poll::Ready(Ok(wanted));
        }
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// How many bytes a record lacks that begins so.
fn wanted(gathered: &[u8]) -> usize {
    match gathered {
        [_, _, _, high, low, content @ ..] => {
            usize::from(u16::from_be_bytes([*high, *low])).saturating_sub(content.len())
        }
        header => HEADER - header.len(),
    }
}

/// The same content in several records. An offset past its end cuts nothing.
fn cut(record: &[u8], cuts: &[u16]) -> Vec<u8> {
    let Some((header, content)) = record.split_first_chunk::<HEADER>() else { return record.to_vec() };
    let [kind, high, low, ..] = *header;
    let ends = cuts.iter().map(|cut| usize::from(*cut)).filter(|cut| *cut < content.len()).chain([content.len()]);
    let mut all = Vec::new();
    let mut start = 0;
    for end in ends {
        let piece = content.get(start..end).unwrap_or_default();
        all.extend([kind, high, low]);
        // A piece is no longer than the content was.
        all.extend((piece.len() as u16).to_be_bytes());
        all.extend(piece);
        start = end;
    }
    all
}

const HEADER: usize = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn each_piece_has_a_header_of_its_own() {
        let record = [22, 3, 1, 0, 4, 1, 2, 3, 4];
        assert_eq!(cut(&record, &[1, 3]), [22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 2, 2, 3, 22, 3, 1, 0, 1, 4]);
        assert_eq!(cut(&record, &[4]), record);
    }

    proptest! {
        #[test]
        fn however_it_is_written_the_first_record_is_cut_and_the_rest_is_not(
            content in prop::collection::vec(any::<u8>(), 3..60),
            rest in prop::collection::vec(any::<u8>(), 0..60),
            chunk in 1_usize..70,
        ) {
            let record = [&[22, 3, 1, 0, content.len() as u8], content.as_slice()].concat();
            let expected = [cut(&record, &[2]), rest.clone()].concat();
            let all = [record, rest].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let read = runtime.block_on(async {
                let (ours, mut other) = tokio::io::duplex(7);
                let mut records = Records::cut_at(ours, &[2]);
                let writer = async move {
                    for chunk in all.chunks(chunk) {
                        records.write_all(chunk).await.expect("a write");
                        records.flush().await.expect("a flush");
                    }
                };
                let reader = async {
                    let mut read = vec![0; expected.len()];
                    other.read_exact(&mut read).await.expect("bytes");
                    read
                };
                tokio::join!(writer, reader).1
            });
            prop_assert_eq!(read, expected);
        }
    }
}
