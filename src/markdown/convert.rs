//! From elements to Markdown: what storage format and rendered HTML have in common. It hears of start tags, text and end
//! tags, in whatever order they come, and keeps the elements that are open on a stack of bounded depth.

use super::element::Element;
use super::expansions::Known;
use super::hidden;
use super::losses;
use super::macros::Macro;
use super::resources::Resource;
use super::tokens::Attributes;
use super::writer::{Mark, Writer};
use super::{Context, Document};

/// Elements nested deeper than this are taken as their content.
const MOST_DEEP: usize = 512;

pub(super) struct Converter<'a> {
    pub(super) writer: Writer,
    pub(super) context: &'a Context<'a>,
    stack: Vec<Frame>,
    /// How many elements are open beyond the stack.
    beyond: usize,
    skipping: Option<Skip>,
    /// Text that goes elsewhere than into the Markdown as it comes, and the height of the stack at its element.
    capture: Option<(usize, String)>,
    /// What the open links, images and parameters refer to.
    pub(super) slots: Vec<Option<Resource>>,
    pub(super) macros: Vec<Macro>,
    pub(super) storage: super::storage::Open,
    pub(super) known: Option<Known<'a>>,
}

/// An element whose content is left out.
struct Skip {
    /// The height of the stack at it.
    height: usize,
    /// How to count it if there is text in it.
    what: Option<&'static str>,
}

struct Frame {
    element: Element,
    close: Close,
    colours: Colours,
}

/// What text has inherited from the elements around it.
#[derive(Clone, Copy, Default)]
struct Colours {
    /// A ground of another colour than white.
    ground: bool,
    white: bool,
}

/// What to do at the end of an element.
#[derive(Debug)]
pub(super) enum Close {
    Nothing,
    Block,
    Heading,
    List,
    Item,
    Table,
    TableHead,
    Cell,
    Mark(Mark),
    Text(&'static str),
    Code,
    Preformatted { language: String },
    Link { label: String },
    Quote,
    Time { date: String, length: usize },
    Storage(super::storage::Close),
    Html(super::html::Close),
}

impl<'a> Converter<'a> {
    pub(super) fn new(context: &'a Context<'a>, source_length: usize) -> Self {
        Self {
            writer: Writer::new(source_length),
            context,
            stack: Vec::new(),
            beyond: 0,
            skipping: None,
            capture: None,
            slots: Vec::new(),
            macros: Vec::new(),
            storage: super::storage::Open::default(),
            known: None,
        }
    }

    pub(super) fn finish(mut self) -> Document {
        self.close_all();
        Document::new(self.writer)
    }

    pub(super) fn text(&mut self, text: &str) {
        if let Some(skip) = &mut self.skipping {
            if !text.trim().is_empty()
                && let Some(what) = skip.what.take()
            {
                self.writer.losses.add(what, 1);
            }
            return;
        }
        let unseen = self.is_white_on_white();
        match &mut self.capture {
            Some((_, captured)) => captured.push_str(text),
            None if unseen && !text.trim().is_empty() => self.writer.losses.add(losses::HIDDEN_TEXT, 1),
            None => self.writer.text(text),
        }
    }

    fn is_white_on_white(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.colours.white && !frame.colours.ground)
    }

    /// An element starts. `begin` says what to do at its end.
    pub(super) fn open(
        &mut self,
        element: Element,
        attributes: Attributes<'_>,
        begin: impl FnOnce(&mut Self) -> Close,
    ) {
        if self.skipping.is_none() {
            self.close_implied(element);
        }
        if self.stack.len() >= MOST_DEEP {
            self.beyond += 1;
            self.writer.losses.add(losses::TOO_DEEP, 1);
            return;
        }
        let mut colours = self.stack.last().map(|frame| frame.colours).unwrap_or_default();
        let mut close = Close::Nothing;
        if self.skipping.is_none() {
            if !attributes.is_empty() && element.may_have_style() && is_hidden(attributes, &mut colours) {
                self.skip(Some(losses::HIDDEN_TEXT));
            } else if element == Element::Unseen {
                self.skip(None);
            } else {
                close = begin(self);
            }
        }
        self.stack.push(Frame { element, close, colours });
    }

    /// An element ends, and with it those inside of it that are still open.
    pub(super) fn close(&mut self, element: Element) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let mut at = self.stack.len();
        while at > 0 {
            at -= 1;
            let open = self.stack[at].element;
            if open == element {
                while self.stack.len() > at {
                    self.pop();
                }
                return;
            }
            if open.strength() > element.strength() {
                return;
            }
        }
    }

    /// Whether what comes now is left out.
    pub(super) fn is_skipping(&self) -> bool {
        self.skipping.is_some()
    }

    /// Ends all elements that are open.
    pub(super) fn close_all(&mut self) {
        while !self.stack.is_empty() {
            self.pop();
        }
        self.beyond = 0;
    }

    /// Lets other content in here, which can close nothing that is open around it.
    pub(super) fn inside(&mut self, feed: impl FnOnce(&mut Self)) {
        let height = self.stack.len();
        let colours = self.stack.last().map(|frame| frame.colours).unwrap_or_default();
        self.stack.push(Frame { element: Element::Inclusion, close: Close::Nothing, colours });
        feed(self);
        while self.stack.len() > height {
            self.pop();
        }
    }

    /// Leaves out the content of the element that is being opened, and counts it if there is any.
    pub(super) fn skip(&mut self, what: Option<&'static str>) {
        self.skipping = Some(Skip { height: self.stack.len(), what });
    }

    /// Keeps the text of the element that is being opened for its end.
    pub(super) fn capture(&mut self) {
        if self.capture.is_none() {
            self.capture = Some((self.stack.len(), String::new()));
        }
    }

    pub(super) fn captured(&mut self) -> String {
        match &self.capture {
            Some((height, _)) if *height == self.stack.len() => {
                self.capture.take().map(|(_, text)| text).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    pub(super) fn is_capturing(&self) -> bool {
        self.capture.is_some()
    }

    /// Whether text here runs on with the text around it.
    pub(super) fn is_inline(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.element.is_inline())
    }

    pub(super) fn set_ground(&mut self) {
        if let Some(frame) = self.stack.last_mut() {
            frame.colours.ground = true;
        }
    }

    /// Start tags end what cannot hold them.
    fn close_implied(&mut self, element: Element) {
        let ended = match element {
            Element::Item => [Element::Item, Element::Item, Element::Item],
            Element::HeaderCell | Element::Cell => [Element::HeaderCell, Element::Cell, Element::Caption],
            Element::Row => [Element::HeaderCell, Element::Cell, Element::Row],
            Element::TableHead | Element::TableBody => [Element::TableHead, Element::TableBody, Element::Row],
            Element::Term | Element::Definition => [Element::Term, Element::Definition, Element::Term],
            _ if element.ends_paragraph() => [Element::Paragraph; 3],
            _ => return,
        };
        let strength = ended[0].strength();
        let mut ends = None;
        for (at, frame) in self.stack.iter().enumerate().rev() {
            if ended.contains(&frame.element) {
                ends = Some(at);
                if element != Element::Row && element != Element::TableBody {
                    break;
                }
            } else if frame.element.strength() > strength
                || matches!(
                    frame.element,
                    Element::Bullets | Element::Numbers | Element::Table | Element::Macro | Element::RichBody
                )
            {
                break;
            }
        }
        if let Some(at) = ends {
            while self.stack.len() > at {
                self.pop();
            }
        }
    }

    fn pop(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        if let Some(skip) = &self.skipping {
            if self.stack.len() > skip.height {
                return;
            }
            self.skipping = None;
            if matches!(frame.close, Close::Nothing) {
                return;
            }
        }
        self.run(frame.close);
    }

    fn run(&mut self, close: Close) {
        let writer = &mut self.writer;
        match close {
            Close::Nothing => {}
            Close::Block => writer.end_block(),
            Close::Heading => writer.heading_close(),
            Close::List => writer.list_close(),
            Close::Item => writer.item_close(),
            Close::Table => writer.table_close(),
            Close::TableHead => writer.table_header(false),
            Close::Cell => writer.cell_close(),
            Close::Mark(mark) => writer.mark_close(mark),
            Close::Text(text) => writer.text(text),
            Close::Code => writer.code_span_close(),
            Close::Preformatted { language } => {
                let code = self.captured();
                let code = code.strip_prefix('\n').unwrap_or(&code);
                self.code(&language, code.strip_suffix('\n').unwrap_or(code));
            }
            Close::Link { label } => writer.link_close(&label),
            Close::Quote => writer.quote_close(),
            Close::Time { date, length } => {
                if writer.length() == length {
                    writer.text(&date);
                }
            }
            Close::Storage(close) => self.close_storage(close),
            Close::Html(close) => self.close_html(close),
        }
    }
}

/// Whether an element is not shown at all; its colours are noted for its text.
fn is_hidden(attributes: Attributes<'_>, colours: &mut Colours) -> bool {
    if attributes.get("data-highlight-colour").is_some_and(|colour| !colour.is_empty())
        || attributes.get("class").is_some_and(|class| class.contains("highlight-"))
    {
        colours.ground = true;
    }
    let Some(style) = attributes.get("style") else { return attributes.get("hidden").is_some() };
    let visibility = hidden::of_style(&style);
    colours.ground |= visibility.ground;
    colours.white = visibility.white.unwrap_or(colours.white);
    visibility.hidden || attributes.get("hidden").is_some()
}
