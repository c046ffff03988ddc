import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import type { AlleracApi } from "@/api/allerac-api";
import { ApiError } from "@/api/problem";
import type { Box } from "@/api/types";
import { open, refusal } from "./page";

const playing =
  (patch: (box: Box) => Partial<Box>) =>
  (api: AlleracApi): Partial<AlleracApi> => ({
    getBox: async () => {
      const box = await api.getBox();
      return { ...box, ...patch(box) };
    },
  });

test("a box that is well says so, with its figures in a person's words", async () => {
  open("/box");
  expect(await screen.findByText("All is well")).toBeInTheDocument();
  expect(screen.getByText("Words a second").nextElementSibling).toHaveTextContent("315");
  expect(screen.getByText("Disk free").nextElementSibling).toHaveTextContent("198 GB");
  expect(await screen.findByText("Serial number: ALR-N100-000731")).toBeInTheDocument();
});

test("another machine with the same name is the one thing to do", async () => {
  open("/box", { nameConflict: true });
  expect(await screen.findByText("One thing to do")).toBeInTheDocument();
  expect(screen.getByText(/Another machine here is called/)).toBeInTheDocument();
});

test("a model that does not start is trouble, with the reason", async () => {
  open(
    "/box",
    {},
    playing(({ engine }) => ({
      engine: { ...engine, state: "failed", last_error: "The file is damaged." },
    })),
  );
  expect(await screen.findByText("The model does not start")).toBeInTheDocument();
  expect(screen.getByRole("alert")).toHaveTextContent("The file is damaged.");
});

test("a box that answers says how many questions, and counts them in words", async () => {
  open(
    "/box",
    {},
    playing(({ engine }) => ({ engine: { ...engine, active: 1 } })),
  );
  expect(await screen.findByText("Answering 1 question")).toBeInTheDocument();
});

test("every address can be opened and copied", async () => {
  const user = userEvent.setup();
  open("/box");
  const link = await screen.findByRole("link", { name: "http://kitchen.local/" });
  expect(link).toHaveAttribute("href", "http://kitchen.local/");
  await user.click(screen.getByRole("button", { name: "Copy http://192.168.1.42/" }));
  expect(await navigator.clipboard.readText()).toBe("http://192.168.1.42/");
});

const CHECKS = [
  ["names_do_not_lead_here", "A name does not lead here", "Ein Name führt gerade nicht hierher"],
  ["no_address", "The box has no network address", "Die Box hat keine Adresse im Netz"],
  ["network_error", "could not ask the network", "konnte im Netz nicht"],
] as const;

const checked = (reason: NonNullable<Box["network_check"]>["reason"]) => (): Partial<Box> => ({
  network_check: {
    ok: reason === "names_lead_here",
    reason,
    message: "In the log's words.",
    checked_at: "2026-11-21T10:05:00.000Z",
  },
});

test.each(CHECKS)("a look at the names that says %s says what to do", async (reason, en, de) => {
  open("/box", {}, playing(checked(reason)));
  expect(await screen.findByText(new RegExp(en))).toBeInTheDocument();
  expect(screen.queryByText("In the log's words.")).toBeNull();
  expect(i18next.t(`box.networkCheck.${reason}`, { lng: "de" })).toContain(de);
});

test("names that lead to the box are told with the time, and without alarm", async () => {
  open("/box", {}, playing(checked("names_lead_here")));
  const told = await screen.findByText(/Its names lead here; looked at .*05/);
  expect(told.closest("[role=status], [role=alert]")).toBeNull();
});

test("before the first look at the names nothing is said about them", async () => {
  open(
    "/box",
    {},
    playing(() => ({ network_check: null })),
  );
  expect(await screen.findByRole("link", { name: "http://kitchen.local/" })).toBeInTheDocument();
  expect(screen.queryByText(/names lead/)).toBeNull();
});

test("a certificate is offered with its fingerprint and its end", async () => {
  open(
    "/box",
    {},
    playing(() => ({
      certificate: { fingerprint: "AB:CD:EF", expires_at: "2027-05-01T10:00:00.000Z" },
    })),
  );
  expect(await screen.findByRole("link", { name: "Get the certificate" })).toHaveAttribute(
    "href",
    "/ca.crt",
  );
  expect(screen.getByText("AB:CD:EF")).toBeInTheDocument();
  expect(screen.getByText(/good until .*2027/)).toBeInTheDocument();
});

test("without certificate or serial number nothing is said about them", async () => {
  open(
    "/box",
    {},
    playing(() => ({ certificate: null, serial: null })),
  );
  expect(await screen.findByRole("heading", { name: "This machine" })).toBeInTheDocument();
  expect(screen.queryByRole("heading", { name: "A closed padlock" })).toBeNull();
  expect(screen.queryByText(/Serial number/)).toBeNull();
});

test("a new name is told with the new address", async () => {
  const user = userEvent.setup();
  open("/box");
  const name = await screen.findByLabelText("Name of the box");
  await user.clear(name);
  await user.type(name, "Attic");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("From now on it is found as attic.local.")).toBeInTheDocument();
  expect(await screen.findByRole("heading", { name: "Attic" })).toBeInTheDocument();
});

test("a refused name keeps what was typed", async () => {
  const user = userEvent.setup();
  const fields = { name: "Too long for a network name." };
  open("/box", {}, () => ({
    updateBox: refusal(422, { code: "invalid_input", message: "No.", fields }),
  }));
  const name = await screen.findByLabelText("Name of the box");
  await user.type(name, " two");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Too long");
  expect(name).toHaveValue("Kitchen two");
});

test("while the box is away, every page says so", async () => {
  open("/people", {}, () => ({ getBox: () => Promise.reject(ApiError.offline()) }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The box cannot be reached.");
  expect(screen.getByRole("heading", { name: "Household" })).toBeInTheDocument();
});
