//! What a phase changes of a rule that the kernel could execute.

use roadblock_scenarios::{Library, Scenario, resolve};

/// A scenario that blocks an address at a port, and then does this to it.
fn scenario(change: &str) -> Scenario {
    let text = format!(
        "id = \"mine\"\ntitle = \"Mine\"\nuse = [\"services/neutral\", \"services/public-dns\"]\n\
         [hop.access]\n[hop.elsewhere]\n\
         [vantage.inside]\nisp = \"AS12389 Rostelecom\"\npath = [\"access\"]\nresolvers = [\"8.8.8.8\"]\n\
         [vantage.control]\nisp = \"AS3320 Deutsche Telekom\"\npath = [\"elsewhere\"]\nresolvers = [\"8.8.8.8\"]\n\
         [censor.box]\nprofile = \"censors/ip-block\"\nat = \"access\"\nport-drop = [\"93.184.215.14\"]\n\
         [[phase]]\nid = \"one\"\n[[phase]]\nid = \"two\"\nchange = [{{ {change} }}]\n"
    );
    resolve(&text, "mine.toml", &Library::embedded()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The rules that the kernel executes, phase by phase.
fn of_the_kernel(scenario: &Scenario) -> Vec<Vec<String>> {
    let boxes = scenario.phases.iter().map(|phase| &phase.state.policies["box"].boxes[0]);
    boxes.map(|each| each.kernel_blocks().map(|(rule, _)| rule.id.to_string()).collect()).collect()
}

#[test]
fn other_prefixes_are_other_elements_of_its_sets() {
    let scenario = scenario("in = \"censor.box.port-drop\", add = [\"185.15.59.224\"]");
    let all = ["drop", "reset", "unreachable", "prohibited", "port"].map(str::to_owned).to_vec();
    assert_eq!(of_the_kernel(&scenario), [all.clone(), all]);
}

#[test]
fn another_port_would_be_another_chain_so_the_machine_keeps_the_rule() {
    let scenario = scenario("in = \"censor.box.ports\", set = [5222]");
    let before = ["drop", "reset", "unreachable", "prohibited"].map(str::to_owned).to_vec();
    assert_eq!(of_the_kernel(&scenario), [before.clone(), before]);
    for phase in &scenario.phases {
        let interest = phase.state.policies["box"].interest();
        assert!(interest.covers(6, 443) || interest.covers(6, 5222), "{}: it sees what it is to block", phase.id);
    }
}
