// Providers that misbehave, or are away: nobody is signed in, nobody gets an account, and the app is told what kind of failure it
// was.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

import { Browser } from "./browser.mjs";
import { answerOf } from "./sign_in.mjs";

/** What an app is told, by what the provider does. */
const TOLD = {
  wrong_nonce: "server_error",
  no_nonce: "server_error",
  wrong_issuer_parameter: "server_error",
  no_issuer_parameter: "server_error",
  wrong_issuer: "server_error",
  wrong_audience: "server_error",
  expired: "server_error",
  of_the_future: "server_error",
  wrong_signature: "server_error",
  unsigned: "server_error",
  signed_by_secret: "server_error",
  somebody_else: "server_error",
  refused_code: "server_error",
  broken: "temporarily_unavailable",
  huge: "temporarily_unavailable",
  silent: "temporarily_unavailable",
  access_denied: "access_denied",
  overloaded: "temporarily_unavailable",
};

const STATE = "what the app / knows?";

/** How often a sign-in is tried, and with what pause: an unknown key is looked up once in ten seconds. */
const TRIES = 20;
const PAUSE_MS = 1000;

/**
 * Proves it of the service and the provider of these sign-ins, which ask for this address; nobody has it in the end.
 * @param {import("./sign_in.mjs").SignIns} signIns
 * @param {string} loginHint
 */
export async function proveMisbehaviours(signIns, loginHint) {
  const query = { loginHint, state: STATE };
  const fails = ({ address, code, error, state }, expected, what) => {
    assert.ok(address.startsWith(`${signIns.app}?`), `${what}: ${address}`);
    assert.deepEqual([error, code, state], [expected, null, STATE], what);
  };
  const works = ({ code, error, state }, what) => {
    assert.match(code ?? "", /^tno_/, `${what}: ${error}`);
    assert.equal(state, STATE);
  };

  works(await signIns.comeBack("basic", query), "before");
  for (const [name, expected] of Object.entries(TOLD)) {
    const key = name === "unsigned" ? "public" : "basic";
    await signIns.misbehave(name);
    try {
      fails(await signIns.comeBack(key, query), expected, name);
    } finally {
      await signIns.misbehave(null);
    }
  }
  for (const key of ["basic", "public"]) works(await signIns.comeBack(key, query), `after all of it, ${key}`);

  // One that goes while somebody signs in there is away for as long as it is, and the browser that waited may go on.
  const browser = new Browser();
  const callback = await signIns.callback("basic", query, browser);
  await signIns.misbehave("stopped");
  try {
    fails(answerOf(await browser.follow(callback, signIns.app)), "temporarily_unavailable", "stopped");
  } finally {
    await signIns.misbehave(null);
  }
  works(answerOf(await browser.follow(callback, signIns.app)), "started again");

  // What the provider gave once it does not take again, neither for the same sign-in nor for another one.
  fails(answerOf(await browser.follow(callback, signIns.app)), "server_error", "the same callback");
  const another = new URL(await signIns.callback("basic", query, browser));
  another.searchParams.set("code", new URL(callback).searchParams.get("code") ?? "");
  fails(answerOf(await browser.follow(another.href, signIns.app)), "server_error", "a code of another sign-in");

  // One that was never there, and one whose metadata are another's, are not even gone to.
  for (const key of ["away", "mismatched"]) {
    const answer = await new Browser().ask(signIns.begin(key, query));
    assert.equal(answer.status, 302);
    fails(answerOf(answer.headers.get("Location") ?? ""), "temporarily_unavailable", key);
  }

  // New keys are found, also by who was on the way when they came.
  const underway = await signIns.callback("post", query, browser);
  await signIns.changeKeys();
  let found = answerOf(await browser.follow(underway, signIns.app));
  for (let tries = 1; found.error && tries < TRIES; tries += 1) {
    fails(found, "server_error", "unknown keys");
    await setTimeout(PAUSE_MS);
    found = await signIns.comeBack("post", query);
  }
  works(found, "new keys");
}
