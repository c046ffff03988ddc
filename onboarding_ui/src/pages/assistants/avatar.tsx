import {
  BookOpen,
  Calculator,
  CookingPot,
  Heart,
  House,
  LampDesk,
  Mail,
  PencilLine,
  Sprout,
  type LucideIcon,
} from "lucide-react";

const DRAWN = {
  lamp: LampDesk,
  house: House,
  pencil: PencilLine,
  letter: Mail,
  book: BookOpen,
  pot: CookingPot,
  calculator: Calculator,
  sprout: Sprout,
  heart: Heart,
} satisfies Record<string, LucideIcon>;

type AvatarName = keyof typeof DRAWN;

export const AVATARS = Object.keys(DRAWN) as AvatarName[];

/** The name of a face that is drawn here; the lamp's for any other. */
export function avatarName(name: string): AvatarName {
  return AVATARS.find((known) => known === name) ?? "lamp";
}

/** The drawn face of an assistant. */
export function Avatar({ name }: { name: string }) {
  const Icon = DRAWN[avatarName(name)];
  return (
    <span className="grid size-11 shrink-0 place-content-center rounded-full bg-tint text-accent">
      <Icon size={22} strokeWidth={1.75} aria-hidden="true" />
    </span>
  );
}
