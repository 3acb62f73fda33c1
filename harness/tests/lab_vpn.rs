//! VPNs that nobody here wrote, through a TSPU that lets them be and then cuts them (RU-VPN-1).
#![expect(clippy::disallowed_methods, reason = "the binary is judged from outside, by programs that nobody here wrote")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Said, can_run_labs, roadblock, said};

const PAGE: &str = "<title>WhatsApp Web</title>";

#[test]
fn without_a_tunnel_the_page_is_reset() {
    if !can_run_labs() {
        return;
    }
    let direct = said(roadblock(&[
        "exec",
        &file("scenario.toml"),
        "--phase",
        "open",
        "--",
        "curl",
        "-4",
        "-sS",
        "https://web.whatsapp.com/",
    ]));
    assert_eq!(direct.status, 35, "{direct:?}");
}

#[test]
fn wireguard_reaches_whatsapp_until_its_data_are_cut() {
    if !can_run_labs() {
        return;
    }
    let server = format!("sh {}", file("wireguard-server.sh"));
    let client = file("wireguard-client.sh");
    let open = through("open", &server, &["sh", &client]);
    assert!(open.status == 0 && open.stdout.contains(PAGE), "{open:?}");
    let cut = through("cut", &server, &["sh", &client]);
    assert!(cut.status == 28 && !cut.stdout.contains(PAGE), "{cut:?}");
    assert!(cut.stdout.contains("handshakes: 1"), "the handshake must succeed: {cut:?}");
    assert!(cut.stderr.contains("tspu/wireguard"), "{cut:?}");
}

#[test]
fn openvpn_connects_and_then_its_data_are_cut() {
    if !can_run_labs() {
        return;
    }
    let keys = keys();
    let server = format!("sh {} {}", file("openvpn-server.sh"), keys.display());
    let client = file("openvpn-client.sh");
    let client = ["sh", &client, keys.to_str().expect("a plain path")];
    let open = through("open", &server, &client);
    assert!(open.status == 0 && open.stdout.contains(PAGE), "{open:?}");
    let cut = through("cut", &server, &client);
    assert!(cut.stdout.contains("connected"), "the handshake must succeed: {cut:?}");
    assert_eq!(cut.status, 28, "{cut:?}");
    assert!(cut.stderr.contains("tspu/openvpn"), "{cut:?}");
}

/// No rule looks for it, so it passes in both phases.
#[test]
fn shadowsocks_reaches_whatsapp_in_both_phases() {
    if !can_run_labs() {
        return;
    }
    let server = "ss-server -s 185.70.40.11 -p 8388 -k lab -m aes-256-gcm";
    for phase in ["open", "cut"] {
        let said = through(phase, server, &["sh", &file("shadowsocks-client.sh")]);
        assert!(said.status == 0 && said.stdout.contains(PAGE), "{phase}: {said:?}");
    }
}

/// Runs a client as root at the vantage, with a server on the machine abroad.
fn through(phase: &str, server: &str, client: &[&str]) -> Said {
    let scenario = file("scenario.toml");
    let serve = format!("server={server}");
    let arguments = [&["exec", &scenario, "--phase", phase, "--root", "--serve", &serve, "--"], client].concat();
    said(roadblock(&arguments))
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vpn").join(name);
    path.to_str().expect("a plain path").to_owned()
}

/// A certificate authority, a server and a client, as openssl makes them.
fn keys() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openvpn-keys");
    std::fs::create_dir_all(&folder).expect("a folder");
    let script = "set -e
        openssl ecparam -name prime256v1 -genkey -noout -out ca.key
        openssl req -x509 -new -key ca.key -subj /CN=ca -days 3650 -out ca.crt
        for name in server client; do
            openssl ecparam -name prime256v1 -genkey -noout -out $name.key
            openssl req -new -key $name.key -subj /CN=$name -out $name.csr
            openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out $name.crt
        done";
    let made = Command::new("sh").args(["-c", script]).current_dir(&folder).output().expect("a shell");
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    folder
}
