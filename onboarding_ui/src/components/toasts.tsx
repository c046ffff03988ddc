import { createContext, type ReactNode, use, useCallback, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./ui/button";

interface Toast {
  id: number;
  text: string;
  undo?: (() => void) | undefined;
}

type Show = (text: string, undo?: () => void) => void;

const ToastContext = createContext<Show>(() => undefined);
const SHOWN_MS = 8_000;

export function useToast(): Show {
  return use(ToastContext);
}

/** The one place for short news, with undo. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(0);
  const drop = useCallback((id: number) => {
    setToasts((all) => all.filter((toast) => toast.id !== id));
  }, []);
  const show = useCallback<Show>(
    (text, undo) => {
      next.current += 1;
      const id = next.current;
      setToasts((all) => [...all.slice(-2), { id, text, undo }]);
      setTimeout(() => drop(id), SHOWN_MS);
    },
    [drop],
  );
  const region = useMemo(
    () => (
      <div
        role="status"
        aria-live="polite"
        className="pointer-events-none fixed inset-x-0 bottom-[calc(5rem+env(safe-area-inset-bottom))] z-50 grid justify-items-center gap-2 px-4 md:bottom-6"
      >
        {toasts.map((toast) => (
          <div
            key={toast.id}
            className="pointer-events-auto flex items-center gap-3 rounded-card border border-line bg-surface px-4 py-2"
          >
            <span>{toast.text}</span>
            {toast.undo === undefined ? null : (
              <Button
                kind="quiet"
                className="text-accent"
                onClick={() => {
                  toast.undo?.();
                  drop(toast.id);
                }}
              >
                {t("undo")}
              </Button>
            )}
          </div>
        ))}
      </div>
    ),
    [toasts, drop, t],
  );
  return (
    <ToastContext value={show}>
      {children}
      {region}
    </ToastContext>
  );
}
