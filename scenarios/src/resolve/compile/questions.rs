//! What `when` asks of protocols becomes questions.

use roadblock_censor::dissect::http::Keywords;
use roadblock_censor::dissect::tls::InnerGuess;
use roadblock_censor::policy::{
    Condition, Content, DnsQuestion, HelloQuestion, HttpQuestion, QuicQuestion, ResponseQuestion, TlsQuestion,
};
use roadblock_censor::{FingerprintPattern, FingerprintSet};

use super::super::arguments::Setting;
use super::super::items::{Keyword, expand};
use super::Compiler;
use super::condition::as_said;
use crate::declare::{
    AnswerDeclaration, Argument, DnsCarriage, Items, WhenDns, WhenDtls, WhenHttp, WhenQuic, WhenResponse, WhenTls,
};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::{Located, OneOrMany};
use crate::source::Text;

impl Compiler<'_, '_> {
    pub(super) fn tls(&mut self, tls: &WhenTls) -> Vec<Condition> {
        let asked = |question| Condition::Content(Content::Tls(TlsQuestion::Hello(question)));
        let mut all = Vec::new();
        all.extend(tls.hello.map(|is| as_said(is, asked(HelloQuestion::Any))));
        all.extend(tls.named.map(|is| as_said(is, asked(HelloQuestion::Named))));
        all.extend(tls.sni.as_ref().map(|names| asked(HelloQuestion::Sni(self.names(names)))));
        all.extend(tls.alpn.as_ref().map(|protocols| asked(HelloQuestion::Alpn(texts(protocols)))));
        let versions =
            |versions: &OneOrMany<_>| versions.0.iter().map(|version: &crate::declare::TlsVersion| version.0).collect();
        all.extend(tls.version.as_ref().map(|all| asked(HelloQuestion::Version(versions(all)))));
        all.extend(tls.ech.map(|has| as_said(has, asked(HelloQuestion::Ech))));
        all.extend(tls.esni.map(|has| as_said(has, asked(HelloQuestion::Esni))));
        all.extend(tls.ja3.as_ref().map(|ja3| asked(HelloQuestion::Ja3(self.fingerprints(ja3, Kind::Ja3)))));
        all.extend(tls.ja4.as_ref().map(|ja4| asked(HelloQuestion::Ja4(self.fingerprints(ja4, Kind::Ja4)))));
        let certificate = tls.certificate.as_ref().map(|names| TlsQuestion::Certificate(self.names(names)));
        all.extend(certificate.map(|question| Condition::Content(Content::Tls(question))));
        let inner = || Condition::Content(Content::Tls(TlsQuestion::Inner(InnerGuess::default())));
        all.extend(tls.inner.map(|is| as_said(is, inner())));
        self.check_asked(all.is_empty(), tls, "TLS", "`sni = \"a.b\"` or `hello = true`");
        all
    }

    pub(super) fn quic(&mut self, quic: &WhenQuic) -> Vec<Condition> {
        let asked = |question| Condition::Content(Content::Quic(question));
        let hello = |question| asked(QuicQuestion::Hello(question));
        let mut all = Vec::new();
        all.extend(quic.initial.map(|is| as_said(is, asked(QuicQuestion::Initial))));
        let versions = quic.version.as_ref().map(|versions| versions.0.iter().map(|version| version.0).collect());
        all.extend(versions.map(|versions| asked(QuicQuestion::Version(versions))));
        all.extend(quic.sni.as_ref().map(|names| hello(HelloQuestion::Sni(self.names(names)))));
        all.extend(quic.alpn.as_ref().map(|protocols| hello(HelloQuestion::Alpn(texts(protocols)))));
        all.extend(quic.ech.map(|has| as_said(has, hello(HelloQuestion::Ech))));
        all.extend(quic.ja4.as_ref().map(|ja4| hello(HelloQuestion::Ja4(self.fingerprints(ja4, Kind::Ja4)))));
        self.check_asked(all.is_empty(), quic, "QUIC", "`sni = \"a.b\"` or `initial = true`");
        all
    }

    pub(super) fn dtls(&mut self, dtls: &WhenDtls) -> Vec<Condition> {
        let asked = |question| Condition::Content(Content::Dtls(question));
        let mut all = Vec::new();
        let versions = dtls.version.as_ref().map(|versions| versions.0.iter().map(|version| version.0).collect());
        all.extend(versions.map(|versions| asked(HelloQuestion::Version(versions))));
        all.extend(dtls.ja3.as_ref().map(|ja3| asked(HelloQuestion::Ja3(self.fingerprints(ja3, Kind::Ja3)))));
        all.extend(dtls.ja4.as_ref().map(|ja4| asked(HelloQuestion::Ja4(self.fingerprints(ja4, Kind::Ja4)))));
        self.check_asked(all.is_empty(), dtls, "DTLS", "`version = \"1.2\"`, or `udp.dtls = true` for any of it");
        all
    }

    pub(super) fn http(&mut self, http: &WhenHttp) -> Vec<Condition> {
        let asked = |question| Condition::Content(Content::Http(question));
        let mut all = Vec::new();
        all.extend(http.request.map(|is| as_said(is, asked(HttpQuestion::Request))));
        all.extend(http.host.as_ref().map(|names| asked(HttpQuestion::Host(self.names(names)))));
        let target = http.target.as_ref().and_then(|words| self.keywords(words, http));
        all.extend(target.map(|words| asked(HttpQuestion::Target(words))));
        let keyword = http.keyword.as_ref().and_then(|words| self.keywords(words, http));
        all.extend(keyword.map(|words| asked(HttpQuestion::Keyword(words))));
        all.extend(http.method.as_ref().map(|methods| asked(HttpQuestion::Method(texts(methods)))));
        let body = http.body.as_ref().and_then(|words| self.keywords(words, http));
        all.extend(body.map(|words| asked(HttpQuestion::Body(words))));
        let response = http.response.as_ref().map(|response| self.http_response(response));
        all.extend(response.map(|response| asked(HttpQuestion::Response(response))));
        self.check_asked(all.is_empty(), http, "HTTP", "`host = \"a.b\"` or `request = true`");
        all
    }

    pub(super) fn dns(&mut self, dns: &WhenDns) -> Vec<Condition> {
        let asked = |question: DnsQuestion| {
            let over = |carriage: &DnsCarriage| match carriage {
                DnsCarriage::Udp => Condition::Content(Content::Dns(question.clone())),
                DnsCarriage::Tcp => Condition::Content(Content::DnsOverTcp(question.clone())),
            };
            match dns.transport.0.as_slice() {
                [one] => over(one),
                several => Condition::Any(several.iter().map(over).collect()),
            }
        };
        let mut all = Vec::new();
        all.extend(dns.query.map(|is| as_said(is, asked(DnsQuestion::Query))));
        all.extend(dns.qname.as_ref().map(|names| asked(DnsQuestion::Name(self.names(names)))));
        let types = dns.qtype.as_ref().map(|types| types.0.iter().map(|kind| kind.0).collect());
        all.extend(types.map(|types| asked(DnsQuestion::Type(types))));
        all.extend(dns.name.as_ref().map(|names| asked(DnsQuestion::AnyName(self.names(names)))));
        all.extend(dns.answer.as_ref().map(|answer| match answer {
            AnswerDeclaration::Is(is) => as_said(*is, asked(DnsQuestion::Answer)),
            AnswerDeclaration::Within(prefixes) => asked(DnsQuestion::Address(self.prefixes(prefixes))),
        }));
        self.check_asked(all.is_empty(), dns, "DNS", "`qname = \"a.b\"` or `query = true`");
        all
    }

    fn http_response(&mut self, response: &WhenResponse) -> ResponseQuestion {
        ResponseQuestion {
            status: response.status.as_ref().map(|status| status.least..=status.most),
            location: response.location.as_ref().and_then(|words| self.keywords(words, response)),
            contains: response.contains.as_ref().and_then(|words| self.keywords(words, response)),
        }
    }

    /// Notes that a table says nothing. One of which something could not be read was noted already.
    pub(super) fn check_asked(&mut self, is_empty: bool, table: &impl Located, what: &str, example: &str) {
        if is_empty && !self.errors.has_within(table.at()) {
            let message = format!("nothing is asked of {what}");
            let help = format!("say something, such as {example}");
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, table.at(), message).help(help));
        }
    }

    fn fingerprints(&mut self, argument: &Argument<Items>, kind: Kind) -> FingerprintSet {
        let patterns: Vec<FingerprintPattern> = match argument {
            Argument::Literal(items) => expand(items, self.context, self.errors),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Fingerprints(patterns)) => patterns.clone(),
                other => self.mistyped(name, "a list of fingerprints", other).unwrap_or_default(),
            },
        };
        let wrong = patterns.iter().find(|pattern| pattern.is_ja3() != (kind == Kind::Ja3));
        if let (Some(wrong), Some(at)) = (wrong, place(argument)) {
            let (is, other) = if kind == Kind::Ja3 { ("JA4", "ja4") } else { ("JA3", "ja3") };
            let message = format!("`{wrong}` is a {is}, which never is one of these");
            self.errors.push(
                Diagnostic::new(DiagnosticKind::BadValue, &at.at, message).help(format!("ask for it with `{other}`")),
            );
        }
        patterns.into_iter().collect()
    }

    pub(super) fn keywords(&mut self, argument: &Argument<Items>, table: &impl Located) -> Option<Keywords> {
        let words: Vec<Keyword> = match argument {
            Argument::Literal(items) => expand(items, self.context, self.errors),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Keywords(words)) => words.clone(),
                other => self.mistyped(name, "a list of keywords", other).unwrap_or_default(),
            },
        };
        match Keywords::new(words.iter().map(|word| word.0.as_bytes())) {
            Ok(keywords) => Some(keywords),
            Err(error) => {
                self.errors.push(Diagnostic::new(DiagnosticKind::BadPattern, table.at(), error.to_string()));
                None
            }
        }
    }
}

/// Which fingerprints are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Ja3,
    Ja4,
}

/// Where an argument stands.
fn place(argument: &Argument<Items>) -> Option<&Text> {
    match argument {
        Argument::Literal(items) => items.union.first(),
        Argument::Parameter(name) => Some(name),
    }
}

fn texts(written: &OneOrMany<Text>) -> Vec<String> {
    written.0.iter().map(|text| text.value.clone()).collect()
}
