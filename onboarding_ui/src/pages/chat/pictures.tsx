import { Dialog } from "radix-ui";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Picture } from "@/api/types";
import { buttonLook } from "@/components/ui/button";

/** The pictures of a message, each small until it is opened. */
export default function Pictures({ pictures }: { pictures: Picture[] }) {
  const api = useApi();
  const { t } = useTranslation();
  const [opened, setOpened] = useState<number | null>(null);
  const shown = opened === null ? undefined : pictures[opened];
  const name = (index: number): string => t("chat.pictures.alt", { number: index + 1 });
  return (
    <>
      <ul aria-label={t("chat.pictures.sent")} className="flex flex-wrap justify-end gap-2">
        {pictures.map(({ id, width, height }, index) => (
          <li key={id}>
            <button
              type="button"
              aria-label={t("chat.pictures.open", { number: index + 1 })}
              onClick={() => setOpened(index)}
              className="block overflow-hidden rounded-card border border-line"
            >
              <img
                src={api.pictureAddress(id)}
                alt={name(index)}
                width={width}
                height={height}
                loading="lazy"
                decoding="async"
                className="size-32 bg-tint object-cover"
              />
            </button>
          </li>
        ))}
      </ul>
      {/* A modal dialog would inject a style element, which the content security policy refuses. */}
      <Dialog.Root modal={false} open={shown !== undefined} onOpenChange={() => setOpened(null)}>
        <Dialog.Portal>
          <Dialog.Content
            aria-describedby={undefined}
            className="fixed inset-0 z-50 grid grid-rows-[auto_minmax(0,1fr)] gap-3 bg-paper p-4"
          >
            <div className="flex items-center justify-between gap-4">
              <Dialog.Title className="font-semibold">{name(opened ?? 0)}</Dialog.Title>
              <Dialog.Close className={buttonLook("quiet")}>{t("library.close")}</Dialog.Close>
            </div>
            {shown ? (
              <img
                src={api.pictureAddress(shown.id)}
                alt={name(opened ?? 0)}
                className="size-full object-contain"
              />
            ) : null}
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
    </>
  );
}
