import { clsx } from "clsx";
import type { ButtonHTMLAttributes } from "react";

type Kind = "primary" | "plain" | "quiet" | "danger";

const LOOK: Record<Kind, string> = {
  primary: "bg-accent text-on-accent hover:brightness-105",
  plain: "border border-edge bg-surface text-ink hover:bg-tint",
  quiet: "text-soft hover:bg-tint hover:text-ink",
  danger: "border border-trouble text-trouble hover:bg-trouble-tint",
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: Kind;
  busy?: boolean;
}

export function Button({ kind = "plain", busy = false, className, children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || busy}
      aria-busy={busy}
      className={clsx(
        "inline-flex min-h-11 items-center justify-center gap-2 rounded-control px-4 py-2 font-medium transition disabled:opacity-55",
        LOOK[kind],
        className,
      )}
    >
      {children}
    </button>
  );
}

/** A button that shows only a picture; `label` is its name and its tooltip. */
export function IconButton({
  label,
  className,
  children,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={clsx(
        "inline-flex size-9 items-center justify-center rounded-control text-soft transition hover:bg-tint hover:text-ink disabled:opacity-45 aria-pressed:text-accent",
        className,
      )}
    >
      {children}
    </button>
  );
}
