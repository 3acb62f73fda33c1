//! Machines of their own: abroad at the addresses that the file gives, inside the country at addresses of a hop's network.

use std::net::IpAddr;

use super::topology::{Builder, known};
use crate::declare::MachineDeclaration;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::model::{Machine, MachineCommand, Service};
use crate::read::Located;
use crate::source::{Spanned, Text};

impl Builder<'_, '_> {
    /// A machine with its addresses.
    pub(super) fn machine(&mut self, name: &Text, declared: &MachineDeclaration, services: &[Service]) -> Machine {
        let mut machine = Machine {
            name: name.as_str().into(),
            at: declared.at_hop.as_ref().filter(|hop| self.has_no_censor(hop)).map(|hop| hop.as_str().into()),
            v4: None,
            v6: None,
            behind: declared.behind.0.clone(),
            run: self.command(declared),
        };
        for address in &declared.address.0 {
            self.check_machine_address(address, services);
            let second = match address.value {
                IpAddr::V4(v4) => machine.v4.replace(v4).is_some(),
                IpAddr::V6(v6) => machine.v6.replace(v6).is_some(),
            };
            if second {
                let message = "a machine has one address of each family";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &address.at, message));
            }
        }
        match &declared.at_hop {
            Some(hop) => self.settle(&mut machine, hop, declared),
            None if declared.address.0.is_empty() => {
                let message = format!("the machine `{}` has no address", name.value);
                let help = "write `address = \"185.70.40.10\"`, or a list of one of each family; or, for one inside the \
                            country, `at` and a hop's name";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message).help(help));
            }
            None => {}
        }
        machine
    }

    /// Gives a machine inside the country addresses of its hop's network, or looks at those that it has.
    fn settle(&mut self, machine: &mut Machine, hop: &Text, declared: &MachineDeclaration) {
        // A hop that nobody goes through was noted.
        let Some(owner) = self.owners.get(hop.as_str()).copied() else { return };
        if declared.address.0.is_empty() {
            if let Some((v4, v6)) = self.spaces[owner].machine() {
                (machine.v4, machine.v6) = (Some(v4), Some(v6));
            }
            return;
        }
        for address in declared.address.0.iter().filter(|address| !self.spaces[owner].holds(address.value)) {
            let message = format!("{} is no address of the network of `{}`", address.value, hop.value);
            let help = "leave `address` out to be given one of that network, or take one that lies in it";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &address.at, message).help(help));
        }
    }

    fn check_machine_address(&mut self, address: &Spanned<IpAddr>, services: &[Service]) {
        self.public(address.value, &address.at);
        let mut hosts = services.iter().flat_map(|service| &service.hosts);
        if hosts.any(|host| host.addresses.contains(&address.value)) {
            let message = format!("a service lives at {} already", address.value);
            let help = "a machine has its addresses to itself; take another";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &address.at, message).help(help));
        }
    }

    /// Whether the hop is there and a machine can hang off it.
    fn has_no_censor(&mut self, hop: &Text) -> bool {
        if !known(hop, "hop", &self.file.hops, DiagnosticKind::UnknownHop, self.errors) {
            return false;
        }
        let censor = self.file.censors.entries.iter().find(|(_, censor)| censor.at_hop.value == hop.value);
        if let Some((censor, _)) = censor {
            let message =
                format!("a machine cannot hang off `{}`, where the censor `{}` sits", hop.value, censor.value);
            let help = "let it hang off the hop before the censor, seen from the clients, to be censored as they are, or \
                        off one behind it";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &hop.at, message).help(help));
        }
        censor.is_none()
    }

    fn command(&mut self, declared: &MachineDeclaration) -> Option<MachineCommand> {
        let Some(run) = &declared.run else {
            if let Some(ready) = &declared.ready {
                let message = "`ready` says when a command is ready, and this machine runs none";
                let help = "add `run`, or take `ready` out; a server of `exec --serve` is not waited for";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &ready.at, message).help(help));
            }
            return None;
        };
        if run.trim().is_empty() {
            let message = "there is no command in `run`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &run.at, message));
        }
        Some(MachineCommand {
            location: run.at.clone(),
            command: run.value.clone(),
            ready: declared.ready.as_ref().map(|ready| ready.value.clone()),
            ready_within: declared.ready_within,
        })
    }
}
