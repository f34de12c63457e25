// Passkeys, made and shown by the browser itself. A virtual authenticator stands for the person's device: it is what the
// developer tools of Chromium have.

import assert from "node:assert/strict";

const PERSON = { email: "grace@example.com", password: "nanoseconds of copper wire" };

/** A device that a page can ask. */
class Device {
  #page;
  #tools;
  #id;

  static async plugIn(page) {
    const device = new Device();
    device.#page = page;
    device.#tools = await page.context().newCDPSession(page);
    await device.#tools.send("WebAuthn.enable");
    const { authenticatorId } = await device.#tools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    device.#id = authenticatorId;
    return device;
  }

  /** Whether its owner is known to it from now on, as by a finger. */
  knowsOwner(isUserVerified) {
    return this.#tools.send("WebAuthn.setUserVerified", { authenticatorId: this.#id, isUserVerified });
  }

  /** What it keeps: for which sites, and whether it finds that without being told which. */
  async kept() {
    const { credentials } = await this.#tools.send("WebAuthn.getCredentials", { authenticatorId: this.#id });
    return credentials.map(({ rpId, isResidentCredential }) => ({ rpId, isResidentCredential }));
  }

  forgetAll() {
    return this.#tools.send("WebAuthn.clearCredentials", { authenticatorId: this.#id });
  }

  /** A new passkey, as `toJSON` gives it: what a page sends without touching it. */
  create(options) {
    return this.#page.evaluate(async (json) => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json);
      return (await navigator.credentials.create({ publicKey })).toJSON();
    }, options);
  }

  /** The proof of a passkey that it has, likewise. */
  get(options) {
    return get(this.#page, options);
  }
}

function get(page, options) {
  return page.evaluate(async (json) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  }, options);
}

/** Calls from within a page, as its own scripts would make them; gives the status, two headers and the body. */
function callerOf(page) {
  return (method, path, { body, token, version } = {}) => {
    const headers = {
      ...(body && { "Content-Type": "application/json" }),
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(version && { "If-Match": version }),
    };
    return page.evaluate(
      async ([address, init]) => {
        const response = await fetch(address, init);
        const text = await response.text();
        const [location, etag] = ["Location", "ETag"].map((name) => response.headers.get(name));
        return { status: response.status, location, etag, ...(text && JSON.parse(text)) };
      },
      [`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) }],
    );
  };
}

/** That the browser itself ends it, with an exception of this name, before anything is sent. */
const refusedAs = (name) => ({ message: new RegExp(`\\b${name}\\b`) });

/**
 * Proves the life of a passkey on the server at this address. Gives who has one in the end, and that one.
 *
 * WebAuthn knows no addresses, so that the page is at `localhost`.
 */
export async function provePasskeys(browser, url) {
  const origin = url.replace("127.0.0.1", "localhost");
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/docs/`);
  const device = await Device.plugIn(page);
  const call = callerOf(page);
  const said = ({ status, error }) => [status, error?.code];
  const done = async (status, method, path, given) => {
    const answer = await call(method, path, given);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const creationOptions = async (token) => (await done(200, "POST", "/auth/passkeys/options", { token })).data;
  const loginOptions = async () => (await done(200, "POST", "/auth/passkeys/login/options")).data;
  const login = (body) => call("POST", "/auth/passkeys/login", { body });

  const account = { ...PERSON, name: "Grace", organizationName: "Compilers" };
  const registered = (await done(201, "POST", "/auth/register", { body: account })).data;
  const token = registered.accessToken;

  // Who is not known to the device gets no passkey of it, and nothing is sent.
  await device.knowsOwner(false);
  await assert.rejects(device.create(await creationOptions(token)), refusedAs("NotAllowedError"));
  await device.knowsOwner(true);

  // One is made, and kept by the device for this site.
  const options = await creationOptions(token);
  assert.deepEqual(options.rp, { id: "localhost", name: "Tenantry" });
  assert.deepEqual([options.user.name, options.user.displayName], [PERSON.email, "Grace"]);
  assert.deepEqual(options.excludeCredentials, []);
  const credential = await device.create(options);
  const made = await done(201, "POST", "/auth/passkeys", { token, body: { ...credential, name: "Laptop" } });
  const { recoveryCodes, ...passkey } = made.data;
  assert.equal(recoveryCodes.length, 10);
  assert.deepEqual([passkey.name, passkey.synced, passkey.lastUsedAt], ["Laptop", false, null]);
  assert.equal(made.location, `/api/v1/auth/passkeys/${passkey.id}`);
  assert.deepEqual(await device.kept(), [{ rpId: "localhost", isResidentCredential: true }]);
  const listed = await done(200, "GET", "/auth/passkeys", { token });
  assert.deepEqual([listed.data, listed.meta.total], [[passkey], 1]);

  // What was sent is good once.
  const again = await call("POST", "/auth/passkeys", { token, body: credential });
  assert.deepEqual(said(again), [400, "VALIDATION_ERROR"]);
  assert.deepEqual(again.error.details.fields.map(({ field, code }) => [field, code]), [["/response", "incorrect"]]);

  // A device that has one is told so, and makes no second one.
  const further = await creationOptions(token);
  assert.deepEqual(further.excludeCredentials, [{ type: "public-key", id: credential.id }]);
  await assert.rejects(device.create(further), refusedAs("InvalidStateError"));

  // It signs in without a password or a name, and what is behind it is there.
  const proof = await device.get(await loginOptions());
  const session = await login(proof);
  assert.equal(session.status, 200, JSON.stringify(session));
  const { status, user, accessToken, trustedDeviceToken } = session.data;
  assert.deepEqual([status, user.email, trustedDeviceToken], ["authenticated", PERSON.email, null]);
  const organizations = (await done(200, "GET", "/organizations", { token: accessToken })).data;
  assert.deepEqual(organizations.map(({ name }) => name), ["Compilers"]);
  const place = await done(200, "GET", `/organizations/${organizations[0].id}/context`, { token: accessToken });
  assert.equal(place.data.role.key, "owner");
  const used = (await done(200, "GET", `/auth/passkeys/${passkey.id}`, { token })).data;
  assert.notEqual(used.lastUsedAt, null);
  assert.deepEqual(said(await login(proof)), [401, "UNAUTHORIZED"]);

  // Neither is it an answer for another site, nor one of somebody whom the device does not know.
  const elsewhere = await context.newPage();
  await elsewhere.goto(`${url}/docs/`);
  await assert.rejects(get(elsewhere, await loginOptions()), refusedAs("SecurityError"));
  await elsewhere.close();
  await page.bringToFront();
  await device.knowsOwner(false);
  await assert.rejects(device.get(await loginOptions()), refusedAs("NotAllowedError"));
  await device.knowsOwner(true);

  // It counts as a second factor, and the password does not.
  await done(200, "POST", "/auth/passkeys/options", { token: accessToken });
  const byPassword = (await done(200, "POST", "/auth/login", { body: PERSON })).data;
  assert.equal(byPassword.status, "authenticated");
  const refused = await call("POST", "/auth/passkeys/options", { token: byPassword.accessToken });
  assert.deepEqual(said(refused), [403, "REAUTHENTICATION_REQUIRED"]);
  const body = { passkey: await device.get(await loginOptions()) };
  await done(200, "POST", "/auth/reauthenticate", { token: byPassword.accessToken, body });
  await done(200, "POST", "/auth/passkeys/options", { token: byPassword.accessToken });

  // Once it is deleted, the device has it still, and it opens nothing.
  const { etag } = await done(200, "GET", `/auth/passkeys/${passkey.id}`, { token: accessToken });
  await done(204, "DELETE", `/auth/passkeys/${passkey.id}`, { token: accessToken, version: etag });
  const orphan = await device.get(await loginOptions());
  assert.equal(orphan.id, credential.id);
  assert.deepEqual(said(await login(orphan)), [401, "UNAUTHORIZED"]);
  assert.deepEqual((await done(200, "GET", "/auth/passkeys", { token: accessToken })).data, []);

  // A device that has none answers nothing; a new one can be made on it.
  await device.forgetAll();
  await assert.rejects(device.get(await loginOptions()), refusedAs("NotAllowedError"));
  const successor = { ...(await device.create(await creationOptions(accessToken))), name: "Telephone" };
  const last = (await done(201, "POST", "/auth/passkeys", { token: accessToken, body: successor })).data;
  assert.equal((await login(await device.get(await loginOptions()))).status, 200);
  await context.close();
  return { ...PERSON, passkey: last };
}
