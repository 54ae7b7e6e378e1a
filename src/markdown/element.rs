//! The elements that mean something, by name.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Paragraph,
    Heading(u8),
    Bullets,
    Numbers,
    Item,
    Table,
    TableHead,
    TableBody,
    Row,
    HeaderCell,
    Cell,
    Caption,
    Strong,
    Emphasis,
    Strike,
    Sub,
    Sup,
    Quotation,
    Code,
    Preformatted,
    Anchor,
    Break,
    Rule,
    Image,
    Quote,
    Term,
    Definition,
    Block,
    Span,
    Time,
    Summary,
    /// What no browser shows.
    Unseen,
    /// Columns and the like: nothing in them, nothing to say.
    Nothing,
    Macro,
    Parameter,
    RichBody,
    PlainBody,
    Link,
    LinkBody,
    Picture,
    TaskList,
    Task,
    TaskStatus,
    TaskBody,
    Emoticon,
    Placeholder,
    AdfExtension,
    AdfNode,
    AdfAttribute,
    AdfContent,
    AdfFallback,
    Resource,
    /// Around content of another page.
    Inclusion,
    /// Any other name, told apart by its hash.
    Other(u32),
}

impl Element {
    /// Elements of HTML and of storage format.
    pub(super) fn named(name: &str) -> Self {
        match name.as_bytes() {
            b"p" => Self::Paragraph,
            b"h1" => Self::Heading(1),
            b"h2" => Self::Heading(2),
            b"h3" => Self::Heading(3),
            b"h4" => Self::Heading(4),
            b"h5" => Self::Heading(5),
            b"h6" => Self::Heading(6),
            b"ul" | b"menu" | b"dir" => Self::Bullets,
            b"ol" => Self::Numbers,
            b"li" => Self::Item,
            b"table" => Self::Table,
            b"thead" => Self::TableHead,
            b"tbody" | b"tfoot" => Self::TableBody,
            b"tr" => Self::Row,
            b"th" => Self::HeaderCell,
            b"td" => Self::Cell,
            b"caption" | b"figcaption" | b"ac:caption" => Self::Caption,
            b"strong" | b"b" => Self::Strong,
            b"em" | b"i" | b"cite" | b"dfn" => Self::Emphasis,
            b"s" | b"del" | b"strike" => Self::Strike,
            b"sub" => Self::Sub,
            b"sup" => Self::Sup,
            b"q" => Self::Quotation,
            b"code" | b"tt" | b"kbd" | b"samp" => Self::Code,
            b"pre" | b"listing" | b"xmp" => Self::Preformatted,
            b"a" => Self::Anchor,
            b"br" => Self::Break,
            b"hr" => Self::Rule,
            b"img" => Self::Image,
            b"blockquote" => Self::Quote,
            b"dt" => Self::Term,
            b"dd" => Self::Definition,
            b"span" | b"font" | b"u" | b"big" | b"small" | b"ins" | b"mark" | b"var" | b"label"
            | b"button" => Self::Span,
            b"div" | b"section" | b"article" | b"header" | b"footer" | b"main" | b"nav" | b"aside"
            | b"figure" | b"figure-body" | b"details" | b"dl" | b"fieldset" | b"form" | b"address"
            | b"center" | b"body" | b"html" | b"xml" | b"ac:layout" | b"ac:layout-section"
            | b"ac:layout-cell" => Self::Block,
            b"time" => Self::Time,
            b"summary" => Self::Summary,
            b"script"
            | b"style"
            | b"head"
            | b"title"
            | b"template"
            | b"noscript"
            | b"object"
            | b"iframe"
            | b"audio"
            | b"video"
            | b"canvas"
            | b"noembed"
            | b"noframes"
            | b"select"
            | b"ac:task-id"
            | b"ac:task-uuid"
            | b"fab:placeholder-url"
            | b"fab:display-type" => Self::Unseen,
            b"col" | b"colgroup" | b"wbr" | b"input" | b"meta" | b"link" | b"area" | b"base" | b"param"
            | b"source" | b"track" | b"embed" => Self::Nothing,
            b"ac:structured-macro" | b"ac:macro" => Self::Macro,
            b"ac:parameter" | b"ac:default-parameter" => Self::Parameter,
            b"ac:rich-text-body" => Self::RichBody,
            b"ac:plain-text-body" => Self::PlainBody,
            b"ac:link" => Self::Link,
            b"ac:link-body" | b"ac:plain-text-link-body" => Self::LinkBody,
            b"ac:image" => Self::Picture,
            b"ac:task-list" => Self::TaskList,
            b"ac:task" => Self::Task,
            b"ac:task-status" => Self::TaskStatus,
            b"ac:task-body" => Self::TaskBody,
            b"ac:emoticon" => Self::Emoticon,
            b"ac:placeholder" => Self::Placeholder,
            b"ac:adf-extension" => Self::AdfExtension,
            b"ac:adf-node" => Self::AdfNode,
            b"ac:adf-attribute" | b"ac:adf-parameter" => Self::AdfAttribute,
            b"ac:adf-content" => Self::AdfContent,
            b"ac:adf-fallback" => Self::AdfFallback,
            _ if name.starts_with("ri:") => Self::Resource,
            _ => Self::Other(hash(name)),
        }
    }

    /// How far an end tag reaches: it never closes an element that is stronger than its own.
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Inclusion => 5,
            Self::Table => 4,
            Self::TableHead
            | Self::TableBody
            | Self::Row
            | Self::HeaderCell
            | Self::Cell
            | Self::Macro
            | Self::RichBody
            | Self::AdfExtension
            | Self::AdfNode
            | Self::AdfContent => 3,
            Self::Bullets
            | Self::Numbers
            | Self::Item
            | Self::TaskList
            | Self::Task
            | Self::TaskBody
            | Self::Quote
            | Self::Block
            | Self::Definition
            | Self::Term
            | Self::Picture
            | Self::Link => 2,
            Self::Paragraph | Self::Heading(_) | Self::Caption | Self::Preformatted => 1,
            _ => 0,
        }
    }

    /// Whether text inside of it runs on with the text around it.
    pub(super) fn is_inline(self) -> bool {
        matches!(
            self,
            Self::Paragraph
                | Self::Heading(_)
                | Self::Strong
                | Self::Emphasis
                | Self::Strike
                | Self::Sub
                | Self::Sup
                | Self::Quotation
                | Self::Code
                | Self::Anchor
                | Self::Span
                | Self::Time
                | Self::Link
                | Self::LinkBody
                | Self::Other(_)
        )
    }

    /// Whether it may carry HTML's attributes for looks.
    pub(super) fn may_have_style(self) -> bool {
        !matches!(
            self,
            Self::Macro
                | Self::Parameter
                | Self::RichBody
                | Self::PlainBody
                | Self::Link
                | Self::LinkBody
                | Self::Picture
                | Self::Resource
                | Self::Emoticon
                | Self::AdfAttribute
        )
    }

    /// Whether a start tag ends a paragraph that is open.
    pub(super) fn ends_paragraph(self) -> bool {
        matches!(
            self,
            Self::Paragraph
                | Self::Heading(_)
                | Self::Bullets
                | Self::Numbers
                | Self::Item
                | Self::Table
                | Self::Quote
                | Self::Rule
                | Self::Preformatted
                | Self::Term
                | Self::Definition
        )
    }
}

fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
