// Browser mode, in the browser that it is for: what a page gets to see of a session whose refresh token is in a cookie.

import assert from "node:assert/strict";

const PERSON = { email: "hedy@example.com", password: "eighty eight hopping frequencies" };
const REFRESH = "__Host-tenantry-refresh";
const CSRF = "__Host-tenantry-csrf";
const BROWSER_MODE = { "X-Token-Transport": "cookie" };

/**
 * Proves that a page signs in, stays signed in when it is loaded anew, and signs out, on the server at this address,
 * without ever having the refresh token.
 *
 * Browsers take such cookies without TLS from `localhost` alone, so that the page is there.
 */
export async function proveBrowserMode(browser, url) {
  const origin = url.replace("127.0.0.1", "localhost");
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/docs/`);

  /** Calls from within the page, as its own scripts would; gives the status and the body. */
  const call = (method, path, headers, body) =>
    page.evaluate(
      async ([address, init]) => {
        const response = await fetch(address, init);
        const text = await response.text();
        return { status: response.status, ...(text && JSON.parse(text)) };
      },
      [
        `/api/v1${path}`,
        {
          method,
          headers: { ...headers, ...(body && { "Content-Type": "application/json" }) },
          body: body && JSON.stringify(body),
        },
      ],
    );
  const done = async (status, ...request) => {
    const answer = await call(...request);
    assert.equal(answer.status, status, `${request.slice(0, 2).join(" ")}: ${JSON.stringify(answer)}`);
    return answer.data;
  };
  const readable = () => page.evaluate(() => document.cookie);
  /** What scripts read of the second cookie, as a page does that has nothing else. */
  const shown = async () => {
    const [value, ...others] = (await readable()).split("; ").filter((pair) => pair.startsWith(`${CSRF}=`));
    assert.ok(value && others.length === 0, "the token is not among the cookies that scripts read");
    return { "X-CSRF-Token": value.slice(CSRF.length + 1) };
  };
  const kept = async (name) => (await context.cookies()).find((cookie) => cookie.name === name);
  /** That both cookies are as they are to be, and that scripts read one of them. Gives the refresh token. */
  const keepsBoth = async (session) => {
    for (const [name, httpOnly] of [[REFRESH, true], [CSRF, false]]) {
      const cookie = await kept(name);
      assert.ok(cookie, `the browser did not take ${name}`);
      // A domain without a dot before it: no other host gets it.
      assert.deepEqual(
        [cookie.domain, cookie.path, cookie.httpOnly, cookie.secure, cookie.sameSite],
        ["localhost", "/", httpOnly, true, "Strict"],
        name,
      );
      const left = cookie.expires - Date.now() / 1000;
      assert.ok(Math.abs(left - session.refreshExpiresIn) < 60, `${name} lasts another ${left} s`);
    }
    assert.equal(session.refreshToken, null);
    assert.deepEqual(await shown(), { "X-CSRF-Token": session.csrfToken });
    const { value } = await kept(REFRESH);
    assert.match(value, /^tnr_/);
    assert.ok(!(await readable()).includes(REFRESH), "scripts read the refresh token");
    assert.ok(!JSON.stringify(session).includes(value), "the body has the refresh token");
    return value;
  };
  const isMe = async ({ accessToken }) => {
    const me = await done(200, "GET", "/me", { Authorization: `Bearer ${accessToken}` });
    assert.equal(me.email, PERSON.email);
  };

  // Without being asked for it, nothing is set.
  const registered = await done(201, "POST", "/auth/register", {}, { ...PERSON, name: "Hedy" });
  assert.match(registered.refreshToken, /^tnr_/);
  assert.equal(registered.csrfToken, null);
  assert.deepEqual(await context.cookies(), []);

  const session = await done(200, "POST", "/auth/login", BROWSER_MODE, PERSON);
  const first = await keepsBoth(session);
  await isMe(session);

  // A page that was loaded anew has the cookies alone. Without the token beside them, nothing happens.
  await page.reload();
  const header = await shown();
  for (const headers of [{}, { "X-CSRF-Token": "" }, { "X-CSRF-Token": `${header["X-CSRF-Token"]}A` }]) {
    for (const path of ["/auth/refresh", "/auth/logout"]) {
      const refused = await call("POST", path, headers);
      assert.deepEqual(
        [refused.status, refused.error?.code, refused.error?.details],
        [403, "FORBIDDEN", { requiredPermission: null }],
        path,
      );
    }
  }
  assert.equal((await kept(REFRESH)).value, first);
  const renewed = await done(200, "POST", "/auth/refresh", header);
  const second = await keepsBoth(renewed);
  assert.notEqual(second, first);
  assert.equal(renewed.csrfToken, session.csrfToken);
  await isMe(renewed);

  // No header gets it out of the cookie.
  const asked = await done(200, "POST", "/auth/refresh", { ...header, "X-Token-Transport": "body" });
  assert.notEqual(await keepsBoth(asked), second);

  // Signing out ends the session, and takes both.
  await done(204, "POST", "/auth/logout", header);
  assert.deepEqual(await context.cookies(), []);
  assert.equal(await readable(), "");
  const over = await call("GET", "/me", { Authorization: `Bearer ${asked.accessToken}` });
  assert.deepEqual([over.status, over.error.code], [401, "UNAUTHORIZED"]);
  const without = await call("POST", "/auth/refresh", header);
  assert.equal(without.status, 400);
  assert.deepEqual(without.error.details.fields.map(({ field, code }) => [field, code]), [["/refreshToken", "required"]]);
  await context.close();
}
