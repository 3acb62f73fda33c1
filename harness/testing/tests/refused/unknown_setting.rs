extern crate roadblock_testing as roadblock;

#[roadblock::test(scenario = "cn/dns", vantge = "home")]
fn a_test() {}

#[roadblock::test(scenario = "cn/dns", timeout = 5)]
fn another() {}

fn main() {}
