// What a provider does that no provider should, or none that is well. Each is asked for by its name.
//
// `asked` changes what the authorization endpoint was asked, `refuses` is what it says in place of a code, `sent` changes where
// it sends the browser; `signs` makes another ID token, `answers` another answer of the token endpoint, and `told` changes what
// userinfo tells.

import { Keys, signedBySecret, unsigned } from "./keys.mjs";

const HOUR = 3600;

const now = () => Math.floor(Date.now() / 1000);

/** The same token with these claims. */
const claiming = (changed) => ({
  signs: ({ header, claims }, keys) => keys.sign({ header, claims: { ...claims, ...changed() } }),
});

export const MISBEHAVIOURS = {
  wrong_nonce: { asked: (query) => query.set("nonce", "another-sign-in") },
  no_nonce: { asked: (query) => query.delete("nonce") },

  wrong_issuer_parameter: { sent: ({ searchParams }) => searchParams.set("iss", "https://login.example") },
  no_issuer_parameter: { sent: ({ searchParams }) => searchParams.delete("iss") },

  wrong_issuer: claiming(() => ({ iss: "https://login.example" })),
  wrong_audience: claiming(() => ({ aud: "another-app" })),
  expired: claiming(() => ({ iat: now() - 2 * HOUR, exp: now() - HOUR })),
  of_the_future: claiming(() => ({ iat: now() + HOUR, exp: now() + 2 * HOUR })),
  // Another key, which is called like that of the provider.
  wrong_signature: { signs: (token) => new Keys().sign(token) },
  unsigned: { signs: (token) => unsigned(token) },
  signed_by_secret: { signs: (token, _keys, secret) => signedBySecret(token, secret) },

  somebody_else: { told: (claims) => ({ ...claims, sub: "account-of-somebody-else" }) },
  refused_code: { answers: () => [400, { error: "invalid_grant" }] },
  broken: { answers: () => [503, { error: "temporarily_unavailable" }] },
  huge: { answers: (body) => [200, { ...body, padding: "-".repeat(2 * 1024 * 1024) }] },
  silent: { isSilent: true },
  stopped: { isStopped: true },

  access_denied: { refuses: "access_denied" },
  overloaded: { refuses: "temporarily_unavailable" },
};
