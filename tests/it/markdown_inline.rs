//! Whatever inline markup a page has, a Markdown parser reads the page out of what is made of it: the same text, the same
//! marks on the same characters, and no link, image or block that the page does not have.
//!
//! `PROPTEST_CASES=100000 cargo test markdown::inline` tries as many pages.

use causeway::markdown::PartSize;
use proptest::prelude::*;

use super::{html, storage};

#[path = "markdown_inline/page.rs"]
mod page;
#[path = "markdown_inline/parsed.rs"]
mod parsed;

use page::{Format, Page};
use parsed::Parsed;

fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 2_000 };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..default }
}

fn check(page: &Page, format: Format) -> Result<(), TestCaseError> {
    let source = page.source(format);
    let document = match format {
        Format::Storage => storage(&source),
        Format::Rendered => html(&source),
    };
    let markdown = document.markdown();
    let (wanted, parsed) = (page.reading(format), Parsed::of(markdown));
    let context = format!("\n{markdown:?}\nfrom {source:?}\n");
    prop_assert_eq!(&parsed.strange, &Vec::<String>::new(), "{}", context);
    prop_assert_eq!(parsed.text(), wanted.text(), "{}", context);
    prop_assert_eq!(&parsed.blocks, &wanted.blocks, "{}", context);
    for (wanted, parsed) in wanted.glyphs.iter().zip(&parsed.glyphs) {
        prop_assert_eq!(parsed, wanted, "{}", context);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn storage_format_reads_back_as_it_was(page in page::any()) {
        check(&page, Format::Storage)?;
    }

    #[test]
    fn rendered_pages_read_back_as_they_were(page in page::any()) {
        check(&page, Format::Rendered)?;
    }

    #[test]
    fn no_part_of_a_page_has_a_link_or_an_image_of_its_own(page in page::any(), chars in 8..200_usize) {
        let source = page.source(Format::Storage);
        let document = storage(&source);
        for part in document.parts(PartSize { chars, json_bytes: 2 * chars }) {
            let parsed = Parsed::of(part.text());
            let context = format!("{:?} of {:?}", part.text(), document.markdown());
            prop_assert!(parsed.links.iter().all(|link| page::leads(link)), "{:?} in {}", parsed.links, context);
            let live = |event: &&String| event.contains("Html(") || event.contains("Image");
            let mut live = parsed.strange.iter().filter(live);
            prop_assert_eq!(live.next(), None, "{}", context);
        }
    }
}
