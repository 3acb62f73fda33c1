//! The secrets of the probes' TLS sessions, so that a capture of them can be read.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lines as in the file that `SSLKEYLOGFILE` names. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsKeys {
    lines: Arc<Mutex<String>>,
}

impl TlsKeys {
    /// All lines so far.
    pub(crate) fn lines(&self) -> String {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl rustls::KeyLog for TlsKeys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut lines = self.lock();
        lines.push_str(label);
        for bytes in [client_random, secret] {
            lines.push(' ');
            for byte in bytes {
                // Writing to a string cannot fail.
                let _ = write!(lines, "{byte:02x}");
            }
        }
        lines.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use rustls::KeyLog;

    use super::TlsKeys;

    #[test]
    fn a_line_is_a_label_and_two_numbers_in_hexadecimal() {
        let keys = TlsKeys::default();
        keys.clone().log("CLIENT_RANDOM", &[0, 0x1f], &[0xab]);
        assert_eq!(keys.lines(), "CLIENT_RANDOM 001f ab\n");
    }
}
