// The operations of the page, one panel each.

/** What the document calls an operation, with its path and method. */
export function operationsOf(description) {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  );
}

export class Panels {
  #page;
  #operations;

  constructor(page, operations) {
    this.#page = page;
    this.#operations = new Map(operations.map((operation) => [operation.operationId, operation]));
  }

  /** The block of an operation, opened, with its button to execute it. */
  async open(id) {
    const block = this.#page.locator(`.opblock[id$="-${id}"]`);
    if ((await block.locator("button.execute").count()) === 0) {
      await block.locator(".opblock-summary-control").click();
      await block.locator("button.execute").waitFor();
    }
    return block;
  }

  async close(id) {
    const block = await this.open(id);
    await block.locator(".opblock-summary-control").click();
    await block.locator("button.execute").waitFor({ state: "detached" });
  }

  /** What the panel of an operation says of it: its description, and the statuses that it may be answered with. */
  async read(id) {
    const block = await this.open(id);
    return block.evaluate((panel) => {
      const statuses = panel.querySelectorAll(".responses-table:not(.live-responses-table) tbody .response-col_status");
      return {
        description: panel.querySelector(".opblock-description").innerText,
        statuses: Array.from(statuses, (status) => status.innerText),
      };
    });
  }

  /**
   * Executes an operation with what its panel proposes, but for these parameters and this body. Gives what the page shows
   * of the answer: its status, and its body where that is JSON.
   */
  async execute(id, { parameters = {}, body } = {}) {
    const block = await this.open(id);
    for (const [name, value] of Object.entries(parameters)) {
      await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
    }
    if (body) await block.locator(".body-param__text").fill(JSON.stringify(body));
    // What an earlier call was answered with must not be taken for the answer to this one.
    const clear = block.locator("button.btn-clear");
    if (await clear.isVisible()) await clear.click();
    const answered = this.#page.waitForResponse((response) => this.#isOf(id, response.request()));
    await block.locator("button.execute").click();
    const response = await answered;
    const shown = block.locator(".live-responses-table tbody .response-col_status");
    await shown.filter({ hasText: new RegExp(`^\\s*${response.status()}`) }).waitFor();
    const isJson = response.headers()["content-type"] === "application/json";
    if (isJson) await block.locator(".live-responses-table .highlight-code code").first().waitFor();
    const { status, text } = await block.locator(".live-responses-table").evaluate((table) => ({
      status: table.querySelector("tbody .response-col_status").innerText,
      text: table.querySelector(".highlight-code code")?.innerText,
    }));
    return {
      block,
      status: response.status(),
      isDocumented: !status.includes("Undocumented"),
      body: isJson ? JSON.parse(text) : null,
      request: response.request(),
    };
  }

  #isOf(id, request) {
    const { path, method } = this.#operations.get(id);
    const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    return request.method() === method && pattern.test(new URL(request.url()).pathname);
  }
}
