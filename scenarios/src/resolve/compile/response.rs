//! `trigger` and `then` become responses.

use std::net::IpAddr;

use roadblock_censor::policy::{Corrupt, Fate, Place, Police, QueueLimit, Redirect, Response, Rewrite, Shape};

use super::super::arguments::Setting;
use super::Compiler;
use crate::declare::{
    Argument, LossDeclaration, PayloadFate, PoliceDeclaration, RedirectDeclaration, ResponseDeclaration,
    RewriteDeclaration, ShapeDeclaration, SizeOrTime,
};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::Located;
use crate::source::Location;

impl Compiler<'_, '_> {
    /// What happens to a packet.
    pub(super) fn response(&mut self, response: &ResponseDeclaration, place: Place, rule: &Location) -> Response {
        let fate = match response {
            ResponseDeclaration::Pass | ResponseDeclaration::Inject(_) => Fate::Pass,
            ResponseDeclaration::Drop => Fate::Drop,
            ResponseDeclaration::Reject(rejection) => Fate::Reject(*rejection),
            ResponseDeclaration::Rewrite(rewrite) => Fate::Rewrite(self.rewrite(rewrite)),
            ResponseDeclaration::Lose(LossDeclaration { chance, .. }) => Fate::Lose(self.probability(chance)),
            ResponseDeclaration::Police(police) => Fate::Police(self.police(police)),
            ResponseDeclaration::Redirect(redirect) => Fate::Redirect(self.redirect(redirect)),
            ResponseDeclaration::Shape(shape) => Fate::Shape(self.shape(shape)),
            ResponseDeclaration::Corrupt(corrupt) => {
                Fate::Corrupt(Corrupt { offset: corrupt.offset.into(), bytes: corrupt.bytes.0.clone().into() })
            }
            ResponseDeclaration::Divert => Fate::Divert,
        };
        if place == Place::OnPath && fate != Fate::Pass {
            self.note_on_path(rule);
        }
        let inject = match response {
            ResponseDeclaration::Inject(injections) => self.injections(&injections.0),
            _ => Vec::new(),
        };
        Response { fate, inject }
    }

    fn police(&mut self, police: &PoliceDeclaration) -> Police {
        let burst = self.size(&police.burst);
        if burst < MIN_BURST {
            let message = format!("a burst of {burst} bytes is less than one packet, so most would never pass");
            let help = format!("write at least \"{MIN_BURST}B\", which is a full packet");
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, police.at(), message).help(help));
        }
        Police { bits_per_second: self.rate(&police.rate), burst, per: police.per }
    }

    fn shape(&mut self, shape: &ShapeDeclaration) -> Shape {
        let queue = match &shape.queue {
            Argument::Literal(SizeOrTime::Size(bytes)) => QueueLimit::Bytes(*bytes),
            Argument::Literal(SizeOrTime::Time(time)) => QueueLimit::Time(*time),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Size(size)) => QueueLimit::Bytes(size.0),
                Some(Setting::Duration(time)) => QueueLimit::Time(*time),
                other => self.mistyped(name, "a size or a duration", other).unwrap_or(QueueLimit::Bytes(MIN_BURST)),
            },
        };
        Shape { bits_per_second: self.rate(&shape.rate), queue, per: shape.per }
    }

    fn redirect(&mut self, redirect: &RedirectDeclaration) -> Redirect {
        let addresses = self.addresses(&redirect.address);
        let v4 = addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        let v6 = addresses.iter().find_map(|address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        });
        Redirect { v4, v6, port: redirect.port }
    }

    fn rewrite(&mut self, rewrite: &RewriteDeclaration) -> Rewrite {
        let RewriteDeclaration { tcp_flags, payload, ack_offset, window, ttl, .. } = rewrite;
        let nothing = tcp_flags.is_none() && payload.is_none() && ack_offset.is_none();
        if nothing && window.is_none() && ttl.is_none() {
            let message = "the rewrite changes nothing";
            let help = "say `tcp-flags = \"RA\"`, `payload = \"strip\"`, `ack-offset`, `window` or `ttl`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, rewrite.at(), message).help(help));
        }
        Rewrite {
            tcp_flags: tcp_flags.map(|letters| letters.0),
            strip_payload: *payload == Some(PayloadFate::Strip),
            acknowledgement: ack_offset.map_or(0, |offset| offset.0),
            window: *window,
            ttl: *ttl,
        }
    }
}

/// The MTU of every link.
const MIN_BURST: u64 = 1500;
