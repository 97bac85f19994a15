//! Columns: fitted to the width of a terminal, aligned and never wrapped elsewhere.

use comfy_table::{ContentArrangement, Table, presets};

/// The rows under their heading, a line each where there is room.
#[must_use]
pub fn table(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heading)
        .add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let rows = [["zoë", "ok"], ["somebody", ""]].map(|row| row.map(str::to_owned).to_vec());
        insta::assert_snapshot!(table(&["NAME", "STATE"], rows), @r"
        NAME      STATE
        zoë       ok
        somebody
        ");
    }
}
