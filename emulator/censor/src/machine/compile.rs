//! A policy with what can be worked out beforehand.

use crate::event::FlowKey;
use crate::flow::{DatagramEar, Ear, SizesEar};
use crate::outbox::Direction;
use crate::policy::{
    BoxPolicy, Condition, Content, Fate, Interest, Ipv6Extensions, Policy, QuicQuestion, Residual, Response, Rule,
    Speech, TlsQuestion, TrackFrom,
};
use crate::residual::{ResidualPlace, RulePlace};
use crate::view::View;
use crate::wire::ip::protocol;

/// A policy, ready to be asked.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) boxes: Vec<CompiledBox>,
    /// Flows outside are not tracked: no rule that remembers can match them.
    pub(crate) interest: Interest,
    /// Whether some box begins to track a TCP flow in the middle.
    pub(crate) tracks_from_any: bool,
    /// Whether some box treats fragments otherwise than whole packets.
    pub(crate) treats_fragments: bool,
}

/// One box, ready to be asked.
#[derive(Debug)]
pub(crate) struct CompiledBox {
    pub(crate) policy: BoxPolicy,
    /// Where each rule can match.
    reach: Vec<Interest>,
    /// Where some rule reads what the client says, and the server.
    hears_client: Interest,
    hears_server: Interest,
    /// Where some rule reads a `ClientHello` of QUIC, and of DTLS.
    hears_quic: Interest,
    hears_dtls: Interest,
    /// Where some rule asks about TLS inside a flow.
    hears_inner: Interest,
    /// Where some rule asks about the shape of a flow's packets.
    hears_tunnel: Interest,
    /// The places of the rules that arm residuals.
    pub(crate) with_residual: Vec<usize>,
    /// The contents that each rule names.
    contents: Vec<Vec<Content>>,
    /// Which rules look at more than what all packets of a flow and direction have in common, or count them.
    pub(crate) waits: Vec<bool>,
}

impl Compiled {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            interest: policy.interest(),
            tracks_from_any: policy
                .boxes
                .iter()
                .any(|each| matches!(each.flow.from, TrackFrom::Any | TrackFrom::Nothing)),
            treats_fragments: policy.boxes.iter().any(|each| each.fragments.is_in_force()),
            boxes: policy.boxes.into_iter().map(CompiledBox::new).collect(),
        }
    }

    /// The place of the box that a packet travelling this way meets at this step.
    pub(crate) fn box_at_step(&self, step: usize, direction: Direction) -> usize {
        match direction {
            Direction::Outbound => step,
            Direction::Inbound => self.boxes.len() - 1 - step,
        }
    }

    /// The place of the box of this name.
    pub(crate) fn find_box(&self, name: &str) -> Option<usize> {
        self.boxes.iter().position(|each| *each.policy.name == *name)
    }

    /// The place of a rule's residual of this policy in another, if the rule is there and punishes the same packets.
    pub(crate) fn place_in(&self, other: &Self, place: ResidualPlace) -> Option<ResidualPlace> {
        let key = |rule: &Rule| rule.residuals.get(place.at).map(|residual| residual.key);
        let of = self.place_where(other, place.of, &|rule, other| key(other).is_some() && key(other) == key(rule))?;
        Some(ResidualPlace { of, ..place })
    }

    /// The place of a rule of this policy in another, if it is there and still counts for the same flows together.
    pub(crate) fn place_of_count_in(&self, other: &Self, place: RulePlace) -> Option<RulePlace> {
        let counts = |rule: &Rule| rule.after.map(|after| (after.per, after.unit, after.within));
        self.place_where(other, place, &|rule, other| counts(other).is_some() && counts(other) == counts(rule))
    }

    /// The place of a rule of this policy in another, if it is there and still keeps a rate.
    pub(crate) fn place_of_rate_in(&self, other: &Self, place: RulePlace) -> Option<RulePlace> {
        self.place_where(other, place, &|_, other| keeps_rate(other))
    }

    /// The place of a rule of this policy in another, if it is there and still redirects.
    pub(crate) fn place_of_redirect_in(&self, other: &Self, place: RulePlace) -> Option<RulePlace> {
        self.place_where(other, place, &|_, other| matches!(other.trigger.fate, Fate::Redirect(_)))
    }

    fn place_where(&self, other: &Self, place: RulePlace, holds: &dyn Fn(&Rule, &Rule) -> bool) -> Option<RulePlace> {
        let each = &self.boxes.get(place.of_box)?.policy;
        let rule = each.rules.get(place.rule)?;
        let of_box = other.find_box(&each.name)?;
        let is_same = |other: &Rule| other.id == rule.id && holds(rule, other);
        let rule = other.boxes[of_box].policy.rules.iter().position(is_same)?;
        Some(RulePlace { of_box, rule })
    }
}

impl CompiledBox {
    fn new(policy: BoxPolicy) -> Self {
        let where_asked = |is_asked: &dyn Fn(&Content) -> bool| {
            let is_asked = |leaf: &Condition| matches!(leaf, Condition::Content(content) if is_asked(content));
            let asking = policy.rules.iter().filter(|rule| rule.when.mentions(&is_asked));
            asking.map(Rule::interest).fold(Interest::default(), Interest::or)
        };
        let hears = |is_client: bool| {
            let in_streams = where_asked(&|content| content.habit().hears(is_client));
            let in_datagrams = where_asked(&|content| content.habit().udp);
            Interest { tcp: in_streams.tcp, udp: in_datagrams.udp, ..Interest::default() }
        };
        let places = policy.rules.iter().enumerate();
        let varies =
            |leaf: &Condition| matches!(leaf, Condition::Content(_) | Condition::Packet(_) | Condition::Time(_));
        Self {
            hears_client: hears(true),
            hears_server: hears(false),
            hears_quic: where_asked(&|content| matches!(content, Content::Quic(QuicQuestion::Hello(_)))),
            hears_dtls: where_asked(&|content| matches!(content, Content::Dtls(_))),
            hears_tunnel: where_asked(&|content| matches!(content, Content::Speech(speech) if speech.is_of_shape())),
            hears_inner: where_asked(&|content| matches!(content, Content::Tls(TlsQuestion::Inner(_)))),
            contents: policy.rules.iter().map(|rule| rule.when.contents().into_iter().cloned().collect()).collect(),
            waits: policy.rules.iter().map(|rule| rule.after.is_some() || rule.when.mentions(&varies)).collect(),
            reach: policy.rules.iter().map(Rule::interest).collect(),
            with_residual: places.filter(|(_, rule)| !rule.residuals.is_empty()).map(|(place, _)| place).collect(),
            policy,
        }
    }

    /// The rules that can match a packet of this flow, with their places.
    pub(crate) fn rules_for(&self, key: FlowKey) -> impl Iterator<Item = (usize, &Rule)> {
        let has_ports = matches!(key.protocol, protocol::TCP | protocol::UDP);
        let reaches = move |reach: &Interest| !has_ports || reach.covers(key.protocol, key.server_port);
        let rules = self.policy.rules.iter().zip(&self.reach).enumerate();
        rules.filter(move |(_, (_, reach))| reaches(reach)).map(|(place, (rule, _))| (place, rule))
    }

    /// What some rule wants to hear of this flow.
    pub(crate) fn ear(&self, key: FlowKey) -> Ear {
        let covers = |interest: &Interest| interest.covers(key.protocol, key.server_port);
        Ear {
            client: covers(&self.hears_client),
            server: covers(&self.hears_server),
            datagrams: DatagramEar { quic: covers(&self.hears_quic), dtls: covers(&self.hears_dtls) },
            sizes: SizesEar { inner: covers(&self.hears_inner), tunnel: covers(&self.hears_tunnel) },
        }
    }

    /// The contents that rules name which can match a packet of this flow.
    pub(crate) fn contents_for(&self, key: FlowKey) -> impl Iterator<Item = &Content> {
        self.rules_for(key).flat_map(|(place, _)| &self.contents[place])
    }

    /// The protocols, known by their form, that rules name which can match a packet of this flow.
    pub(crate) fn speeches_for(&self, key: FlowKey) -> impl Iterator<Item = &Speech> {
        self.contents_for(key).filter_map(|content| match content {
            Content::Speech(speech) => Some(speech),
            _ => None,
        })
    }

    /// Whether the box reads what comes after the packet's IP header.
    pub(crate) fn reads_past_ip(&self, view: &View<'_>) -> bool {
        self.policy.ipv6_extensions == Ipv6Extensions::Walk || !view.ip.has_extension_headers()
    }

    /// Whether the box sees packets travelling this way and has rules at all.
    pub(crate) fn looks_at(&self, direction: Direction) -> bool {
        !self.policy.rules.is_empty() && self.policy.sees.direction(direction)
    }
}

fn keeps_rate(rule: &Rule) -> bool {
    let keeps_rate = |response: &Response| matches!(response.fate, Fate::Police(_) | Fate::Shape(_));
    let in_residual = |each: &Residual| keeps_rate(&each.outbound) || keeps_rate(&each.inbound);
    keeps_rate(&rule.trigger) || rule.residuals.iter().any(in_residual)
}
