//! The page of HTML that reports are written on.
//!
//! A page needs nothing but itself: no script, no font, no image. It is read on a phone
//! and at a desk, by day and by night, with the keyboard alone, and on paper. Everything
//! that comes from a template or a service is escaped, and a policy in the page forbids
//! what it does not need, in case something should slip through.

use std::fmt::Write as _;

/// What all pages share.
const STYLE: &str = include_str!("page/page.css");

const CONTENT_BEGINS: &str = "<main>\n";
const CONTENT_ENDS: &str = "</main>\n</body>\n</html>\n";

/// What begins a page of several reports if the first of them is missing.
const BARE_HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Reports</title></head>\n<body>\n";

/// A page that is being written.
pub(super) struct Page(String);

impl Page {
    /// Begins a page; `style` is what its kind adds to the style of all.
    pub(super) fn new(title: &str, style: &str) -> Self {
        Self(format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{STYLE}{style}</style>
</head>
<body>
{CONTENT_BEGINS}"#,
            title = escape(title),
        ))
    }

    /// Adds a line of markup.
    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Adds the head of the content: what it is about, and the outcome. `more` is markup.
    pub(super) fn header(&mut self, subject: &str, summary: &str, more: Option<&str>) {
        self.line(&format!(
            "<header>\n<p class=\"subject\">{}</p>\n<h1>{}</h1>",
            escape(subject),
            escape(summary)
        ));
        if let Some(more) = more {
            self.line(more);
        }
        self.line("</header>");
    }

    /// Adds a section with a heading.
    pub(super) fn section(&mut self, heading: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("<section>\n<h2>{heading}</h2>"));
        body(self);
        self.line("</section>");
    }

    /// Adds a value that comes or goes, told apart without colour too.
    pub(super) fn value(&mut self, new: bool, value: &str) {
        let element = if new { "ins" } else { "del" };
        self.line(&format!(
            "<dd><{element}>{}</{element}></dd>",
            escape(value)
        ));
    }

    /// Ends the page.
    pub(super) fn finish(mut self) -> String {
        self.0.push_str(CONTENT_ENDS);
        self.0
    }
}

/// A text that has to be read letter by letter.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Text for HTML and XML, inside and outside of attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not allowed, escaped or not.
            '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push('\u{fffd}')
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// One page with the content of several, each under its name.
#[must_use]
pub(super) fn join_pages<'a>(pages: impl Iterator<Item = (&'a str, &'a String)>) -> String {
    let mut joined = String::new();
    for (name, page) in pages {
        // A target whose run failed has no page.
        let (head, content) = page
            .split_once(CONTENT_BEGINS)
            .and_then(|(head, rest)| Some((head, rest.split_once(CONTENT_ENDS)?.0)))
            .unwrap_or((
                "",
                "<p>There is no report; see what the command said.</p>\n",
            ));
        if joined.is_empty() {
            let head = if head.is_empty() { BARE_HEAD } else { head };
            joined = format!("{head}{CONTENT_BEGINS}");
        }
        let _ = write!(
            joined,
            "<article>\n<p class=\"subject\">{}</p>\n{content}</article>\n",
            escape(name)
        );
    }
    joined.push_str(CONTENT_ENDS);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_several_targets_become_one() {
        let mut page = Page::new("<title>", "");
        page.header("scim", "all & well", None);
        let (page, missing) = (page.finish(), String::new());
        assert!(page.contains("<title>&lt;title&gt;</title>"));
        for order in [
            [("london", &page), ("paris", &missing)],
            [("paris", &missing), ("london", &page)],
        ] {
            let joined = join_pages(order.into_iter());
            assert_eq!(joined.matches("<main>").count(), 1);
            assert_eq!(joined.matches("<h1>").count(), 1);
            assert!(joined.contains(">london<") && joined.contains(">paris<"));
            assert!(joined.contains("There is no report"));
            assert!(joined.ends_with("</html>\n"));
        }
    }
}
