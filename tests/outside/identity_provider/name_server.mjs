// A DNS server (RFC 1035) that knows the text records that it is given, and no other name: where domains are proven.

import { createSocket } from "node:dgram";
import { once } from "node:events";

const HEADER_BYTES = 12;
const TXT = 16;
const IN = 1;

/** An answer of the authority, and what else it says: that there is no such name, and that recursion was asked for. */
const ANSWERED = 0x8400;
const NO_SUCH_NAME = 3;
const RECURSION_DESIRED = 0x0100;

/** Where the name of the question is, in a message that begins with a header. */
const NAME_OF_QUESTION = 0xc000 | HEADER_BYTES;

export class NameServer {
  /** What there is to read, of 255 bytes at most, by the name in lower case. */
  texts = new Map();

  #socket = createSocket("udp4", (message, { port, address }) => this.#socket.send(this.#answer(message), port, address));

  /**
   * Answers at this port of this machine from now on.
   * @param {number} port
   */
  async start(port) {
    this.#socket.bind(port, "127.0.0.1");
    await once(this.#socket, "listening");
  }

  stop() {
    this.#socket.close();
  }

  /** To the one question that there is in a message; what stands behind it says how it may be answered, and changes nothing. */
  #answer(message) {
    const labels = [];
    let end = HEADER_BYTES;
    for (let length = message[end]; length > 0; length = message[end]) {
      labels.push(message.toString("latin1", end + 1, end + 1 + length));
      end += 1 + length;
    }
    const text = message.readUInt16BE(end + 1) === TXT ? this.texts.get(labels.join(".").toLowerCase()) : undefined;
    const asked = message.readUInt16BE(2) & RECURSION_DESIRED;
    const flags = ANSWERED | asked | (text === undefined ? NO_SUCH_NAME : 0);
    const head = sixteens(message.readUInt16BE(0), flags, 1, text === undefined ? 0 : 1, 0, 0);
    const question = message.subarray(HEADER_BYTES, end + 5);
    return Buffer.concat([head, question, text === undefined ? Buffer.alloc(0) : record(Buffer.from(text))]);
  }
}

/** A record of the name that was asked for, which nobody may keep. */
function record(text) {
  const timeToLive = [0, 0];
  return Buffer.concat([
    sixteens(NAME_OF_QUESTION, TXT, IN, ...timeToLive, 1 + text.length),
    Buffer.from([text.length]),
    text,
  ]);
}

/** Numbers of 16 bits each, in the order of the network. */
function sixteens(...numbers) {
  return Buffer.from(numbers.flatMap((number) => [number >> 8, number & 0xff]));
}
