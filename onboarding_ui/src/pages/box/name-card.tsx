import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Box } from "@/api/types";
import { ProblemNote, fieldError } from "@/components/problem";
import { useToast } from "@/components/toasts";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";

export function NameCard({ box }: { box: Box }) {
  const api = useApi();
  const { t } = useTranslation();
  const toast = useToast();
  const queries = useQueryClient();
  const [name, setName] = useState(box.name);
  const rename = useMutation({
    mutationFn: () => api.updateBox({ name }),
    onSuccess: (renamed) => {
      toast(t("box.renamed", { hostname: renamed.hostname }));
      return queries.invalidateQueries({ queryKey: ["box"] });
    },
  });
  const nameError = fieldError(rename.error, "name");
  return (
    <Card title={t("box.rename")}>
      <form
        className="grid max-w-md gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate();
        }}
      >
        <Field
          label={t("box.name")}
          value={name}
          maxLength={40}
          error={nameError}
          onChange={(event) => setName(event.target.value)}
          hint={t("box.foundAs", { hostname: box.hostname })}
        />
        {nameError === undefined ? <ProblemNote error={rename.error} /> : null}
        <Button
          type="submit"
          className="justify-self-start"
          busy={rename.isPending}
          disabled={name === box.name || name.trim() === ""}
        >
          {t("save")}
        </Button>
      </form>
    </Card>
  );
}
