// People who sign in through providers: one that was not written here lets them in, and their browser is walked by hand.

import assert from "node:assert/strict";
import { Browser } from "../identity_provider/browser.mjs";
import { proveMisbehaviours } from "../identity_provider/misbehaviours.mjs";
import { SignIns, answerOf } from "../identity_provider/sign_in.mjs";
import type { components } from "./schema.d.ts";
import { anyone, baseUrl, clientOf, mailed, ok, refused, setting, told } from "./service.ts";

type ExchangeBody = { code: string; codeVerifier?: string };

const signIns = new SignIns(baseUrl, setting("TENANTRY_IDENTITY_PROVIDER"));
const OF_ONESELF = "/api/v1/auth/identities/{identity}";

const exchange = (body: ExchangeBody) => anyone.POST("/api/v1/auth/oidc/exchange", { body });

/** Whoever comes in with a code. */
async function signedIn(body: ExchangeBody) {
  const session = ok(await exchange(body)).data;
  assert.ok(session.status === "authenticated", session.status);
  return { ...session, client: clientOf(session.accessToken) };
}

/** Why a code opens nothing. */
async function conflict(body: ExchangeBody) {
  return refused(await exchange(body), "CONFLICT")?.reason;
}

/** What was wrong where an answer is that a request is not as it should be. */
async function malformed(answer: Response): Promise<string> {
  assert.equal(answer.status, 400, answer.headers.get("Location") ?? "");
  const { error }: components["schemas"]["ErrorEnvelope"] = await answer.json();
  assert.equal(error.code, "MALFORMED_REQUEST");
  return error.details?.location ?? "";
}

export async function proveIdentities() {
  // What there is to choose from.
  const providers = ok(await anyone.GET("/api/v1/auth/oidc/providers")).data;
  assert.deepEqual(
    providers.map(({ key, name, type, authorizeUrl }) => [key, name, type, authorizeUrl]),
    ["away", "basic", "mismatched", "post", "public"].map((key) => [
      key,
      `Company, ${key}`,
      "oidc",
      `/api/v1/auth/oidc/${key}/authorize`,
    ]),
  );

  // Who is not known gets an account. The code is good for the app that began, once.
  const strange = await signIns.code("basic", "usual");
  refused(await exchange({ code: strange.code }), "UNAUTHORIZED");
  refused(await exchange({ code: strange.code, codeVerifier: "a".repeat(43) }), "UNAUTHORIZED");
  const first = await signIns.code("basic", "usual");
  const noor = await signedIn(first);
  assert.deepEqual([noor.user.email, noor.user.name, noor.user.emailVerified], ["noor@example.com", "Noor Haddad", true]);
  refused(await exchange(first), "UNAUTHORIZED");
  assert.equal(ok(await noor.client.GET("/api/v1/me")).data.id, noor.user.id);
  const listed = ok(await noor.client.GET("/api/v1/auth/identities", { params: { query: { sort: "-createdAt" } } }));
  const [identity] = listed.data;
  assert.ok(identity && listed.meta.total === 1);
  assert.deepEqual([identity.provider, identity.email], ["basic", "noor@example.com"]);

  // By another app of the same provider they are the same; at another provider, somebody else may be called like them.
  assert.equal((await signedIn(await signIns.code("public", "usual"))).user.id, noor.user.id);
  const elsewhere = await signIns.code("post", "usual");
  assert.equal(await conflict(elsewhere), "identity_not_linked");

  // The owner of the address is asked by mail, and then both are theirs.
  const token = await mailed("confirm-identity", "noor@example.com");
  const confirm = () => anyone.POST("/api/v1/auth/oidc/confirm", { body: { token } });
  const confirmed = ok(await confirm()).data;
  assert.deepEqual([confirmed.provider, confirmed.email], ["post", "noor@example.com"]);
  refused(await confirm(), "GONE");
  assert.equal((await signedIn(elsewhere)).user.id, noor.user.id);

  // It is taken away, and linked again by who is signed in.
  const one = { params: { path: { identity: confirmed.id } } };
  const shown = await noor.client.GET(OF_ONESELF, one);
  assert.equal(ok(shown).data.id, confirmed.id);
  assert.ok(shown.response.headers.get("ETag"));
  assert.equal((await noor.client.DELETE(OF_ONESELF, one)).response.status, 204);
  refused(await noor.client.GET(OF_ONESELF, one), "NOT_FOUND");
  const again = await signIns.code("post", "usual");
  assert.equal(await conflict(again), "identity_not_linked");
  const link = (identity: string, body: { code: string; codeVerifier: string }) =>
    noor.client.POST(OF_ONESELF, { params: { path: { identity } }, body });
  const other = await signIns.code("post", "usual");
  refused(await link("unknown", other), "NOT_FOUND");
  const mistaken = await link("basic", other);
  assert.equal(mistaken.error && told(mistaken.error), "/code: incorrect");
  const linked = await link("post", again);
  assert.equal(linked.response.status, 201);
  assert.equal(linked.response.headers.get("Location"), `/api/v1/auth/identities/${ok(linked).data.id}`);
  assert.equal((await signedIn(await signIns.code("post", "usual"))).user.id, noor.user.id);
  const twice = await link("post", await signIns.code("post", "usual"));
  assert.equal(refused(twice, "CONFLICT")?.reason, "identity_taken");

  // The last way in stays.
  const path = { identity: ok(linked).data.id };
  assert.equal((await noor.client.DELETE(OF_ONESELF, { params: { path } })).response.status, 204);
  const last = await noor.client.DELETE(OF_ONESELF, { params: { path: { identity: identity.id } } });
  assert.equal(refused(last, "CONFLICT")?.reason, "last_sign_in_method");

  // An address that the provider has not seen to be theirs is not proven, and without one there is no account. Whoever has an
  // account keeps it to themselves.
  assert.equal((await signedIn(await signIns.code("basic", "unverified"))).user.emailVerified, false);
  assert.equal(await conflict(await signIns.code("basic", "unreachable")), "email_missing");
  assert.equal(await conflict(await signIns.code("basic", setting("TENANTRY_OWNER_EMAIL"))), "identity_not_linked");

  // An app gets back what it gave, at the place that it named, if it is one of those that are allowed.
  const state = "what the app / knows?";
  const ofApp = await signIns.comeBack("basic", { redirectUri: `${signIns.app}?from=provider`, state });
  assert.ok(ofApp.address.startsWith(`${signIns.app}?from=provider&`), ofApp.address);
  assert.deepEqual([ofApp.error, ofApp.state], [null, state]);
  assert.ok((await signIns.comeBack("public", { redirectUri: "com.example.app:/signed-in" })).code);
  const away = signIns.begin("basic", { redirectUri: `${signIns.app}/elsewhere` });
  assert.match(await malformed(await new Browser().ask(away)), /\bredirectUri$/);

  // A browser cannot go on where another one began.
  const browser = new Browser();
  const callback = await signIns.callback("basic", { state }, browser);
  assert.match(await malformed(await new Browser().ask(callback)), /\bstate$/);
  assert.ok(answerOf(await browser.follow(callback, signIns.app)).code);

  // Providers that misbehave open nothing, and make no account: the address is still free.
  const mallory = { email: "mallory@example.com", password: "an unopened telegram" };
  await proveMisbehaviours(signIns, mallory.email);
  const registered = await anyone.POST("/api/v1/auth/register", { body: { ...mallory, name: "Mallory" } });
  assert.equal(registered.response.status, 201);
}
