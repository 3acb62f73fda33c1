//! What a data centre answers to HTTP: nothing useful, in the words of the real ones (recalled from OONI measurements).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Reads a request whose first bytes are known, refuses it and ends the connection.
pub(super) async fn refuse<S>(stream: &mut S, first: &[u8]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = first.to_vec();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let response = format!(
        "HTTP/1.1 501 Not Implemented\r\nServer: nginx/0.3.33\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{PAGE}",
        PAGE.len()
    );
    stream.write_all(response.as_bytes()).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    // A body that still comes must be read, lest the kernel answer it with a reset that overtakes the response.
    let mut rest = [0; 1024];
    for _ in 0..MOST_READS {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}

const PAGE: &str = "<html>\r\n<head><title>501 Not Implemented</title></head>\r\n<body bgcolor=\"white\">\r\n\
    <center><h1>501 Not Implemented</h1></center>\r\n<hr><center>nginx/0.3.33</center>\r\n</body>\r\n</html>\r\n";
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_READS: usize = 1024;
