//! What the compiler refuses or warns of, one file each. Some read a statement, some the whole program.

pub(crate) mod accept_overlap;
pub(crate) mod budget_price;
pub(crate) mod fallback_cycle;
pub(crate) mod secret_placeholder;
pub(crate) mod service_port;
pub(crate) mod shape_needs;
pub(crate) mod this_version;
pub(crate) mod tier_chain;
pub(crate) mod tier_without_model;
pub(crate) mod unreachable_model;
pub(crate) mod unserved_surface;
pub(crate) mod versions;
pub(crate) mod window;

use crate::findings::Findings;
use crate::program::Program;

/// Checks that need the whole program.
pub(crate) fn check_program(program: &Program, findings: &mut Findings) {
    findings.extend(budget_price::check(program));
    findings.extend(unserved_surface::check(program));
    // What was left out for its error may be what a shape needs, or what reaches a model.
    if !findings.has_errors() {
        if let Some(deploy) = &program.deploy {
            findings.extend(shape_needs::shape_needs(program, deploy.shape));
        }
        findings.extend(unreachable_model::check(program));
    }
}
