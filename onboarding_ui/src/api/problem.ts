import type { Problem } from "./types";

/** A refusal of the box, or `offline` when it could not be reached at all. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, problem: Partial<Problem>, retryAfterSeconds: number | null = null) {
    super(problem.message ?? "The box answered with an error.");
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? "internal_error";
    this.hint = problem.hint ?? "";
    this.fields = problem.fields ?? {};
    this.retryAfterSeconds = retryAfterSeconds;
  }

  static offline(): ApiError {
    return new ApiError(0, { code: "offline", message: "The box cannot be reached." });
  }
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof ApiError && codes.includes(error.code);
}
