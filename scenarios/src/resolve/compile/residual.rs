//! `then` becomes punishments that outlive their trigger.

use roadblock_censor::policy::{Fate, Place, Residual, Response};

use super::Compiler;
use crate::declare::{ResponseDeclaration, RuleDeclaration, ThenWhat};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::Located;

impl Compiler<'_, '_> {
    /// The punishments of a rule, in order.
    pub(super) fn residuals(&mut self, rule: &RuleDeclaration, place: Place) -> Vec<Residual> {
        let beside = [
            ("key", rule.key.is_some()),
            ("last", rule.last.is_some()),
            ("begins", rule.begins.is_some()),
            ("refresh", rule.refresh.is_some()),
            ("hits", rule.hits.is_some()),
        ];
        if let (true, Some((key, _))) = (rule.then.0.is_empty(), beside.iter().find(|(_, is_there)| *is_there)) {
            let message = format!("`{key}` says something about `then`, which is not there");
            let help = "say what happens to later packets, as `then = { both = \"drop\" }`, or leave it out";
            self.errors.push(Diagnostic::new(DiagnosticKind::MissingKey, rule.at(), message).help(help));
        }
        let mut residuals = Vec::new();
        for (index, then) in rule.then.0.iter().enumerate() {
            if let Some(before) = rule.then.0[..index].iter().find(|before| covers_all_of(before, then)) {
                let message = "the one before covers all that this does, so it never comes to this one";
                let help = format!(
                    "say which packets the one at line {} covers with `when`, or take this out",
                    before.at().line
                );
                self.errors.push(Diagnostic::new(DiagnosticKind::NeverApplies, then.at(), message).help(help));
            }
            residuals.extend(self.residual(rule, then, place));
        }
        residuals
    }

    fn residual(&mut self, rule: &RuleDeclaration, then: &ThenWhat, place: Place) -> Option<Residual> {
        let (key, last) = (then.key.or(rule.key), then.last.as_ref().or(rule.last.as_ref()));
        let (Some(key), Some(last)) = (key, last) else {
            let message = "`then`, `key` and `last` belong together";
            let help = "say what happens to later packets, which they are and for how long, or none of it";
            self.errors.push(Diagnostic::new(DiagnosticKind::MissingKey, rule.at(), message).help(help));
            return None;
        };
        let (outbound, inbound) = self.ways(then, place);
        let begins = then.begins.as_ref().or(rule.begins.as_ref());
        let hits = then.hits.as_ref().or(rule.hits.as_ref());
        Some(Residual {
            when: then.when.as_ref().map(|when| self.later_packets(when)),
            key,
            after: then.after.as_ref().and_then(|after| self.after(after)),
            last: self.duration(last),
            begins: begins.map(|begins| self.duration(begins)).unwrap_or_default(),
            refresh: then.refresh.or(rule.refresh).unwrap_or_default(),
            hits: hits.map_or(1.0, |hits| self.probability(hits)),
            outbound,
            inbound,
        })
    }

    /// What happens to packets that leave, and to those that enter.
    fn ways(&mut self, then: &ThenWhat, place: Place) -> (Response, Response) {
        if then.both.is_some() && (then.inbound.is_some() || then.outbound.is_some()) {
            let message = "`both` says all; `inbound` and `outbound` cannot stand beside it";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, then.at(), message));
        }
        if then.both.is_none() && then.inbound.is_none() && then.outbound.is_none() {
            let message = "nothing happens to later packets";
            let help = "say what does: `both = \"drop\"`, or `inbound` and `outbound`";
            self.errors.push(Diagnostic::new(DiagnosticKind::MissingKey, then.at(), message).help(help));
        }
        let mut one = |way: Option<&ResponseDeclaration>| {
            way.or(then.both.as_ref()).map(|response| self.response(response, place, then.at())).unwrap_or_default()
        };
        let (outbound, inbound) = (one(then.outbound.as_ref()), one(then.inbound.as_ref()));
        if [&outbound, &inbound].iter().any(|response| matches!(response.fate, Fate::Redirect(_))) {
            let message = "only the packet that matches can be redirected";
            let help = "write the redirection as the rule's `trigger`; it matches each query by itself";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, then.at(), message).help(help));
        }
        (outbound, inbound)
    }
}

/// Whether one punishment leaves nothing to another that comes after it: it lasts as long and covers the same packets, all.
fn covers_all_of(before: &ThenWhat, then: &ThenWhat) -> bool {
    let own_time = |then: &ThenWhat| {
        then.key.is_some()
            || then.last.is_some()
            || then.begins.is_some()
            || then.hits.is_some()
            || then.after.is_some()
    };
    before.when.is_none() && !own_time(before) && !own_time(then)
}
