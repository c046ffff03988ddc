import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Route, Routes, useLocation } from "react-router";
import { useApi } from "./api/context";
import { hasCode } from "./api/problem";
import type { Person } from "./api/types";
import { Lamp } from "./components/lamp";
import { ProblemNote } from "./components/problem";
import { Button } from "./components/ui/button";
import { Skeleton } from "./components/ui/card";
import { speak } from "./i18n";
import { Frame } from "./layout/frame";
import { PersonProvider } from "./layout/person";
import { BoxPage } from "./pages/box/box-page";
import { ModelsPage } from "./pages/box/models-page";
import { ChatPage } from "./pages/chat/chat-page";
import { JoinPage } from "./pages/join-page";
import { PeoplePage } from "./pages/people/people-page";
import { RecoverPage } from "./pages/recover-page";
import { SignInPage } from "./pages/sign-in-page";
import { UpdatesPage } from "./pages/updates/updates-page";
import { useBroughtCode } from "./pages/wizard/claim-code";
import { Wizard } from "./pages/wizard/wizard";

const HealthPage = lazy(() =>
  import("./pages/health/health-page").then((page) => ({ default: page.HealthPage })),
);

const Library = lazy(() => import("./pages/library"));

export function App() {
  const api = useApi();
  const location = useLocation();
  const claimCode = useBroughtCode();
  const status = useQuery({ queryKey: ["status"], queryFn: () => api.getStatus() });
  const claimed = status.data?.claimed === true;
  const session = useQuery({
    queryKey: ["session"],
    queryFn: () => api.getSession(),
    enabled: claimed,
  });
  const language = session.data?.person.language;
  useEffect(() => {
    if (language !== undefined) speak(language);
  }, [language]);

  if (status.error) return <Away error={status.error} retry={() => void status.refetch()} />;
  if (!status.data || (claimed && session.isPending)) return <Waking />;
  if (location.pathname.startsWith("/join/")) {
    return (
      <Routes>
        <Route path="/join/:token" element={<JoinPage />} />
      </Routes>
    );
  }
  if (!claimed) return <Wizard claimCode={claimCode} />;
  if (session.data) return <SignedIn person={session.data.person} />;
  if (hasCode(session.error, "not_signed_in")) return <SignedOut />;
  return <Away error={session.error} retry={() => void session.refetch()} />;
}

function SignedIn({ person }: { person: Person }) {
  return (
    <PersonProvider value={person}>
      <Frame>
        <Routes>
          <Route path="/" element={<Navigate to="/chat" replace />} />
          <Route path="/chat" element={<ChatPage />} />
          <Route path="/chat/list" element={<ChatPage />} />
          <Route path="/chat/:conversationId" element={<ChatPage />} />
          <Route path="/box" element={<BoxPage />} />
          <Route
            path="/box/health"
            element={
              <Suspense fallback={<Skeleton rows={8} />}>
                <HealthPage />
              </Suspense>
            }
          />
          <Route path="/box/models" element={<ModelsPage />} />
          <Route path="/box/updates" element={<UpdatesPage />} />
          <Route
            path="/library/*"
            element={
              <Suspense fallback={null}>
                <Library />
              </Suspense>
            }
          />
          <Route path="/people" element={<PeoplePage />} />
          <Route path="*" element={<Navigate to="/chat" replace />} />
        </Routes>
      </Frame>
    </PersonProvider>
  );
}

function SignedOut() {
  return (
    <Routes>
      <Route path="/recover" element={<RecoverPage />} />
      <Route path="*" element={<SignInPage />} />
    </Routes>
  );
}

function Waking() {
  const { t } = useTranslation();
  return (
    <main
      className="grid min-h-dvh place-content-center justify-items-center gap-5"
      aria-busy="true"
    >
      <Lamp state="working" size={28} />
      <p className="text-soft">{t("waking")}</p>
    </main>
  );
}

function Away({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation();
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center justify-items-center gap-5 p-6">
      <Lamp state="trouble" size={28} />
      <ProblemNote error={error} />
      <Button kind="primary" onClick={retry}>
        {t("tryAgain")}
      </Button>
    </main>
  );
}
