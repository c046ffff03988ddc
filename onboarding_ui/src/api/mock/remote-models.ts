import type { AlleracApi } from "../allerac-api";
import type { RemoteModel } from "../types";
import { notFound, type Scenario } from "./scenario";

type RemoteModelsApi = Pick<
  AlleracApi,
  | "listRemoteModels"
  | "addRemoteModel"
  | "changeRemoteModel"
  | "checkRemoteModel"
  | "removeRemoteModel"
>;

/** Models elsewhere of the mock: none until one is added, or one beside the second model. */
export function createMockRemoteModels({ secondModel }: Scenario): RemoteModelsApi {
  const models = new Map<string, RemoteModel>();
  const keep = (model: RemoteModel): RemoteModel => {
    models.set(model.id, model);
    return model;
  };
  const known = (id: string): RemoteModel => {
    const model = models.get(id);
    if (!model) throw notFound();
    return model;
  };
  if (secondModel) {
    keep({
      id: "remote-1",
      title: "Office server",
      host: "llm.example.org",
      model: "large-model",
      enabled: true,
      has_key: true,
    });
  }
  return {
    listRemoteModels: () => Promise.resolve({ items: [...models.values()] }),
    addRemoteModel: async ({ title, base_url, model, key }) =>
      keep({
        id: `remote-${models.size + 1}`,
        title,
        host: new URL(base_url).hostname,
        model,
        enabled: true,
        has_key: key !== null && key !== undefined,
      }),
    changeRemoteModel: async (id, body) =>
      keep({
        ...known(id),
        title: body.title ?? known(id).title,
        enabled: body.enabled ?? known(id).enabled,
      }),
    checkRemoteModel: async (id) => ({ ok: known(id).enabled }),
    removeRemoteModel: async (id) => {
      models.delete(known(id).id);
    },
  };
}
