//! Columns that line up.

/// How a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// What stands over it.
    pub(crate) title: &'static str,
    /// Its least width.
    pub(crate) width: usize,
    /// How its cells stand.
    pub(crate) align: Align,
}

impl Column {
    /// A column of words.
    pub(crate) const fn left(title: &'static str, width: usize) -> Self {
        Self {
            title,
            width,
            align: Align::Left,
        }
    }

    /// A column of numbers.
    pub(crate) const fn right(title: &'static str, width: usize) -> Self {
        Self {
            title,
            width,
            align: Align::Right,
        }
    }
}

/// One line; a cell that is too long pushes the rest aside rather than being cut.
pub(crate) fn line<'a>(columns: &[Column], cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for (column, cell) in columns.iter().zip(cells) {
        let width = column.width;
        text.push_str(&match column.align {
            Align::Left => format!("{cell:<width$}  "),
            Align::Right => format!("{cell:>width$}  "),
        });
    }
    format!("{}\n", text.trim_end())
}

/// The line of titles.
pub(crate) fn header(columns: &[Column]) -> String {
    line(columns, columns.iter().map(|column| column.title))
}
