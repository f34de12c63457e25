// The service, as every part of the journey asks it.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

type ErrorCode = components["schemas"]["ErrorCode"];
type ErrorEnvelope = components["schemas"]["ErrorEnvelope"];

export function setting(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

export const baseUrl = setting("TENANTRY_URL");

/** A client that shows this access token. */
export function clientOf(accessToken: string) {
  const signed: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${accessToken}`);
    },
  };
  const client = createClient<paths>({ baseUrl });
  client.use(signed);
  return client;
}

export function ok<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert.ok(answer.data !== undefined, `${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** That an answer is an error of this code; its details. */
export function refused(answer: { error?: ErrorEnvelope; response: Response }, code: ErrorCode) {
  assert.equal(answer.error?.error.code, code, `${answer.response.status}`);
  assert.equal(answer.error.error.traceId, answer.response.headers.get("X-Trace-Id"));
  return answer.error.error.details;
}

/** What a form shows beside its fields, or above them; the compiler knows what each code brings along. */
export function told({ error: { code, details, message } }: ErrorEnvelope): string {
  switch (code) {
    case "VALIDATION_ERROR":
      return (details?.fields ?? []).map((failure) => `${failure.field}: ${failure.code}`).join();
    case "CONFLICT":
      return details?.reason === "slug_taken" ? "/slug: taken" : message;
    case "FORBIDDEN":
      return `needs ${details?.requiredPermission}`;
    default:
      return message;
  }
}

export const anyone = createClient<paths>({ baseUrl });

const given = new Set<string>();

/** The secret of a link to this page that was mailed to this address, which is given once. */
export async function mailed(page: string, email: string): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { data } = await (await fetch(`${baseUrl}/dev/mail`)).json();
    const mails: { to: string; text: string }[] = data;
    for (const { to, text } of mails) {
      const secret = to === email && text.match(new RegExp(`/${page}\\?token=(\\S+)`))?.[1];
      if (secret && !given.has(secret)) {
        given.add(secret);
        return secret;
      }
    }
    await setTimeout(100);
  }
  throw new Error(`no link to ${page} came for ${email}`);
}
