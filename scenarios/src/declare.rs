//! The language, one type for each of its tables. What is written here is what the schema says and the reader accepts.

mod argument;
mod boxes;
mod condition;
mod cuts;
mod data;
mod expectation;
mod findings;
mod injection;
mod items;
mod listen;
mod neighbours;
mod probe;
mod profile;
mod quantities;
mod questions;
mod readiness;
mod reading;
mod response;
mod scenario;
mod service;
mod tool;
mod tracking;
mod words;

pub(crate) use argument::Argument;
pub(crate) use boxes::{BoxDeclaration, Boxes, FragmentsDeclaration, ShareDeclaration};
pub(crate) use condition::{
    AfterDeclaration, OpenVpnMark, Side, TransportProtocol, When, WhenAmneziaWg, WhenClient, WhenPacket, WhenPayload,
    WhenTcp,
};
pub(crate) use cuts::Cuts;
pub(crate) use data::{FactDeclaration, FactsFile, NetworkDeclaration, NetworksFile};
pub(crate) use expectation::{ExpectDeclaration, OfControlDeclaration, ThenDeclaration, TimesDeclaration};
pub(crate) use findings::FindsDeclaration;
pub(crate) use injection::{
    DnsAnswer, HttpDeclaration, InjectDeclaration, Injectable, IpDeclaration, QueryType, ResetDeclaration,
    ResponseCode, SegmentDeclaration,
};
pub(crate) use items::Items;
pub(crate) use listen::ListenDeclaration;
#[cfg(test)]
pub(crate) use neighbours::NeighbourTable;
pub(crate) use neighbours::NeighboursDeclaration;
pub(crate) use probe::{
    AppProbe, ConnectionsProbe, DnsProbe, H3Probe, HttpProbe, ProbeDeclaration, QuicProbe, ResidualProbe, SpeakProbe,
    SplitDeclaration, TlsProbe, TraceProbe,
};
pub(crate) use profile::{Parameter, ParameterType, ProfileFile, RuleDeclaration};
pub(crate) use quantities::{
    Between, BitRate, ByteSize, CountRange, HeaderNumber, HexBytes, MeasureLimits, Offset, PortRange, SizeOrTime,
    TimeOfDay,
};
pub(crate) use questions::{
    AnswerDeclaration, DnsCarriage, TlsVersion, WhenDns, WhenDtls, WhenHttp, WhenQuic, WhenResponse, WhenTls,
};
pub(crate) use readiness::LocalReadiness;
pub(crate) use reading::{HttpReading, QuicReading, TlsReading};
pub(crate) use response::{
    LossDeclaration, PayloadFate, PoliceDeclaration, RedirectDeclaration, ResponseDeclaration, RewriteDeclaration,
    ShapeDeclaration, ThenWhat,
};
pub(crate) use scenario::{
    CensorDeclaration, Change, LieAnswerDeclaration, LieDeclaration, MachineDeclaration, PhaseDeclaration,
    ScenarioFile, SourceDeclaration, VantageDeclaration,
};
pub(crate) use service::{
    HostDeclaration, PageAnswerDeclaration, PageDeclaration, ServiceFile, TargetDeclaration, WebSocketDeclaration,
};
pub(crate) use tool::{ServersDeclaration, ToolClientDeclaration, ToolFile, ToolServerDeclaration};
pub(crate) use tracking::{
    FlowDeclaration, InspectDeclaration, ResyncFlag, TcpDeclaration, TeardownFlag, TtlDeclaration,
};
pub(crate) use words::{FileKind, FlagSet, TcpFlagLetters};
