import { useTranslation } from "react-i18next";
import { Avatar, avatarName, AVATARS } from "./avatar";

interface Props {
  chosen: string;
  onChoose: (name: string) => void;
}

/** The faces that an assistant may have. */
export function AvatarChoice({ chosen, onChoose }: Props) {
  const { t } = useTranslation();
  const current = avatarName(chosen);
  return (
    <fieldset className="grid gap-1.5">
      <legend className="text-sm font-medium">{t("library.assistant.avatar")}</legend>
      <div className="flex flex-wrap gap-2">
        {AVATARS.map((name) => (
          <label
            key={name}
            className={`cursor-pointer rounded-full border-2 p-0.5 focus-within:outline-2 focus-within:outline-accent ${name === current ? "border-accent" : "border-transparent"}`}
          >
            <input
              type="radio"
              name="avatar"
              className="sr-only"
              aria-label={t(`library.assistant.avatars.${name}`)}
              checked={name === current}
              onChange={() => onChoose(name)}
            />
            <Avatar name={name} />
          </label>
        ))}
      </div>
    </fieldset>
  );
}
