// Shows the document, and signs in for trying it: by a password, and by a code where the account has a second factor.
//
// What was typed as a secret is taken out of its field when it is sent, and kept nowhere. Between the two steps the page has
// the token of the first one, for as long as it is good.

import { ask } from "./ask.js";
import { find, fit } from "./examples.js";
import { Session } from "./session.js";

const DOCUMENT = "/openapi.json";

const element = (id) => document.getElementById(id);
const form = element("sign-in");
const secondStep = element("second-step");

let session = null;
/** The sign-in that waits for its code: its token, the moment that ends it, and the timer for that. */
let begun = null;

function say(text, wrong = false) {
  element("status").textContent = text;
  element("status").classList.toggle("wrong", wrong);
}

/**
 * Swagger UI reads all of the document anew for each operation that is opened, which takes seconds: this gives it what the
 * operation leads to, from which it makes the same.
 */
const readsExcerpts = {
  afterLoad() {
    const { resolveSubtree } = this.fn;
    this.fn.resolveSubtree = (whole, path, options) => resolveSubtree(excerpt(whole, path), path, options);
  },
};

const description = await load();
const ui = SwaggerUIBundle({
  spec: fit(description),
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayOperationId: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  showCommonExtensions: true,
  showExtensions: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [readsExcerpts, { statePlugins: { auth: { wrapActions: { authorize, logout } } } }],
  responseInterceptor: (response) => {
    if (response.status === 401) refused(response);
    return response;
  },
});
ui.specActions.updateUrl(DOCUMENT);

/** A document without other paths than the one that is asked for, and without the schemas to which nothing leads from there. */
function excerpt(whole, [part, path]) {
  if (part !== "paths" || path === undefined) return whole;
  const paths = { [path]: whole.paths[path] };
  const schemas = {};
  const follow = (value) => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name in schemas) continue;
      schemas[name] = whole.components.schemas[name];
      follow(schemas[name]);
    }
  };
  follow(paths);
  return { ...whole, paths, components: { ...whole.components, schemas } };
}

async function load() {
  try {
    const answer = await fetch(DOCUMENT);
    if (!answer.ok) throw new Error(`${DOCUMENT} is answered with ${answer.status}`);
    return await answer.json();
  } catch (error) {
    say("The document cannot be loaded: reload the page.", true);
    throw error;
  }
}

/** A token is used from now on: the one of the form, or one that was given to the dialog of Swagger UI. */
function authorize(original) {
  return (payload) => {
    const token = payload.bearer?.value;
    if (token && token !== session?.accessToken) {
      say("Operations are tried with the token that was given to Authorize.");
      adopt(token);
    }
    return original(payload);
  };
}

/** The dialog signs out as the button does. */
function logout(original) {
  return (schemes) => {
    if (session && schemes.includes("bearer")) signOut();
    return original(schemes);
  };
}

/** Fits the examples to what a caller can see. */
async function adopt(token) {
  const isUsed = () => ui.authSelectors.authorized().getIn(["bearer", "value"]) === token;
  try {
    const { known, organization, role } = await find(token);
    if (!isUsed()) return;
    ui.specActions.updateSpec(JSON.stringify(fit(description, known)));
    if (organization) say(`The examples are those of ${organization.name}, where your role is ${role?.name ?? "that of a guest"}.`);
  } catch (error) {
    if (isUsed()) say(error.message, true);
  }
}

/** What is in a field, which then forgets it. */
function take(id) {
  const { value } = element(id);
  element(id).value = "";
  return value;
}

/** Has a form do what it is for, once at a time. */
function onSubmit(submitted, act) {
  submitted.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = submitted.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    say("Signing in …");
    try {
      await act();
    } catch (error) {
      say(error.message, true);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}

async function showPassword() {
  const body = { email: element("email").value, password: take("password") };
  const answer = await ask("POST", "/api/v1/auth/login", { body });
  if (answer.status === "mfa_required") askForCode(answer);
  else begin(answer);
}

/** The password was right, and a code is asked for. */
function askForCode({ mfaToken, expiresIn, methods }) {
  const life = expiresIn * 1000;
  begun = { mfaToken, ends: Date.now() + life, timer: setTimeout(expire, life) };
  form.hidden = true;
  secondStep.hidden = false;
  element("code").focus();
  const other = methods.includes("recovery_code") ? ", or a recovery code" : "";
  say(`Enter the code that your authenticator app shows${other}.`);
}

async function showCode() {
  const step = begun;
  const code = take("code");
  let answer;
  try {
    answer = await ask("POST", "/api/v1/auth/mfa/verify", { body: { mfaToken: step.mfaToken, code } });
  } catch (error) {
    // The time ran out meanwhile, which has been told.
    if (begun !== step) return;
    // A wrong code and a token that has expired are answered alike: the time tells them apart, since a timer may be late.
    if (error.status === 401 && Date.now() >= step.ends) return expire();
    element("code").focus();
    throw error.status === 401 ? new Error("The code is wrong, or was used already. Try the next one.") : error;
  }
  begin(answer);
}

function expire() {
  startOver("That took too long. Sign in with the password again.", true);
}

/** Forgets the first step, and goes back to it. */
function startOver(text, wrong = false) {
  forgetStep();
  form.hidden = false;
  element("password").focus();
  say(text, wrong);
}

function forgetStep() {
  clearTimeout(begun?.timer);
  begun = null;
  take("code");
  secondStep.hidden = true;
}

function begin(answer) {
  forgetStep();
  session = new Session(answer, { renewed: use, ended: (error) => end(`The session has ended: ${error.message}`, true) });
  use();
  form.hidden = true;
  element("who").textContent = answer.user.email;
  element("signed-in").hidden = false;
  element("sign-out").focus();
  say("Signed in.");
  adopt(answer.accessToken);
}

function use() {
  ui.preauthorizeApiKey("bearer", session.accessToken);
}

function end(text, wrong = false) {
  session = null;
  ui.authActions.logout(["bearer"]);
  form.hidden = false;
  element("who").textContent = "";
  element("signed-in").hidden = true;
  say(text, wrong);
}

async function signOut() {
  const ending = session.end();
  end("Signed out.");
  element("email").focus();
  try {
    await ending;
  } catch (error) {
    say(`Signed out here. On the server, the session may still be there: ${error.message}`, true);
  }
}

/** Says why an operation was answered with 401, and helps where it can. */
async function refused(response) {
  // RFC 6750: without credentials, there is no error. Swagger UI makes a list of a header with commas.
  if (!String(response.headers["www-authenticate"]).includes("error=")) {
    // Where one shows who one is, it is the answer that says what was wrong.
    if (!session && !response.url.includes("/auth/")) say("This operation needs a sign-in.", true);
  } else if (!session) {
    say("The service refuses the token that was given to Authorize.", true);
  } else {
    await session.renew();
    if (session) say("The access token was no longer good. There is a new one: press Execute again.", true);
  }
}

onSubmit(form, showPassword);
onSubmit(secondStep, showCode);
element("start-over").addEventListener("click", () => startOver(""));
element("sign-out").addEventListener("click", signOut);
// Nobody could use the session any more, nor complete the sign-in.
addEventListener("pagehide", () => {
  if (session) signOut();
  if (begun) startOver("");
});
