import { ApiError } from "./problem";
import type { Problem } from "./types";

export const PREFIX = "/api/v1";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}

async function problemOf(response: Response): Promise<Partial<Problem>> {
  try {
    const body = (await response.json()) as { error?: Partial<Problem> };
    return body.error ?? {};
  } catch {
    return response.status === 413 ? { code: "payload_too_large" } : {};
  }
}

/** Throws the ApiError that a response stands for; returns it when it is a success. */
export async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new ApiError(response.status, await problemOf(response), retryAfter(response));
}

export async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(PREFIX + path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw ApiError.offline();
  }
}

async function send(method: Method, path: string, body?: unknown): Promise<Response> {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  return accepted(
    await reach(path, {
      method,
      headers: { Accept: "application/json", ...json },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}

// The shape is the OpenAPI document's promise; the interface names it for each route.

export async function call<Result>(method: Method, path: string, body?: unknown): Promise<Result> {
  const response = await send(method, path, body);
  return (await response.json()) as Result;
}

export async function command(method: Method, path: string, body?: unknown): Promise<void> {
  await send(method, path, body);
}

export function query(parameters: Record<string, string | undefined>): string {
  const present = Object.entries(parameters).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [[key, value] as [string, string]],
  );
  return present.length > 0 ? `?${new URLSearchParams(present).toString()}` : "";
}
