import { type InputHTMLAttributes, type ReactNode, useId } from "react";

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

export const inputLook =
  "w-full min-h-11 rounded-control border border-edge bg-surface px-3 py-2 text-ink placeholder:text-soft aria-invalid:border-trouble";

export function Field({ label, hint, error, ...rest }: Props) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className="grid gap-1.5 text-start">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error !== undefined}
        aria-describedby={error !== undefined || hint !== undefined ? note : undefined}
        {...rest}
        className={inputLook}
      />
      {error !== undefined ? (
        <p id={note} role="alert" className="text-sm text-trouble">
          {error}
        </p>
      ) : hint !== undefined ? (
        <div id={note} className="text-sm text-soft">
          {hint}
        </div>
      ) : null}
    </div>
  );
}
