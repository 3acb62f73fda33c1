//! Ctrl-C, a signal that asks for the end, or a time that is over: a run ends early and still reports what it has.

use std::time::Duration;

use roadblock_emulator::sandbox::signals;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Whether a run is to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    asked: watch::Receiver<bool>,
}

impl Stop {
    /// Listens on this runtime for Ctrl-C, as which the sandbox passes on SIGTERM and SIGHUP too, and looks at the clock where a
    /// run may take only so long.
    pub(crate) fn listen(runtime: &tokio::runtime::Runtime, timeout: Option<Duration>) -> std::io::Result<Self> {
        let (sender, asked) = watch::channel(false);
        let _inside = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt())?;
        signals::take_leave();
        runtime.spawn(async move {
            let over = async {
                match timeout {
                    Some(timeout) => tokio::time::sleep(timeout).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                () = over => {}
            }
            // With nobody left who listens there is nothing to stop.
            let _ = sender.send(true);
            // The receivers stay open, so that `wait` never ends for another reason.
            std::future::pending::<()>().await;
        });
        Ok(Self { asked })
    }

    /// Whether somebody asked for the end.
    pub(crate) fn is_set(&self) -> bool {
        *self.asked.borrow()
    }

    /// Until somebody asks for the end.
    pub(crate) async fn wait(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
