// The single sign-on of an organization, from the first look at its settings until nobody needs it any more: a domain that is
// proven in the DNS, a provider that was not written here, and people who come in through that.
//
// It serves the DNS at `TENANTRY_NAME_SERVER`, and starts a provider of its own. For the rest it is told what the journey of
// the client is told.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";

import { Browser } from "./browser.mjs";
import { Issuer } from "./issuer.mjs";
import { MISBEHAVIOURS } from "./misbehaviour.mjs";
import { NameServer } from "./name_server.mjs";
import { SignIns } from "./sign_in.mjs";

/** What an app is told, by what the provider of the organization does. */
const TOLD = { wrong_nonce: "server_error", wrong_signature: "server_error", silent: "temporarily_unavailable" };

const DEFAULTS = { mfa: "admins", ssoRequired: false, sessionMaxAge: null, defaultRole: "member", connection: null };

const CLIENT = { id: "tenantry of acme", secret: "copper/kettle:50% + more", method: "client_secret_basic", alg: "RS256" };

const ORGANIZATION = "/organizations/acme";

const setting = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
};

const service = setting("TENANTRY_URL");
const signIns = new SignIns(service, setting("TENANTRY_IDENTITY_PROVIDER"));
const ownerSignIn = { email: setting("TENANTRY_OWNER_EMAIL"), password: setting("TENANTRY_OWNER_PASSWORD") };

/** Everything that was answered. */
const answered = [];

/** Asks the service, as the holder of this access token. */
async function ask(method, path, { body, token } = {}) {
  const headers = {
    ...(body && { "Content-Type": "application/json" }),
    ...(token && { Authorization: `Bearer ${token}` }),
  };
  const answer = await fetch(`${service}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  answered.push(text);
  return { status: answer.status, ...(text && JSON.parse(text)) };
}

/** What is answered where all goes well. */
async function done(status, method, path, sent) {
  const answer = await ask(method, path, sent);
  assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.data;
}

/** The details of a refusal with this code. */
async function refused(status, code, method, path, sent) {
  const answer = await ask(method, path, sent);
  assert.deepEqual([answer.status, answer.error?.code], [status, code], `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.error.details;
}

/** The secret of the link to this page that was mailed to this address. */
async function mailed(page, email) {
  for (let tries = 0; tries < 100; tries += 1) {
    const { data } = await (await fetch(`${service}/dev/mail`)).json();
    for (const { to, text } of data) {
      const secret = to === email && text.match(new RegExp(`/${page}\\?token=(\\S+)`))?.[1];
      if (secret) return secret;
    }
    await setTimeout(100);
  }
  throw new Error(`no link to ${page} came for ${email}`);
}

const login = (person) => done(200, "POST", "/auth/login", { body: person });
const exchange = (body) => done(200, "POST", "/auth/oidc/exchange", { body });
const discover = (email) => done(200, "POST", "/auth/discover", { body: { email } });

const { accessToken: token } = await login(ownerSignIn);
const asOwner = (method, path, body) => [method, `${ORGANIZATION}${path}`, { body, token }];
const replace = (changed) => done(200, ...asOwner("PUT", "/sso", changed));
const members = async () => (await ask(...asOwner("GET", "/members"))).meta.total;

// A domain is proven by who can write into it.
const names = new NameServer();
await names.start(Number(new URL(`dns://${setting("TENANTRY_NAME_SERVER")}`).port));
const domain = `d${randomBytes(6).toString("hex")}.example`;
const { record, ...added } = await done(201, ...asOwner("POST", "/domains", { domain }));
assert.deepEqual([added.domain, added.status, added.verifiedAt], [domain, "pending", null]);
assert.deepEqual([record.name, record.type], [`_tenantry.${domain}`, "TXT"]);
const verification = asOwner("POST", `/domains/${added.id}/verify`);
assert.equal((await refused(409, "CONFLICT", ...verification)).reason, "domain_not_proven");
names.texts.set(record.name, `${record.value}x`);
assert.equal((await refused(409, "CONFLICT", ...verification)).reason, "domain_not_proven");
names.texts.set(record.name, record.value);
const verified = await done(200, ...verification);
assert.equal(verified.status, "verified");
assert.ok(Date.parse(verified.verifiedAt));

// The provider is told where people come back to, and the organization what it is called there.
const { id, callbackUrl, ...before } = await done(200, ...asOwner("GET", "/sso"));
assert.deepEqual({ ...before, ...DEFAULTS }, before);
assert.equal(callbackUrl, `${service}/api/v1/auth/oidc/${id}/callback`);
const issuer = new Issuer([{ ...CLIENT, callbackUrl }]);
await issuer.start();
const connection = { issuer: issuer.url, clientId: CLIENT.id, clientSecret: CLIENT.secret };
const dumb = createServer().listen(0, "localhost");
await once(dumb, "listening");
for (const silent of [`http://localhost:${dumb.address().port}`, "http://localhost:1", `${issuer.url}/elsewhere`]) {
  const { fields } = await refused(
    400,
    "VALIDATION_ERROR",
    ...asOwner("PUT", "/sso", { connection: { ...connection, issuer: silent } }),
  );
  assert.deepEqual(fields.map(({ field, code }) => [field, code]), [["/connection/issuer", "unreachable"]], silent);
}
const kept = { issuer: issuer.url, clientId: CLIENT.id, hasClientSecret: true };
assert.deepEqual((await replace({ connection })).connection, kept);
assert.deepEqual((await done(200, ...asOwner("GET", "/sso"))).connection, kept);

// Whoever has an address of the domain is sent there, known or not.
const { name } = await done(200, ...asOwner("GET", ""));
const found = await discover(`anybody@${domain}`);
assert.deepEqual([found.connection, found.ssoRequired], [{ provider: id, name }, false]);
assert.equal((await discover("anybody@example.com")).connection, null);

// They come back as members, whom nobody had invited; what they came back with is good once.
const total = await members();
const ines = `ines@${domain}`;
const first = await signIns.code(id, ines);
const session = await exchange(first);
await refused(401, "UNAUTHORIZED", "POST", "/auth/oidc/exchange", { body: first });
const me = await done(200, "GET", "/me", { token: session.accessToken });
assert.deepEqual([me.id, me.email, me.emailVerified], [session.user.id, ines, true]);
const context = await done(200, "GET", `${ORGANIZATION}/context`, { token: session.accessToken });
assert.deepEqual([context.organizationId, context.role?.key], [id, "member"]);
assert.equal((await exchange(await signIns.code(id, ines))).user.id, me.id);
assert.equal(await members(), total + 1);

// The organization says nothing about addresses of others, whatever its provider says.
for (const email of [`ines@other-${domain}`, `ines@sub.${domain}`, ownerSignIn.email]) {
  const body = await signIns.code(id, email);
  const { reason } = await refused(409, "CONFLICT", "POST", "/auth/oidc/exchange", { body });
  assert.equal(reason, "email_not_in_domain", email);
}

// A provider that misbehaves lets nobody in, and makes nobody a member.
const mallory = `mallory@${domain}`;
for (const [misbehaviour, told] of Object.entries(TOLD)) {
  issuer.misbehaviour = MISBEHAVIOURS[misbehaviour];
  const { address, code, error } = await signIns.comeBack(id, { loginHint: mallory });
  assert.ok(address.startsWith(`${signIns.app}?`), `${misbehaviour}: ${address}`);
  assert.deepEqual([error, code], [told, null], misbehaviour);
}
issuer.misbehaviour = {};
assert.equal(await members(), total + 1);

// Who was a member before, by a password.
const petra = { email: `petra@${domain}`, password: "a ladder against the orchard wall" };
const { accessToken: ofPetra } = await done(201, "POST", "/auth/register", { body: { ...petra, name: "Petra" } });
const proof = { token: await mailed("verify-email", petra.email) };
await done(200, "POST", "/auth/email/verify", { body: proof });
await done(201, ...asOwner("POST", "/members/invite", { email: petra.email, role: "viewer" }));
const invitation = { token: await mailed("accept-invitation", petra.email) };
const member = await done(201, "POST", "/invitations/accept", { body: invitation, token: ofPetra });
assert.equal((await login(petra)).status, "authenticated");
assert.equal(await members(), total + 2);

// From now on it does no more, and what it had opened is no good in the organization.
assert.equal((await replace({ connection, ssoRequired: true })).ssoRequired, true);
assert.equal((await discover(`anybody@${domain}`)).ssoRequired, true);
const demanded = { organizationId: id };
assert.deepEqual(await refused(403, "SSO_REQUIRED", "POST", "/auth/login", { body: petra }), demanded);
assert.deepEqual(await refused(403, "SSO_REQUIRED", "GET", `${ORGANIZATION}/projects`, { token: ofPetra }), demanded);
await refused(401, "UNAUTHORIZED", "POST", "/auth/login", { body: { ...petra, password: "not the right password" } });
await done(200, "GET", `${ORGANIZATION}/projects`, { token: session.accessToken });

// Owners come in as ever, also those with an address of the domain, for as long as they are that.
const give = (role) => done(200, ...asOwner("PUT", `/members/${member.id}/role`, { role }));
assert.equal((await login(ownerSignIn)).status, "authenticated");
await give("owner");
const { accessToken: ofAnOwner } = await login(petra);
await done(200, "GET", `${ORGANIZATION}/projects`, { token: ofAnOwner });
await give("viewer");
assert.deepEqual(await refused(403, "SSO_REQUIRED", "POST", "/auth/login", { body: petra }), demanded);

// Through the provider there is a way, once who has the address has agreed; it makes nobody a member twice.
const asked = await signIns.code(id, petra.email);
const { reason } = await refused(409, "CONFLICT", "POST", "/auth/oidc/exchange", { body: asked });
assert.equal(reason, "identity_not_linked");
const consent = { token: await mailed("confirm-identity", petra.email) };
assert.equal((await done(200, "POST", "/auth/oidc/confirm", { body: consent })).provider, id);
const { accessToken: throughProvider } = await exchange(asked);
const role = (await done(200, "GET", `${ORGANIZATION}/context`, { token: throughProvider })).role?.key;
assert.equal(role, "viewer");
await done(200, "GET", `${ORGANIZATION}/projects`, { token: throughProvider });
assert.equal(await members(), total + 2);

// Without a connection all is as before, and nobody comes in by what the provider had said.
const underway = await signIns.code(id, ines);
const after = await replace({});
assert.deepEqual({ ...after, ...DEFAULTS }, after);
assert.equal((await discover(`anybody@${domain}`)).connection, null);
await refused(401, "UNAUTHORIZED", "POST", "/auth/oidc/exchange", { body: underway });
assert.equal((await new Browser().ask(signIns.begin(id))).status, 404);
assert.equal((await login(petra)).status, "authenticated");
await done(204, ...asOwner("DELETE", `/domains/${added.id}`));

// Nobody was told the secret.
for (const text of answered) assert.ok(!text.includes(CLIENT.secret), text);

dumb.close();
names.stop();
await issuer.stop();
console.log("People came in through the provider of their organization.");
