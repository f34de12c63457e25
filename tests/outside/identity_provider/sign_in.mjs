// Signing in through a provider, as an app does it whose people have a browser.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";

import { Browser } from "./browser.mjs";

/** How a service is found, and the provider that it knows: `TENANTRY_URL` and `TENANTRY_IDENTITY_PROVIDER`. */
export class SignIns {
  /** @param {string} service @param {string} provider */
  constructor(service, provider) {
    this.service = service;
    this.provider = provider;
    /** Where people come back to. */
    this.app = `${provider}/signed-in`;
  }

  /**
   * The address at which somebody begins to sign in.
   * @param {string} key
   * @param {Record<string, string>} query
   */
  begin(key, query = {}) {
    const url = new URL(`/api/v1/auth/oidc/${key}/authorize`, this.service);
    url.search = String(new URLSearchParams({ redirectUri: this.app, ...query }));
    return url.href;
  }

  /**
   * Where the provider sends the browser, which has not gone there yet.
   * @param {string} key
   * @param {Record<string, string>} query
   */
  callback(key, query = {}, browser = new Browser()) {
    return browser.follow(this.begin(key, query), `${this.service}/api/v1/auth/oidc/${key}/callback`);
  }

  /**
   * With what somebody comes back to the app, whom a provider is asked to sign in.
   * @param {string} key
   * @param {Record<string, string>} query
   */
  async comeBack(key, query = {}, browser = new Browser()) {
    return answerOf(await browser.follow(this.begin(key, query), query["redirectUri"] ?? this.app));
  }

  /**
   * A code for somebody, and what shows that it is this app's.
   * @param {string} key
   * @param {string} loginHint
   */
  async code(key, loginHint) {
    const codeVerifier = randomBytes(32).toString("base64url");
    const codeChallenge = challengeOf(codeVerifier);
    const { code, error } = await this.comeBack(key, { loginHint, codeChallenge });
    assert.ok(code, error);
    return { code, codeVerifier };
  }

  /**
   * Has the provider misbehave from now on, or, by `null`, not any more.
   * @param {string | null} name
   */
  async misbehave(name) {
    const body = JSON.stringify({ name });
    assert.equal((await fetch(`${this.provider}/misbehaviour`, { method: "PUT", body })).status, 204, String(name));
  }

  /** Has the provider sign with other keys. */
  async changeKeys() {
    assert.equal((await fetch(`${this.provider}/keys`, { method: "POST" })).status, 204);
  }
}

/**
 * What a redirect to the app tells it.
 * @param {string} address
 */
export function answerOf(address) {
  const query = new URL(address).searchParams;
  const [code, error, state] = ["code", "error", "state"].map((name) => query.get(name));
  return { address, code, error, state };
}

/**
 * The challenge of a verifier (RFC 7636, section 4.2).
 * @param {string} verifier
 */
export function challengeOf(verifier) {
  return createHash("sha256").update(verifier).digest("base64url");
}
