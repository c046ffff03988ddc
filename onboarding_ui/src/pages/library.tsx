import { Navigate, Route, Routes } from "react-router";
import { AssistantsPage } from "./assistants/assistants-page";
import { MemoriesPage } from "./assistants/memories-page";
import { DocumentPage } from "./knowledge/document-page";
import { DocumentsPage } from "./knowledge/documents-page";

/** Documents, assistants and memories; loaded when somebody goes there. */
export default function Library() {
  return (
    <Routes>
      <Route index element={<DocumentsPage />} />
      <Route path="documents/:fileId" element={<DocumentPage />} />
      <Route path="assistants" element={<AssistantsPage />} />
      <Route path="memories" element={<MemoriesPage />} />
      <Route path="*" element={<Navigate to="/library" replace />} />
    </Routes>
  );
}
