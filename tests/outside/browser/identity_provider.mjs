// Signing in through a provider, in the browser that it is for: an app on another site than the service has people sign in
// there, and gets a session that nobody else could have had.

import assert from "node:assert/strict";

import { MOST_REDIRECTS } from "../identity_provider/browser.mjs";

const PERSON = { email: "lise@example.com", password: "a walk in the snow at Kungaelv" };
const COOKIE = "tenantry-sign-in";

/** What the app does before it sends somebody away: it keeps what it needs when they come back. */
async function leave([service, app, loginHint]) {
  const text = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const random = () => text(crypto.getRandomValues(new Uint8Array(32)));
  const [verifier, state] = [random(), random()];
  sessionStorage.setItem("sign-in", JSON.stringify({ verifier, state }));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = { redirectUri: app, state, codeChallenge: text(new Uint8Array(hash)), loginHint };
  location.assign(`${service}/api/v1/auth/oidc/basic/authorize?${new URLSearchParams(query)}`);
}

/** What it has when they are back: a code that is its own. */
function arrive() {
  const { verifier, state } = JSON.parse(sessionStorage.getItem("sign-in"));
  const back = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  return { code: back.get("code"), codeVerifier: verifier, error: back.get("error"), isOwn: back.get("state") === state };
}

/**
 * Proves that an app signs people in, and links identities of theirs, on the server at this address, through the provider that
 * is there.
 */
export async function proveIdentityProvider(browser, url, provider) {
  const app = `${provider}/signed-in`;
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(app);

  /** Calls from within the app, which is of another origin. */
  const call = (method, path, { body, token } = {}) =>
    page.evaluate(
      async ([address, init]) => {
        const response = await fetch(address, init);
        const text = await response.text();
        return { status: response.status, ...(text && JSON.parse(text)) };
      },
      [
        `${url}/api/v1${path}`,
        {
          method,
          headers: { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) },
          body: body && JSON.stringify(body),
        },
      ],
    );
  const done = async (status, ...request) => {
    const answer = await call(...request);
    assert.equal(answer.status, status, `${request.slice(0, 2).join(" ")}: ${JSON.stringify(answer)}`);
    return answer.data;
  };
  /** Somebody is sent to the provider, and comes back. */
  const code = async (loginHint) => {
    const isBack = page.waitForURL((address) => address.href.startsWith(`${app}?`));
    await page.evaluate(leave, [url, app, loginHint]);
    await isBack;
    const { code, codeVerifier, error, isOwn } = await page.evaluate(arrive);
    assert.deepEqual([error, isOwn], [null, true]);
    return { code, codeVerifier };
  };
  const kept = async () => (await context.cookies(url)).find((cookie) => cookie.name === COOKIE);

  // Somebody signs in, and is known.
  const first = await code("usual");
  const session = await done(200, "POST", "/auth/oidc/exchange", { body: first });
  const me = await done(200, "GET", "/me", { token: session.accessToken });
  assert.deepEqual([me.id, me.email, me.emailVerified], [session.user.id, "noor@example.com", true]);
  assert.equal((await call("POST", "/auth/oidc/exchange", { body: first })).status, 401);

  // What the browser was given for that is for no script, neither of the app nor of the service.
  const cookie = await kept();
  assert.ok(cookie, "the browser kept nothing");
  assert.deepEqual(
    [cookie.domain, cookie.path, cookie.httpOnly, cookie.secure, cookie.sameSite],
    ["127.0.0.1", "/", true, false, "Lax"],
  );
  const left = cookie.expires - Date.now() / 1000;
  assert.ok(left > 0 && left <= 600, `it lasts another ${left} s`);
  const ofService = await context.newPage();
  await ofService.goto(`${url}/docs/`);
  for (const one of [page, ofService]) assert.ok(!(await one.evaluate(() => document.cookie)).includes(COOKIE));
  await ofService.close();

  // Who has an account links an identity to it, and signs in by that.
  const account = await done(201, "POST", "/auth/register", { body: { ...PERSON, name: "Lise" } });
  const token = account.accessToken;
  const body = await code("lise@work.example");
  const identity = await done(201, "POST", "/auth/identities/basic", { body, token });
  assert.deepEqual([identity.provider, identity.email], ["basic", "lise@work.example"]);
  assert.deepEqual((await done(200, "GET", "/auth/identities", { token })).map(({ id }) => id), [identity.id]);
  const byIdentity = await done(200, "POST", "/auth/oidc/exchange", { body: await code("lise@work.example") });
  assert.equal(byIdentity.user.id, account.user.id);
  await done(204, "DELETE", `/auth/identities/${identity.id}`, { token });

  // With the way back of somebody else, a browser gets nowhere: whoever was sent it would be signed in as that one.
  const callback = `${url}/api/v1/auth/oidc/basic/callback?`;
  const began = `${url}/api/v1/auth/oidc/basic/authorize?${new URLSearchParams({ redirectUri: app, loginHint: "usual" })}`;
  let next = began;
  for (let redirects = 0; !next.startsWith(callback); redirects += 1) {
    assert.ok(redirects < MOST_REDIRECTS, `${began} leads nowhere`);
    // With the cookies of this browser, and no further than to the next address.
    const answer = await context.request.get(next, { maxRedirects: 0 });
    next = new URL(answer.headers().location, next).href;
  }
  const stranger = await browser.newContext();
  const elsewhere = await stranger.newPage();
  const refused = await elsewhere.goto(next);
  assert.equal(refused.url(), next);
  const { error } = await refused.json();
  assert.deepEqual([refused.status(), error.code], [400, "MALFORMED_REQUEST"]);
  assert.match(error.details.location, /\bstate$/);
  await stranger.close();
  await page.goto(next);
  assert.match(page.url(), /\?code=tno_/);
  assert.ok(page.url().startsWith(app));
  await context.close();
}
