//! A small scenario in which nothing is wrong.

/// For tests to break, or to extend.
pub(crate) const SOUND: &str = r#"
id = "test"
title = "A test"
use = ["services/neutral", "services/public-dns"]

[hop.access]

[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
resolvers = ["isp"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[resolver.isp]
at = "access"
lies = [{ names = ["wikipedia.org"], answer = { rcode = "NXDOMAIN" } }]

[censor.box]
profile = "censors/tspu-2026"
at = "access"
sni-1 = ["wikipedia.org"]

[[phase]]
id = "first"
date = 2026-01-01

[[phase]]
id = "second"
date = 2026-02-01
change = [{ in = "censor.box.sni-1", add = ["example.com"] }]

[[expect]]
probe = { dns = { name = "www.wikipedia.org" } }
verdict = "dns"
by = "isp/lies.0"
"#;
