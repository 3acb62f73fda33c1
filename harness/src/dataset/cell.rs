//! What can be measured in the library, and which of it is.

use std::sync::Arc;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Name, Phase, Probe};

use crate::run::report::CONTROL;

/// A page in a phase of a scenario, seen from one vantage.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The scenario.
    pub(crate) scenario: Arc<Scenario>,
    /// The phase.
    pub(crate) phase: Name,
    /// The vantage.
    pub(crate) vantage: Name,
    /// The page.
    pub(crate) url: String,
}

/// A cell that is measured, and with which seed.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// The cell.
    pub(crate) cell: Cell,
    /// What all chance in its lab comes from.
    pub(crate) seed: u64,
}

/// Every page of a scenario in each of its phases, from its first vantage: its targets', and those that it expects something of
/// there.
pub(crate) fn cells(scenario: &Arc<Scenario>) -> Vec<Cell> {
    let Some(vantage) = scenario.vantages.iter().find(|vantage| &*vantage.name != CONTROL) else { return Vec::new() };
    let mut cells = Vec::new();
    for phase in &scenario.phases {
        cells.extend(urls(scenario, phase).into_iter().map(|url| Cell {
            scenario: Arc::clone(scenario),
            phase: Arc::clone(&phase.id),
            vantage: Arc::clone(&vantage.name),
            url,
        }));
    }
    cells
}

/// One of each scenario and phase: what it expects something of there, else its first target.
pub(crate) fn each_phase(cells: &[Cell], seed: u64) -> Vec<Drawn> {
    let mut drawn: Vec<Drawn> = Vec::new();
    for cell in cells {
        let is_new = drawn
            .last()
            .is_none_or(|last| (&last.cell.scenario.id, &last.cell.phase) != (&cell.scenario.id, &cell.phase));
        if is_new {
            drawn.push(Drawn { cell: cell.clone(), seed });
        }
    }
    drawn
}

/// So many cells: a quarter of them failures that are nobody's doing, so that a rule which calls every failure blocking is found
/// out; in an order that the seed gives, and where there are fewer cells than wanted, from the first again with another seed.
pub(crate) fn draw(cells: &[Cell], count: usize, seed: u64) -> Vec<Drawn> {
    let (benign, other): (Vec<&Cell>, Vec<&Cell>) = cells.iter().partition(|cell| cell.is_benign());
    let (mut benign, mut other) = (Deck::new(benign, seed), Deck::new(other, seed));
    let turn = |place: usize| if place % BENIGN_EVERY == BENIGN_EVERY - 1 { benign.next() } else { other.next() };
    (0..count).map_while(turn).collect()
}

impl Cell {
    /// Whether nothing is blocked in its scenario.
    pub(crate) fn is_benign(&self) -> bool {
        self.scenario.id.starts_with("benign/")
    }

    fn name(&self) -> String {
        format!("{}@{}/{} {}", self.scenario.id, self.phase, self.vantage, self.url)
    }
}

/// Cells in an order of their own, again and again.
struct Deck<'a> {
    cells: Vec<&'a Cell>,
    seed: u64,
    next: usize,
}

impl<'a> Deck<'a> {
    fn new(mut cells: Vec<&'a Cell>, seed: u64) -> Self {
        cells.sort_by_cached_key(|cell| (mixed(&cell.name(), seed), cell.name()));
        Self { cells, seed, next: 0 }
    }

    fn next(&mut self) -> Option<Drawn> {
        let round = self.next.checked_div(self.cells.len())?;
        let cell = self.cells[self.next % self.cells.len()].clone();
        self.next += 1;
        Some(Drawn { cell, seed: self.seed.wrapping_add(round as u64) })
    }
}

/// The pages that are expected to be something in this phase come first.
fn urls(scenario: &Scenario, phase: &Phase) -> Vec<String> {
    let here =
        scenario.expectations.iter().filter(|each| each.phases.contains(&phase.id) && each.neighbour_of.is_none());
    let here = here.filter(|each| each.vantages.iter().any(|vantage| &**vantage != CONTROL));
    let expected = here.filter_map(|each| each.steps.first()).filter_map(|step| page(&step.probe));
    let targets = scenario.targets().filter_map(|target| page(&target.probe));
    let mut urls: Vec<String> = Vec::new();
    for url in expected.chain(targets) {
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

/// The page that a probe opens as a person would: by its name, and with nothing pinned.
fn page(probe: &Probe) -> Option<String> {
    match probe {
        Probe::Http { url, request, .. } if request.host.is_none() && !url.contains("/bytes/") => Some(url.clone()),
        Probe::WebConnectivity { url } => Some(url.clone()),
        Probe::Tls { sni, port: 443, .. } => Some(format!("https://{sni}/")),
        _ => None,
    }
}

/// A number for a text and a seed: FNV-1a, and then the finaliser of `SplitMix64`, the same on every machine.
fn mixed(text: &str, seed: u64) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

const BENIGN_EVERY: usize = 4;

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load};

    use super::*;

    fn all() -> Vec<Cell> {
        let library = Library::embedded();
        let some = ["ru/whatsapp-2026", "benign/server-down", "mechanisms/dns-nxdomain"];
        some.iter().flat_map(|id| cells(&Arc::new(load(id, &library).expect("a sound scenario")))).collect()
    }

    fn names(drawn: &[Drawn]) -> Vec<String> {
        drawn.iter().map(|each| format!("{} {}", each.cell.name(), each.seed)).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_something_else() {
        let all = all();
        assert_eq!(names(&draw(&all, 40, 7)), names(&draw(&all, 40, 7)));
        assert_ne!(names(&draw(&all, 40, 7)), names(&draw(&all, 40, 8)));
    }

    #[test]
    fn a_longer_draw_begins_as_a_shorter_one() {
        let all = all();
        assert_eq!(names(&draw(&all, 400, 7))[..40], names(&draw(&all, 40, 7)));
    }

    #[test]
    fn a_quarter_is_nobody_s_doing_and_nothing_is_drawn_twice_with_one_seed() {
        let drawn = draw(&all(), 400, 1);
        assert_eq!(drawn.iter().filter(|each| each.cell.is_benign()).count(), 100);
        let mut names = names(&drawn);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 400);
    }

    #[test]
    fn of_no_cells_none_are_drawn() {
        assert!(draw(&[], 3, 1).is_empty());
    }

    #[test]
    fn each_phase_has_one_cell() {
        let drawn = each_phase(&all(), 1);
        let mut places: Vec<String> =
            drawn.iter().map(|each| format!("{}@{}", each.cell.scenario.id, each.cell.phase)).collect();
        let count = places.len();
        places.dedup();
        assert_eq!(places.len(), count);
    }
}
