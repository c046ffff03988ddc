import type { AlleracApi } from "../allerac-api";
import { ApiError } from "../problem";
import type { Picture } from "../types";
import { newId, require } from "./scenario";

type PicturesApi = Pick<
  AlleracApi,
  "addPicture" | "listPictures" | "readPicture" | "pictureAddress"
>;

interface Kept {
  conversation: string;
  client: string;
  picture: Picture;
  content: Blob;
  address: string;
}

/** `sent` is to be told which message a client's id became. */
export function createMockPictures() {
  const all: Kept[] = [];
  const find = (id: string): Kept => require(all.find(({ picture }) => picture.id === id));
  const part: PicturesApi = {
    addPicture: (conversation, client, content) => {
      if (!content.type.startsWith("image/")) {
        const message = "This is not a picture that the box can show.";
        return Promise.reject(new ApiError(422, { code: "invalid_input", message }));
      }
      const facts = { width: 640, height: 480, size_bytes: content.size, kind: "png" } as const;
      const picture: Picture = { id: newId("picture"), message_id: null, ...facts };
      all.push({ conversation, client, picture, content, address: URL.createObjectURL(content) });
      return Promise.resolve({ ...picture });
    },
    listPictures: (id) =>
      Promise.resolve({
        items: all
          .filter(({ conversation, picture }) => conversation === id && picture.message_id)
          .map(({ picture }) => ({ ...picture })),
      }),
    readPicture: (id) => Promise.resolve(find(id).content),
    pictureAddress: (id) => find(id).address,
  };
  const sent = (client: string, messageId: string): void =>
    all
      .filter((kept) => kept.client === client)
      .forEach(({ picture }) => (picture.message_id = messageId));
  return { part, sent };
}
