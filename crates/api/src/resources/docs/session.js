// A sign-in that lasts for as long as the page is open.

import { ask } from "./ask.js";

/** How long before an access token expires it is replaced, in seconds. */
const MARGIN = 60;

/** Holds the tokens. Neither the address of the page nor any storage of the browser ever has one; a reload forgets them. */
export class Session {
  #tokens;
  #renewal = null;
  #timer;
  #changed;

  /** Takes what signing in was answered with, and two functions: for a new access token, and for the end of it all. */
  constructor(tokens, { renewed, ended }) {
    this.#changed = { renewed, ended };
    this.#keep(tokens);
  }

  get accessToken() {
    return this.#tokens.accessToken;
  }

  /** Takes new tokens; a refresh token is good for one time, so whoever asks meanwhile waits for the same answer. */
  renew() {
    this.#renewal ??= this.#refresh().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  /** Ends the session on the server too, even while the page is being left. */
  async end() {
    this.#changed = { renewed() {}, ended() {} };
    await this.#renewal;
    clearTimeout(this.#timer);
    await ask("POST", "/api/v1/auth/logout", { body: { refreshToken: this.#tokens.refreshToken }, keepalive: true });
  }

  async #refresh() {
    try {
      this.#keep(await ask("POST", "/api/v1/auth/refresh", { body: { refreshToken: this.#tokens.refreshToken } }));
    } catch (error) {
      clearTimeout(this.#timer);
      this.#changed.ended(error);
      return;
    }
    this.#changed.renewed();
  }

  #keep(tokens) {
    this.#tokens = tokens;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.renew(), Math.max(tokens.expiresIn - MARGIN, 1) * 1000);
  }
}
