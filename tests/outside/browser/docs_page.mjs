// The documentation, as a developer meets it: it shows the document, signs in, in one step and in two, and tries every
// operation. Passkeys are made and used beside it, sessions kept in cookies, and people sign in through a provider, since the
// browser is here.
//
// Takes TENANTRY_URL, TENANTRY_OWNER_EMAIL and TENANTRY_OWNER_PASSWORD of a server with new demo data, the provider that it knows
// in TENANTRY_IDENTITY_PROVIDER, the browser in TENANTRY_CHROMIUM and a folder for screenshots in TENANTRY_SCREENSHOTS.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { Authenticator } from "./authenticator.mjs";
import { proveBrowserMode } from "./browser_mode.mjs";
import { proveIdentityProvider } from "./identity_provider.mjs";
import { Panels, operationsOf } from "./panels.mjs";
import { provePasskeys } from "./passkeys.mjs";

const setting = (name, otherwise) => {
  const value = process.env[name] ?? otherwise;
  assert.ok(value, `${name} is not set`);
  return value;
};
const url = setting("TENANTRY_URL");
const owner = { email: setting("TENANTRY_OWNER_EMAIL"), password: setting("TENANTRY_OWNER_PASSWORD") };
const screenshots = setting("TENANTRY_SCREENSHOTS", "target/outside");
await mkdir(screenshots, { recursive: true });

/** What is executed after everything else, in this order, since it takes away what the examples of others are or have made. */
const LAST = [
  "getEmailChange",
  "cancelEmailChange",
  "cancelInvitation",
  "removeDomain",
  "deleteProject",
  "deleteWorkspace",
  "removeMember",
  "revokeSession",
  "revokeOtherSessions",
  "deleteMe",
  "deleteOrganization",
  "restoreOrganization",
];

/**
 * What is filled in where the examples are of another service than this one: a provider that it has. Signing in there takes a
 * navigation, which no script can read the end of: on the page, one sees how it is refused. And the owner, who is the one of the
 * examples, cannot want the address that is theirs.
 */
const GIVEN = {
  authorizeWithProvider: { parameters: { provider: "basic", redirectUri: "https://app.example/of-nobody" } },
  returnFromProvider: { parameters: { provider: "basic" } },
  linkIdentity: { parameters: { identity: "basic" } },
  requestEmailChange: { body: { email: "olivia.new@acme.example" } },
};

/** What the owner of the demo data is answered by the examples, where that is no success. */
const REFUSED = {
  // The page shows nobody's refresh token, and changes nobody's password unasked.
  refresh: [401, "UNAUTHORIZED"],
  changePassword: [400, "VALIDATION_ERROR"],
  // Nor does it read anybody's mail.
  verifyEmail: [410, "GONE"],
  resetPassword: [410, "GONE"],
  confirmEmailChange: [410, "GONE"],
  previewInvitation: [410, "GONE"],
  acceptInvitation: [410, "GONE"],
  // It has no authenticator app at hand, and the demo data has set none up.
  confirmTotp: [400, "VALIDATION_ERROR"],
  deleteTotp: [404, "NOT_FOUND"],
  replaceRecoveryCodes: [404, "NOT_FOUND"],
  verifyMfa: [401, "UNAUTHORIZED"],
  revokeTrustedDevice: [404, "NOT_FOUND"],
  // It asks no device for a passkey: what its examples answer is no challenge of this server, and the owner has none.
  registerPasskey: [400, "VALIDATION_ERROR"],
  loginWithPasskey: [401, "UNAUTHORIZED"],
  getPasskey: [404, "NOT_FOUND"],
  updatePasskey: [404, "NOT_FOUND"],
  deletePasskey: [404, "NOT_FOUND"],
  // Nobody has signed in through a provider.
  authorizeWithProvider: [400, "MALFORMED_REQUEST"],
  returnFromProvider: [400, "MALFORMED_REQUEST"],
  exchangeSignInCode: [401, "UNAUTHORIZED"],
  confirmIdentity: [410, "GONE"],
  getIdentity: [404, "NOT_FOUND"],
  linkIdentity: [400, "VALIDATION_ERROR"],
  unlinkIdentity: [404, "NOT_FOUND"],
  // Nobody has set the record up that proves a domain.
  verifyDomain: [409, "CONFLICT"],
  // The oldest workspace is the default one.
  deleteWorkspace: [409, "CONFLICT"],
  // The organization would have no owner any more.
  deleteMe: [409, "CONFLICT"],
};

const browser = await chromium.launch({
  executablePath: setting("TENANTRY_CHROMIUM", "/usr/bin/chromium"),
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  // With every operation opened the page is large, and a busy machine lays it out slowly.
  page.setDefaultTimeout(120_000);

  // What would be a defect of the page, wherever it happens. That an answer is an error is no defect.
  const problems = [];
  page.on("console", (message) => {
    const isAnswer = /the server responded with a status of 4\d\d/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isAnswer) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(`${url}/`) && !address.startsWith("data:")) problems.push(`asked ${address}`);
    if (/password|eyJ|tn[rlmdo]_/i.test(address.replace("/auth/password", ""))) problems.push(`a secret is in ${address}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`);
    });
  });
  const shot = (name) => page.screenshot({ path: join(screenshots, `${name}.png`) });
  const says = (text) => page.getByRole("status").filter({ hasText: text }).waitFor();
  const signIn = async (password, email = owner.email) => {
    await page.getByLabel("E-mail", { exact: true }).fill(email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
  };
  const isFocused = (element) => element === document.activeElement;
  const signedInAs = (email) => page.locator("#who").filter({ hasText: email }).waitFor();
  const stored = () =>
    page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
  const statusWith = async ({ authorization }) => (await fetch(`${url}/api/v1/me`, { headers: { authorization } })).status;
  const post = async (path, body, authorization) => {
    const headers = { "Content-Type": "application/json", ...(authorization && { Authorization: authorization }) };
    const response = await fetch(`${url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return (await response.json()).data;
  };
  // The demo data has invited nobody, and no domain.
  const prepare = async (email, domain) => {
    const { accessToken } = await post("/auth/login", owner);
    const bearer = `Bearer ${accessToken}`;
    await post("/organizations/acme/members/invite", { email, role: "viewer" }, bearer);
    await post("/organizations/acme/domains", { domain }, bearer);
  };
  const signOut = page.getByRole("button", { name: "Sign out", exact: true });

  const description = await (await fetch(`${url}/openapi.json`)).json();
  const operations = operationsOf(description);
  assert.ok(operations.length > 20, "the document was not read");
  const panels = new Panels(page, operations);

  await prepare("guest@example.com", "example.net");
  await page.goto(`${url}/docs/`);
  await page.waitForSelector(".opblock");
  await shot("1-page");

  // The introduction, the groups, and nothing that the document does not have.
  for (const heading of ["Authentication", "Errors", "Pagination", "Concurrency", "Idempotency"]) {
    await page.locator(".info h2", { hasText: heading }).waitFor();
  }
  const groups = await page.locator(".opblock-tag").evaluateAll((tags) => tags.map((tag) => tag.dataset.tag));
  assert.deepEqual(groups, description.tags.map((tag) => tag.name));
  assert.equal(await page.locator(".opblock").count(), operations.length);

  // Nobody is signed in yet.
  const anonymous = await panels.execute("getMe");
  assert.deepEqual([anonymous.status, anonymous.body.error.code], [401, "UNAUTHORIZED"]);
  await says("needs a sign-in");

  // A wrong password is told, and forgotten.
  await signIn("not the right password");
  await says("Valid credentials are required");
  assert.equal(await page.getByLabel("Password", { exact: true }).inputValue(), "");
  await shot("2-refused");

  await signIn(owner.password);
  await signedInAs(owner.email);
  await says("The examples are those of Acme, where your role is Owner.");
  assert.ok(await page.locator("#sign-in").isHidden());
  assert.ok(await signOut.evaluate(isFocused), "the focus is lost");
  assert.doesNotMatch(await stored(), /eyJ|tnr_|passphrase/);

  // Before and after an operation is tried, as it stands.
  await (await panels.open("listProjects")).evaluate((block) => block.scrollIntoView());
  await shot("3-before");
  const projects = await panels.execute("listProjects");
  assert.equal(projects.status, 200);
  assert.ok(projects.body.data.length > 0, "the examples of listProjects find nothing");
  await projects.block.locator(".live-responses-table").evaluate((table) => table.scrollIntoView({ block: "center" }));
  await shot("4-after");
  const token = projects.request.headers().authorization;
  assert.match(token, /^Bearer eyJ/);

  // Every operation says what it needs and what it may answer, and answers to its examples.
  const ids = operations.map((operation) => operation.operationId).filter((id) => !LAST.includes(id));
  for (const id of [...ids, ...LAST]) {
    const operation = operations.find((one) => one.operationId === id);
    const { description: said, statuses } = await panels.read(id);
    assert.ok(said.includes(operation["x-permission"] ?? "Needs"), `${id} does not say what it needs`);
    const documented = Object.keys(operation.responses);
    assert.deepEqual(documented.filter((status) => !statuses.join(" ").includes(status)), [], id);
    const answer = await panels.execute(id, GIVEN[id]);
    const problem = `${id}: ${answer.status} ${JSON.stringify(answer.body)}`;
    assert.ok(answer.isDocumented, problem);
    const [status, code] = REFUSED[id] ?? [documented.find((one) => one.startsWith("2"))];
    assert.deepEqual([answer.status, answer.body?.error?.code], [Number(status), code], problem);
    await panels.close(id);
  }

  // What was made on the page is there, and what was deleted is not.
  const made = await panels.execute("createProject", { body: { name: "Made on the page" } });
  assert.deepEqual([made.status, made.body.data.name], [201, "Made on the page"]);
  assert.deepEqual((await panels.execute("getProject", { parameters: { projectId: made.body.data.id } })).body, made.body);
  await panels.execute("deleteProject", { parameters: { projectId: made.body.data.id } });
  const missing = await panels.execute("getProject");
  assert.deepEqual([missing.status, missing.body.error.code], [404, "NOT_FOUND"]);
  assert.deepEqual(Object.keys(missing.body.error).sort(), ["code", "details", "message", "traceId"]);
  await missing.block.locator(".live-responses-table").evaluate((table) => table.scrollIntoView({ block: "center" }));
  await shot("5-error");
  // With every sign-in the page has other examples, and makes what is open anew.
  for (const id of ["createProject", "getProject", "deleteProject"]) await panels.close(id);

  // A token that is no longer good is replaced.
  const expired = { "WWW-Authenticate": 'Bearer realm="tenantry", error="invalid_token"', "Content-Type": "application/json" };
  await page.route("**/api/v1/me", (route) => route.fulfill({ status: 401, headers: expired, body: "{}" }), { times: 1 });
  assert.equal((await panels.execute("getMe")).status, 401);
  await says("press Execute again");
  const again = await panels.execute("getMe");
  assert.equal(again.status, 200);
  assert.notEqual(again.request.headers().authorization, token);

  // Signing out ends the session, not just what the page knows of it.
  await signOut.click();
  await says("Signed out.");
  assert.equal((await panels.execute("getMe")).status, 401);
  assert.equal(await statusWith(again.request.headers()), 401);

  // The ordinary dialog takes a token, and gives it back.
  const login = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(owner) };
  const session = await (await fetch(`${url}/api/v1/auth/login`, login)).json();
  const dialog = page.locator(".modal-ux");
  await page.locator("button.btn.authorize").first().click();
  await dialog.locator("input").fill(session.data.accessToken);
  await dialog.locator("button[type=submit]").click();
  await dialog.getByText("Authorized", { exact: true }).waitFor();
  await dialog.locator(".btn-done").click();
  assert.equal((await panels.execute("getMe")).status, 200);
  await page.locator("button.btn.authorize").first().click();
  await dialog.getByRole("button", { name: "Remove authorization" }).click();
  await dialog.locator(".btn-done").click();
  assert.equal((await panels.execute("getMe")).status, 401);

  // A token is replaced before it expires; leaving the page ends the session.
  await page.route(
    "**/api/v1/auth/login",
    async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.data.expiresIn = 61;
      await route.fulfill({ response, json });
    },
    { times: 1 },
  );
  const renewed = page.waitForResponse(`${url}/api/v1/auth/refresh`);
  await signIn(owner.password);
  assert.equal((await renewed).status(), 200);
  const left = (await panels.execute("getMe")).request.headers();
  await page.reload();
  await page.waitForSelector(".opblock");
  assert.equal((await panels.execute("getMe")).status, 401);
  assert.equal(await statusWith(left), 401);

  // Somebody sets a second factor up, elsewhere: the page asks for it from then on.
  const ada = { email: "ada@example.com", password: "notes on the analytical engine" };
  const { accessToken } = await post("/auth/register", { ...ada, name: "Ada", organizationName: "Engines" });
  const bearer = `Bearer ${accessToken}`;
  const authenticator = new Authenticator((await post("/auth/mfa/totp", undefined, bearer)).otpauthUrl);
  const { recoveryCodes } = await post("/auth/mfa/totp/confirm", { code: authenticator.next() }, bearer);
  const code = page.getByLabel("Code", { exact: true });
  const enter = async (text) => {
    await code.fill(text);
    await page.keyboard.press("Enter");
  };
  assert.ok(await code.isHidden());
  await signIn(ada.password, ada.email);
  await says("authenticator app shows, or a recovery code");
  assert.equal(await code.getAttribute("autocomplete"), "one-time-code");
  assert.ok(await code.evaluate(isFocused), "the focus is lost");
  assert.ok(await page.locator("#sign-in").isHidden());
  assert.equal(await page.locator("#password").inputValue(), "");
  await shot("6-second-step");

  // A wrong code is told and forgotten, and another one may be tried.
  await enter(authenticator.wrong());
  await says("The code is wrong");
  assert.equal(await code.inputValue(), "");
  assert.ok(await code.evaluate(isFocused), "the focus is lost");
  await enter(authenticator.next().replace(/(...)/, "$1 "));
  await signedInAs(ada.email);
  await says("The examples are those of Engines");
  assert.ok(await code.isHidden());
  assert.doesNotMatch(await stored(), /eyJ|tn[rmd]_|analytical/);
  const factors = await panels.execute("getMfa");
  assert.deepEqual(factors.body.data, {
    enabled: true,
    totp: true,
    passkeys: 0,
    recoveryCodesLeft: recoveryCodes.length,
  });
  await signOut.click();
  await says("Signed out.");

  // A recovery code does as well.
  await signIn(ada.password, ada.email);
  await enter(recoveryCodes[0].toUpperCase());
  await signedInAs(ada.email);
  await signOut.click();
  await says("Signed out.");

  // The first step can be taken back, and has an end of its own.
  await signIn(ada.password, ada.email);
  await page.getByRole("button", { name: "Start over", exact: true }).click();
  assert.ok(await code.isHidden());
  await page.route(
    "**/api/v1/auth/login",
    async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.data.expiresIn = 1;
      await route.fulfill({ response, json });
    },
    { times: 1 },
  );
  await signIn(ada.password, ada.email);
  await says("That took too long");
  assert.ok(await code.isHidden());
  assert.ok(await page.locator("#password").evaluate(isFocused), "the focus is lost");

  // Passkeys work in a browser; whoever has one finds it in the examples, and does not lose it to a password.
  const grace = await provePasskeys(browser, url);
  // The examples of those before are still in the panels that were opened.
  await page.reload();
  await page.waitForSelector(".opblock");
  await signIn(grace.password, grace.email);
  await signedInAs(grace.email);
  await says("The examples are those of Compilers");
  const shownPasskey = await panels.execute("getPasskey");
  assert.deepEqual([shownPasskey.status, shownPasskey.body.data?.id], [200, grace.passkey.id]);
  const renamed = await panels.execute("updatePasskey", { body: { name: "Renamed on the page" } });
  assert.deepEqual([renamed.status, renamed.body.data?.name], [200, "Renamed on the page"]);
  const kept = await panels.execute("deletePasskey");
  assert.deepEqual([kept.status, kept.body.error?.code], [403, "REAUTHENTICATION_REQUIRED"]);
  await signOut.click();
  await says("Signed out.");

  // A browser keeps the refresh token from the scripts of a page that asks for it.
  await proveBrowserMode(browser, url);

  // People sign in through a provider that was not written here.
  await proveIdentityProvider(browser, url, setting("TENANTRY_IDENTITY_PROVIDER"));

  // On a telephone, nothing is beside the screen, whatever is open.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.evaluate(() => scrollTo(0, 0));
  await shot("7-narrow");
  await (await panels.open("createProject")).evaluate((block) => block.scrollIntoView());
  await shot("8-narrow-operation");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `the page is ${overflow}px wider than a telephone`);

  assert.deepEqual(problems, []);
  const shown = `The page showed ${operations.length} operations, signed in, by a code too, tried each, and signed out`;
  console.log(`${shown}; passkeys, browser mode and a provider work.`);
} finally {
  await browser.close();
}
