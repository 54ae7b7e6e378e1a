// OAuth client libraries doing what a custom GPT's Actions do: a configured client with a secret.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import * as openid from "openid-client";
import { AuthorizationCode } from "simple-oauth2";

const [origin, clientId, clientSecret] = process.argv.slice(2);
const REDIRECT = "https://chatgpt.com/aip/g-clients/oauth/callback";

function signIn(url) {
  const browser = [new URL("browser.py", import.meta.url).pathname, "--print", url];
  return new URL(execFileSync("python3", browser, { encoding: "utf8" }).trim());
}

async function use(token) {
  const answer = await fetch(`${origin}/v1/search?query=ledger`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) throw new Error(await answer.text());
  if (!(await answer.json()).results.length) throw new Error("nothing was found");
}

function passed(name, how) {
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)));
  console.log(`ok    ${name} ${version}${how ? ` (${how})` : ""}`);
}

/** By default with HTTP Basic. */
async function simple(authorizationMethod) {
  const client = new AuthorizationCode({
    client: { id: clientId, secret: clientSecret },
    auth: { tokenHost: origin, authorizePath: "/oauth/authorize", tokenPath: "/oauth/token" },
    options: { authorizationMethod },
  });
  const back = signIn(client.authorizeURL({ redirect_uri: REDIRECT, state: "s/1" }));
  if (back.searchParams.get("state") !== "s/1") throw new Error("another state");
  let token = await client.getToken({ code: back.searchParams.get("code"), redirect_uri: REDIRECT });
  await use(token.token.access_token);
  token = await token.refresh();
  await use(token.token.access_token);
  passed("simple-oauth2", authorizationMethod);
}

/** Strict: discovery, PKCE, `iss` and `state` are checked. */
async function strict(authentication, how) {
  const config = await openid.discovery(new URL(origin), clientId, undefined, authentication(clientSecret), {
    algorithm: "oauth2",
    execute: [openid.allowInsecureRequests],
  });
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: "confluence:read",
    state,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  const tokens = await openid.authorizationCodeGrant(config, signIn(url.href), checks);
  await use(tokens.access_token);
  const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token);
  await use(renewed.access_token);
  passed("openid-client", how);
}

await simple("header");
await simple("body");
await strict(openid.ClientSecretPost, "client_secret_post, PKCE");
await strict(openid.ClientSecretBasic, "client_secret_basic, PKCE");
