import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";

interface Placed {
  first_page: number | null;
  last_page: number | null;
}

/** On which page a passage stands, in words; "" where there are no pages. */
export function placeOf(t: TFunction, { first_page: first, last_page: last }: Placed): string {
  if (first === null) return "";
  return last === null || last === first
    ? t("library.page", { page: first })
    : t("library.pages", { first, last });
}

/** A page of a PDF as it looks. */
export function PagePicture(props: { fileId: string; name: string; page: number }) {
  const api = useApi();
  const { t } = useTranslation();
  const { fileId, name, page } = props;
  return (
    <img
      src={api.pageAddress(fileId, page)}
      alt={t("library.picture", { page, name })}
      width={1000}
      height={1414}
      className="h-auto w-full rounded-control border border-line bg-white"
    />
  );
}
