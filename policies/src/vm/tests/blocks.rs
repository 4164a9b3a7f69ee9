//! Macros, connectives and conditionals: the code that is laid out in blocks.

use super::*;

fn over_tools(kind: Comprehension, expected: &str, body: impl FnOnce(&mut Assembler<'_>)) {
    check(expected, |code| {
        code.field(Field::RequestTools)
            .comprehend(kind, 0, |_| {}, body);
    });
}

fn named<'c, 'p>(code: &'c mut Assembler<'p>) -> &'c mut Assembler<'p> {
    code.push(I::Local(0)).member(Member::ToolName)
}

#[test]
fn macros() {
    use Comprehension as C;
    let writes = |code: &mut Assembler<'_>| {
        named(code).text("write_").call(F::StartsWith);
    };
    over_tools(C::Exists, "true", writes);
    over_tools(C::All, "false", writes);
    over_tools(C::ExistsOne, "true", writes);
    over_tools(C::Map, "[\"read_a\", \"write_b\"]", |code| {
        done(named(code))
    });
    over_tools(C::Map, "[true, false]", |code| {
        named(code).text("read").call(F::StartsWith);
    });
    check("1", |code| {
        code.field(Field::RequestTools)
            .comprehend(C::Filter, 0, |_| {}, writes)
            .call(F::Size);
    });
    check("[7]", |code| {
        code.field(Field::RequestTools)
            .comprehend(C::Map, 0, writes, |code| {
                named(code).call(F::Size);
            });
    });
    check("true", |code| {
        code.field(Field::RequestMessages).comprehend(
            C::Exists,
            0,
            |_| {},
            |code| {
                code.push(I::Local(0)).member(Member::MessageToolCalls);
                code.comprehend(
                    C::Exists,
                    1,
                    |_| {},
                    |code| {
                        code.push(I::Local(1))
                            .member(Member::ToolCallArguments)
                            .text("{}")
                            .call(F::Equal);
                    },
                );
            },
        );
    });
    check(
        "[[\"r\", \"e\", \"a\", \"d\", \"_\", \"a\"], [\"w\", \"r\", \"i\", \"t\", \"e\", \"_\", \"b\"]]",
        |code| {
            code.field(Field::RequestTools).comprehend(
                C::Map,
                0,
                |_| {},
                |code| {
                    named(code).text("").call(F::Split);
                },
            );
        },
    );
}

/// A condition that fails.
fn fails<'c, 'p>(code: &'c mut Assembler<'p>) -> &'c mut Assembler<'p> {
    code.push(I::Absent).call(F::Value)
}

#[test]
fn connectives_do_without_a_failure_where_the_other_side_decides() {
    let cases = [
        (Some(true), Some(false), "false", "true"),
        (None, Some(false), "false", "failed: Missing"),
        (Some(false), None, "false", "failed: Missing"),
        (None, Some(true), "failed: Missing", "true"),
        (Some(true), None, "failed: Missing", "true"),
        (None, None, "failed: Missing", "failed: Missing"),
        (Some(true), Some(true), "true", "true"),
        (Some(false), Some(false), "false", "false"),
    ];
    let side = |code: &mut Assembler<'_>, value: Option<bool>| match value {
        Some(value) => done(code.push(I::Bool(value))),
        None => done(fails(code)),
    };
    for (left, right, and, or) in cases {
        check(and, |code| {
            side(code, left);
            code.and(|code| side(code, right));
        });
        check(or, |code| {
            side(code, left);
            code.or(|code| side(code, right));
        });
    }
    over_tools(Comprehension::Exists, "true", |code| {
        named(code)
            .text("write_b")
            .call(F::Equal)
            .or(|code| done(fails(code)));
    });
    over_tools(Comprehension::All, "failed: Missing", |code| {
        done(fails(code))
    });
    over_tools(Comprehension::ExistsOne, "failed: Missing", |code| {
        done(fails(code))
    });
}

#[test]
fn conditionals() {
    let choose = |condition: I<'static>| {
        run(|code| {
            code.push(condition).choose(
                |code| done(code.push(I::Int(1))),
                |code| done(code.push(I::Int(2))),
            );
            code.push(I::Int(10)).call(F::Multiply);
        })
    };
    assert_eq!(choose(I::Bool(true)), "10");
    assert_eq!(choose(I::Bool(false)), "20");
    check("failed: Missing", |code| {
        fails(code).choose(
            |code| done(code.push(I::Int(1))),
            |code| done(code.push(I::Int(2))),
        );
    });
}
