//! The cheapest choice of bounds that together cover some flows.
//!
//! Any choice that covers them all is sound: what a bound's flows spend together is at most what it lets through at the
//! dearest of them. The search for the cheapest starts with each flow's own best and then tries to let one bound cover
//! all it can; it need not find the very least.

/// So many bounds are tried for covering more than one flow: the search stays linear in a file of thousands.
const TRIED: usize = 64;

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

/// The cheapest cover found of some flows, given in order, its largest part first; or the first flow that nothing covers.
pub(super) fn cheapest(flows: &[usize], lids: &[Lid<'_>]) -> Result<Vec<Part>, usize> {
    let mut chosen: Vec<(usize, usize)> = Vec::new();
    for flow in flows {
        let own = |lid: &Lid<'_>| Some(lid.units.saturating_mul(lid.cost(*flow)?));
        let best = lids
            .iter()
            .enumerate()
            .filter_map(|(place, lid)| Some((own(lid)?, place)))
            .min();
        let (_, place) = best.ok_or(*flow)?;
        chosen.push((*flow, place));
    }
    let mut cost = total(&chosen, lids);
    let mut wide = wide(flows, lids);
    wide.truncate(TRIED);
    while let Some((better, choice)) = improved(&chosen, &wide, lids).filter(|one| one.0 < cost) {
        (cost, chosen) = (better, choice);
    }
    Ok(parts(&chosen, lids))
}

impl Lid<'_> {
    fn cost(&self, flow: usize) -> Option<u128> {
        let place = self.flows.binary_search_by_key(&flow, |(flow, _)| *flow);
        self.flows.get(place.ok()?).map(|(_, cost)| *cost)
    }
}

/// The bounds of more than one of the flows, the least first.
fn wide(flows: &[usize], lids: &[Lid<'_>]) -> Vec<usize> {
    let mut wide: Vec<(u128, usize)> = Vec::new();
    for (place, lid) in lids.iter().enumerate() {
        let held = lid
            .flows
            .iter()
            .filter(|(flow, _)| flows.binary_search(flow).is_ok());
        let (count, dearest) = held.fold((0, 0), |(count, dearest), (_, cost)| {
            (count + 1, u128::max(dearest, *cost))
        });
        if count > 1 {
            wide.push((lid.units.saturating_mul(dearest), place));
        }
    }
    wide.sort_unstable();
    wide.into_iter().map(|(_, place)| place).collect()
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
