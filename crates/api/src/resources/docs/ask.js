// Calls of this page to the service.

/** Gives the `data` of the answer, or throws what the envelope says for people, with the `status` for programs. */
export async function ask(method, path, { body, token, keepalive = false } = {}) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", keepalive });
  } catch {
    throw new Error("The service cannot be reached.");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer.data;
  const wait = response.headers.get("Retry-After");
  const again = wait ? ` Try again in ${wait} s.` : "";
  const message = (answer?.error?.message ?? `The service answers ${response.status}.`) + again;
  throw Object.assign(new Error(message), { status: response.status });
}
