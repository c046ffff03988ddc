// First-load JavaScript: everything the first paint of any page waits for, after gzip.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 250;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const firstLoad = ["index.html", "src/api/live.ts"];

function files(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the manifest`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const imported of chunk.imports ?? []) files(imported, seen);
  return seen;
}

const needed = new Set(firstLoad.flatMap((key) => [...files(key)]));
const bytes = [...needed]
  .filter((file) => file.endsWith(".js"))
  .reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length, 0);
const kilobytes = bytes / 1000;
console.log(`first-load JavaScript: ${kilobytes.toFixed(1)} kB gzip (limit ${LIMIT_KB} kB)`);
if (kilobytes > LIMIT_KB) process.exit(1);
