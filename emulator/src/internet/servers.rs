//! Servers that run, and how it is noticed that one no longer does.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use roadblock_scenarios::model::Protocol;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Servers that run until they are stopped or dropped. They can be held, asked and stopped from any thread.
#[derive(Debug, Default)]
pub struct Servers {
    bound: Vec<Bound>,
    problems: Problems,
    tasks: Vec<JoinHandle<()>>,
}

/// A place where a server listens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bound {
    /// What is spoken there.
    pub protocol: Protocol,
    /// What the scenario says.
    pub wanted: SocketAddr,
    /// What it is; another port where the scenario says 0.
    pub actual: SocketAddr,
}

/// What went wrong with a server. While there is any, no measurement of the lab means anything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The server, as `https 157.240.205.35:443`.
    pub server: Arc<str>,
    /// What happened.
    pub kind: ProblemKind,
}

/// What went wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProblemKind {
    /// The server ended although nobody stopped it.
    #[error("it ended by itself")]
    Ended,
    /// The server or one of its connections panicked.
    #[error("it panicked")]
    Panicked,
    /// Connections or datagrams could not be taken.
    #[error("it could not take what came: {0}")]
    Receive(String),
    /// There was no certificate to show.
    #[error("it had no certificate: {0}")]
    Certificate(String),
}

/// The problems of some servers. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    noted: watch::Sender<Vec<Problem>>,
    stopping: AtomicBool,
}

impl Servers {
    /// Where they listen.
    pub fn bound(&self) -> &[Bound] {
        &self.bound
    }

    /// What went wrong so far; empty when all is well.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.all()
    }

    /// The same, to be held elsewhere.
    pub fn problem_list(&self) -> Problems {
        self.problems.clone()
    }

    /// Ends all servers and their connections, and returns when they are gone.
    pub async fn stop(mut self) {
        self.abort();
        for task in std::mem::take(&mut self.tasks) {
            // An aborted task's result says only that it was aborted.
            let _ = task.await;
        }
    }

    pub(super) fn add_bound(&mut self, bound: Bound) {
        self.bound.push(bound);
    }

    /// Runs a server. That its future ends, or panics, is a problem unless the servers are being stopped.
    pub(super) fn spawn(
        &mut self,
        runtime: &Handle,
        server: &Arc<str>,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let watch = Watch { server: Arc::clone(server), problems: self.problems.clone() };
        let task = runtime.spawn(async move {
            let _watch = watch;
            future.await;
        });
        self.tasks.push(task);
    }

    fn abort(&self) {
        self.problems.shared.stopping.store(true, Ordering::Release);
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.abort();
    }
}

impl Problems {
    /// All of them, in the order they were noted.
    pub fn all(&self) -> Vec<Problem> {
        self.shared.noted.borrow().clone()
    }

    /// Waits until there is one, and gives the first.
    pub async fn first(&self) -> Problem {
        let mut noted = self.shared.noted.subscribe();
        loop {
            if let Some(first) = noted.borrow_and_update().first() {
                return first.clone();
            }
            // This list holds the sender, so the channel cannot be closed.
            let _ = noted.changed().await;
        }
    }

    /// Notes a problem; one that is known already is not noted again.
    pub(super) fn note(&self, server: &Arc<str>, kind: ProblemKind) {
        let problem = Problem { server: Arc::clone(server), kind };
        self.shared.noted.send_if_modified(|noted| {
            let new = !noted.contains(&problem);
            if new {
                noted.push(problem);
            }
            new
        });
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.server, self.kind)
    }
}

/// Lives as long as a server's future, whatever ends it.
struct Watch {
    server: Arc<str>,
    problems: Problems,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.problems.shared.stopping.load(Ordering::Acquire) {
            return;
        }
        let kind = if std::thread::panicking() { ProblemKind::Panicked } else { ProblemKind::Ended };
        self.problems.note(&self.server, kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(future: impl Future<Output = ()> + Send + 'static) -> Vec<ProblemKind> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut servers = Servers::default();
        servers.spawn(runtime.handle(), &"http 1.1.1.1:80".into(), future);
        let task = servers.tasks.remove(0);
        let _ = runtime.block_on(task);
        servers.problems().into_iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn a_server_that_ends_or_panics_is_noticed() {
        assert_eq!(problems_of(async {}), [ProblemKind::Ended]);
        assert_eq!(problems_of(async { panic!("as the test wants") }), [ProblemKind::Panicked]);
    }

    #[test]
    fn a_server_that_is_stopped_is_no_problem() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut servers = Servers::default();
        let problems = servers.problem_list();
        servers.spawn(runtime.handle(), &"http 1.1.1.1:80".into(), std::future::pending());
        runtime.block_on(servers.stop());
        assert!(problems.all().is_empty());
    }

    #[test]
    fn a_problem_is_noted_once_and_reads_well() {
        let problems = Problems::default();
        let server: Arc<str> = "https 1.1.1.1:443".into();
        for _ in 0..3 {
            problems.note(&server, ProblemKind::Receive("too many open files".to_owned()));
        }
        let texts: Vec<_> = problems.all().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["https 1.1.1.1:443: it could not take what came: too many open files"]);
    }
}
