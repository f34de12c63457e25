// A domain that an organization says is its own: nobody has proven it, so that it changes nothing for those who sign in.

import assert from "node:assert/strict";
import { anyone, type clientOf, ok, refused, told } from "./service.ts";

const DOMAINS = "/api/v1/organizations/{orgId}/domains";
const DOMAIN = "/api/v1/organizations/{orgId}/domains/{domainId}";
const VERIFY = "/api/v1/organizations/{orgId}/domains/{domainId}/verify";

const discover = async (email: string) => ok(await anyone.POST("/api/v1/auth/discover", { body: { email } })).data;

export async function proveDomains(owner: ReturnType<typeof clientOf>, path: { orgId: string }) {
  // It is kept as the DNS knows it, once.
  const addition = {
    params: { path, header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { domain: "Bücher.Example." },
  };
  const added = await owner.POST(DOMAINS, addition);
  assert.equal(added.response.status, 201);
  const { data: domain } = ok(added);
  assert.deepEqual([domain.domain, domain.status, domain.verifiedAt], ["xn--bcher-kva.example", "pending", null]);
  const { name, type, value } = domain.record;
  assert.deepEqual([name, type], ["_tenantry.xn--bcher-kva.example", "TXT"]);
  assert.match(value, /^tenantry-domain-verification=./);
  assert.ok(added.response.headers.get("Location")?.endsWith(`/domains/${domain.id}`));
  assert.deepEqual(ok(await owner.POST(DOMAINS, addition)).data, domain);
  const again = await owner.POST(DOMAINS, { params: { path }, body: { domain: "xn--bcher-kva.example" } });
  assert.equal(refused(again, "CONFLICT")?.reason, "domain_taken");
  const nothing = await owner.POST(DOMAINS, { params: { path }, body: { domain: "192.0.2.1" } });
  assert.equal(nothing.error && told(nothing.error), "/domain: format");

  const query = { status: "pending", sort: "name" } as const;
  const listed = ok(await owner.GET(DOMAINS, { params: { path, query } }));
  assert.deepEqual(listed.data, [domain]);
  const one = { ...path, domainId: domain.id };
  const shown = await owner.GET(DOMAIN, { params: { path: one } });
  assert.deepEqual(ok(shown).data, domain);
  const tag = shown.response.headers.get("ETag");
  assert.ok(tag);

  // The record is nowhere; and whether anybody answers for such a name is another's affair.
  const unproven = await owner.POST(VERIFY, { params: { path: one } });
  const { reason } = refused(unproven, "CONFLICT") ?? {};
  assert.ok(reason === "domain_not_proven" || reason === "dns_unavailable", reason);

  // Whoever asks how to sign in is told the same for every address, known or not.
  const methods = await discover("somebody@xn--bcher-kva.example");
  assert.deepEqual([methods.connection, methods.ssoRequired], [null, false]);
  assert.deepEqual(methods.methods, ["password", "passkey"]);
  const { data: providers } = ok(await anyone.GET("/api/v1/auth/oidc/providers"));
  assert.deepEqual(
    methods.providers,
    providers.map(({ key, name }) => ({ key, name })),
  );
  assert.deepEqual(await discover("nobody@example.com"), methods);

  const removal = { params: { path: one, header: { "If-Match": tag } } };
  assert.equal((await owner.DELETE(DOMAIN, removal)).response.status, 204);
  refused(await owner.GET(DOMAIN, { params: { path: one } }), "NOT_FOUND");
}
