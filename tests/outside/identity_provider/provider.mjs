// The provider as a program: `node provider.mjs PORT FILE`. It serves at ports of its own, writes to FILE how a service finds it
// (`TENANTRY_IDENTITY_PROVIDERS`), and then listens on PORT of `localhost`, where tests tell it what to do, and where the page of
// the app is that people come back to. It ends with its standard input.
//
//     PUT  /misbehaviour  {"name": "expired"}, of those in misbehaviour.mjs, or {"name": null}
//     POST /keys          new ones
//     GET  /signed-in     the page
//
// What a service is told of it beside the file: `TENANTRY_REDIRECT_URIS` and `TENANTRY_CORS_ORIGINS`.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

import { Issuer } from "./issuer.mjs";
import { MISBEHAVIOURS } from "./misbehaviour.mjs";

/** How a service signs in at each issuer. The secrets hold what is encoded on its way (RFC 6749, section 2.3.1). */
const APPS = [
  [
    { key: "basic", id: "tenantry", method: "client_secret_basic", secret: "lantern/harbour:100% + more", alg: "RS256" },
    { key: "public", id: "tenantry-public", method: "none", alg: "RS256" },
  ],
  // It takes the secret in the body alone, and says so.
  [{ key: "post", id: "tenantry-post", method: "client_secret_post", secret: "kettle&bridge=1% + more", alg: "ES256" }],
];

const PAGE = '<!doctype html><html lang="en"><title>App</title><h1>App</h1></html>';

/** Starts the issuers. Gives them, and the file that tells of them. */
export async function start() {
  const issuers = APPS.map((apps) => new Issuer(apps));
  await Promise.all(issuers.map((issuer) => issuer.start()));
  const configured = issuers.flatMap(({ url }, index) => APPS[index].map((app) => ({ ...app, issuer: url })));
  const [usual] = configured;
  // One whose metadata is that of another issuer, and one that nobody has ever reached.
  configured.push({ ...usual, key: "mismatched", issuer: `${usual.issuer}/elsewhere` });
  configured.push({ ...usual, key: "away", issuer: "http://localhost:1" });
  return { issuers, file: configured.map(tableOf).join("\n") };
}

/** How TOML has it. Its basic strings are those of JSON. */
function tableOf({ key, id, secret, issuer }) {
  const fields = { name: `Company, ${key}`, issuer, client_id: id, ...(secret && { client_secret: secret }) };
  const lines = Object.entries(fields).map(([field, value]) => `${field} = ${JSON.stringify(value)}\n`);
  return `[${key}]\n${lines.join("")}`;
}

/** What the tests say. */
async function obey(issuers, request, response) {
  switch (`${request.method} ${new URL(request.url, "http://localhost").pathname}`) {
    case "PUT /misbehaviour": {
      const { name } = await json(request);
      const misbehaviour = name === null ? {} : MISBEHAVIOURS[name];
      if (!misbehaviour) return response.writeHead(404).end();
      for (const issuer of issuers) {
        issuer.misbehaviour = misbehaviour;
        if (misbehaviour.isStopped) await issuer.stop();
        else if (!issuer.isServing) await issuer.start();
      }
      return response.writeHead(204).end();
    }
    case "POST /keys":
      issuers.forEach((issuer) => issuer.changeKeys());
      return response.writeHead(204).end();
    case "GET /signed-in":
      return response.writeHead(200, { "Content-Type": "text/html" }).end(PAGE);
    default:
      return response.writeHead(404).end();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [port, path] = process.argv.slice(2);
  const { issuers, file } = await start();
  await writeFile(path, file);
  const control = createServer((request, response) => {
    obey(issuers, request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  control.listen(Number(port), "127.0.0.1");
  await once(control, "listening");
  console.log(`http://localhost:${control.address().port}`);
  process.stdin.resume().on("end", () => process.exit());
}
