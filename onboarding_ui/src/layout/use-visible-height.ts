import { useEffect } from "react";

/**
 * Keeps `--visible-height` at what the on-screen keyboard leaves free. Android shrinks the page by
 * itself (`interactive-widget` in index.html); iOS only shrinks the visual viewport.
 */
export function useVisibleHeight(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!viewport) return;
    const root = document.documentElement;
    const measure = (): void => {
      // A page that is zoomed in has a small viewport too, and keeps its layout.
      if (viewport.scale > 1.01) return;
      root.style.setProperty("--visible-height", `${Math.round(viewport.height)}px`);
      // iOS scrolls the page up to show the field; the frame already fits.
      if (viewport.offsetTop > 0) window.scrollTo(0, 0);
    };
    measure();
    viewport.addEventListener("resize", measure);
    viewport.addEventListener("scroll", measure);
    return () => {
      viewport.removeEventListener("resize", measure);
      viewport.removeEventListener("scroll", measure);
      root.style.removeProperty("--visible-height");
    };
  }, []);
}
