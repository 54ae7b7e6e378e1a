//! Office packages: a zip file of XML parts, read with an eye on how large they unfold.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion, escape};
use zip::ZipArchive;
use zip::result::ZipError;

use super::Failure;

/// How large all parts together may unfold, in bytes.
const MOST_UNFOLDED: u64 = 128 * 1024 * 1024;

/// What encrypted packages and the formats before them are wrapped in.
pub const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

pub struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    room: u64,
}

impl<'a> Package<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, Failure> {
        if bytes.starts_with(OLE) {
            return Err(if is_encrypted(bytes) { Failure::Encrypted } else { Failure::Unsupported });
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Failure::Broken)?;
        Ok(Self { zip, room: MOST_UNFOLDED })
    }

    pub fn holds(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// A part that has to be there.
    pub fn part(&mut self, name: &str) -> Result<Vec<u8>, Failure> {
        self.find(name)?.ok_or(Failure::Broken)
    }

    pub fn find(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => return Err(Failure::Encrypted),
            Err(_) => return Err(Failure::Broken),
        };
        let mut bytes = Vec::new();
        file.take(self.room + 1).read_to_end(&mut bytes).map_err(|_| Failure::Broken)?;
        self.room = self.room.checked_sub(bytes.len() as u64).ok_or(Failure::TooMuch)?;
        Ok(Some(bytes))
    }

    /// What a part refers to: by id, the kind and the target as a part's name.
    pub fn relations(&mut self, of: &str) -> Result<HashMap<String, Relation>, Failure> {
        let (folder, name) = of.rsplit_once('/').unwrap_or(("", of));
        let Some(part) = self.find(&format!("{folder}/_rels/{name}.rels"))? else {
            return Ok(HashMap::new());
        };
        let mut relations = HashMap::new();
        let mut xml = Xml::new(&part);
        while let Some(node) = xml.next()? {
            if let Node::Open(element) = node
                && element.name() == "Relationship"
                && let (Some(id), Some(target)) = (element.get("Id"), element.get("Target"))
            {
                let kind = element.get("Type").unwrap_or_default();
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                relations.insert(id, Relation { kind, target: resolve(folder, &target) });
            }
        }
        Ok(relations)
    }
}

/// Where one part refers to another.
pub struct Relation {
    pub kind: String,
    pub target: String,
}

/// `../media/x` as seen from a folder.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            ".." => drop(path.pop()),
            "." | "" => {}
            step => path.push(step),
        }
    }
    path.join("/")
}

/// Names inside these wrappers are UTF-16.
fn is_encrypted(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(bytes, &name).is_some()
}

/// The nodes of a part that matter. Prefixes of names are left out: in these formats the rest tells enough.
///
/// To look ahead, a node is put back. A copy of the reader would take all names of open elements along, each time.
pub struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    put_back: Option<Node<'a>>,
}

pub enum Node<'a> {
    Open(Element<'a>),
    Close(String),
    Text(String),
}

pub struct Element<'a> {
    tag: BytesStart<'a>,
}

impl Element<'_> {
    pub fn name(&self) -> &str {
        local(self.tag.name().into_inner())
    }

    /// An attribute, whatever its prefix.
    pub fn get(&self, name: &str) -> Option<String> {
        self.find(|key| local(key) == name)
    }

    /// An attribute by its whole name, where another one differs in the prefix alone.
    pub fn get_prefixed(&self, name: &str) -> Option<String> {
        self.find(|key| key == name)
    }

    fn find(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        let mut attributes = self.tag.attributes().filter_map(Result::ok);
        let found = attributes.find(|attribute| is(attribute.key.into_inner()))?;
        Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
    }
}

impl<'a> Xml<'a> {
    pub fn new(part: &'a [u8]) -> Self {
        let mut reader = Reader::from_reader(part);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, put_back: None }
    }

    /// Has this node come next once more.
    pub fn put_back(&mut self, node: Node<'a>) {
        self.put_back = Some(node);
    }

    /// The next node; nothing at the end.
    pub fn next(&mut self) -> Result<Option<Node<'a>>, Failure> {
        if let Some(node) = self.put_back.take() {
            return Ok(Some(node));
        }
        loop {
            return Ok(Some(match self.reader.read_event().map_err(|_| Failure::Broken)? {
                Event::Start(tag) => Node::Open(Element { tag }),
                Event::End(tag) => Node::Close(local(tag.name().into_inner()).to_owned()),
                Event::Text(text) => Node::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Node::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => Node::Text(resolved(&reference)),
                Event::Eof => return Ok(None),
                _ => continue,
            }));
        }
    }

    /// Leaves out everything up to the end of the element that has just been opened.
    pub fn skip(&mut self) -> Result<(), Failure> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                Some(Node::Open(_)) => depth += 1,
                Some(Node::Close(_)) => depth -= 1,
                Some(Node::Text(_)) => {}
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// A character reference or one of the five names that XML has. Entities of other names are nobody's business here.
fn resolved(reference: &BytesRef<'_>) -> String {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => character.to_string(),
        _ => escape::resolve_predefined_entity(reference).unwrap_or_default().to_owned(),
    }
}
