import type { AlleracApi } from "../allerac-api";
import { createMockAccounts } from "./accounts";
import { createMockBox } from "./box";
import { createMockChat } from "./chat";
import { createMockHealth } from "./health";
import { createMockLibrary } from "./library";
import { createMockModels } from "./models";
import { createMockPictures } from "./pictures";
import { createMockRemoteModels } from "./remote-models";
import { createMockSsh } from "./ssh";
import { createMockUpdates } from "./updates";
import { inUse, pause, type Scenario } from "./scenario";

export { scenarioOf } from "./scenario";

type AnyCall = (...given: unknown[]) => Promise<unknown>;

/** Makes every request take as long as on a home network, so that waiting states are seen. */
function delayed(api: AlleracApi, milliseconds: number): AlleracApi {
  const slow = Object.entries(api)
    .filter(([name]) => !name.startsWith("stream") && !name.endsWith("Address"))
    .map(([name, call]) => {
      const original = call as AnyCall;
      return [name, (...given: unknown[]) => pause(milliseconds).then(() => original(...given))];
    });
  return { ...api, ...(Object.fromEntries(slow) as Partial<AlleracApi>) };
}

function withoutListing(models: ReturnType<typeof createMockModels>) {
  const routes: Partial<typeof models> = { ...models };
  delete routes.listing;
  return routes as Omit<typeof models, "listing">;
}

export function createMockApi(scenario: Partial<Scenario> = {}): AlleracApi {
  const complete = { ...inUse, ...scenario };
  const models = createMockModels(complete);
  const { session, ...accounts } = createMockAccounts(complete);
  const chat = createMockChat(complete);
  const answersOf = async (id: string): Promise<string[]> =>
    (await chat.listMessages(id)).filter(({ role }) => role === "assistant").map((one) => one.id);
  const pictures = createMockPictures();
  const ssh = createMockSsh(complete);
  const { library, hear } = createMockLibrary(complete, answersOf);
  const api: AlleracApi = {
    ...accounts,
    ...withoutListing(models),
    ...createMockBox(complete, models, session, ssh),
    ...createMockHealth(complete),
    ...createMockRemoteModels(complete),
    ...createMockUpdates(complete),
    ...chat,
    ...pictures.part,
    ...ssh.part,
    ...library,
    sendMessage: async (id, body) => {
      const sent = await chat.sendMessage(id, body);
      hear(sent);
      pictures.sent(body.client_id, sent.message.id);
      return sent;
    },
  };
  return complete.requestMilliseconds > 0 ? delayed(api, complete.requestMilliseconds) : api;
}
