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

/** How a button looks, for links that act like one. */
export function buttonLook(kind: Kind = "plain", className?: string): string {
  return clsx(
    "inline-flex min-h-11 items-center justify-center gap-2 rounded-control px-4 py-2 font-medium transition disabled:opacity-55",
    LOOK[kind],
    className,
  );
}

export function Button({ kind = "plain", busy = false, className, children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || busy}
      aria-busy={busy}
      className={buttonLook(kind, className)}
    >
      {children}
    </button>
  );
}

const ICON_LOOK = {
  quiet: "text-soft hover:bg-tint hover:text-ink aria-pressed:text-accent",
  tint: "bg-tint text-ink",
  primary: "bg-accent text-on-accent hover:brightness-105",
};

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  kind?: keyof typeof ICON_LOOK;
}

/** A button that shows only a picture; `label` is its name and its tooltip. */
export function IconButton({ label, kind = "quiet", className, children, ...rest }: IconProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={clsx(
        "inline-flex size-9 shrink-0 items-center justify-center rounded-control transition disabled:opacity-45 pointer-coarse:size-11",
        ICON_LOOK[kind],
        className,
      )}
    >
      {children}
    </button>
  );
}
