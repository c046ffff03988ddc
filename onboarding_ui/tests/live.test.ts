import { readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { liveApi } from "@/api/live";

interface Operation {
  operationId: string;
  responses: Record<string, unknown>;
}
type Asked = Record<string, (...given: string[]) => Promise<void>>;
type Paths = Record<string, Record<string, Operation>>;

const DOCUMENT = join(import.meta.dirname, "../../docs/openapi.json");
const { paths } = JSON.parse(readFileSync(DOCUMENT, "utf8")) as { paths: Paths };

/** The box's answers without a body. */
const EMPTY = Object.values(paths)
  .flatMap((methods) => Object.values(methods))
  .filter(({ responses }) => "204" in responses)
  .map(({ operationId }) => operationId)
  .filter((name) => name in liveApi);

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each(EMPTY)("%s takes an answer without a body for what it is", async (name) => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 204 })));
  const box = liveApi as unknown as Asked;
  await expect(box[name]?.("one", "other")).resolves.toBeUndefined();
});

test("the document has such answers", () => {
  expect(EMPTY).toContain("testAlert");
  expect(EMPTY.length).toBeGreaterThan(10);
});
