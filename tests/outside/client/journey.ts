// A day of a frontend, with the client that is made of the committed document. Whatever does not fit the document does not
// compile; whatever the service does otherwise fails here.

import assert from "node:assert/strict";
import { WebAuthnEmulator } from "nid-webauthn-emulator";
import { TOTP, URI } from "otpauth";
import { proveDomains } from "./domains.ts";
import { proveEmailChange } from "./email_change.ts";
import { proveIdentities } from "./identities.ts";
import type { components } from "./schema.d.ts";
import { anyone, baseUrl, clientOf, ok, refused, setting, told } from "./service.ts";

type Project = components["schemas"]["Project"];

const path = { orgId: "acme" };

const signIn = async (who: "OWNER" | "VIEWER") => {
  const body = { email: setting(`TENANTRY_${who}_EMAIL`), password: setting(`TENANTRY_${who}_PASSWORD`) };
  const answer = ok(await anyone.POST("/api/v1/auth/login", { body })).data;
  assert.ok(answer.status === "authenticated", answer.status);
  return answer;
};

// Signing in.
const wrong = await anyone.POST("/api/v1/auth/login", {
  body: { email: setting("TENANTRY_OWNER_EMAIL"), password: "not the right password" },
});
refused(wrong, "UNAUTHORIZED");
const session = await signIn("OWNER");
const owner = clientOf(session.accessToken);
const viewer = clientOf((await signIn("VIEWER")).accessToken);

// Where am I, and what may I do?
const me = ok(await owner.GET("/api/v1/me")).data;
assert.equal(me.email, setting("TENANTRY_OWNER_EMAIL"));
const organizations = ok(await owner.GET("/api/v1/organizations")).data;
assert.ok(organizations.some((organization) => organization.slug === path.orgId));
const context = ok(await owner.GET("/api/v1/organizations/{orgId}/context", { params: { path } })).data;
assert.equal(context.role?.key, "owner");
assert.ok(context.permissions.includes("project:create"));
const workspaces = ok(await owner.GET("/api/v1/organizations/{orgId}/workspaces", { params: { path } })).data;
const workspace = workspaces.find((workspace) => workspace.isDefault);
assert.ok(workspace);

// A creation that happens once, whatever happens to its answer.
const inWorkspace = { ...path, wsId: workspace.id };
const creation = {
  params: { path: inWorkspace, header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { name: "Tunnel paint", settings: { color: "black" } },
};
const projectsOfWorkspace = "/api/v1/organizations/{orgId}/workspaces/{wsId}/projects";
const first = await owner.POST(projectsOfWorkspace, creation);
const project: Project = ok(first).data;
assert.equal(first.response.status, 201);
assert.equal(project.slug, "tunnel-paint");
const again = await owner.POST(projectsOfWorkspace, creation);
assert.deepEqual(ok(again).data, project);
assert.equal(again.response.headers.get("Idempotency-Replayed"), "true");
const other = await owner.POST(projectsOfWorkspace, { ...creation, body: { name: "Another" } });
refused(other, "IDEMPOTENCY_KEY_REUSED");

// A change that runs over nobody's.
const one = { ...path, projectId: project.id };
const seen = await owner.GET("/api/v1/organizations/{orgId}/projects/{projectId}", { params: { path: one } });
const tag = seen.response.headers.get("ETag");
assert.ok(tag);
const header = { "If-Match": tag };
const changed = await owner.PATCH("/api/v1/organizations/{orgId}/projects/{projectId}", {
  params: { path: one, header },
  body: { description: "For walls.", settings: { color: null } },
});
assert.deepEqual([ok(changed).data.description, ok(changed).data.settings], ["For walls.", {}]);
const late = await owner.PATCH("/api/v1/organizations/{orgId}/projects/{projectId}", {
  params: { path: one, header },
  body: { name: "Too late" },
});
refused(late, "PRECONDITION_FAILED");
const unchanged = await owner.GET("/api/v1/organizations/{orgId}/projects/{projectId}", {
  params: { path: one, header: { "If-None-Match": changed.response.headers.get("ETag") ?? "" } },
});
assert.equal(unchanged.response.status, 304);

// A list from its beginning to its end.
const names: string[] = [];
let cursor: string | null = "";
for (let pages = 0; cursor !== null; pages += 1) {
  assert.ok(pages < 100, "the walk does not end");
  const query: { cursor: string; pageSize: number; sort: string } = { cursor, pageSize: 2, sort: "name" };
  const answer = await owner.GET("/api/v1/organizations/{orgId}/projects", { params: { path, query } });
  const page: components["schemas"]["List_Project"] = ok(answer);
  names.push(...page.data.map((project) => project.name));
  cursor = page.meta.nextCursor;
}
assert.ok(names.length > 2 && names.includes("Tunnel paint"), names.join());
const found = ok(
  await owner.GET("/api/v1/organizations/{orgId}/projects", { params: { path, query: { q: "TUNNEL", status: "active" } } }),
);
assert.deepEqual([found.meta.total, found.data[0]?.id], [1, project.id]);

// What one may not, what is wrong, and what is not there.
const forbidden = await viewer.DELETE("/api/v1/organizations/{orgId}/projects/{projectId}", { params: { path: one } });
assert.deepEqual(refused(forbidden, "FORBIDDEN"), { requiredPermission: "project:delete" });
assert.equal(forbidden.error && told(forbidden.error), "needs project:delete");
const invalid = await owner.POST(projectsOfWorkspace, { params: { path: inWorkspace }, body: { name: "" } });
assert.equal(invalid.error && told(invalid.error), "/name: length");
const taken = await owner.POST(projectsOfWorkspace, {
  params: { path: inWorkspace },
  body: { name: "Other paint", slug: project.slug },
});
assert.equal(taken.error && told(taken.error), "/slug: taken");
const elsewhere = await owner.GET("/api/v1/organizations/{orgId}", { params: { path: { orgId: "globex" } } });
refused(elsewhere, "NOT_FOUND");

// What the document does not know does not compile, and is refused by those whom no compiler stopped.
// @ts-expect-error: there is no such field
const body: components["schemas"]["ProjectCreateBody"] = { name: "Typo", descripton: "lost" };
const misspelt = await owner.POST(projectsOfWorkspace, { params: { path: inWorkspace }, body });
assert.equal(misspelt.error && told(misspelt.error), "/descripton: unknown");
const unknown = await owner.GET("/api/v1/organizations/{orgId}/projects", {
  // @ts-expect-error: there is no such status
  params: { path, query: { status: "lost" } },
});
assert.equal(refused(unknown, "MALFORMED_REQUEST")?.location, "query.status");

// A second factor, set up in an app that knows nothing of the service but the URL that it is shown.
const ada = { email: "ada@example.com", password: "notes on the analytical engine" };
const registered = ok(await anyone.POST("/api/v1/auth/register", { body: { ...ada, name: "Ada" } })).data;
const lady = clientOf(registered.accessToken);
const setup = ok(await lady.POST("/api/v1/auth/mfa/totp")).data;
const app = URI.parse(setup.otpauthUrl);
assert.ok(app instanceof TOTP);
assert.deepEqual([app.issuer, app.label, app.secret.base32], ["Tenantry", ada.email, setup.secret]);
const confirmed = await lady.POST("/api/v1/auth/mfa/totp/confirm", { body: { code: app.generate() } });
const [lost, last] = ok(confirmed).data.recoveryCodes;
assert.ok(lost && last);

// From now on a code is asked for. One of the next 30 seconds is taken, too: that of these was used.
type Login = components["schemas"]["LoginBody"];
type Status = components["schemas"]["Session" | "SecondStep"]["status"];
const login = async (body: Login) => ok(await anyone.POST("/api/v1/auth/login", { body })).data;
const verify = (body: components["schemas"]["MfaBody"]) => anyone.POST("/api/v1/auth/mfa/verify", { body });
const begun = await login(ada);
assert.ok(begun.status === "mfa_required");
assert.deepEqual(begun.methods, ["totp", "recovery_code"]);
const { mfaToken } = begun;
const code = app.generate({ timestamp: Date.now() + 30_000 });
const trusted = ok(await verify({ mfaToken, code, trustDevice: true })).data;
assert.ok(trusted.trustedDeviceToken);

// A code is good once, a device that is trusted needs none, and a recovery code does where the app is lost.
refused(await verify({ mfaToken, code }), "UNAUTHORIZED");
const here = { ...ada, trustedDeviceToken: trusted.trustedDeviceToken };
assert.equal((await login(here)).status, "authenticated" satisfies Status);
const recovered = ok(await verify({ mfaToken, code: lost })).data;
assert.equal(recovered.trustedDeviceToken, null);
const afresh = clientOf(recovered.accessToken);
const factors = ok(await afresh.GET("/api/v1/auth/mfa")).data;
assert.deepEqual(factors, { enabled: true, totp: true, passkeys: 0, recoveryCodesLeft: 9 });
const [device, ...others] = ok(await afresh.GET("/api/v1/auth/trusted-devices")).data;
assert.ok(device && others.length === 0);
const distrusted = await afresh.DELETE("/api/v1/auth/trusted-devices/{deviceId}", {
  params: { path: { deviceId: device.id } },
});
assert.equal(distrusted.response.status, 204);
assert.equal((await login(here)).status, "mfa_required" satisfies Status);

// Turning it off takes a code as well; then the password does again.
const used = await afresh.DELETE("/api/v1/auth/mfa/totp", { body: { code } });
assert.equal(used.error && told(used.error), "/code: incorrect");
const off = await afresh.DELETE("/api/v1/auth/mfa/totp", { body: { code: last } });
assert.equal(off.response.status, 204);
assert.equal((await login(ada)).status, "authenticated" satisfies Status);

// A passkey, on a telephone that knows nothing of the service but what a browser would tell it. The types are those of
// browsers: what the service asks fits them as it is, and of what is answered they say nothing.
type CreationOptions = PublicKeyCredentialCreationOptionsJSON;
type RequestOptions = PublicKeyCredentialRequestOptionsJSON;
const origin = baseUrl.replace("127.0.0.1", "localhost");
const phone = new WebAuthnEmulator();
const make = (options: CreationOptions): PublicKeyCredentialJSON => phone.createJSON(origin, options);
const prove = (options: RequestOptions): PublicKeyCredentialJSON => phone.getJSON(origin, options);
const challenged = async () => ok(await anyone.POST("/api/v1/auth/passkeys/login/options")).data;
const grace = { email: "grace@example.com", password: "nanoseconds of copper wire" };
const joined = ok(await anyone.POST("/api/v1/auth/register", { body: { ...grace, name: "Grace" } })).data;
const admiral = clientOf(joined.accessToken);
const credential = make(ok(await admiral.POST("/api/v1/auth/passkeys/options")).data);
const kept = await admiral.POST("/api/v1/auth/passkeys", { body: { ...credential, name: "Key ring" } });
assert.equal(kept.response.status, 201);
const { recoveryCodes, ...passkey } = ok(kept).data;
assert.deepEqual([passkey.name, passkey.synced, passkey.lastUsedAt], ["Key ring", true, null]);
assert.equal(recoveryCodes?.length, 10);
const replayed = await admiral.POST("/api/v1/auth/passkeys", { body: credential });
assert.equal(replayed.error && told(replayed.error), "/response: incorrect");
const ofGrace = ok(await admiral.GET("/api/v1/auth/passkeys", { params: { query: { sort: "name" } } }));
assert.deepEqual(ofGrace.data, [passkey]);

// It signs in without a password, once by each answer; after a password, it is what is missing.
const proof = prove(await challenged());
const known = ok(await anyone.POST("/api/v1/auth/passkeys/login", { body: proof })).data;
assert.deepEqual([known.status, known.user.email], ["authenticated" satisfies Status, grace.email]);
refused(await anyone.POST("/api/v1/auth/passkeys/login", { body: proof }), "UNAUTHORIZED");
const byPassword = await login(grace);
assert.ok(byPassword.status === "authenticated", byPassword.status);
const doubtful = clientOf(byPassword.accessToken);
const stale = await doubtful.POST("/api/v1/auth/passkeys/options");
assert.deepEqual(refused(stale, "REAUTHENTICATION_REQUIRED"), { maxAgeSeconds: 600 });
const reassured = await doubtful.POST("/api/v1/auth/reauthenticate", { body: { passkey: prove(await challenged()) } });
assert.ok(Date.parse(ok(reassured).data.authTime));
ok(await doubtful.POST("/api/v1/auth/passkeys/options"));

// Another name for it; then it is gone, and opens nothing.
const ofPasskey = { passkeyId: passkey.id };
const looked = await doubtful.GET("/api/v1/auth/passkeys/{passkeyId}", { params: { path: ofPasskey } });
assert.ok(ok(looked).data.lastUsedAt);
const version = looked.response.headers.get("ETag");
assert.ok(version);
const renaming = { params: { path: ofPasskey, header: { "If-Match": version } }, body: { name: "Drawer" } };
const renamed = ok(await doubtful.PATCH("/api/v1/auth/passkeys/{passkeyId}", renaming)).data;
assert.equal(renamed.name, "Drawer");
refused(await doubtful.PATCH("/api/v1/auth/passkeys/{passkeyId}", renaming), "PRECONDITION_FAILED");
const without = await doubtful.DELETE("/api/v1/auth/passkeys/{passkeyId}", { params: { path: ofPasskey } });
assert.equal(without.response.status, 204);
refused(await anyone.POST("/api/v1/auth/passkeys/login", { body: prove(await challenged()) }), "UNAUTHORIZED");

// In browser mode the refresh token is in a cookie, which is kept here by hand: Node has nobody for that.
const hidden = await anyone.POST("/api/v1/auth/login", {
  params: { header: { "X-Token-Transport": "cookie" } },
  body: grace,
});
const inBrowser = ok(hidden).data;
assert.ok(inBrowser.status === "authenticated", inBrowser.status);
assert.equal(inBrowser.refreshToken, null);
assert.ok(inBrowser.csrfToken);
const cookiesOf = (answer: { response: Response }) =>
  answer.response.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0] ?? "");
const jar = cookiesOf(hidden);
assert.deepEqual(
  jar.map((pair) => pair.split("=", 1)[0]).sort(),
  ["__Host-tenantry-csrf", "__Host-tenantry-refresh"],
);
const Cookie = jar.join("; ");
const crossSite = await anyone.POST("/api/v1/auth/refresh", { headers: { Cookie } });
assert.deepEqual(refused(crossSite, "FORBIDDEN"), { requiredPermission: null });
const shown = { "X-CSRF-Token": inBrowser.csrfToken };
const renewed = await anyone.POST("/api/v1/auth/refresh", { params: { header: shown }, headers: { Cookie } });
const { accessToken, refreshToken, csrfToken } = ok(renewed).data;
assert.deepEqual([refreshToken, csrfToken], [null, inBrowser.csrfToken]);
ok(await clientOf(accessToken).GET("/api/v1/me"));
const ended = await anyone.POST("/api/v1/auth/logout", {
  params: { header: shown },
  headers: { Cookie: cookiesOf(renewed).join("; ") },
});
assert.equal(ended.response.status, 204);
assert.deepEqual(cookiesOf(ended).sort(), ["__Host-tenantry-csrf=", "__Host-tenantry-refresh="]);
refused(await clientOf(accessToken).GET("/api/v1/me"), "UNAUTHORIZED");
const nothing = await anyone.POST("/api/v1/auth/refresh");
assert.equal(nothing.error && told(nothing.error), "/refreshToken: required");

// Another address, with the consent of both.
await proveEmailChange();

// A domain that is said to be the organization's.
await proveDomains(owner, path);

// Through a provider, which knows who they are.
await proveIdentities();

// Tidying up, and leaving.
const removed = await owner.DELETE("/api/v1/organizations/{orgId}/projects/{projectId}", { params: { path: one } });
assert.equal(removed.response.status, 204);
const fresh = ok(await anyone.POST("/api/v1/auth/refresh", { body: { refreshToken: session.refreshToken } })).data;
ok(await clientOf(fresh.accessToken).GET("/api/v1/me"));
const left = await anyone.POST("/api/v1/auth/logout", { body: { refreshToken: fresh.refreshToken } });
assert.equal(left.response.status, 204);
for (const accessToken of [session.accessToken, fresh.accessToken]) {
  refused(await clientOf(accessToken).GET("/api/v1/me"), "UNAUTHORIZED");
}
console.log("The client of the document got through its day.");
