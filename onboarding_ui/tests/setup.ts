import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
import { startTranslations } from "@/i18n";

startTranslations();
// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 10_000 });
afterEach(cleanup);

// jsdom draws nothing, so nothing changes its size, and nothing is scrolled to.
Element.prototype.scrollIntoView = () => undefined;
let blobs = 0;
URL.createObjectURL = () => `blob:${(blobs += 1)}`;
URL.revokeObjectURL = () => undefined;
globalThis.ResizeObserver = class {
  observe(): void {
    return;
  }
  unobserve(): void {
    return;
  }
  disconnect(): void {
    return;
  }
};
