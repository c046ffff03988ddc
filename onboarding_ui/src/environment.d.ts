interface ImportMetaEnv {
  /** Which box the pages talk to; known when building, so that the other one is left out. */
  readonly VITE_API: "live" | "mock";
}
