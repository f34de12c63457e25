// A browser as far as signing in through a provider needs one: it keeps cookies and follows redirects. It runs no scripts, and
// lets one look at where it is about to go.

import assert from "node:assert/strict";

/** More than any sign-in takes. */
export const MOST_REDIRECTS = 20;

export class Browser {
  /** By host: ports share them. */
  #cookies = new Map();

  /**
   * Asks for an address, and follows nothing.
   * @param {string} address
   */
  async ask(address) {
    const { hostname } = new URL(address);
    const own = this.#cookies.get(hostname) ?? new Map();
    this.#cookies.set(hostname, own);
    const Cookie = [...own].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(address, { redirect: "manual", headers: { ...(Cookie && { Cookie }) } });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = "", ...attributes] = cookie.split("; ");
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice("expires=".length);
      if (expires && Date.parse(expires) < Date.now()) own.delete(name);
      else own.set(name, value);
    }
    return answer;
  }

  /**
   * Goes where it is sent, from this address until it is sent to one that begins like this. Gives that one, which it has not
   * asked for.
   * @param {string} address
   * @param {string} start
   */
  async follow(address, start) {
    let next = address;
    for (let redirects = 0; redirects < MOST_REDIRECTS; redirects += 1) {
      const answer = await this.ask(next);
      const location = answer.headers.get("Location");
      assert.ok(location, `${next}: ${answer.status} ${await answer.text()}`);
      next = new URL(location, next).href;
      if (next.startsWith(start)) return next;
    }
    throw new Error(`${address} leads nowhere`);
  }
}
