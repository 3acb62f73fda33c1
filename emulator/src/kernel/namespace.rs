//! A network namespace with a thread that lives in it.
//!
//! A socket belongs to the namespace of the thread that made it, for life. So each namespace has one thread with a
//! runtime of its own; whatever is spawned there makes its sockets, and its processes, in that namespace.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use netns_rs::{Env, NetNs};
use roadblock_scenarios::model::Name;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::{mounts, sysctl};

/// Why a namespace could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The kernel would not make it or let a thread in.
    #[error("failed to make the network namespace `{name}`: {cause}")]
    Make {
        /// Its name.
        name: Name,
        /// What was said.
        cause: netns_rs::Error,
    },
    /// Its thread could not be made, or its settings not be pinned.
    #[error("failed to prepare the network namespace `{name}`: {cause}")]
    Prepare {
        /// Its name.
        name: Name,
        /// What the kernel said.
        cause: io::Error,
    },
}

/// A network namespace and its thread. Dropping it ends the thread and lets the namespace go.
#[derive(Debug)]
pub struct Namespace {
    name: Name,
    file: File,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Namespace {
    /// Makes a namespace of a lab, whose number tells it from the same one of another; a router forwards packets.
    pub fn create(lab: usize, name: &Name, router: bool) -> Result<Self, NamespaceError> {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let inner_name = Name::clone(name);
        let prepare = |cause| NamespaceError::Prepare { name: Name::clone(name), cause };
        let thread = thread::Builder::new()
            .name(name.chars().take(15).collect())
            .spawn(move || live(lab, &inner_name, router, &tell, stopped))
            .map_err(prepare)?;
        let gone = || prepare(io::Error::other("its thread ended"));
        let (file, runtime) = told.recv().map_err(|_| gone())??;
        Ok(Self { name: Name::clone(name), file, runtime, stop: Some(stop), thread: Some(thread) })
    }

    /// Its name within the lab.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The namespace itself, to move a link into it.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The runtime of its thread.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Runs a future in the namespace and waits for it. Called from outside of any runtime.
    pub fn block_on<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        let (tell, told) = mpsc::channel();
        self.runtime.spawn(async move {
            let _ = tell.send(future.await);
        });
        told.recv().map_err(|_| io::Error::other(format!("the thread of {} ended", self.name)))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where the namespaces of a lab are kept: on its private tmpfs, so that they cannot clash or remain.
struct Private;

impl Env for Private {
    fn persist_dir(&self) -> PathBuf {
        PathBuf::from(mounts::PRIVATE).join("netns")
    }
}

type Told = Result<(File, Handle), NamespaceError>;

fn live(lab: usize, name: &Name, router: bool, tell: &mpsc::Sender<Told>, stopped: oneshot::Receiver<()>) {
    let made = enter(lab, name).and_then(|(namespace, file)| {
        let prepare = |cause| NamespaceError::Prepare { name: Name::clone(name), cause };
        sysctl::pin(router).map_err(prepare)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(prepare)?;
        Ok((namespace, file, runtime))
    });
    match made {
        Ok((namespace, file, runtime)) => {
            let _ = tell.send(Ok((file, runtime.handle().clone())));
            let _ = runtime.block_on(stopped);
            // A process that plays hundreds of labs would keep all their namespaces. What cannot be let go goes with it.
            let _ = namespace.remove();
        }
        Err(error) => {
            let _ = tell.send(Err(error));
        }
    }
}

/// Makes the namespace and puts the calling thread into it.
fn enter(lab: usize, name: &Name) -> Result<(NetNs<Private>, File), NamespaceError> {
    let make = |cause| NamespaceError::Make { name: Name::clone(name), cause };
    let namespace = NetNs::new_with_env(format!("{lab}.{name}"), Private).map_err(make)?;
    namespace.enter().map_err(make)?;
    let file = namespace.file().try_clone();
    let file = file.map_err(|cause| NamespaceError::Prepare { name: Name::clone(name), cause })?;
    Ok((namespace, file))
}
