import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import type { AlleracApi } from "./api/allerac-api";
import { ApiProvider } from "./api/context";
import { ApiError } from "./api/problem";
import { App } from "./app";
import { ToastProvider } from "./components/toasts";
import { preferred, startTranslations } from "./i18n";
import "./styles/index.css";

async function chooseApi(): Promise<AlleracApi> {
  if (import.meta.env.VITE_API === "mock") {
    const { createMockApi, scenarioOf } = await import("./api/mock");
    return createMockApi({ language: preferred(), ...scenarioOf(location.search) });
  }
  return (await import("./api/live")).liveApi;
}

function isWorthRetrying(failures: number, error: Error): boolean {
  return error instanceof ApiError && error.status === 0 && failures < 2;
}

async function start(): Promise<void> {
  startTranslations();
  const api = await chooseApi();
  const queries = new QueryClient({
    defaultOptions: { queries: { retry: isWorthRetrying, staleTime: 2_000 } },
  });
  const root = document.getElementById("root");
  if (!root) throw new Error("the page has no root");
  createRoot(root).render(
    <StrictMode>
      <ApiProvider value={api}>
        <QueryClientProvider client={queries}>
          <BrowserRouter>
            <ToastProvider>
              <App />
            </ToastProvider>
          </BrowserRouter>
        </QueryClientProvider>
      </ApiProvider>
    </StrictMode>,
  );
}

void start();
