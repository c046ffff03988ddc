import { ImagePlus, X } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/button";

export const MAX_PICTURES = 8;
/** An iPhone hands its own format over as JPEG where only these are asked for. */
const KINDS = "image/jpeg,image/png,image/webp,image/gif";

interface PickerProps {
  chosen: File[];
  onChange: (pictures: File[]) => void;
}

/** Opens the camera roll of a phone, or the files of a computer. */
export function PicturePicker({ chosen, onChange }: PickerProps) {
  const { t } = useTranslation();
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton
        label={t("chat.pictures.add")}
        disabled={chosen.length >= MAX_PICTURES}
        onClick={() => picker.current?.click()}
      >
        <ImagePlus size={20} strokeWidth={1.75} />
      </IconButton>
      <input
        ref={picker}
        type="file"
        multiple
        accept={KINDS}
        className="sr-only"
        tabIndex={-1}
        aria-label={t("chat.pictures.add")}
        onChange={(event) => {
          const added = [...(event.target.files ?? [])];
          onChange([...chosen, ...added].slice(0, MAX_PICTURES));
          event.target.value = "";
        }}
      />
    </>
  );
}

interface ChosenProps extends PickerProps {
  /** Where nothing is written, so that there is nothing to answer: the id of what says so. */
  missingWords: string | null;
}

/** What goes with the message, and that the model does not see it. */
export function ChosenPictures({ chosen, onChange, missingWords }: ChosenProps) {
  const { t } = useTranslation();
  const addresses = useMemo(() => chosen.map((file) => URL.createObjectURL(file)), [chosen]);
  useEffect(() => () => addresses.forEach((address) => URL.revokeObjectURL(address)), [addresses]);
  if (chosen.length === 0) return null;
  return (
    <div className="grid gap-2 p-2">
      <ul aria-label={t("chat.pictures.chosen")} className="flex flex-wrap gap-2">
        {addresses.map((address, index) => (
          <li key={address} className="relative">
            <img
              src={address}
              alt={t("chat.pictures.alt", { number: index + 1 })}
              className="size-20 rounded-control border border-line object-cover"
            />
            <IconButton
              label={t("chat.pictures.remove", { number: index + 1 })}
              kind="tint"
              className="absolute -end-2 -top-2 size-11"
              onClick={() => onChange(chosen.filter((_, place) => place !== index))}
            >
              <X size={16} />
            </IconButton>
          </li>
        ))}
      </ul>
      {missingWords === null ? null : (
        <p id={missingWords} className="text-sm font-medium">
          {t("chat.pictures.wordless")}
        </p>
      )}
      <p className="text-sm text-soft">{t("chat.pictures.unseen")}</p>
    </div>
  );
}
