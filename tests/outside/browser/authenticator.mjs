// An authenticator app (RFC 6238), made of the URL that people scan. It shares nothing with the service but that URL.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

const STEP = 30_000;

/** RFC 4648, section 6, without padding. */
function base32(text) {
  const bits = [...text].map((letter) => {
    const value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter);
    assert.ok(value >= 0, `${letter} is no letter of base32`);
    return value.toString(2).padStart(5, "0");
  });
  return Buffer.from(bits.join("").match(/[01]{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

export class Authenticator {
  #secret;
  #last = 0;

  constructor(url) {
    const { protocol, host, searchParams } = new URL(url);
    assert.deepEqual([protocol, host], ["otpauth:", "totp"], url);
    for (const [name, usual] of [["algorithm", "SHA1"], ["digits", "6"], ["period", "30"]]) {
      assert.equal(searchParams.get(name) ?? usual, usual, url);
    }
    this.#secret = base32(searchParams.get("secret"));
  }

  /** A code that was not given before. That of the next step is taken too, so that two can be had at once: nobody waits. */
  next() {
    const now = Math.floor(Date.now() / STEP);
    this.#last = Math.max(now, this.#last + 1);
    assert.ok(this.#last <= now + 1, "no further code is taken yet");
    return this.#code(this.#last);
  }

  /** Six digits that are no code of about now. */
  wrong() {
    const now = Math.floor(Date.now() / STEP);
    const near = [-3, -2, -1, 0, 1, 2, 3].map((steps) => this.#code(now + steps));
    const digits = [..."01234567"].map((digit) => digit.repeat(6));
    return digits.find((code) => !near.includes(code));
  }

  #code(step) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const digest = createHmac("sha1", this.#secret).update(counter).digest();
    // RFC 4226, section 5.3.
    const number = digest.readUInt32BE(digest.at(-1) & 0xf) & 0x7fff_ffff;
    return String(number % 1_000_000).padStart(6, "0");
  }
}
