// An OpenID provider that was not written here, certified as one, at a port of its own: it lets everybody in whom it knows
// without asking, changes its keys when it is told to, and misbehaves on request.

import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

import { findAccount, hinted } from "./accounts.mjs";
import { Keys, partsOf } from "./keys.mjs";
import { Storage } from "./storage.mjs";

// What it is written with, and early releases of Node.js 20 lack.
URL.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null);

const CLAIMS = { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] };
const PATHS = { authorization: "/auth", token: "/token", userinfo: "/me" };
const INTERACTION = "/interaction/";
const METADATA = "/.well-known/openid-configuration";

export class Issuer {
  /** What it does wrong, of `MISBEHAVIOURS`. */
  misbehaviour = {};

  #server = createServer((request, response) => this.#serve(request, response));
  #apps;
  #authMethods;
  #keys;
  #provider;

  /**
   * One whose apps show who they are in these ways; they are `{ key, id, secret, method, alg }`. One that has a `callbackUrl` in
   * place of a key is sent back to that alone, the others to a service at whatever port.
   */
  constructor(apps) {
    this.#apps = apps;
    this.#authMethods = [...new Set(apps.map((app) => app.method))];
  }

  get isServing() {
    return this.#server.listening;
  }

  /** Starts to serve; at the same place as before, where it was stopped. */
  async start() {
    this.#server.listen(this.url ? Number(new URL(this.url).port) : 0, "127.0.0.1");
    await once(this.#server, "listening");
    if (this.url) return;
    // By its name: for a browser, it is on another site than a service that is at the address.
    this.url = `http://localhost:${this.#server.address().port}`;
    this.changeKeys();
  }

  /** Stops to serve, and leaves who is being served alone. */
  async stop() {
    if (!this.isServing) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  /** Signs with new keys from now on, and shows no old ones. */
  changeKeys() {
    this.#keys = new Keys();
    this.#provider = this.#make();
  }

  #make() {
    const provider = new Provider(this.url, {
      adapter: Storage,
      claims: CLAIMS,
      clients: this.#apps.map((app) => ({
        client_id: app.id,
        ...(app.secret && { client_secret: app.secret }),
        token_endpoint_auth_method: app.method,
        id_token_signed_response_alg: app.alg,
        // Of a native app, the port is free (RFC 8252, section 7.3).
        application_type: app.callbackUrl ? "web" : "native",
        redirect_uris: [app.callbackUrl ?? `http://127.0.0.1/api/v1/auth/oidc/${app.key}/callback`],
      })),
      clientAuthMethods: this.#authMethods,
      cookies: { keys: ["tenantry outside"] },
      features: { devInteractions: { enabled: false } },
      findAccount,
      interactions: { url: (_context, { uid }) => `${INTERACTION}${uid}` },
      jwks: this.#keys.jwks(),
      loadExistingGrant: agreed,
      pkce: { required: () => true },
      routes: PATHS,
      ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    });
    provider.on("server_error", (_context, error) => console.error(error));
    provider.use((context, next) => this.#answer(context, next));
    return provider;
  }

  async #serve(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.url);
    // It forgets who was signed in: every sign-in is one of whom it hints at.
    const cookies = (request.headers.cookie ?? "").split("; ");
    request.headers.cookie = cookies.filter((pair) => !pair.startsWith("_session")).join("; ");
    try {
      if (pathname.startsWith(INTERACTION)) return await this.#signIn(request, response);
      if (pathname === PATHS.token && this.misbehaviour.isSilent) return undefined;
      if (pathname === `/elsewhere${METADATA}`) {
        // Of another issuer than its place says.
        response.setHeader("Content-Type", "application/json");
        return response.end(await (await fetch(`${this.url}${METADATA}`)).text());
      }
      if (pathname === PATHS.authorization) {
        this.misbehaviour.asked?.(searchParams);
        request.url = `${pathname}?${searchParams}`;
      }
      return await this.#provider.callback()(request, response);
    } catch (error) {
      console.error(error);
      response.statusCode = 500;
      return response.end();
    }
  }

  /** Signs somebody in, and has them agree: nobody is asked. */
  async #signIn(request, response) {
    const { params } = await this.#provider.interactionDetails(request, response);
    const { refuses } = this.misbehaviour;
    const result = refuses ? { error: refuses } : { login: { accountId: hinted(params.login_hint) }, consent: {} };
    await this.#provider.interactionFinished(request, response, result);
  }

  /** Answers as the provider does, but for what it is to do wrong. */
  async #answer(context, next) {
    await next();
    const { answers, sent, signs, told } = this.misbehaviour;
    const back = context.response.get("Location");
    if (sent && /^http:\/\/127\.0\.0\.1:.*\/callback\?/.test(back)) {
      const url = new URL(back);
      sent(url);
      context.set("Location", url.href);
    }
    if (context.path === PATHS.token && context.status === 200) {
      const app = this.#apps.find(({ id }) => id === context.oidc.client.clientId);
      if (signs) context.body.id_token = signs(partsOf(context.body.id_token), this.#keys, app.secret);
      if (answers) [context.status, context.body] = answers(context.body);
    }
    if (context.path === PATHS.userinfo && told) context.body = told(context.body);
  }
}

/** Everybody agrees to whatever an app asks for. */
async function agreed({ oidc }) {
  const { provider, client, session, params } = oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  await grant.save();
  return grant;
}
