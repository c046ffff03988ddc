import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import type { AlleracApi } from "@/api/allerac-api";
import { ApiProvider } from "@/api/context";
import { createMockApi } from "@/api/mock";
import type { Scenario } from "@/api/mock/scenario";
import { App } from "@/app";
import { ToastProvider } from "@/components/toasts";

/** The whole application over a mock box that answers at once. */
export function open(path: string, scenario: Partial<Scenario> = {}): AlleracApi {
  const api = createMockApi({ wordMilliseconds: 0, requestMilliseconds: 0, ...scenario });
  render(
    <ApiProvider value={api}>
      <QueryClientProvider
        client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}
      >
        <MemoryRouter initialEntries={[path]}>
          <ToastProvider>
            <App />
          </ToastProvider>
        </MemoryRouter>
      </QueryClientProvider>
    </ApiProvider>,
  );
  return api;
}
