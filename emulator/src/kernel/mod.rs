//! All that acts on the kernel, and all unsafe code, each in a small module of its own with its reason.

pub mod capabilities;
pub mod command;
pub mod descriptors;
pub mod etc;
pub mod fork;
pub mod identity;
pub mod inject;
pub mod links;
pub mod mounts;
pub mod namespace;
pub mod netfilter;
pub mod nflog;
pub mod nfqueue;
pub mod nftables;
pub mod packet_tap;
pub mod raw_socket;
pub mod sockets;
pub mod sysctl;
pub mod tcp_info;
pub mod tun;
