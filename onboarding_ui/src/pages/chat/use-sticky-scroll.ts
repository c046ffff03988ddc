import { type RefObject, useCallback, useEffect, useRef } from "react";

const NEAR_PX = 80;

interface Sticky {
  ref: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
  stick: () => void;
}

/** Stays at the end while text grows, but only for whoever is at the end already. */
export function useStickyScroll(count: number): Sticky {
  const ref = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const toEnd = useCallback(() => {
    const box = ref.current;
    if (box && isAtEnd.current) box.scrollTop = box.scrollHeight;
  }, []);
  useEffect(() => {
    const content = ref.current?.firstElementChild;
    if (!content) return;
    const watcher = new ResizeObserver(toEnd);
    watcher.observe(content);
    return () => watcher.disconnect();
  }, [toEnd]);
  useEffect(toEnd, [count, toEnd]);
  return {
    ref,
    onScroll: () => {
      const box = ref.current;
      if (box) isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
    },
    stick: () => {
      isAtEnd.current = true;
      toEnd();
    },
  };
}
