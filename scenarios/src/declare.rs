//! The language, one type for each of its tables. What is written here is what the schema says and the reader accepts.

mod argument;
mod data;
mod expectation;
mod injection;
mod listen;
mod profile;
mod scenario;
mod service;
mod words;

pub(crate) use argument::Argument;
pub(crate) use data::{FactDeclaration, FactsFile, NetworkDeclaration, NetworksFile};
pub(crate) use expectation::{DnsProbe, ExpectDeclaration, ProbeDeclaration, ThenDeclaration, TlsProbe};
pub(crate) use injection::{DnsAnswer, InjectDeclaration, Injectable, ResponseCode};
pub(crate) use listen::ListenDeclaration;
pub(crate) use profile::{
    BoxDeclaration, Boxes, Checksum, Parameter, ParameterType, PayloadFate, ProfileFile, Reassembly, Refresh,
    ResponseDeclaration, RewriteDeclaration, RuleDeclaration, Side, TeardownFlag, TransportProtocol, When,
};
pub(crate) use scenario::{
    CensorDeclaration, Change, LieAnswerDeclaration, LieDeclaration, PhaseDeclaration, ScenarioFile, SourceDeclaration,
    VantageDeclaration,
};
pub(crate) use service::{HostDeclaration, ServiceFile, WebSocketDeclaration};
pub(crate) use words::{FileKind, TcpFlagLetters};
