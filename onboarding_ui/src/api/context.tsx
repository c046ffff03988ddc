import { createContext, use } from "react";
import type { AlleracApi } from "./allerac-api";

const ApiContext = createContext<AlleracApi | null>(null);

export const ApiProvider = ApiContext.Provider;

export function useApi(): AlleracApi {
  const api = use(ApiContext);
  if (!api) throw new Error("useApi needs an ApiProvider above it");
  return api;
}
