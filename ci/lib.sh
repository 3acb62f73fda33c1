# What the scripts of this folder share. To be sourced by bash, from the top of the checkout.
# shellcheck shell=bash

# An ordinary user's PATH on Debian lacks the folders where nft and some others live.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

say() {
    printf '==> %s\n' "$*" >&2
}

# Ends with the status that roadblock itself has for "this machine cannot do it".
give_up() {
    printf 'error: %s\n' "$*" >&2
    exit 3
}

missing=()

# need PACKAGE WHY TEST...: notes PACKAGE as missing where TEST fails. What counts is that the thing can be used, wherever
# it came from, so tests look for commands and libraries and not for Debian's packages.
need() {
    local package=$1 why=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        say "missing: $why (Debian's package $package)"
        missing+=("$package")
    fi
}

has() {
    command -v "$1"
}

has_library() {
    pkg-config --exists "$1"
}

# A compiler without the C library's start files is there but cannot link.
can_link() {
    local program status=0
    program=$(mktemp)
    echo 'int main(void) { return 0; }' | cc -x c -o "$program" - || status=$?
    rm -f "$program"
    return "$status"
}

need_for_build() {
    need gcc "a C compiler and linker, for ring and for Rust itself" has cc
    need libc6-dev "the C library's headers and start files" can_link
    need pkg-config "pkg-config, which finds the two libraries below" has pkg-config
    need libmnl-dev "libmnl, netlink messages" has_library libmnl
    need libnftnl-dev "libnftnl, nftables rules" has_library libnftnl
    need ca-certificates "certificates of authorities, to fetch crates" test -s /etc/ssl/certs/ca-certificates.crt
}

# roadblock itself needs none of these but newuidmap, and that only to give a lab more than one user id.
need_for_tests() {
    need curl "curl, a client inside labs" has curl
    need knot-dnsutils "kdig, a client inside labs" has kdig
    need traceroute "traceroute, to see the hops" has traceroute
    need iputils-ping "ping, to see the hops" has ping
    need openssl "openssl, to check certificates" has openssl
    need default-jre-headless "keytool, to check the store of authorities for Java" has keytool
    need nftables "nft, to compare a lab's rules with the plan" has nft
    need iproute2 "ip, to compare a lab's links with the plan" has ip
    need procps "ps, to see that nothing outlives a lab" has ps
    need util-linux "setpriv and unshare, to run as an ordinary user" eval 'has setpriv && has unshare'
    need uidmap "newuidmap, for labs of more than one user id" has newuidmap
    need jq "jq, to compare reports" has jq
    need wireguard-go "wireguard-go, a VPN inside labs" has wireguard-go
    need wireguard-tools "wg, to configure it" has wg
    need openvpn "openvpn, a VPN inside labs" has openvpn
    need shadowsocks-libev "ss-local and ss-server, a proxy inside labs" eval 'has ss-local && has ss-server'
    need iodine "iodine, a tunnel in DNS inside labs" eval 'has iodine && has iodined'
    need stunnel4 "stunnel, a proxy in TLS inside labs" has stunnel
    need obfs4proxy "obfs4proxy, a transport inside labs" has obfs4proxy
    need microsocks "microsocks, a SOCKS server inside labs" has microsocks
    need openssh-client "ssh, a proxy inside labs" has ssh
    need tshark "tshark, to read captures with other eyes" has tshark
    need python3 "python3, a client inside labs" has python3
    need python3-venv "venv, for OONI's parser" python3 -c "import venv, ensurepip"
    need wget "wget, a client inside labs" has wget
    need python3-requests "Python's requests, a client inside labs" eval 'python3 -c "import requests" || /usr/bin/python3 -c "import requests"'
    need nodejs "node, a client inside labs, and one with roots compiled in" has node
    need default-jdk-headless "java with a compiler, a client inside labs" eval 'has java && has javac'
    need golang-go "go, to build a client with roots compiled in" has go
    need chromium "chromium, a client inside labs" has chromium
    need firefox-esr "firefox-esr, a client inside labs" has firefox-esr
    need python3-venv "Python's venv, for the libraries that look at the services" python3 -c 'import ensurepip, venv'
}

# Installs what need() noted, and only then touches the network.
install_missing() {
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    has apt-get >/dev/null || give_up "no apt-get here; install what this system calls: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        has sudo >/dev/null || give_up "not root and no sudo; as root, run: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    say "installing ${missing[*]}"
    # A list that cannot be refreshed need not matter: the install says whether it does.
    "${apt[@]}" update >&2 || say "apt-get update failed; trying with the lists that are here"
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 || give_up "apt-get could not install ${missing[*]}"
    missing=()
}

# Rust is the one thing not installed here: a toolchain is its user's choice.
need_rust() {
    if ! has cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    fi
    has cargo >/dev/null ||
        give_up "no cargo; install Rust: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    found=$(rustc --version | cut -d ' ' -f 2)
    if [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
        give_up "Rust $found is too old, $wanted is needed; run: rustup update stable"
    fi
}

need_rust_component() {
    cargo "$1" --version >/dev/null 2>&1 || give_up "cargo $1 is missing; run: rustup component add $2"
}

# Where ci/tools puts what it fetches and builds; `roadblock matrix` looks there too.
tools_directory() {
    printf '%s\n' "${ROADBLOCK_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/roadblock/tools}"
}

# Where cargo builds: configuration files may say so, not only the environment.
target_directory() {
    cargo metadata --format-version 1 --no-deps --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}

# OONI's own parser of measurements, which reads ours in a test, into a Python of its own. What it pins is years old and is not
# needed for parsing. Where it cannot be had, the test says so.
want_oonidata() {
    local here=target/oonidata
    if [ -x "$here/bin/python" ] && "$here/bin/python" -c 'import oonidata.models.nettests' 2>/dev/null; then
        return
    fi
    if ! { python3 -m venv "$here" && "$here/bin/pip" install -q --no-deps oonidata==0.3.0 &&
        "$here/bin/pip" install -q 'mashumaro~=3.0' cryptography pyopenssl lxml; } >&2; then
        say "missing: oonidata (PyPI), OONI's own parser; its test will be passed over"
    fi
}
