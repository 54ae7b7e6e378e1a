// Starts Swagger UI with a public client and PKCE; the sign-in lives as long as this page.
"use strict";

const { document: url, redirect, client, scope } = document.getElementById("swagger-ui").dataset;
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

const ui = SwaggerUIBundle({
  url,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  displayOperationId: true,
  defaultModelsExpandDepth: -1,
  docExpansion: "list",
  oauth2RedirectUrl: redirect,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
ui.initOAuth({ clientId: client, scopes: scope, usePkceWithAuthorizationCodeGrant: true });
