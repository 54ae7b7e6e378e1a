//! The clients that are known: their redirect URIs and metadata documents, in one table.

use super::redirect_uri::{Kind, RedirectUri};

/// A client that many people use, told by where it is called back and never by what it calls itself.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownClient {
    /// As people know it.
    pub name: &'static str,
    /// What an operator may write to mean this client.
    pub hosts: &'static [&'static str],
    /// Exact, but that `{word}` stands for 1 to 256 of A–Z a–z 0–9 - and _.
    pub redirect_uris: &'static [&'static str],
    /// Whether its web pages hand on to a program on the person's own computer, which may be any.
    pub hands_on: bool,
    pub documents: &'static [PinnedDocument],
}

/// A client id metadata document whose content is written here, so that it is not fetched.
#[derive(Debug, PartialEq, Eq)]
pub struct PinnedDocument {
    pub url: &'static str,
    /// What the document calls the client.
    pub name: &'static str,
    /// As in [`KnownClient::redirect_uris`]; on loopback any port.
    pub redirect_uris: &'static [&'static str],
}

/// Sources: what each of them sent, or has published, in November 2026.
pub static KNOWN_CLIENTS: [KnownClient; 4] = [
    // https://developers.openai.com/apps-sdk/build/auth, and the client id https://chatgpt.com/oauth/client.json
    KnownClient {
        name: "ChatGPT",
        hosts: &["chatgpt.com", "chat.openai.com"],
        redirect_uris: CHATGPT_CONNECTORS,
        hands_on: false,
        documents: &[PinnedDocument {
            url: "https://chatgpt.com/oauth/client.json",
            name: "ChatGPT",
            redirect_uris: CHATGPT_CONNECTORS,
        }],
    },
    // https://support.claude.com/en/articles/11503834-building-custom-connectors-via-remote-mcp-servers
    KnownClient {
        name: "Claude",
        hosts: &["claude.ai", "claude.com"],
        redirect_uris: CLAUDE,
        hands_on: false,
        documents: &[
            PinnedDocument {
                url: "https://claude.ai/oauth/mcp-oauth-client-metadata",
                name: "Claude",
                redirect_uris: CLAUDE,
            },
            // https://github.com/anthropics/claude-code/issues/37747: without a port, as it listens on one of its choice.
            PinnedDocument {
                url: "https://claude.ai/oauth/claude-code-client-metadata",
                name: "Claude Code",
                redirect_uris: &["http://localhost/callback", "http://127.0.0.1/callback"],
            },
        ],
    },
    // https://cursor.com/docs/context/mcp
    KnownClient {
        name: "Cursor",
        hosts: &["cursor.com", "www.cursor.com"],
        redirect_uris: &[
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
        ],
        hands_on: false,
        documents: &[],
    },
    // https://code.visualstudio.com/api/extension-guides/ai/mcp
    KnownClient {
        name: "Visual Studio Code",
        hosts: &["vscode.dev", "insiders.vscode.dev"],
        redirect_uris: &["https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"],
        hands_on: true,
        documents: &[],
    },
];

const CHATGPT_CONNECTORS: &[&str] =
    &["https://chatgpt.com/connector_platform_oauth_redirect", "https://chatgpt.com/connector/oauth/{word}"];

const CLAUDE: &[&str] =
    &["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"];

impl KnownClient {
    /// Whether `uri` is one of its redirect URIs.
    pub fn is_called_back_at(&self, uri: &RedirectUri) -> bool {
        self.redirect_uris.iter().any(|pattern| fits(pattern, uri.as_str()))
    }

    /// Whether a person can be told that this client, and no other, is behind `uri`.
    pub fn alone_receives(&self, uri: &RedirectUri) -> bool {
        uri.kind() == Kind::Web && !self.hands_on
    }
}

impl PinnedDocument {
    /// The pinned document with this URL, and whose it is.
    pub fn at(url: &str) -> Option<(&'static KnownClient, &'static Self)> {
        let all = KNOWN_CLIENTS
            .iter()
            .flat_map(|client| client.documents.iter().map(move |document| (client, document)));
        all.into_iter().find(|(_, document)| document.url == url)
    }

    /// Whether the client of this document may be called back at `uri`.
    pub fn allows(&self, uri: &RedirectUri) -> bool {
        self.redirect_uris.iter().any(|pattern| fits(pattern, uri.as_str()) || uri.is_registered_as(pattern))
    }
}

/// Where ChatGPT's plugins (connectors) return to.
pub fn is_connector_callback(uri: &str) -> bool {
    CHATGPT_CONNECTORS.iter().any(|pattern| fits(pattern, uri))
}

fn fits(pattern: &str, uri: &str) -> bool {
    match pattern.split_once("{word}") {
        None => pattern == uri,
        Some((before, after)) => {
            uri.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some_and(is_word)
        }
    }
}

/// What GPT ids and the last part of some redirect URIs are made of.
pub fn is_word(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
