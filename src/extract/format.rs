//! Which files have text, by what Confluence calls them and by their names.

/// How the text of a file is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Shown as it is, in a fence of this language.
    Code(&'static str),
    Markdown,
    Html,
    /// Rows of cells with this character between them.
    Rows(u8),
    Pdf,
    Word,
    Sheets,
    Slides,
    /// To be told by its bytes.
    Unknown,
}

/// By the ends of names.
const NAMES: &[(&[&str], Format)] = &[
    (&["md", "markdown", "mdx"], Format::Markdown),
    (&["html", "htm", "xhtml"], Format::Html),
    (&["csv"], Format::Rows(b',')),
    (&["tsv", "tab"], Format::Rows(b'\t')),
    (&["pdf"], Format::Pdf),
    (&["docx", "docm", "dotx", "dotm"], Format::Word),
    (&["xlsx", "xlsm", "xltx", "xltm", "xlsb", "xls", "ods"], Format::Sheets),
    (&["pptx", "pptm", "ppsx", "ppsm", "potx", "potm"], Format::Slides),
    (&["json", "jsonl", "ndjson", "geojson", "ipynb", "har"], Format::Code("json")),
    (
        &["xml", "xsd", "xsl", "xslt", "wsdl", "rss", "atom", "bpmn", "drawio", "plist", "pom"],
        Format::Code("xml"),
    ),
    (&["yaml", "yml"], Format::Code("yaml")),
    (&["toml"], Format::Code("toml")),
    (&["ini", "cfg", "conf", "properties", "editorconfig"], Format::Code("ini")),
    (&["sql"], Format::Code("sql")),
    (&["sh", "bash", "zsh", "ksh"], Format::Code("sh")),
    (&["ps1", "psm1"], Format::Code("powershell")),
    (&["bat", "cmd"], Format::Code("bat")),
    (&["py", "pyi"], Format::Code("python")),
    (&["rb"], Format::Code("ruby")),
    (&["rs"], Format::Code("rust")),
    (&["go"], Format::Code("go")),
    (&["java"], Format::Code("java")),
    (&["kt", "kts"], Format::Code("kotlin")),
    (&["scala", "sc"], Format::Code("scala")),
    (&["groovy", "gradle"], Format::Code("groovy")),
    (&["c", "h"], Format::Code("c")),
    (&["cc", "cpp", "cxx", "hh", "hpp", "hxx"], Format::Code("cpp")),
    (&["cs"], Format::Code("csharp")),
    (&["js", "mjs", "cjs", "jsx"], Format::Code("js")),
    (&["ts", "mts", "cts", "tsx"], Format::Code("ts")),
    (&["css", "scss", "sass", "less"], Format::Code("css")),
    (&["php"], Format::Code("php")),
    (&["swift"], Format::Code("swift")),
    (&["lua"], Format::Code("lua")),
    (&["pl", "pm"], Format::Code("perl")),
    (&["r"], Format::Code("r")),
    (&["tf", "hcl"], Format::Code("hcl")),
    (&["proto"], Format::Code("proto")),
    (&["graphql", "gql"], Format::Code("graphql")),
    (&["diff", "patch"], Format::Code("diff")),
    (&["dockerfile"], Format::Code("dockerfile")),
    (&["puml", "plantuml"], Format::Code("plantuml")),
    (&["mmd", "mermaid"], Format::Code("mermaid")),
    (&["tex"], Format::Code("tex")),
    (
        &[
            "txt",
            "text",
            "log",
            "out",
            "err",
            "rst",
            "adoc",
            "asciidoc",
            "org",
            "eml",
            "ics",
            "vcf",
            "srt",
            "vtt",
            "pem",
            "crt",
            "env",
            "gitignore",
            "lock",
            "svg",
        ],
        Format::Code(""),
    ),
];

/// By media types, without parameters.
const MEDIA_TYPES: &[(&str, Format)] = &[
    ("text/markdown", Format::Markdown),
    ("text/x-markdown", Format::Markdown),
    ("text/html", Format::Html),
    ("application/xhtml+xml", Format::Html),
    ("text/csv", Format::Rows(b',')),
    ("text/tab-separated-values", Format::Rows(b'\t')),
    ("application/pdf", Format::Pdf),
    ("application/x-pdf", Format::Pdf),
    ("application/json", Format::Code("json")),
    ("application/xml", Format::Code("xml")),
    ("application/yaml", Format::Code("yaml")),
    ("application/x-yaml", Format::Code("yaml")),
    ("application/sql", Format::Code("sql")),
    ("application/javascript", Format::Code("js")),
    ("application/x-sh", Format::Code("sh")),
    ("application/vnd.ms-excel", Format::Sheets),
    ("application/vnd.oasis.opendocument.spreadsheet", Format::Sheets),
];

/// Families of media types, by beginning.
const FAMILIES: &[(&str, Format)] = &[
    ("application/vnd.openxmlformats-officedocument.wordprocessingml", Format::Word),
    ("application/vnd.ms-word.document.macroenabled", Format::Word),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml", Format::Sheets),
    ("application/vnd.ms-excel.", Format::Sheets),
    ("application/vnd.openxmlformats-officedocument.presentationml", Format::Slides),
    ("application/vnd.ms-powerpoint.", Format::Slides),
];

/// What browsers and mail programs call anything.
const SAY_NOTHING: &[&str] = &[
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-download",
    "application/force-download",
];

impl Format {
    /// The format of a file; nothing for those that have no text. The name decides where it says more than the type.
    pub fn of(media_type: &str, name: &str) -> Option<Self> {
        let media_type = essence(media_type);
        let by_type = MEDIA_TYPES.iter().find(|(known, _)| *known == media_type).map(|(_, format)| *format);
        let by_family = || FAMILIES.iter().find(|(start, _)| media_type.starts_with(start)).map(|(_, f)| *f);
        let by_name = by_name(name);
        if is_picture_or_sound(&media_type) {
            return None;
        }
        match by_type.or_else(by_family) {
            // Windows takes every .csv for Excel's.
            Some(Self::Sheets) if matches!(by_name, Some(Self::Rows(_))) => by_name,
            Some(format) => Some(format),
            None if by_name.is_some() => by_name,
            None if media_type.starts_with("text/") => Some(Self::Code("")),
            None if media_type.ends_with("+json") => Some(Self::Code("json")),
            None if media_type.ends_with("+xml") => Some(Self::Code("xml")),
            None if SAY_NOTHING.contains(&media_type.as_str()) => Some(Self::Unknown),
            None => None,
        }
    }
}

/// What ChatGPT refuses as a file, by its name: `image` or `video`.
pub fn picture_or_film(media_type: &str) -> Option<&'static str> {
    let media_type = essence(media_type);
    let family = media_type.split('/').next();
    ["image", "video"].into_iter().find(|known| family == Some(known))
}

fn is_picture_or_sound(media_type: &str) -> bool {
    ["image/", "video/", "audio/", "font/"].iter().any(|family| media_type.starts_with(family))
}

fn by_name(name: &str) -> Option<Format> {
    let (_, end) = name.rsplit_once('.').unwrap_or(("", name));
    let end = end.to_ascii_lowercase();
    NAMES.iter().find(|(ends, _)| ends.contains(&end.as_str())).map(|(_, format)| *format)
}

/// A media type in lower case, without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_type_and_its_name_say_together() {
        for (media_type, name, format) in [
            ("text/plain", "notes.txt", Some(Format::Code(""))),
            ("text/plain; charset=utf-8", "main.RS", Some(Format::Code("rust"))),
            ("text/plain", "README.md", Some(Format::Markdown)),
            ("application/octet-stream", "costs.csv", Some(Format::Rows(b','))),
            ("application/vnd.ms-excel", "costs.csv", Some(Format::Rows(b','))),
            ("application/vnd.ms-excel", "costs.xls", Some(Format::Sheets)),
            ("", "Dockerfile", Some(Format::Code("dockerfile"))),
            ("application/octet-stream", "whatever", Some(Format::Unknown)),
            ("application/problem+json", "x", Some(Format::Code("json"))),
            ("image/svg+xml", "drawing.svg", None),
            ("application/zip", "all.zip", None),
            ("application/msword", "old.doc", None),
            ("video/mp4", "film.mp4", None),
        ] {
            assert_eq!(Format::of(media_type, name), format, "{media_type} {name}");
        }
    }
}
