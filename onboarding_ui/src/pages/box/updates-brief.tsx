import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { buttonLook } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { headlineOf, useUpdates } from "@/layout/updates-state";

/** In one line where the update is, and the way to all about it. */
export function UpdatesBrief() {
  const { t } = useTranslation();
  const { data: updates } = useUpdates();
  if (!updates?.supported) return null;
  const version = updates.available?.version ?? updates.installed;
  return (
    <Card title={t("updates.title")}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="font-medium">{t(`updates.state.${headlineOf(updates)}`, { version })}</p>
        <Link to="/box/updates" className={buttonLook("plain")}>
          {t("updates.see")}
        </Link>
      </div>
    </Card>
  );
}
