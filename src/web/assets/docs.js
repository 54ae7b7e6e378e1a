// Starts Swagger UI with a public client and PKCE; the sign-in lives as long as this page.
"use strict";

const { document: url, redirect, client, scope } = document.getElementById("swagger-ui").dataset;
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

// Swagger UI fills in every example at once, and a search for everything at once is refused. What is needed stays filled in, or
// else the first parameter; the other examples are shown in words.
function withFewerExamples(spec) {
  for (const { get } of Object.values(spec.paths ?? {})) {
    const parameters = get?.parameters ?? [];
    const kept = parameters.some(({ required }) => required) ? parameters.filter(({ required }) => required) : parameters.slice(0, 1);
    for (const parameter of parameters.filter((parameter) => !kept.includes(parameter) && "example" in parameter)) {
      parameter.description += ` Example: ${parameter.example}`;
      delete parameter.example;
    }
  }
  return spec;
}

const fewerExamples = () => ({
  statePlugins: { spec: { wrapActions: { updateJsonSpec: (original) => (spec) => original(withFewerExamples(spec)) } } },
});

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
  plugins: [fewerExamples],
});
ui.initOAuth({ clientId: client, scopes: scope, usePkceWithAuthorizationCodeGrant: true });
