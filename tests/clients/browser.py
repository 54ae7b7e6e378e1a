"""A person with a browser: signs in to the sandbox as alice and allows whatever is asked.

As a command (`BROWSER="python3 browser.py %s &"`) it opens a URL like any browser does; with --print it stops before
leaving for the client's redirect URI and prints that URL.
"""

import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar

ANSWERS = {"person": "alice", "decision": "allow"}
OURS = ("/oauth/", "/authorize")  # the paths of the gateway and the sandbox; everything else is the client's


class Form(HTMLParser):
    """The first form of a page: where it goes, and what it holds."""

    def __init__(self, page: str):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = attrs.get("action", "")
        if tag == "input" and attrs.get("type") == "hidden":
            self.fields[attrs["name"]] = attrs.get("value", "")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self):
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar, NoRedirect())

    def fetch(self, url: str, form: dict | None = None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, data)
        if data is not None:
            parts = urllib.parse.urlsplit(url)
            request.add_header("Origin", f"{parts.scheme}://{parts.netloc}")
        try:
            return self.opener.open(request, timeout=20)
        except urllib.error.HTTPError as answer:
            return answer

    def sign_in(self, url: str) -> str:
        """Walks from the authorization URL to the client's redirect URI, which is returned unvisited."""
        answer = self.fetch(url)
        for _ in range(12):
            if location := answer.headers.get("Location"):
                url = urllib.parse.urljoin(url, location)
                if not urllib.parse.urlsplit(url).path.startswith(OURS):
                    return url
                answer = self.fetch(url)
                continue
            page = answer.read().decode()
            form = Form(page)
            if answer.status != 200 or form.action is None:
                sys.exit(f"the sign-in ended with {answer.status}:\n{page[:2000]}")
            url = urllib.parse.urljoin(url, form.action)
            answer = self.fetch(url, form.fields | ANSWERS)
        sys.exit("the sign-in goes round in circles")


def main():
    browser = Browser()
    back = browser.sign_in(sys.argv[-1])
    if "--print" in sys.argv:
        print(back)
        return
    for _ in range(100):  # the client may open its port after the browser
        try:
            browser.fetch(back).read()
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    sys.exit(f"nobody listens for {back[:60]}")


if __name__ == "__main__":
    main()
