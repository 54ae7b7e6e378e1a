"""OAuth client libraries doing what a custom GPT's Actions do: a configured client with a secret and no PKCE."""

import os
import sys
from importlib.metadata import version

from authlib.integrations.requests_client import OAuth2Session as Authlib
from requests_oauthlib import OAuth2Session as RequestsOauthlib

import wiki
from browser import Browser

ORIGIN, CLIENT_ID, CLIENT_SECRET = sys.argv[1:4]
REDIRECT = "https://chatgpt.com/aip/g-clients/oauth/callback"
AUTHORIZE, TOKEN, SEARCH = f"{ORIGIN}/oauth/authorize", f"{ORIGIN}/oauth/token", f"{ORIGIN}/v1/search"


def use(session):
    answer = session.get(SEARCH, params={"query": wiki.WORDS}, timeout=30)
    assert answer.status_code == 200, answer.text
    page = wiki.pick(answer.json())
    answer = session.get(f"{ORIGIN}/v1/pages/{page['id']}", timeout=30)
    assert wiki.FACT in answer.json()["markdown"], answer.text


def authlib(method: str, **pkce):
    session = Authlib(CLIENT_ID, CLIENT_SECRET, redirect_uri=REDIRECT, token_endpoint_auth_method=method, **pkce)
    session.trust_env = False
    verifier = {"code_verifier": "v" * 64} if pkce else {}
    url, _state = session.create_authorization_url(AUTHORIZE, **verifier)
    session.fetch_token(TOKEN, authorization_response=Browser().sign_in(url), **verifier)
    use(session)
    before = session.token["access_token"]
    session.refresh_token(TOKEN, session.token["refresh_token"])
    assert session.token["access_token"] != before
    use(session)
    wiki.passed(f"Authlib {version('Authlib')} ({method}{', PKCE' if pkce else ''})")


def requests_oauthlib():
    session = RequestsOauthlib(CLIENT_ID, redirect_uri=REDIRECT)
    session.trust_env = False
    url, _state = session.authorization_url(AUTHORIZE)
    back = Browser().sign_in(url)
    session.fetch_token(TOKEN, authorization_response=back, client_secret=CLIENT_SECRET, include_client_id=True)
    use(session)
    session.refresh_token(TOKEN, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    use(session)
    wiki.passed(f"requests-oauthlib {version('requests-oauthlib')}")


authlib("client_secret_post")
authlib("client_secret_basic")
authlib("client_secret_post", code_challenge_method="S256")
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the gateway is on loopback, without TLS
requests_oauthlib()
