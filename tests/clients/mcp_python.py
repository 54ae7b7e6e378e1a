"""The official Python SDK and fastmcp, each with its own OAuth: from nothing but the MCP URL to an answer."""

import asyncio
import os
import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import fastmcp
import httpx2
from fastmcp.client.auth import OAuth
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

import wiki
from browser import Browser

URL = sys.argv[1]
TOKEN = Path(sys.argv[2])  # where to leave an access token, for clients that cannot sign in


class Memory:
    """Where the SDK keeps what it was given."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def oauth(memory: Memory) -> OAuthClientProvider:
    back = {}

    async def redirect(url: str):
        answer = await asyncio.to_thread(Browser().sign_in, url)
        back.update({name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()})

    async def callback():
        return AuthorizationCodeResult(code=back["code"], state=back.get("state"), iss=back.get("iss"))

    metadata = OAuthClientMetadata(client_name="Python SDK", redirect_uris=["http://127.0.0.1:8765/callback"])
    return OAuthClientProvider(URL, metadata, memory, redirect, callback)


async def official(mode: str):
    memory = Memory()
    async with httpx2.AsyncClient(auth=oauth(memory), timeout=30, trust_env=False) as http:
        async with Client(streamable_http_client(URL, http_client=http), mode=mode) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            spoken = client.session.protocol_version
            found = await client.call_tool("search", {"query": wiki.WORDS})
            document = wiki.pick(found.structured_content)
            fetched = await client.call_tool("fetch", {"id": document["id"]})
            wiki.check(tools, document, fetched.structured_content)
            for name in tools:
                if name in wiki.CALLS:
                    answer = await client.call_tool(name, wiki.CALLS[name])
                    assert not answer.is_error, answer
            refused = await client.call_tool("getPage", {"id": "nonsense"})
            assert refused.is_error and "nextStep" in refused.content[0].text, refused
    assert memory.tokens.refresh_token and memory.tokens.expires_in, "a session that ends within the hour"
    TOKEN.write_text(memory.tokens.access_token)
    wiki.passed(f"mcp {version('mcp')} ({mode})", spoken)


async def fast():
    async with fastmcp.Client(URL, auth=OAuth(callback_timeout=30)) as client:
        tools = [tool.name for tool in await client.list_tools()]
        document = wiki.pick((await client.call_tool("search", {"query": wiki.WORDS})).structured_content)
        fetched = await client.call_tool("fetch", {"id": document["id"]})
        wiki.check(tools, document, fetched.structured_content)
        spoken = client.session.protocol_version
    wiki.passed(f"fastmcp {version('fastmcp')}", spoken)


async def main():
    for mode in ("auto", "legacy"):
        await official(mode)
    assert "browser.py" in os.environ["BROWSER"], "fastmcp opens a browser"
    await fast()


asyncio.run(main())
