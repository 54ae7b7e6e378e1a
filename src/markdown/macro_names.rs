//! What the names of macros and of their parameters say.

/// Macros that only arrange their body.
pub(super) fn is_transparent(name: &str) -> bool {
    matches!(
        name,
        "excerpt"
            | "details"
            | "section"
            | "column"
            | "div"
            | "span"
            | "align"
            | "center"
            | "adf:expand"
            | "ui-tabs"
            | "ui-tab"
            | "auitabs"
            | "auitabspage"
            | "deck"
            | "card"
            | "highlight"
            | "bgcolor"
            | "toc-zone"
            | "adf:layout-section"
            | "adf:layout-column"
            | "numberedheadings"
            | "footnote"
    )
}

/// Macros whose content is not in the body of their page. Third parties' are, too.
pub(super) fn is_dynamic(name: &str) -> bool {
    !matches!(
        name,
        "status"
            | "anchor"
            | "toc"
            | "toc-zone"
            | "mathinline"
            | "mathblock"
            | "easy-math-inline"
            | "easy-math-block"
            | "latex"
            | "math"
            | "view-file"
            | "viewpdf"
            | "viewdoc"
            | "viewppt"
            | "viewxls"
            | "multimedia"
            | "profile"
            | "info"
            | "note"
            | "tip"
            | "warning"
            | "panel"
            | "expand"
            | "code"
            | "noformat"
            | "excerpt"
            | "details"
            | "section"
            | "column"
    ) && !name.starts_with("adf:")
}

/// Macros that Confluence renders as a picture, a frame or a script: their rendering adds no word to a page.
pub(super) fn is_wordless(name: &str) -> bool {
    matches!(
        name,
        "drawio"
            | "drawio-sketch"
            | "drawio-board"
            | "inc-drawio"
            | "gliffy"
            | "lucidchart"
            | "roadmap"
            | "chart"
            | "widget"
            | "iframe"
            | "gadget"
            | "livesearch"
            | "pagetree"
            | "pagetreesearch"
            | "create-from-template"
    )
}

pub(super) fn is_inline(name: &str) -> bool {
    matches!(name, "status" | "anchor" | "jira" | "mathinline" | "easy-math-inline" | "profile")
}

/// Parameters that say something about the content; others are about its looks, or ids.
pub(super) fn is_telling(name: &str) -> bool {
    !matches!(
        name,
        "width"
            | "height"
            | "border"
            | "align"
            | "style"
            | "class"
            | "theme"
            | "macroId"
            | "macro-id"
            | "local-id"
            | "localId"
            | "serverId"
            | "outline"
            | "printable"
            | "zoom"
            | "revision"
            | "breakoutMode"
            | "breakoutWidth"
            | "linkParam"
            | "atlassian-macro-output-type"
            | "bgColor"
            | "borderColor"
            | "titleBGColor"
            | "columns"
            | "id"
            | "token"
            | "password"
            | "secret"
            | "apiKey"
            | "userName"
            | "diagramWidth"
            | "diagramHeight"
            | "lbox"
            | "simple"
            | "tbstyle"
            | "pagePin"
            | "baseUrl"
    ) && !name.starts_with(':')
}
