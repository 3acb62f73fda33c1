extern crate roadblock_testing as roadblock;

#[roadblock::test]
fn a_test() {}

fn main() {}
