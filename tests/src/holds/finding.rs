//! What must hold of the findings of every text, and of their fixes.

use waypost_compiler::{Checked, Date, check, fix, lint, lower, standard};
use waypost_lang::render::{self, Color, Found};
use waypost_lang::{Diagnostic, Span};
use waypost_policies::plan::{Plan, encode};

const NAME: &str = "a.route";
/// The day of every check.
const TODAY: Date = Date {
    year: 2026,
    month: 11,
    day: 25,
};

fn of(text: &str) -> Checked {
    check(NAME, text, &|path: &str| {
        standard::pack(path).map(str::to_owned)
    })
}

/// Any text is checked, linted and written in every form of output; there is a program if and only if there is no
/// error, and what it is lowered to loads.
///
/// # Panics
/// When that does not hold.
pub fn checked(text: &str) {
    let checked = of(text);
    let found = lint(&checked, Some(TODAY));
    let sources = &checked.sources;
    let within = |span: Span| {
        let file = sources.file(span.file);
        file.is_some_and(|file| {
            let range = span.start as usize..span.end as usize;
            file.text().get(range).is_some()
        })
    };
    for one in &found {
        super::text::findings_lie_within(one, &within);
    }
    let failed = checked.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(checked.program.is_some(), !failed);
    let all = [Found {
        sources,
        diagnostics: &found,
    }];
    let _ = render::human(sources, &found, Color::Never);
    let _ = render::concise(sources, &found);
    let _ = render::github(sources, &found);
    let _ = (render::json(&all), render::sarif(&all));
    if let Some(program) = &checked.program {
        let sealed = encode(&lower(program, sources));
        assert!(Plan::load(sealed).is_ok(), "what was compiled loads");
    }
}

/// Whatever is fixed is no worse: what parsed still does, what was sound stays sound, and there are not more errors.
///
/// # Panics
/// When that does not hold.
pub fn fixed(text: &str) -> usize {
    let none = |_: &str| None;
    let fixed = fix(NAME, text, &none, Some(TODAY), &|_, _| true);
    let Some(after) = fixed.changed.get(NAME) else {
        assert_eq!(fixed.applied, 0, "nothing changed");
        return 0;
    };
    let errors = |text: &str| {
        let checked = check(NAME, text, &none);
        let errors = checked.diagnostics.iter().filter(|one| one.is_error());
        let (unreadable, others): (Vec<_>, Vec<_>) =
            errors.partition(|one| one.code.number.starts_with("WP00"));
        (unreadable.len(), others.len())
    };
    let (before, left) = (errors(text), errors(after));
    assert!(left.0 <= before.0, "it reads worse:\n{after}");
    // One that mends an error may bring to light what that had hidden.
    if before == (0, 0) {
        assert_eq!(left, (0, 0), "it was sound:\n{after}");
    }
    fixed.applied
}
