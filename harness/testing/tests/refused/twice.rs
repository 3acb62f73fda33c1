extern crate roadblock_testing as roadblock;

#[roadblock::test(scenario = "cn/dns", scenario = "cn/sni")]
fn a_test() {}

fn main() {}
