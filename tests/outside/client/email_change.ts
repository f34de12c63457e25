// Another address in place of one's own: both are asked by mail, and then the new one signs in.

import assert from "node:assert/strict";
import { anyone, clientOf, mailed, ok, refused } from "./service.ts";

const CHANGE = "/api/v1/auth/email/change";
const PAGE = "confirm-email-change";

const confirm = (token: string) => anyone.POST("/api/v1/auth/email/change/confirm", { body: { token } });

export async function proveEmailChange() {
  const [before, after, mistyped] = ["hedy@example.com", "hedy.lamarr@example.com", "hedy.lamar@example.com"];
  const password = "frequencies that hop about";
  const registered = await anyone.POST("/api/v1/auth/register", { body: { email: before, password, name: "Hedy" } });
  const hedy = clientOf(ok(registered).data.accessToken);
  // An address that is proven is asked, too.
  const verified = await anyone.POST("/api/v1/auth/email/verify", { body: { token: await mailed("verify-email", before) } });
  assert.ok(verified.response.ok, `${verified.response.status}`);

  // What was asked for by mistake is taken back, and its links open nothing.
  refused(await hedy.GET(CHANGE), "NOT_FOUND");
  const same = await hedy.POST(CHANGE, { body: { email: before.toUpperCase() } });
  assert.equal(refused(same, "CONFLICT")?.reason, "email_unchanged");
  ok(await hedy.POST(CHANGE, { body: { email: mistyped } }));
  const links = [await mailed(PAGE, before), await mailed(PAGE, mistyped)];
  assert.equal((await hedy.DELETE(CHANGE)).response.status, 204);
  for (const link of links) refused(await confirm(link), "GONE");

  // Until both have said yes, nothing changes.
  const asked = await hedy.POST(CHANGE, { body: { email: after } });
  assert.equal(asked.response.status, 202);
  const change = ok(asked).data;
  assert.deepEqual([change.email, change.awaits], [after, ["current_address", "new_address"]]);
  assert.deepEqual(ok(await hedy.GET(CHANGE)).data, change);
  const approved = ok(await confirm(await mailed(PAGE, before))).data;
  assert.deepEqual(approved, { status: "pending", email: after, awaits: ["new_address"] });
  assert.equal(ok(await hedy.GET("/api/v1/me")).data.email, before);
  const proof = await mailed(PAGE, after);
  assert.deepEqual(ok(await confirm(proof)).data, { status: "changed", email: after, awaits: [] });
  refused(await confirm(proof), "GONE");
  refused(await hedy.GET(CHANGE), "NOT_FOUND");

  // Who is signed in stays so, and signs in by the new address from then on.
  const me = ok(await hedy.GET("/api/v1/me")).data;
  assert.deepEqual([me.email, me.emailVerified], [after, true]);
  const login = (email: string) => anyone.POST("/api/v1/auth/login", { body: { email, password } });
  refused(await login(before), "UNAUTHORIZED");
  const session = ok(await login(after)).data;
  assert.ok(session.status === "authenticated", session.status);
  assert.equal(session.user.id, me.id);
}
