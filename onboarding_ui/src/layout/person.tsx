import { createContext, use } from "react";
import type { Person } from "@/api/types";

const PersonContext = createContext<Person | null>(null);

export const PersonProvider = PersonContext.Provider;

/** Who is signed in. */
export function usePerson(): Person {
  const person = use(PersonContext);
  if (!person) throw new Error("usePerson needs a signed-in page");
  return person;
}

export function isAdministrator(person: Person): boolean {
  return person.role === "owner" || person.role === "admin";
}
