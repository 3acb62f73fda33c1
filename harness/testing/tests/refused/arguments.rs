extern crate roadblock_testing as roadblock;

#[roadblock::test(scenario = "cn/dns")]
fn a_test(name: &str) {}

fn main() {}
