// What the provider remembers, until it ends: as `oidc-provider` keeps it by itself, but beyond a change of its keys.

const entries = new Map();

export class Storage {
  #kind;

  constructor(kind) {
    this.#kind = kind;
  }

  async upsert(id, payload, seconds) {
    entries.set(this.#key(id), { payload, until: Date.now() + seconds * 1000 });
  }

  async find(id) {
    const entry = entries.get(this.#key(id));
    return entry && entry.until > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid) {
    return this.#all().find(({ payload }) => payload.uid === uid)?.payload;
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const { key } of this.#all().filter(({ payload }) => payload.grantId === grantId)) entries.delete(key);
  }

  #key(id) {
    return `${this.#kind}:${id}`;
  }

  #all() {
    const own = [...entries].filter(([key, { until }]) => key.startsWith(`${this.#kind}:`) && until > Date.now());
    return own.map(([key, { payload }]) => ({ key, payload }));
  }
}
