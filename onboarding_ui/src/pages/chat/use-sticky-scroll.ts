import { type RefObject, useCallback, useEffect, useRef } from "react";

const NEAR_PX = 80;

interface Sticky {
  box: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
  stick: () => void;
}

/** Stays at the end while text grows, but only for whoever is at the end already. */
export function useStickyScroll(count: number): Sticky {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const toEnd = useCallback(() => {
    const scroller = box.current;
    if (scroller && isAtEnd.current) scroller.scrollTop = scroller.scrollHeight;
  }, []);
  const onScroll = useCallback(() => {
    const scroller = box.current;
    if (!scroller) return;
    const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    isAtEnd.current = left < NEAR_PX;
  }, []);
  const stick = useCallback(() => {
    isAtEnd.current = true;
    toEnd();
  }, [toEnd]);
  useEffect(() => {
    const content = box.current?.firstElementChild;
    if (!content) return;
    const watcher = new ResizeObserver(toEnd);
    watcher.observe(content);
    return () => watcher.disconnect();
  }, [toEnd]);
  useEffect(toEnd, [count, toEnd]);
  return { box, onScroll, stick };
}
