import { useLayoutEffect, useState } from "react";
import { useLocation, useNavigate } from "react-router";

export const CODE_LENGTH = 8;

/** The code without what people write between its halves. */
export function cleanCode(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "")
    .slice(0, CODE_LENGTH);
}

/**
 * The claim code that a scanned link brings: `/#code=K7QM4XWP`, on the label with `&key=…`. A browser
 * keeps what follows the # to itself. It is taken out of the address and of the history at once and
 * lives in memory alone; empty when there is none or it is torn.
 */
export function useBroughtCode(): string {
  const { pathname, search, hash } = useLocation();
  const navigate = useNavigate();
  const [code, setCode] = useState("");
  const found = new URLSearchParams(hash.slice(1)).get("code");
  const brought = found === null ? code : whole(cleanCode(found));
  if (brought !== code) setCode(brought);
  useLayoutEffect(() => {
    if (found === null) return;
    void navigate({ pathname, search, hash: "" }, { replace: true });
  });
  return code;
}

function whole(code: string): string {
  return code.length === CODE_LENGTH ? code : "";
}
