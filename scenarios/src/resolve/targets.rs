//! What a person would open or use of a service.

use super::probes::ProbeBuilder;
use super::services::host_of;
use crate::declare::TargetDeclaration;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::library::Library;
use crate::model::{FamilyChoice, Host, HttpRequest, HttpVersion, Probe, Target};
use crate::read::Located;
use crate::source::Text;

/// A target: a page, or a measurement that says by itself where it goes.
pub(super) fn target(
    declared: &TargetDeclaration,
    hosts: &[Host],
    library: &Library,
    errors: &mut Collector,
) -> Option<Target> {
    let probe = match (&declared.url, &declared.probe) {
        (Some(url), None) => page(url, hosts, errors)?,
        (None, Some(probe)) => {
            let mut no_names = |written: &Text, errors: &mut Collector| no_resolver(written, errors);
            ProbeBuilder::of_service(hosts, library, &mut no_names, errors).probe(probe, declared.at())?
        }
        _ => {
            let message = "a target has either a `url` or a `probe`";
            let help = "a page has a `url`; an app has a `probe`, as \"whatsapp\" or { call = { … } }";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message).help(help));
            return None;
        }
    };
    Some(Target { title: declared.title.clone(), probe })
}

fn page(url: &Text, hosts: &[Host], errors: &mut Collector) -> Option<Probe> {
    let Some(name) = host_of(url) else {
        let message = format!("`{}` is not a URL that a probe can open", url.value);
        let help = "write `http://` or `https://`, a name and a path";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &url.at, message).help(help));
        return None;
    };
    if !hosts.iter().any(|host| host.names.iter().any(|each| each == name)) {
        let message = format!("no host of this service is named `{name}`");
        let help = "give a host this name, or write the URL of one that is here";
        errors.push(Diagnostic::new(DiagnosticKind::UnknownHost, &url.at, message).help(help));
    }
    let (family, version) = (FamilyChoice::default(), HttpVersion::One);
    Some(Probe::Http { url: url.value.clone(), address: None, family, version, request: HttpRequest::default() })
}

fn no_resolver(written: &Text, errors: &mut Collector) -> Option<std::net::IpAddr> {
    let address = written.parse().ok();
    if address.is_none() {
        let message = format!("`{}` is not an address, and a service knows no resolver by name", written.value);
        errors.push(Diagnostic::new(DiagnosticKind::UnknownResolver, &written.at, message));
    }
    address
}
