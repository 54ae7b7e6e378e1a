//! How a page is written down in either format.

use super::{Format, Inline, NAMES};

pub(super) fn wrap(out: &mut String, open: &str, inner: &[Inline], close: &str, format: Format) {
    out.push_str(open);
    for one in inner {
        write(out, one, format);
    }
    out.push_str(close);
}

fn write(out: &mut String, one: &Inline, format: Format) {
    match (one, format) {
        (Inline::Text(text), _) => out.push_str(&escaped(text)),
        (Inline::Mark(name, inner), _) => {
            wrap(out, &format!("<{name}>"), inner, &format!("</{name}>"), format);
        }
        (Inline::Link(target, inner), _) => {
            let open = format!("<a href=\"{}\">", escaped(target.href));
            wrap(out, &open, inner, "</a>", format);
        }
        (Inline::Image(target, label), _) => {
            out.extend(["<img src=\"", &escaped(target.href), "\" alt=\"", &escaped(label), "\" />"]);
        }
        (Inline::PageLink((title, _)), Format::Storage) => {
            out.extend(["<ac:link><ri:page ri:content-title=\"", &escaped(title), "\" /></ac:link>"]);
        }
        (Inline::PageLink((title, leads)), Format::Rendered) => {
            out.extend(["<img src=\"", leads, "\" alt=\"", &escaped(title), "\" />"]);
        }
        (Inline::Placeholder(text), Format::Storage) => {
            out.extend(["<ac:placeholder>", &escaped(text), "</ac:placeholder>"]);
        }
        (Inline::Placeholder(_), Format::Rendered) => {}
        (Inline::Code(inner), _) => wrap(out, "<code>", inner, "</code>", format),
        (Inline::Break, _) => out.push_str("<br />"),
        (Inline::Status(title), Format::Storage) => out.extend([
            "<ac:structured-macro ac:name=\"status\"><ac:parameter ac:name=\"title\">",
            &escaped(title),
            "</ac:parameter></ac:structured-macro>",
        ]),
        (Inline::Status(title), Format::Rendered) => {
            out.extend(["<span class=\"status-macro aui-lozenge\">", &escaped(title), "</span>"]);
        }
        (Inline::Mention(id), Format::Storage) => {
            out.extend(["<ac:link><ri:user ri:account-id=\"", id, "\" /></ac:link>"]);
        }
        (Inline::Mention(id), Format::Rendered) => {
            let (_, name) = NAMES.iter().find(|(known, _)| known == id).unwrap();
            out.extend(["<a class=\"user-mention\">", &escaped(name), "</a>"]);
        }
        (Inline::Emoticon(text), Format::Storage) => out.extend([
            "<ac:emoticon ac:name=\"blue-star\" ac:emoji-shortname=\"",
            &escaped(text),
            "\" ac:emoji-id=\"none\" />",
        ]),
        (Inline::Emoticon(text), Format::Rendered) => out.extend([
            "<img class=\"emoticon\" data-emoji-shortname=\"",
            &escaped(text),
            "\" data-emoji-id=\"none\" src=\"https://e.example/p.png\" />",
        ]),
    }
}

pub(in super::super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
