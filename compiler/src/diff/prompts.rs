//! Prompts of every difficulty, so that some lie between two thresholds that are near one another.

use std::sync::LazyLock;

use waypost_policies::difficulty::Model;

/// From trivial to hard.
const PROMPTS: &[&str] = &[
    "hi",
    "What is 2+2?",
    "Translate `good morning` into French.",
    "Summarise this paragraph in one sentence, please.",
    "Write a function in Python that reverses a list.",
    "Explain why the sky is blue, step by step, and compare it with the colour of a sunset.",
    "Design a lock-free queue in Rust, analyse its memory ordering, and prove that it is linearizable.",
    "Derive the EM algorithm for a mixture of Gaussians, and prove that the likelihood never falls.",
    "Prove that there are infinitely many primes of the form 4k+3. Then generalise the theorem, derive its proof step by step, and analyse where it fails.",
    "Debug this code, refactor the architecture, analyse the complexity of the algorithm, optimise it, and prove the invariant:\n```rust\nfn f(x: &mut Vec<u64>) -> u64 { x.iter().fold(0, |a, b| a ^ b) }\n```\nThen derive a closed form, compare three alternatives, and explain each trade-off in detail.",
];

/// What moves a prompt's difficulty a little.
const MORE: &[&str] = &["Be brief.", "Thank you", "How?"];
const REPEATS: usize = 12;

/// Each with its difficulty, from the easiest to the hardest.
static LADDER: LazyLock<Vec<(f64, String)>> = LazyLock::new(|| {
    let model = Model::default_model();
    let pairs = PROMPTS.iter().flat_map(|first| {
        let seconds = PROMPTS.iter().filter(move |second| *second != first);
        seconds.map(move |second| format!("{first} {second}"))
    });
    let bases = PROMPTS.iter().map(|text| (*text).to_owned()).chain(pairs);
    let mut all: Vec<(f64, String)> = bases
        .flat_map(|base| {
            let mut longer = Vec::new();
            for more in MORE {
                let repeated = |count| format!("{base}{}", format!(" {more}").repeat(count));
                longer.extend((1..=REPEATS).map(repeated));
            }
            std::iter::once(base).chain(longer)
        })
        .map(|prompt| (model.score(&prompt), prompt))
        .collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    all
});

/// The plain prompts, hardest first, then those next to each of these difficulties on either side.
pub(super) fn around(borders: impl IntoIterator<Item = f64>) -> Vec<String> {
    let plain = PROMPTS.iter().rev().map(|text| (*text).to_owned());
    let near = borders.into_iter().flat_map(|border| {
        let above = LADDER.partition_point(|(score, _)| *score < border);
        let below = above.checked_sub(1);
        let both = below.into_iter().chain([above]);
        both.filter_map(|at| LADDER.get(at))
            .map(|(_, prompt)| prompt.clone())
    });
    near.chain(plain).collect()
}
