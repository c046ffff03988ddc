import { useTranslation } from "react-i18next";

export type LampState = "well" | "working" | "notice" | "trouble";

/** The product's signature: a small light that says how the box is, also in words. */
export function Lamp({ state, size = 14 }: { state: LampState; size?: number }) {
  const { t } = useTranslation();
  return (
    <span
      className="lamp"
      role="img"
      aria-label={t(`lamp.${state}`)}
      data-state={state}
      style={{ fontSize: size }}
    />
  );
}
