extern crate roadblock_testing as roadblock;

#[roadblock::test(scenario = cn)]
fn no_string() {}

#[roadblock::test(scenario = "cn/dns", set = "a=1")]
fn no_list() {}

#[roadblock::test(scenario = "cn/dns", seed = "7")]
fn no_number() {}

#[roadblock::test(scenario = "cn/dns", root = "yes")]
fn no_truth() {}

#[roadblock::test(scenario = "cn/dns", unsupported = "ignore")]
fn no_such_word() {}

fn main() {}
