// "Try it here": signs in with a public client and PKCE in a popup, then searches. The token lives in this page alone.
"use strict";

const form = document.getElementById("try");
if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
}

const answer = document.getElementById("try-answer");
const gpt = document.getElementById("try-gpt");
const tokens = new Map();

function show(...nodes) {
  answer.replaceChildren(...nodes);
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function challenge(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

// Swagger UI's redirect page hands the answer to what its opener has put in swaggerUIRedirectOauth2.
function waitForCode(popup, state) {
  return new Promise((resolve, reject) => {
    let wrong = null;
    const auth = { name: "try", schema: new Map([["flow", "authorizationCode"]]) };
    const closed = setInterval(() => {
      if (popup.closed) finish(() => reject(new Error("The sign-in was closed before it was done.")));
    }, 500);
    const finish = (act) => {
      clearInterval(closed);
      delete window.swaggerUIRedirectOauth2;
      act();
    };
    window.swaggerUIRedirectOauth2 = {
      auth,
      state,
      redirectUrl: form.dataset.redirect,
      errCb: ({ message }) => {
        wrong = new Error(message);
        if (!auth.code) setTimeout(() => finish(() => reject(wrong)));
      },
      callback: () => finish(() => (wrong ? reject(wrong) : resolve(auth.code))),
    };
  });
}

async function signIn() {
  const { authorize, token, client, scope, redirect } = form.dataset;
  // Before anything is awaited, or the popup counts as unasked for.
  const popup = open("about:blank", "causeway-sign-in", "width=520,height=720");
  if (!popup) throw new Error("The browser has blocked the sign-in window. Allow popups for this page.");
  const [verifier, state, resource] = [random(), random(), gpt.value];
  const query = new URLSearchParams({
    response_type: "code", client_id: client, redirect_uri: redirect, scope, state, resource,
    code_challenge: await challenge(verifier), code_challenge_method: "S256",
  });
  const code = waitForCode(popup, state);
  popup.location.replace(`${authorize}?${query}`);
  const response = await fetch(token, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code", client_id: client, redirect_uri: redirect, resource,
      code: await code, code_verifier: verifier,
    }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error_description ?? "The sign-in was refused.");
  return body.access_token;
}

async function search(token) {
  const query = new URLSearchParams({ query: document.getElementById("try-query").value, limit: "5" });
  const response = await fetch(`/v1/search?${query}`, { headers: { Authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json() };
}

function answers({ results, suggestion, total }) {
  if (!results.length) return [element("p", `Nothing found. ${suggestion ?? ""}`)];
  const items = results.map(({ title, url, excerpt, space }) => {
    const item = document.createElement("li");
    item.append(element("a", title, { href: url, rel: "noreferrer" }), element("span", space ? ` ${space.name}` : "", { class: "space" }), element("p", excerpt));
    return item;
  });
  const list = element("ol", "", { class: "results" });
  list.append(...items);
  const found = total > results.length ? `${total} results, of which the first ${results.length}` : `${results.length} result${results.length === 1 ? "" : "s"}`;
  return [element("p", `It works: ${found}. ${suggestion ?? ""}`), list];
}

async function run() {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    if (!tokens.has(gpt.value)) {
      show(element("p", "Waiting for you to sign in, in the other window…"));
      tokens.set(gpt.value, await signIn());
    }
    show(element("p", "Searching…"));
    const { status, body } = await search(tokens.get(gpt.value));
    if (status === 401) tokens.delete(gpt.value);
    if (status !== 200) throw new Error(`${body.detail} ${body.nextStep}`);
    show(...answers(body));
  } catch (error) {
    show(element("p", error.message, { class: "failed" }));
  } finally {
    button.disabled = false;
  }
}
