import { useTranslation } from "react-i18next";
import type { ChangeAlerts } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { LanguageSelect } from "./alert-fields";

type Recipient = NonNullable<ChangeAlerts["mail"]>["recipients"][number];

const MOST = 10;

interface Props {
  recipients: Recipient[];
  change: (recipients: Recipient[]) => void;
}

/** Who gets mail, and in which language each of them reads it. */
export function RecipientFields({ recipients, change }: Props) {
  const { t } = useTranslation();
  const put = (index: number, part: Partial<Recipient>) =>
    change(recipients.map((one, at) => (at === index ? { ...one, ...part } : one)));
  return (
    <div className="grid gap-4">
      {recipients.map((recipient, index) => (
        <div key={index} className="grid gap-3 sm:grid-cols-2">
          <Field
            label={t("alerts.recipient")}
            type="email"
            required
            value={recipient.address}
            onChange={({ target }) => put(index, { address: target.value.trim() })}
          />
          <LanguageSelect
            value={recipient.language}
            onChange={(language) => put(index, { language })}
          />
          {recipients.length > 1 ? (
            <Button
              className="justify-self-start"
              aria-label={`${t("alerts.removeRecipient")} ${recipient.address}`.trim()}
              onClick={() => change(recipients.filter((_, at) => at !== index))}
            >
              {t("alerts.removeRecipient")}
            </Button>
          ) : null}
        </div>
      ))}
      {recipients.length < MOST ? (
        <Button
          className="justify-self-start"
          onClick={() => change([...recipients, { address: "", language: null }])}
        >
          {t("alerts.addRecipient")}
        </Button>
      ) : null}
    </div>
  );
}
