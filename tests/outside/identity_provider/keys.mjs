// The keys that the provider signs with, and tokens that it did not sign.

import { createHmac, generateKeyPairSync, randomUUID, sign } from "node:crypto";

const KINDS = {
  RS256: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
};

export class Keys {
  #keys = new Map();

  constructor() {
    for (const [alg, kind] of Object.entries(KINDS)) {
      const { privateKey } = generateKeyPairSync(...kind);
      this.#keys.set(alg, { privateKey, kid: randomUUID() });
    }
  }

  /** As `oidc-provider` takes them. */
  jwks() {
    const keys = [...this.#keys].map(([alg, { privateKey, kid }]) => ({
      ...privateKey.export({ format: "jwk" }),
      alg,
      kid,
      use: "sig",
    }));
    return { keys };
  }

  /** A token of these parts, signed by the key of its algorithm. */
  sign(token) {
    const { privateKey: key } = this.#keys.get(token.header.alg);
    return written(token, (text) => sign("sha256", text, { key, dsaEncoding: "ieee-p1363" }));
  }
}

/** The parts of a token. */
export function partsOf(text) {
  const [header, claims] = text.split(".").map((part) => Buffer.from(part, "base64url").toString());
  return { header: JSON.parse(header), claims: JSON.parse(claims) };
}

/** A token that nobody signed. */
export function unsigned({ header, claims }) {
  return written({ header: { ...header, alg: "none" }, claims }, () => Buffer.alloc(0));
}

/** A token that is signed by what the app shows at the provider. */
export function signedBySecret({ header, claims }, secret) {
  const sealed = { header: { ...header, alg: "HS256" }, claims };
  return written(sealed, (text) => createHmac("sha256", secret).update(text).digest());
}

function written({ header, claims }, signatureOf) {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${signatureOf(Buffer.from(text)).toString("base64url")}`;
}
