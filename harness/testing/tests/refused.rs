//! What the attribute refuses, and where it points.

#[test]
fn each_mistake_is_pointed_at() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
