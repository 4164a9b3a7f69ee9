//! Markdown for a terminal: headings, paragraphs, lists and code; what it does not know it leaves as it is.

use waypost_lang::render::Color;

/// Columns of a paragraph.
const WIDTH: usize = 88;

/// `text` with its paragraphs filled and its code set in.
pub(crate) fn render(text: &str, color: Color) -> String {
    let mut page = Page {
        color,
        text: String::new(),
        paragraph: String::new(),
    };
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            page.end_paragraph();
            in_code = !in_code;
        } else if in_code {
            page.code(line);
        } else {
            page.line(line);
        }
    }
    page.end_paragraph();
    let end = page.text.trim_end().len();
    page.text.truncate(end);
    page.text.push('\n');
    page.text
}

struct Page {
    color: Color,
    text: String,
    paragraph: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len() && heading.starts_with(' ') {
            self.end_paragraph();
            let heading = self.painted("1", heading.trim());
            self.text.push_str(&format!("{heading}\n\n"));
        } else if line.trim().is_empty() {
            self.end_paragraph();
        } else {
            if line.trim_start().starts_with("- ") {
                self.fill();
            }
            self.paragraph.push_str(line.trim());
            self.paragraph.push(' ');
        }
    }

    fn code(&mut self, line: &str) {
        let painted = self.painted("36", line);
        self.text.push_str(format!("    {painted}").trim_end());
        self.text.push('\n');
    }

    /// Ends a paragraph, or a piece of code, with an empty line.
    fn end_paragraph(&mut self) {
        self.fill();
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn fill(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        let indent = if paragraph.starts_with("- ") {
            "  "
        } else {
            ""
        };
        let mut width = 0;
        for word in paragraph.split_whitespace() {
            let length = word.chars().count();
            if width > 0 && width + 1 + length > WIDTH {
                self.text.push('\n');
                self.text.push_str(indent);
                width = indent.len();
            } else if width > 0 {
                self.text.push(' ');
                width += 1;
            }
            self.text.push_str(word);
            width += length;
        }
        if width > 0 {
            self.text.push('\n');
        }
    }

    fn painted(&self, style: &str, text: &str) -> String {
        match self.color {
            Color::Always => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
            Color::Never => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Color, render};

    #[test]
    fn headings_paragraphs_lists_and_code() {
        let text = "What it\ndoes.\n\n## Example\n```route\nlet A = 1\n\n  b\n```\n- one\n- two\n  more\n## Fix\nDo it.\n";
        assert_eq!(
            render(text, Color::Never),
            "What it does.\n\nExample\n\n    let A = 1\n\n      b\n\n- one\n- two more\n\nFix\n\nDo it.\n"
        );
    }

    #[test]
    fn long_paragraphs_are_filled() {
        let text = render(&"word ".repeat(40), Color::Never);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.len() <= super::WIDTH));
    }
}
