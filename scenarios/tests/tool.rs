//! The tool file: what it may say, and what is said about its mistakes.

#[path = "support/json.rs"]
mod json;

use std::path::Path;

use roadblock_scenarios::model::{Check, Filling, Readiness, Through, Tool};
use roadblock_scenarios::{Diagnostics, Library, check_tool, is_tool, load, load_tool, tools};

/// A file of this text, beside others.
fn written(name: &str, text: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tool").join(name);
    std::fs::create_dir_all(folder.join("keys")).expect("a folder");
    std::fs::write(folder.join("server.json"), "{}").expect("a file");
    std::fs::write(folder.join("keys/ca.crt"), "a key").expect("a file");
    let path = folder.join("tool.toml");
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

fn tool(name: &str, text: &str) -> Result<Tool, Diagnostics> {
    load_tool(&written(name, text), &Library::embedded()).map(|loaded| loaded.tool)
}

fn sound(name: &str, text: &str) -> Tool {
    tool(name, text).unwrap_or_else(|errors| panic!("{errors}"))
}

const ISSUES: &str = r#"
server = { run = "sing-box run -c server.json", at = "185.70.40.10", ready = "tcp:443" }
client = { run = "sing-box run -c client.json", ready = "tcp:127.0.0.1:1080" }
check  = "default"          # or a command; {proxy} and {target} are filled in
"#;

#[test]
fn a_few_lines_are_a_tool() {
    let tool = sound("issues", ISSUES);
    assert_eq!(&*tool.name, "issues");
    assert_eq!(tool.through, Through::Socks5("127.0.0.1:1080".parse().expect("an address")));
    let [server] = tool.servers.as_slice() else { panic!("{tool:?}") };
    assert_eq!((server.v4, &server.ready), (Some([185, 70, 40, 10].into()), &Some(Readiness::Tcp(443))));
    assert!(matches!(tool.check, Check::Default) && !tool.client.expect("a client").root);
}

#[test]
fn several_servers_have_names_and_commands_name_them() {
    let tool = sound(
        "several",
        r#"
        kind = "tool"
        name = "bridge"
        programs = ["tor"]
        version = "tor --version"
        check = "curl -x {proxy} {target} -o {dir}/page"
        check-within = "5s"
        [server.front]
        run = "front --listen {server} --next {server.back}"
        at = ["185.70.40.10", "2a00:1450::10"]
        [server.back]
        run = "back"
        at = "185.70.40.11"
        behind = "10.66.0.0/24"
        [client]
        run = "client {server.front}"
        ready = "log:connected"
        proxy = "127.0.0.1:8118"
        root = true
        "#,
    );
    let filling = Filling { folder: "/run/x", target: "https://a.example/" };
    let fill: Vec<String> = tool.servers.iter().map(|server| server.run.fill(filling)).collect();
    assert_eq!(fill, ["front --listen 185.70.40.10 --next 185.70.40.11", "back"]);
    let Check::Command { run, .. } = &tool.check else { panic!("{tool:?}") };
    assert_eq!(run.fill(filling), "curl -x socks5h://127.0.0.1:8118 https://a.example/ -o /run/x/page");
    assert_eq!(&*tool.name, "bridge");
}

#[test]
fn a_tool_without_a_client_is_its_check() {
    let tool = sound("plain", r#"check = "curl --doh-url https://1.1.1.1/dns-query {target}""#);
    assert_eq!(tool.through, Through::Nothing);
    assert!(tool.servers.is_empty() && tool.client.is_none());
}

#[test]
fn each_mistake_has_its_line_and_what_to_do() {
    let wrong = r#"
servers = { run = "x" }
name = "My Tool"
through = "socks"
check = "curl -x {proxi} {target}"
[server.one]
run = "serve {target}"
at = ["10.0.0.1", "185.70.40.10", "185.70.40.11"]
[server.two]
run = " "
at = "185.70.40.11"
ready = "tcp:127.0.0.1:443"
[client]
run = "client {server}"
ready = "soon"
"#;
    let errors = tool("wrong", wrong).expect_err("it has mistakes");
    let said: Vec<String> = errors
        .all
        .iter()
        .map(|each| format!("{}: {}\n    {}", each.location.line, each.message, each.help.clone().unwrap_or_default()))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn nothing_gets_into_a_tool_without_a_client() {
    let errors = tool("no-client", r#"through = "tunnel""#).expect_err("there is no client");
    assert!(errors.to_string().contains("nothing gets into a tool that has no client"), "{errors}");
}

#[test]
fn all_that_lies_beside_it_comes_along() {
    let path = written("beside", ISSUES);
    let folder = load_tool(&path, &Library::embedded()).expect("a tool").folder;
    let files: Vec<&str> = folder.files.keys().map(String::as_str).collect();
    assert_eq!(files, ["keys/ca.crt", "server.json", "tool.toml"]);
}

#[test]
fn a_tool_is_known_as_one_and_one_that_is_not_there_is_told() {
    let library = Library::embedded();
    assert!(is_tool(&written("known", ISSUES)) && is_tool("tools/anything"));
    assert!(!is_tool("ru/whatsapp-2026") && !is_tool("./nowhere.toml"));
    let errors = load_tool("tools/no-such-tool", &library).expect_err("there is none");
    assert!(errors.to_string().contains("the library has no tool `tools/no-such-tool`"), "{errors}");
    for id in tools(&library) {
        check_tool(&id, &library).unwrap_or_else(|errors| panic!("{id}: {errors}"));
    }
}

#[test]
fn a_server_gets_a_machine_of_its_own_where_nobody_is() {
    let scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("the flagship");
    let tool = sound("machine", &ISSUES.replace("185.70.40.10", "185.70.40.77"));
    let with = scenario.with_tool(&tool, "/run/tool").expect("nobody is there");
    let machine = with.scenario.machines.last().expect("a machine");
    assert_eq!((&*machine.name, machine.v4), ("tool-server", Some([185, 70, 40, 77].into())));
    assert!(machine.run.as_ref().expect("a command").command.contains("cd '/run/tool'"));
    assert!(with.displaced.is_empty(), "{:?}", with.displaced);
}

#[test]
fn a_host_makes_room_for_a_server_and_a_client_does_not() {
    let scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("the flagship");
    let tool = sound("room", ISSUES);
    let with = scenario.with_tool(&tool, "/run/tool").expect("it makes room");
    assert_eq!(with.displaced, ["wg.vpn.example"]);
    assert!(with.scenario.addresses_of("wg.vpn.example").iter().all(|address| address.to_string() != "185.70.40.10"));
    let moscow = scenario.vantage("moscow").expect("a vantage").v4.addr().to_string();
    let taken = sound("taken", &ISSUES.replace("185.70.40.10", &moscow));
    let clash = scenario.with_tool(&taken, "/run/tool").expect_err("a client is there");
    assert!(clash.to_string().contains("`moscow`"), "{clash}");
}

#[test]
fn the_schema_takes_what_the_reader_takes() {
    let schema = roadblock_scenarios::schema::tool();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let fits = |text: &str| validator.is_valid(&json::of(text).expect("TOML"));
    assert!(fits(ISSUES));
    assert!(fits("[server.one]\nrun = \"x\"\nat = \"185.70.40.10\""));
    assert!(!fits("servers = 1"));
}
