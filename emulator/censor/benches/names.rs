//! What a look-up costs and a set takes, as the set grows.
//!
//! The budget: a million names load in a second and take 200 MB, and a look-up among them costs at most twice that among a
//! thousand.

use divan::{AllocProfiler, Bencher, black_box};
use roadblock_censor::{NamePattern, NameSet};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
const ENDINGS: [&str; 8] = ["com", "net", "org", "ru", "co.uk", "info", "com.cn", "ir"];

/// A name that the number gives, as unlike its neighbours as names are.
fn name(number: usize) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let ending = ENDINGS[number % ENDINGS.len()];
    let letters = 6 + number % 12;
    let label: String = (0..letters)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (state >> 59) as u8 % 26)
        })
        .collect();
    format!("{label}{number}.{ending}")
}

fn patterns(count: usize, sign: &str) -> Vec<NamePattern> {
    (0..count).map(|number| format!("{sign}{}", name(number)).parse().expect("a pattern")).collect()
}

/// Names that are asked for: one in eight is listed.
fn asked(count: usize) -> Vec<String> {
    (0..4096)
        .map(|number| {
            let number = number * 7919;
            if number % 8 == 0 {
                format!("www.{}", name(number % count))
            } else {
                format!("www.{}", name(count + number))
            }
        })
        .collect()
}

fn look_up(bencher: Bencher<'_, '_>, set: &NameSet, count: usize) {
    let asked = asked(count);
    bencher.counter(asked.len()).bench_local(|| asked.iter().filter(|name| set.matches(black_box(name))).count());
}

#[divan::bench(args = SIZES, sample_count = 20)]
fn look_up_domains(bencher: Bencher<'_, '_>, count: usize) {
    look_up(bencher, &patterns(count, "").into_iter().collect(), count);
}

#[divan::bench(args = [10, 1_000, 100_000], sample_count = 20)]
fn look_up_suffixes(bencher: Bencher<'_, '_>, count: usize) {
    look_up(bencher, &patterns(count, "*").into_iter().collect(), count);
}

/// Expressions such as TM-2 has thousands of.
#[divan::bench(args = [10, 1_000, 6_000], sample_count = 20)]
fn look_up_expressions(bencher: Bencher<'_, '_>, count: usize) {
    let expression = |number| format!("/.*{}$/", name(number)).replace('.', "\\.").replace("/\\.", "/.");
    let set = (0..count).map(|number| expression(number).parse::<NamePattern>().expect("a pattern")).collect();
    look_up(bencher, &set, count);
}

/// Expressions that are more than a text.
#[divan::bench(args = [10, 100, 1_000], sample_count = 20)]
fn look_up_true_expressions(bencher: Bencher<'_, '_>, count: usize) {
    let expression = |number| format!("/^(www|m)[.]{}$/", name(number));
    let set = (0..count).map(|number| expression(number).parse::<NamePattern>().expect("a pattern")).collect();
    look_up(bencher, &set, count);
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn load_domains(bencher: Bencher<'_, '_>, count: usize) {
    bencher.with_inputs(|| patterns(count, "")).bench_local_values(NameSet::from_iter);
}

/// From the lines of a list, each of which is read as a pattern.
#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn load_lines(bencher: Bencher<'_, '_>, count: usize) {
    let lines: Vec<String> = (0..count).map(name).collect();
    bencher.bench_local(|| lines.iter().filter_map(|line| line.parse::<NamePattern>().ok()).collect::<NameSet>());
}

#[divan::bench(args = [1_000, 100_000], sample_count = 3, sample_size = 1)]
fn load_suffixes(bencher: Bencher<'_, '_>, count: usize) {
    bencher.with_inputs(|| patterns(count, "*")).bench_local_values(NameSet::from_iter);
}
