import { BookOpen, House, LampDesk, Mail, PencilLine, type LucideIcon } from "lucide-react";

const DRAWN: Record<string, LucideIcon> = {
  house: House,
  pencil: PencilLine,
  letter: Mail,
  book: BookOpen,
};

/** The drawn face of an assistant. */
export function Avatar({ name }: { name: string }) {
  const Icon = DRAWN[name] ?? LampDesk;
  return (
    <span className="grid size-11 shrink-0 place-content-center rounded-full bg-tint text-accent">
      <Icon size={22} strokeWidth={1.75} aria-hidden="true" />
    </span>
  );
}
