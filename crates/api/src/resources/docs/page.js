// Shows the document, and signs in for trying it.

import { ask } from "./ask.js";
import { find, fit } from "./examples.js";
import { Session } from "./session.js";

const DOCUMENT = "/openapi.json";

const element = (id) => document.getElementById(id);
const form = element("sign-in");

let session = null;

function say(text, wrong = false) {
  element("status").textContent = text;
  element("status").classList.toggle("wrong", wrong);
}

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
  plugins: [{ statePlugins: { auth: { wrapActions: { authorize, logout } } } }],
  responseInterceptor: (response) => {
    if (response.status === 401) refused(response);
    return response;
  },
});
ui.specActions.updateUrl(DOCUMENT);

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

function begin(answer) {
  session = new Session(answer, { renewed: use, ended: (error) => end(`The session has ended: ${error.message}`, true) });
  use();
  form.hidden = true;
  element("who").textContent = answer.user.email;
  element("signed-in").hidden = false;
  element("sign-out").focus();
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

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  say("Signing in …");
  try {
    const body = { email: element("email").value, password: element("password").value };
    const answer = await ask("POST", "/api/v1/auth/login", { body });
    if (answer.status === "authenticated") {
      begin(answer);
      say("Signed in.");
      await adopt(answer.accessToken);
    } else {
      say("This account has a second factor: sign in with a client, and give its access token to Authorize.", true);
    }
  } catch (error) {
    say(error.message, true);
  } finally {
    element("password").value = "";
    button.disabled = false;
  }
});
element("sign-out").addEventListener("click", signOut);
// Nobody could use the session any more.
addEventListener("pagehide", () => session && signOut());
