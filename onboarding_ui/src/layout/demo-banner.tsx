import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";

/** Says plainly that the model is only a demonstration, and offers the machine's real one. */
export function DemoBanner() {
  const { t } = useTranslation();
  const api = useApi();
  const models = useQuery({ queryKey: ["models"], queryFn: () => api.listModels() });
  const { data } = models;
  if (data?.demo !== true) return null;
  const recommended = data.items.find(({ id }) => id === data.recommended_model_id);
  return (
    <p
      role="status"
      data-print="hidden"
      className="border-b border-line bg-notice-tint px-4 py-2 text-center text-sm"
    >
      {t("demo.text")}{" "}
      <Link to="/box/models" className="font-medium text-accent underline underline-offset-2">
        {recommended ? t("demo.get", { model: recommended.title }) : t("demo.choose")}
      </Link>
    </p>
  );
}
