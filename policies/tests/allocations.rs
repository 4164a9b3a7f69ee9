//! What the request path allocates: nothing to run an expression, and nothing to decide, reserve and settle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::borrow::Cow;
use std::hint::black_box;

use allocation_counter::measure;
use waypost_policies::facts::Facts;
use waypost_policies::limits::{Spent, State};
use waypost_policies::plan::draft::{Draft, Origin};
use waypost_policies::plan::{Plan, encode};
use waypost_policies::vm::{self, Comprehension, Field, Function, Instruction, Member};
use waypost_policies::{Evaluation, Outcome, decide, example};

struct World {
    plan: Plan,
    state: State,
    evaluation: Evaluation,
}

impl World {
    fn new(draft: &Draft) -> Self {
        let plan = Plan::load(encode(draft)).unwrap();
        let state = State::new(&plan, [1, 2]);
        Self {
            plan,
            state,
            evaluation: Evaluation::default(),
        }
    }

    /// Allocations of one evaluation of every expression, after the buffers have grown.
    fn allocations(&mut self, facts: &Facts<'_>) -> u64 {
        let Self {
            plan,
            state,
            evaluation,
        } = self;
        let count = u32::try_from(plan.expressions().len()).unwrap();
        let mut run = || {
            for index in 0..count {
                let _ = black_box(vm::holds(plan, index, facts, state, evaluation));
            }
        };
        run();
        run();
        measure(run).count_total
    }
}

#[test]
fn the_examples_rules_allocate_nothing() {
    let mut request = example::request("Derive the EM algorithm.");
    request.tools = vec![example::tool("read_a"), example::tool("write_b")];
    let facts = example::facts(&request);
    assert_eq!(World::new(&example::draft()).allocations(&facts), 0);
}

#[test]
fn made_strings_and_lists_allocate_nothing_once_the_buffers_have_grown() {
    let mut pool = vm::Pool::default();
    pool.expression("", Origin::default(), |code| {
        code.field(Field::RequestPrompt).call(Function::LowerAscii);
        code.text(" ").call(Function::Split);
        code.comprehend(
            Comprehension::Map,
            0,
            |_| {},
            |code| {
                code.push(Instruction::Local(0)).text("e").text("EE");
                code.call(Function::Replace).text("!").call(Function::Add);
            },
        );
        code.text("-").call(Function::Join).matches("EE.*!-[a-z]+");
    });
    pool.expression("", Origin::default(), |code| {
        code.field(Field::RequestTools).comprehend(
            Comprehension::Filter,
            0,
            |_| {},
            |code| {
                code.push(Instruction::Local(0)).member(Member::ToolName);
                code.in_set(vec!["write_b".to_owned(), "read_a".to_owned()]);
            },
        );
        code.call(Function::Size).push(Instruction::Int(1));
        code.call(Function::Greater);
    });
    let mut draft = Draft::default();
    pool.fill(&mut draft);
    let mut request = example::request("Derive the EM algorithm, then use it everywhere.");
    request.tools = vec![example::tool("read_a"), example::tool("write_b")];
    let facts = example::facts(&request);
    let mut world = World::new(&draft);
    assert_eq!(world.allocations(&facts), 0);
    let holds = vm::holds(&world.plan, 0, &facts, &world.state, &mut world.evaluation);
    assert_eq!(holds, Ok(true));
}

#[test]
fn a_decision_allocates_nothing() {
    let mut world = World::new(&example::draft());
    let mut allocations = |plan_name: &'static str, difficulty: Option<f64>| {
        let request = example::request("Derive the EM algorithm.");
        let mut facts = example::facts(&request);
        facts.caller.plan = Cow::Borrowed(plan_name);
        facts.difficulty = difficulty;
        let World {
            plan,
            state,
            evaluation,
        } = &mut world;
        let mut run = || {
            let decision = black_box(decide(plan, &facts, state, evaluation));
            let Outcome::Route(route) = decision.outcome else {
                panic!("{decision:?}");
            };
            let held = state.reserve(&route.charges, facts.now).unwrap();
            state.settle(held, Spent::default(), facts.now);
        };
        run();
        run();
        measure(run).count_total
    };
    assert_eq!(allocations("", Some(0.1)), 0);
    assert_eq!(allocations("free", Some(0.9)), 0);
    assert_eq!(
        allocations("", None),
        0,
        "the difficulty model allocates nothing"
    );
}
