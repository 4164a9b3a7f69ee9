//! The cheapest choice of bounds that together cover some flows.
//!
//! Any choice that covers them all is sound: what a bound's flows spend together is at most what it lets through at the
//! dearest of them. The search for the cheapest starts with each flow's own best and then tries to let one bound cover
//! all it can; it need not find the very least.

/// So many bounds are tried for covering more than one flow: the search stays linear in a file of thousands.
const TRIED: usize = 64;
/// So often a cheaper choice is looked for.
const ROUNDS: usize = 8;

/// What a bound lets through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lid<'a> {
    /// Index of the quota.
    pub(super) quota: usize,
    /// In the quota's unit.
    pub(super) units: u128,
    /// The flows that it bounds, in order, and what a unit can cost in each.
    pub(super) flows: &'a [(usize, u128)],
    /// Whether a unit is a request.
    pub(super) is_of_requests: bool,
}

/// A part of a ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) quota: usize,
    pub(super) most: u128,
    pub(super) one_call: Option<u128>,
}

/// All bounds that hold for someone within a horizon, with what each flow's own best is.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    lids: Vec<Lid<'a>>,
    /// By flow: what its cheapest bound lets through, and the bound's place.
    best: Vec<Option<(u128, usize)>>,
    /// The bounds of several flows that let the least through.
    wide: Vec<usize>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(flows: usize, lids: Vec<Lid<'a>>) -> Self {
        let mut best = vec![None; flows];
        let mut wide: Vec<(u128, usize)> = Vec::new();
        for (place, lid) in lids.iter().enumerate() {
            for (flow, cost) in lid.flows {
                let own = (lid.units.saturating_mul(*cost), place);
                if let Some(slot) = best.get_mut(*flow) {
                    *slot = Some(slot.map_or(own, |known| own.min(known)));
                }
            }
            if lid.flows.len() > 1 {
                let dearest = lid.flows.iter().map(|(_, cost)| *cost).max().unwrap_or(0);
                wide.push((lid.units.saturating_mul(dearest), place));
            }
        }
        wide.sort_unstable();
        wide.truncate(TRIED);
        let wide = wide.into_iter().map(|(_, place)| place).collect();
        Self { lids, best, wide }
    }

    /// The cheapest cover found of some flows, its largest part first; or the first flow that nothing covers.
    pub(super) fn cheapest(&self, flows: &[usize]) -> Result<Vec<Part>, usize> {
        let own = |flow: &usize| {
            let best = self.best.get(*flow).copied().flatten();
            best.map(|(_, place)| (*flow, place)).ok_or(*flow)
        };
        let mut chosen = flows.iter().map(own).collect::<Result<Vec<_>, usize>>()?;
        let mut cost = total(&chosen, &self.lids);
        for _ in 0..ROUNDS {
            let better = improved(&chosen, &self.wide, &self.lids);
            let Some((less, choice)) = better.filter(|(less, _)| *less < cost) else {
                break;
            };
            (cost, chosen) = (less, choice);
        }
        Ok(parts(&chosen, &self.lids))
    }
}

impl Lid<'_> {
    fn cost(&self, flow: usize) -> Option<u128> {
        let place = self.flows.binary_search_by_key(&flow, |(flow, _)| *flow);
        self.flows.get(place.ok()?).map(|(_, cost)| *cost)
    }
}

/// The best choice in which one more bound covers all the flows that it can.
fn improved(
    chosen: &[(usize, usize)],
    wide: &[usize],
    lids: &[Lid<'_>],
) -> Option<(u128, Vec<(usize, usize)>)> {
    let with = |place: usize| {
        let lid = lids.get(place)?;
        let moved = |(flow, before): &(usize, usize)| {
            let covers = lid.cost(*flow).is_some();
            (*flow, if covers { place } else { *before })
        };
        let choice: Vec<_> = chosen.iter().map(moved).collect();
        Some((total(&choice, lids), choice))
    };
    wide.iter()
        .filter_map(|place| with(*place))
        .min_by_key(|(cost, _)| *cost)
}

fn total(chosen: &[(usize, usize)], lids: &[Lid<'_>]) -> u128 {
    let parts = parts(chosen, lids).into_iter();
    parts.fold(0, |sum, part| sum.saturating_add(part.most))
}

/// What each bound that was chosen lets through at the dearest of its flows.
fn parts(chosen: &[(usize, usize)], lids: &[Lid<'_>]) -> Vec<Part> {
    let mut by_lid: Vec<(usize, u128)> = chosen
        .iter()
        .filter_map(|(flow, place)| Some((*place, lids.get(*place)?.cost(*flow)?)))
        .collect();
    by_lid.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1)));
    by_lid.dedup_by_key(|(place, _)| *place);
    let part = |(place, dearest): (usize, u128)| {
        let lid = lids.get(place)?;
        Some(Part {
            quota: lid.quota,
            most: lid.units.saturating_mul(dearest),
            one_call: lid.is_of_requests.then_some(dearest),
        })
    };
    let mut parts: Vec<Part> = by_lid.into_iter().filter_map(part).collect();
    parts.sort_by_key(|part| (std::cmp::Reverse(part.most), part.quota));
    parts
}
