//! The language, one type for each of its tables. What is written here is what the schema says and the reader accepts.

mod argument;
mod boxes;
mod condition;
mod data;
mod expectation;
mod injection;
mod listen;
mod probe;
mod profile;
mod quantities;
mod response;
mod scenario;
mod service;
mod words;

pub(crate) use argument::Argument;
pub(crate) use boxes::{
    BoxDeclaration, Boxes, Checksum, FragmentsDeclaration, Reassembly, ShareDeclaration, TeardownFlag,
};
pub(crate) use condition::{AfterDeclaration, Side, TransportProtocol, When, WhenPayload};
pub(crate) use data::{FactDeclaration, FactsFile, NetworkDeclaration, NetworksFile};
pub(crate) use expectation::{ExpectDeclaration, ThenDeclaration};
pub(crate) use injection::{
    DnsAnswer, HttpDeclaration, InjectDeclaration, Injectable, IpDeclaration, ResetDeclaration, ResponseCode,
    SegmentDeclaration,
};
pub(crate) use listen::ListenDeclaration;
pub(crate) use probe::{AppProbe, DnsProbe, HttpProbe, ProbeDeclaration, TlsProbe};
pub(crate) use profile::{ParameterType, ProfileFile, RuleDeclaration};
pub(crate) use quantities::{BitRate, ByteSize, CountRange, HeaderNumber, HexBytes, Offset, PortRange, SizeOrTime};
pub(crate) use response::{
    LossDeclaration, PayloadFate, PoliceDeclaration, RedirectDeclaration, ResponseDeclaration, RewriteDeclaration,
    ShapeDeclaration, ThenWhat,
};
pub(crate) use scenario::{
    CensorDeclaration, Change, LieAnswerDeclaration, LieDeclaration, MachineDeclaration, PhaseDeclaration,
    ScenarioFile, SourceDeclaration, VantageDeclaration,
};
pub(crate) use service::{HostDeclaration, ServiceFile, TargetDeclaration, WebSocketDeclaration};
pub(crate) use words::{FileKind, TcpFlagLetters};
