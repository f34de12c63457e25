// Examples that can be executed as they stand.

import { ask } from "./ask.js";

/**
 * What a caller can see, by the names that parameters and fields have: one organization, one of each resource in it, and a
 * session, a trusted device and a passkey of the caller's.
 * Only what the caller may view is asked for.
 */
export async function find(token) {
  const get = (path) => ask("GET", path, { token });
  const [organization] = await get("/api/v1/organizations?sort=createdAt&pageSize=1");
  const sessions = await get("/api/v1/auth/sessions");
  const sessionId = (sessions.find((session) => !session.current) ?? sessions[0])?.id;
  const [device] = await get("/api/v1/auth/trusted-devices?pageSize=1");
  const deviceId = device?.id;
  const [passkey] = await get("/api/v1/auth/passkeys?pageSize=1");
  const passkeyId = passkey?.id;
  if (!organization) return { known: { sessionId, deviceId, passkeyId } };
  const base = `/api/v1/organizations/${organization.id}`;
  const context = await get(`${base}/context`);
  const one = async (resource, query) => {
    if (!context.permissions.includes(`${resource}:view`)) return undefined;
    const [found] = await get(`${base}/${resource}s?pageSize=1${query}`);
    return found?.id;
  };
  const invitation = async () => {
    if (!context.permissions.includes("member:invite")) return undefined;
    const [found] = await get(`${base}/invitations?pageSize=1`);
    return found?.id;
  };
  const domain = async () => {
    if (!context.permissions.includes("settings:view")) return undefined;
    const [found] = await get(`${base}/domains?pageSize=1`);
    return found?.id;
  };
  const [wsId, projectId, memberId, invitationId, domainId] = await Promise.all([
    one("workspace", "&sort=createdAt"),
    one("project", "&sort=createdAt"),
    // The one who joined last: whoever asks is rather not that one.
    one("member", ""),
    invitation(),
    domain(),
  ]);
  const known = {
    orgId: organization.slug,
    organizationId: organization.id,
    wsId,
    projectId,
    memberId,
    invitationId,
    domainId,
    sessionId,
    deviceId,
    passkeyId,
  };
  return { known, organization, role: context.role };
}

/**
 * The document with such examples. What may be left out is left out: its example moves to the description, as Swagger UI
 * would send it.
 */
export function fit(description, known = {}) {
  const fitted = structuredClone(description);
  const operations = Object.values(fitted.paths).flatMap((item) => Object.values(item));
  for (const parameter of operations.flatMap((operation) => operation.parameters ?? [])) {
    if (parameter.required) {
      parameter.example = known[parameter.name] ?? parameter.example;
    } else {
      const { description: said = "", schema } = parameter;
      const example = parameter.example ?? schema.examples?.[0];
      if (example && schema.default === undefined) parameter.description = `${said}\n\nExample: \`${example}\``;
      delete parameter.example;
    }
  }
  for (const { example } of Object.values(fitted.components.schemas)) {
    // One of a text has no fields.
    const fields = typeof example === "object" ? Object.keys(example ?? {}) : [];
    for (const field of fields) {
      example[field] = known[field] ?? example[field];
    }
  }
  return fitted;
}
