import { useTranslation } from "react-i18next";
import type { Box } from "@/api/types";
import { CopyButton } from "@/components/copy-button";
import { timeOfDay } from "@/components/numbers";
import { Qr } from "@/components/qr";
import { Card, Notice } from "@/components/ui/card";

function addressesOf(box: Box): string[] {
  const port = box.port === 80 ? "" : `:${box.port}`;
  const named = box.names.map((name) => `http://${name}${port}/`);
  return [...new Set([...named, ...box.addresses.map(({ url }) => url)])];
}

/** Under which names and numbers the box answers, the first one also for a phone's camera. */
export function AddressCard({ box }: { box: Box }) {
  const { t } = useTranslation();
  return (
    <Card title={t("box.found")}>
      <div className="grid items-center gap-5 sm:grid-cols-[auto_1fr]">
        <Qr svg={box.qr_svg} label={t("box.qr")} />
        <ul className="grid gap-1 divide-y divide-line">
          {addressesOf(box).map((url) => (
            <li key={url} className="flex min-h-11 items-center justify-between gap-2">
              <a
                href={url}
                className="flex min-h-11 min-w-0 items-center font-mono text-sm underline decoration-line underline-offset-4 hover:decoration-accent"
              >
                {url}
              </a>
              <CopyButton text={url} label={t("box.copyAddress", { url })} />
            </li>
          ))}
        </ul>
      </div>
      <NetworkCheck check={box.network_check} />
    </Card>
  );
}

/** What the box's last look at its own names said; nothing before the first. */
function NetworkCheck({ check }: { check: Box["network_check"] }) {
  const { t } = useTranslation();
  if (!check) return null;
  const says = t(`box.networkCheck.${check.reason}`, { time: timeOfDay(check.checked_at) });
  return (
    <div className="mt-4">
      {check.ok ? <p className="text-sm text-soft">{says}</p> : <Notice>{says}</Notice>}
    </div>
  );
}
