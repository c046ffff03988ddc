import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import type { AlleracApi } from "@/api/allerac-api";
import { ApiProvider } from "@/api/context";
import { createMockApi } from "@/api/mock";
import { watching } from "@/api/mock/updates";
import type { Scenario } from "@/api/mock/scenario";
import { ApiError } from "@/api/problem";
import type { Problem } from "@/api/types";
import { App } from "@/app";
import { ToastProvider } from "@/components/toasts";

interface Opened {
  api: AlleracApi;
  /** Where the page is now, and the way back that a phone has. */
  router: ReturnType<typeof createMemoryRouter>;
}

type Replies = (api: AlleracApi) => Partial<AlleracApi>;

/** The whole application over a mock box that answers at once; `replies` take the place of its own. */
export function open(path: string, scenario?: Partial<Scenario>, replies?: Replies): AlleracApi {
  return visit(path, scenario, replies).api;
}

/** As `open`, for tests that go back and forth. */
export function visit(
  path: string,
  scenario: Partial<Scenario> = {},
  replies: Replies = () => ({}),
): Opened {
  const mock = createMockApi({ wordMilliseconds: 0, requestMilliseconds: 0, ...scenario });
  const api: AlleracApi = {
    ...mock,
    streamUpdates: watching(() => api.getUpdates(), 20),
    ...replies(mock),
  };
  const application = (
    <ToastProvider>
      <App />
    </ToastProvider>
  );
  const router = createMemoryRouter([{ path: "*", element: application }], {
    initialEntries: [path],
  });
  render(
    <ApiProvider value={api}>
      <QueryClientProvider
        client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}
      >
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ApiProvider>,
  );
  return { api, router };
}

/** A reply that refuses, as the box does. */
export function refusal(status: number, problem: Partial<Problem>): () => Promise<never> {
  return () => Promise.reject(new ApiError(status, problem));
}

/** Refuses once, then lets the real reply through. */
export function refusedOnce<Given extends unknown[], Result>(
  reply: (...given: Given) => Promise<Result>,
  error: ApiError,
): (...given: Given) => Promise<Result> {
  let isFirst = true;
  return (...given) => {
    if (!isFirst) return reply(...given);
    isFirst = false;
    return Promise.reject(error);
  };
}
