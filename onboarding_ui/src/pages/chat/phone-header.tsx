import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, Menu, SquarePen } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";
import { useApi } from "@/api/context";
import { IconButton } from "@/components/ui/button";
import { BoxLamp } from "@/layout/box-state";

const LIST = "/chat/list";

/** Above a conversation on a phone: back to the list, what this is, and a new one. */
export function PhoneHeader({ conversationId }: { conversationId: string | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const location = useLocation();
  const isFirstPage = location.key === "default";
  const back = (): void => {
    if (isFirstPage) void navigate(LIST, { replace: true });
    else void navigate(-1);
  };
  return (
    <header
      data-print="hidden"
      className="flex items-center gap-2 border-b border-line p-1 md:hidden"
    >
      {conversationId === undefined ? (
        <>
          <IconButton label={t("chat.list")} onClick={() => void navigate(LIST)}>
            <Menu size={22} />
          </IconButton>
          <span className="ms-auto me-3">
            <BoxLamp size={14} />
          </span>
        </>
      ) : (
        <>
          <IconButton label={t("chat.list")} onClick={back}>
            <ChevronLeft size={24} />
          </IconButton>
          <Title id={conversationId} />
          <BoxLamp size={12} />
          <IconButton label={t("chat.new")} onClick={() => void navigate("/chat")}>
            <SquarePen size={20} />
          </IconButton>
        </>
      )}
    </header>
  );
}

function Title({ id }: { id: string }) {
  const api = useApi();
  const { t } = useTranslation();
  const detail = useQuery({
    queryKey: ["conversation", id, "detail"],
    queryFn: () => api.getConversation(id),
  });
  return (
    <p aria-hidden="true" className="min-w-0 flex-1 truncate font-medium">
      {detail.data?.title ?? t("chat.untitled")}
    </p>
  );
}
