//! What must hold of every body that is sent.

use std::sync::LazyLock;

use waypost_compiler::{check, lower};
use waypost_policies::facts::{Request, Surface};
use waypost_policies::limits::State;
use waypost_policies::plan::{Needs, Plan, encode};
use waypost_policies::{Evaluation, decide, example};

/// Reads everything that can be read of a call.
const FILE: &str = include_str!("../../../examples/agents/agents.route");

pub(super) static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let checked = check("agents.route", FILE, &|path: &str| {
        waypost_compiler::standard::pack(path).map(str::to_owned)
    });
    let program = checked.program.expect("the example is sound");
    Plan::load(encode(&lower(&program, &checked.sources))).expect("it loads")
});

/// Any bytes are refused with a reason, or are a call that is decided on. What is read says the same whether all of it
/// is needed or nothing.
///
/// # Panics
/// When that does not hold.
pub fn call(body: &[u8]) {
    let plan = &*PLAN;
    let everything = Needs {
        prompt: true,
        system: true,
        messages: true,
        tools: true,
        ..plan.needs().clone()
    };
    for surface in Surface::ALL {
        let path = surface.path();
        let header = |_: &str| Some("s");
        let read = Request::read(&everything, surface, path, &header, body);
        let least = Request::read(&Needs::default(), surface, path, &header, body);
        if let (Ok(whole), Ok(part)) = (&read, &least) {
            let facts = |one: &Request<'_>| (one.tokens, one.max_tokens, one.turns, one.images);
            assert_eq!(facts(whole), facts(part));
            assert_eq!(whole.model, part.model);
        }
        match read {
            Ok(request) => {
                let facts = example::facts(&request);
                let state = State::new(plan, [1, 2]);
                let _ = decide(plan, &facts, &state, &mut Evaluation::default());
            }
            Err(refused) => assert!(!refused.to_string().is_empty()),
        }
    }
}
