// Who signs in at the provider.

/** By the name that an app hints at. */
const KNOWN = {
  usual: { sub: "account-1", email: "noor@example.com", email_verified: true, name: "Noor Haddad" },
  unverified: { sub: "account-2", email: "uma@example.com", email_verified: false, name: "Uma Okafor" },
  nameless: { sub: "account-3", email: "nameless@example.com", email_verified: true },
  unreachable: { sub: "account-4", name: "Ulf Without Mail" },
};

const accounts = new Map(Object.values(KNOWN).map((account) => [account.sub, account]));

/** The id of whom a hint means: one of those above, or whoever has this address, as of now at the latest. */
export function hinted(hint = "usual") {
  const known = KNOWN[hint] ?? [...accounts.values()].find((account) => account.email === hint);
  if (known) return known.sub;
  const sub = `account-${accounts.size + 1}`;
  accounts.set(sub, { sub, email: hint, email_verified: true, name: hint.split("@", 1)[0] });
  return sub;
}

/** As `oidc-provider` asks for them. */
export function findAccount(_ctx, sub) {
  const claims = accounts.get(sub);
  return claims && { accountId: sub, claims: () => claims };
}
