//! What the parser knows that the formatter needs: where statements, clauses and expressions stand.

/// A place in the text that the formatter treats in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// The first byte of the token there.
    pub(crate) at: u32,
    /// What begins there.
    pub(crate) kind: MarkKind,
}

/// What begins at a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MarkKind {
    /// A statement.
    Statement,
    /// A part of a statement that is set off as a statement is.
    Part,
    /// What follows the first words of a statement.
    Value,
    /// The `=` of a definition.
    Equal,
    /// `per`, set off.
    Per,
    /// `on`, set off.
    On,
    /// The block of an item, or a quota's outcomes.
    Brace,
    /// `when`.
    When,
}

/// Where statements, clauses and expressions stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// In the order in which the parser met them.
    pub(crate) marks: Vec<Mark>,
    /// The bytes of each expression, from its first token to its last.
    pub(crate) expressions: Vec<(u32, u32)>,
}

impl Layout {
    /// Notes that the value of the statement begins at `at`, not where it was taken to begin before.
    pub(crate) fn mark_value(&mut self, at: u32) {
        if self
            .marks
            .last()
            .is_some_and(|mark| mark.kind == MarkKind::Value)
        {
            self.marks.pop();
        }
        self.mark(at, MarkKind::Value);
    }

    /// Notes what begins at `at`.
    pub(crate) fn mark(&mut self, at: u32, kind: MarkKind) {
        self.marks.push(Mark { at, kind });
    }
}
