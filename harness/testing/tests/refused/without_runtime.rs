extern crate roadblock_testing as roadblock;

#[roadblock::test(scenario = "cn/dns")]
async fn a_test() {}

fn main() {}
