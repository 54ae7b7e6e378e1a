"""The question that every MCP client has to answer from the sandbox's wiki: how long does a rebuild of the ledger take?"""

WORDS = "ledger projections rebuild"
TITLE = "ADR-001: Event sourcing for the ledger"
FACT = "3 hours and 20 minutes"

# One call of each action; the clients hold what comes back against the tool's output schema.
CALLS = {
    "searchConfluence": {"query": WORDS, "limit": 3},
    "findPassages": {"query": WORDS},
    "getPage": {"id": "1310745", "maxChars": 1000},
    "getPages": {"ids": "1310745,1310730"},
    "findPage": {"title": "Deployment guide", "space": "ENG"},
    "getPageTree": {"space": "ENG", "depth": 2},
    "listSpaces": {},
    "listComments": {"id": "1310745"},
    "listAttachments": {"id": "1310730"},
    "getAttachment": {"id": "att1610505"},
    "getPageHistory": {"id": "1310745"},
    "getRecentChanges": {"since": "-1y"},
    "whoAmI": {},
}


def pick(found: dict) -> dict:
    """The result to read."""
    titles = [result["title"] for result in found["results"]]
    assert TITLE in titles, f"search found {titles}"
    return found["results"][titles.index(TITLE)]


def check(tools: list[str], found: dict, fetched: dict):
    assert {"searchConfluence", "getPage", "search", "fetch"} <= set(tools), tools
    assert FACT in fetched["text"], fetched
    assert fetched["url"] == found["url"] and fetched["url"].startswith("https://acme.atlassian.net/wiki/"), fetched


def passed(what: str, protocol: str | None = None):
    print(f"ok    {what}" + (f", protocol {protocol}" if protocol else ""), flush=True)
